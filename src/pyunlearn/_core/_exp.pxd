# e^x made of + - * and a power of two, in one order: the bits of every machine, where the exp of one
# C library differs from another's in the last place. Without a branch or a table, so that a loop
# over it runs on vectors.
#
# x = k ln 2 + r with |r| <= ln(2)/2, and e^x = 2^k e^r by the series of e^r, whose first term left
# out is below 2e-16. Off by 5e-16 relative at most (tests/core/test_exp.py).
from libc.stdint cimport int64_t, uint64_t

cimport pyunlearn._core._portable

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    static inline uint64_t pyunlearn_bits_of(double x) {
        uint64_t bits;
        memcpy(&bits, &x, sizeof bits);
        return bits;
    }
    static inline double pyunlearn_double_of(uint64_t bits) {
        double x;
        memcpy(&x, &bits, sizeof x);
        return x;
    }
    /* A choice by bits: compilers make branches of others, and no vectors of loops with branches. */
    static inline double pyunlearn_zero_if(int whether, double x) {
        return pyunlearn_double_of(pyunlearn_bits_of(x) & ((uint64_t)(whether != 0) - 1));
    }
    """
    uint64_t bits_of "pyunlearn_bits_of"(double x) noexcept nogil
    double double_of "pyunlearn_double_of"(uint64_t bits) noexcept nogil
    double zero_if "pyunlearn_zero_if"(int whether, double x) noexcept nogil


cdef inline double exponential(double x) noexcept nogil:
    """e^x for x up to 709; 0 below -708, where numbers are no longer normal."""
    # Added to a number below 2^51, it leaves that number, rounded, in the last bits.
    cdef double shifted = x * 1.4426950408889634 + 6755399441055744.0
    cdef double power = shifted - 6755399441055744.0
    # ln 2 in two parts: multiples of the first below 2^20 are exact.
    cdef double r = (x - power * 6.93147180369123816490e-01) - power * 1.90821492927058770002e-10
    cdef double series = 1.0 / 479001600.0
    series = 1.0 / 39916800.0 + r * series
    series = 1.0 / 3628800.0 + r * series
    series = 1.0 / 362880.0 + r * series
    series = 1.0 / 40320.0 + r * series
    series = 1.0 / 5040.0 + r * series
    series = 1.0 / 720.0 + r * series
    series = 1.0 / 120.0 + r * series
    series = 1.0 / 24.0 + r * series
    series = 1.0 / 6.0 + r * series
    series = 0.5 + r * series
    series = 1.0 + r * series
    series = 1.0 + r * series
    return zero_if(x < -708.0, series * double_of((bits_of(shifted) + 1023) << 52))
