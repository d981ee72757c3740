"""The simplex problem of `simplex` by exponentiated gradient (Arora et al. 2013; the paper's
algorithm 5), with the duality gap  sum_k c_k (g_k - min g),  g = G c - b,  as the stopping rule.
"""
from cython.parallel cimport prange, threadid
from libc.math cimport exp, log
from libc.stdint cimport int32_t, int64_t

cimport pyunlearn._core._portable
from pyunlearn._core._lanes cimport lane_dot


cdef int descend(
    const double* G, int64_t n, const double* b, double gap_tolerance, int max_iter, double* work,
    double* c, double* gap_out,
) noexcept nogil:
    """Exponentiated gradient with a step that grows until the model c -> KL is violated."""
    cdef double* g = work
    cdef double* trial = work + n
    cdef double* trial_g = work + 2 * n
    cdef double smallest, gap, rate, total, curvature, divergence, scale = 0.0
    cdef int64_t k
    cdef int iteration
    for k in range(n):
        c[k] = 1.0 / <double> n
        scale = max(scale, G[k * n + k])
    for k in range(n):
        g[k] = lane_dot(G + k * n, c, n) - b[k]
    rate = 1.0 / scale
    for iteration in range(max_iter + 1):
        smallest = g[0]
        for k in range(1, n):
            smallest = min(smallest, g[k])
        gap = lane_dot(c, g, n) - smallest * lane_dot_ones(c, n)
        gap_out[0] = gap
        if gap <= gap_tolerance:
            return iteration
        if iteration == max_iter:
            break
        while True:
            for k in range(n):
                trial[k] = c[k] * exp(-rate * (g[k] - smallest))
            total = lane_dot_ones(trial, n)
            divergence = -log(total)
            for k in range(n):
                trial[k] /= total
            curvature = 0.0
            for k in range(n):
                trial_g[k] = lane_dot(G + k * n, trial, n) - b[k]
                curvature += (trial[k] - c[k]) * (trial_g[k] - g[k])
                divergence -= rate * trial[k] * (g[k] - smallest)
            # f(trial) <= f(c) + <g, trial - c> + KL(trial, c) / rate, f quadratic
            if 0.5 * curvature * rate <= divergence or rate * scale < 1e-3:
                break
            rate *= 0.5
        rate *= 1.5
        for k in range(n):
            c[k] = trial[k]
            g[k] = trial_g[k]
    return -1


cdef inline double lane_dot_ones(const double* x, int64_t n) noexcept nogil:
    cdef double total = 0.0
    cdef int64_t k
    for k in range(n):
        total += x[k]
    return total


def exponentiated_gradient(
    const double[:, ::1] G,
    const double[:, ::1] gram,
    const int32_t[::1] rows,
    double gap_tolerance,
    int max_iter,
    double[:, ::1] work,
    double[:, ::1] weights_out,
    double[::1] gap_out,
    int32_t[::1] steps_out,
    int num_threads,
):
    """Solve the rows `rows` from the uniform start; `steps_out[i]` is -1 where the gap stayed above.

    `work`: 3 r doubles, one row a thread.
    """
    cdef int64_t r, row, n_rows = rows.shape[0], n = G.shape[0]
    cdef int thread
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=4, num_threads=num_threads):
            thread = threadid()
            row = rows[r]
            steps_out[row] = descend(
                &G[0, 0], n, &gram[row, 0], gap_tolerance, max_iter, &work[thread, 0],
                &weights_out[row, 0], &gap_out[row],
            )
