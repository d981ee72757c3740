# What no compiler may do to a kernel, or topics would have other bits on that machine: every kernel
# cimports this, and does not compile otherwise. Contraction to FMA cannot be seen from here: setup.py
# gives -ffp-contract=off, and golden digests of the tests notice when it is missing.
cdef extern from *:
    """
    #include <float.h>
    #include <stdint.h>

    #if defined(__FAST_MATH__) || defined(_M_FP_FAST)
    #error "pyunlearn: take -ffast-math, -Ofast, /fp:fast out: they change the bits of every model"
    #elif defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) \
        || defined(__NO_SIGNED_ZEROS__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
    #error "pyunlearn: take -funsafe-math-optimizations and parts of -ffast-math out: other bits"
    #endif
    /* 0: as written. 16: _Float16 is wider, and no kernel computes in it. */
    #if FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16
    #error "pyunlearn: numbers are computed wider than stored; compile with -mfpmath=sse -msse2"
    #endif
    #if FLT_RADIX != 2 || DBL_MANT_DIG != 53 || DBL_MAX_EXP != 1024
    #error "pyunlearn: double must be the binary64 of IEEE 754"
    #endif
    #if FLT_MANT_DIG != 24 || FLT_MAX_EXP != 128
    #error "pyunlearn: float must be the binary32 of IEEE 754"
    #endif
    #if UINTPTR_MAX < UINT64_MAX
    #error "pyunlearn: sizes need 64 bits; compile for a 64-bit Python"
    #endif
    """
