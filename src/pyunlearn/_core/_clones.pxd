# PYUNLEARN_CLONES before the declaration of a C function compiles it for SSE2, AVX2 and AVX-512; the
# loader of glibc picks one for the processor at hand. All give the same bits (fixed order of
# operations, no contraction): it is a matter of speed alone. -DPYUNLEARN_NO_CLONES leaves it out.
#
# `one_step()` in a loop keeps GCC from running several of its steps side by side: that shuffles the
# accumulators through memory, at a fifth of the speed of keeping them in vector registers.
cdef extern from *:
    """
    #if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) \
        && !defined(PYUNLEARN_NO_CLONES)
    #include <features.h>
    #ifdef __GLIBC__
    #define PYUNLEARN_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
    #endif
    #endif
    #ifndef PYUNLEARN_CLONES
    #define PYUNLEARN_CLONES
    #endif
    #ifdef __GNUC__
    #define PYUNLEARN_ONE_STEP() __asm__ volatile("")
    #else
    #define PYUNLEARN_ONE_STEP()
    #endif
    """
    void one_step "PYUNLEARN_ONE_STEP"() noexcept nogil
