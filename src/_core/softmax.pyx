"""Class probabilities and the curvature of the logistic loss, a document at a time.

e^x is made of + - * and powers of two here, so that the bits are those of every machine; the exp of
a C library differs from another's in the last place.
"""
from cython.parallel cimport prange
from libc.math cimport fabs, floor, ldexp
from libc.stdint cimport int64_t

cimport pyunlearn._core._portable

cdef double LOG2_E = 1.4426950408889634
# ln 2 in two parts: multiples of the first below 2^20 are exact.
cdef double LN2_HIGH = 6.93147180369123816490e-01
cdef double LN2_LOW = 1.90821492927058770002e-10
cdef double SMALLEST = -700.0


cdef inline double exponential(double x) noexcept nogil:
    """e^x for x <= 0, to 1e-15 relative; 0 below -700."""
    cdef double power, r, total
    if x < SMALLEST:
        return 0.0
    power = floor(x * LOG2_E + 0.5)
    r = (x - power * LN2_HIGH) - power * LN2_LOW
    # |r| <= ln(2)/2: the next term of the series is below 1e-17.
    total = 1.0 + r / 13.0
    total = 1.0 + r / 12.0 * total
    total = 1.0 + r / 11.0 * total
    total = 1.0 + r / 10.0 * total
    total = 1.0 + r / 9.0 * total
    total = 1.0 + r / 8.0 * total
    total = 1.0 + r / 7.0 * total
    total = 1.0 + r / 6.0 * total
    total = 1.0 + r / 5.0 * total
    total = 1.0 + r / 4.0 * total
    total = 1.0 + r / 3.0 * total
    total = 1.0 + r / 2.0 * total
    total = 1.0 + r * total
    return ldexp(total, <int> power)


cdef void softmax_row(const double* scores, int64_t n, double* out) noexcept nogil:
    cdef double largest = scores[0], total = 0.0
    cdef int64_t j
    if n == 1:
        total = exponential(-fabs(scores[0]))
        out[0] = 1.0 / (1.0 + total) if scores[0] >= 0.0 else total / (1.0 + total)
        return
    for j in range(1, n):
        largest = max(largest, scores[j])
    for j in range(n):
        out[j] = exponential(scores[j] - largest)
        total += out[j]
    for j in range(n):
        out[j] /= total


def probabilities(const double[:, ::1] scores, double[:, ::1] probabilities_out, int num_threads):
    """Softmax of each row (m x q); for q = 1 the logistic function of the only score."""
    cdef int64_t d, n_documents = scores.shape[0], n_outputs = scores.shape[1]
    if n_documents == 0 or n_outputs == 0:
        return
    with nogil:
        for d in prange(n_documents, schedule="static", num_threads=num_threads):
            softmax_row(&scores[d, 0], n_outputs, &probabilities_out[d, 0])


cdef void curvature_row(
    const double* probability, const double* change, int64_t n, double* out
) noexcept nogil:
    cdef double mean = 0.0
    cdef int64_t j
    if n == 1:
        out[0] = probability[0] * (1.0 - probability[0]) * change[0]
        return
    for j in range(n):
        mean += probability[j] * change[j]
    for j in range(n):
        out[j] = probability[j] * (change[j] - mean)


def curvature(
    const double[:, ::1] probabilities, const double[:, ::1] change, double[:, ::1] product_out,
    int num_threads,
):
    """Second derivative of the loss by the scores, times `change`; all m x q.

    (diag(p) - p p^T) z in each row; p (1 - p) z for q = 1.
    """
    cdef int64_t d, n_documents = change.shape[0], n_outputs = change.shape[1]
    if n_documents == 0 or n_outputs == 0:
        return
    with nogil:
        for d in prange(n_documents, schedule="static", num_threads=num_threads):
            curvature_row(&probabilities[d, 0], &change[d, 0], n_outputs, &product_out[d, 0])
