# Sums and dot products in 8 fixed lanes: element t goes to lane t % 8, the lanes are combined in
# one fixed tree. The bits depend on the order of the data only, not on threads or SIMD width,
# because the compiler may not reorder additions (-ffp-contract=off, no -ffast-math).
from libc.stdint cimport int64_t

cimport pyunlearn._core._portable


cdef inline int64_t padded(int64_t n) noexcept nogil:
    """The next multiple of 8. Zeros behind the end change no bit of a sum in lanes."""
    return (n + 7) // 8 * 8


cdef inline double combine_lanes(const double* lane) noexcept nogil:
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]))


cdef inline double lane_sum(const double* x, int64_t n) noexcept nogil:
    cdef double lane[8]
    cdef int64_t t, whole = n - n % 8
    cdef int l
    for l in range(8):
        lane[l] = 0.0
    for t in range(0, whole, 8):
        for l in range(8):
            lane[l] += x[t + l]
    for t in range(whole, n):
        lane[t - whole] += x[t]
    return combine_lanes(lane)


cdef inline double lane_dot(const double* x, const double* y, int64_t n) noexcept nogil:
    cdef double lane[8]
    cdef int64_t t, whole = n - n % 8
    cdef int l
    for l in range(8):
        lane[l] = 0.0
    for t in range(0, whole, 8):
        for l in range(8):
            lane[l] += x[t + l] * y[t + l]
    for t in range(whole, n):
        lane[t - whole] += x[t] * y[t]
    return combine_lanes(lane)


cdef inline double lane_square_sum(const int64_t* x, int64_t n) noexcept nogil:
    # Squares of integers, each rounded to double first.
    cdef double lane[8]
    cdef double value
    cdef int64_t t, whole = n - n % 8
    cdef int l
    for l in range(8):
        lane[l] = 0.0
    for t in range(0, whole, 8):
        for l in range(8):
            value = <double> x[t + l]
            lane[l] += value * value
    for t in range(whole, n):
        value = <double> x[t]
        lane[t - whole] += value * value
    return combine_lanes(lane)
