"""One Newton step for every word, projected on the simplex (U_base, the paper's algorithm 1).

    c <- P(c - G^-1 (G c - b)),   P the Euclidean projection on {c >= 0, sum(c) = 1}

Only + - * / sqrt in a fixed order: the bits depend on (G, b, c) alone.
"""
from cython.parallel cimport prange, threadid
from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t

cimport pyunlearn._core._portable
from pyunlearn._core._lanes cimport lane_dot


def factorise(const double[:, ::1] G, double[:, ::1] factor_out):
    """Lower Cholesky factor of G, (r, r); returns the first topic without a pivot, or -1.

    A pivot of at most 1e-14 of its diagonal entry means that the anchor rows are dependent.
    """
    cdef int64_t i, j, n = G.shape[0]
    cdef double value
    for i in range(n):
        for j in range(i):
            value = G[i, j] - lane_dot(&factor_out[i, 0], &factor_out[j, 0], j)
            factor_out[i, j] = value / factor_out[j, j]
        value = G[i, i] - lane_dot(&factor_out[i, 0], &factor_out[i, 0], i)
        if not value > 1e-14 * G[i, i]:
            return i
        factor_out[i, i] = sqrt(value)
        for j in range(i + 1, n):
            factor_out[i, j] = 0.0
    return -1


cdef void solve(const double* L, int64_t n, double* x) noexcept nogil:
    """x <- (L L^T)^-1 x."""
    cdef int64_t i, j
    for i in range(n):
        x[i] = (x[i] - lane_dot(L + i * n, x, i)) / L[i * n + i]
    for i in range(n - 1, -1, -1):
        x[i] = x[i] / L[i * n + i]
        for j in range(i):
            x[j] -= L[i * n + j] * x[i]


cdef void sort_descending(double* x, int64_t n) noexcept nogil:
    # Shell sort: r is small, and equal values are equal whatever their order.
    cdef int64_t i, j, gap = n // 2
    cdef double value
    while gap > 0:
        for i in range(gap, n):
            value = x[i]
            j = i
            while j >= gap and x[j - gap] < value:
                x[j] = x[j - gap]
                j -= gap
            x[j] = value
        gap //= 2


cdef void project(double* c, int64_t n, double* sorted_values) noexcept nogil:
    """Nearest point of the simplex: c <- max(c - threshold, 0) (Held, Wolfe and Crowder 1974)."""
    cdef double total = 0.0, threshold = 0.0, candidate
    cdef int64_t i
    for i in range(n):
        sorted_values[i] = c[i]
    sort_descending(sorted_values, n)
    for i in range(n):
        total += sorted_values[i]
        candidate = (total - 1.0) / <double> (i + 1)
        if i > 0 and not sorted_values[i] > candidate:
            break
        threshold = candidate
    for i in range(n):
        c[i] = c[i] - threshold if c[i] > threshold else 0.0


def newton_rows(
    const double[:, ::1] G,
    const double[:, ::1] factor,
    const double[:, ::1] gram,
    const int32_t[::1] rows,
    double[:, ::1] work,
    double[:, ::1] weights_out,
    int num_threads,
):
    """The step for the rows `rows` of `weights_out`, with b_i = gram[i].

    `work`: 2 r doubles, one row a thread.
    """
    cdef int64_t r, row, k, n_rows = rows.shape[0], n = G.shape[0]
    cdef int thread
    cdef double* step
    if n == 0:
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=16, num_threads=num_threads):
            thread = threadid()
            row = rows[r]
            step = &work[thread, 0]
            for k in range(n):
                step[k] = lane_dot(&G[k, 0], &weights_out[row, 0], n) - gram[row, k]
            solve(&factor[0, 0], n, step)
            for k in range(n):
                weights_out[row, k] = weights_out[row, k] - step[k]
            project(&weights_out[row, 0], n, step + n)


def project_rows(double[:, ::1] rows_out, double[:, ::1] work, int num_threads):
    """Replace each row by the nearest point of the simplex.

    `work`: one row of as many doubles a thread.
    """
    cdef int64_t r, n_rows = rows_out.shape[0], n = rows_out.shape[1]
    if n == 0:
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=1, num_threads=num_threads):
            project(&rows_out[r, 0], n, &work[threadid(), 0])
