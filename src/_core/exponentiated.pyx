"""The simplex problem of `simplex` by exponentiated gradient (Arora et al. 2013; the paper's
algorithm 5), with the duality gap  sum_k c_k (g_k - min g),  g = G c - b,  as the stopping rule.

Made of + - * / in one order, the exponential too, so that the bits are those of every machine.
Vectors stand in `width` doubles, n rounded up to 32. Behind the n, c is 0 and g is far up.
"""
from cython.parallel cimport prange, threadid
from libc.stdint cimport int32_t, int64_t

cimport pyunlearn._core._clones
cimport pyunlearn._core._portable
from pyunlearn._core._clones cimport one_step
from pyunlearn._core._exp cimport exponential
from pyunlearn._core._lanes cimport lane_dot, lane_sum

cdef extern from *:
    """
    PYUNLEARN_CLONES static int pyunlearn_exponentiated_descend(
        const double*, int64_t, int64_t, double, int, double*, double*);
    """

cdef enum:
    PANEL = 32  # sums at a time: they stay in registers
    VECTORS = 7  # of `work`

cdef double FAR = 1e100
# A weight stays a normal number, and can come back.
cdef double LEAST = 1e-100
# In one step the rate grows or falls tenfold at most, and in all it grows 1e12-fold at most.
cdef double FACTOR = 10.0
cdef double MOST = 1e12


cdef inline void gradient(
    const double* G, int64_t n, int64_t width, const double* start, const double* c, double* g,
) noexcept nogil:
    """g = start + G c, every entry one accumulator, columns of G ascending."""
    cdef double sums[PANEL]
    cdef int64_t first, j, panel
    cdef int k
    for panel in range(width // PANEL):
        first = panel * PANEL
        for k in range(PANEL):
            sums[k] = start[first + k]
        for j in range(n):
            one_step()
            for k in range(PANEL):
                sums[k] += c[j] * G[j * width + first + k]
        for k in range(PANEL):
            g[first + k] = sums[k]


cdef inline void move(
    const double* c, const double* excess, double rate, int64_t n, int64_t width, double* trial
) noexcept nogil:
    """trial = c exp(-rate excess), scaled to the sum 1."""
    cdef double total
    cdef int64_t k
    for k in range(n):
        total = c[k] * exponential(-rate * excess[k])
        trial[k] = total if total > LEAST else LEAST
    total = 1.0 / lane_sum(trial, width)
    for k in range(width):
        trial[k] *= total


cdef inline double smallest_of(const double* x, int64_t width) noexcept nogil:
    cdef double lane[8]
    cdef int64_t t
    cdef int l
    for l in range(8):
        lane[l] = x[l]
    for t in range(8, width, 8):
        for l in range(8):
            lane[l] = x[t + l] if x[t + l] < lane[l] else lane[l]
    for l in range(1, 8):
        lane[0] = lane[l] if lane[l] < lane[0] else lane[0]
    return lane[0]


cdef inline double rate_of(
    double* trial, double* turn, int64_t width, double curvature, double most
) noexcept nogil:
    """The rate of Barzilai and Borwein, <change, turn> / |turn|^2, or `most`. Spoils the vectors.

    |turn|^2 is taken in the metric of KL at the trial, diag(c) - c c^T: a variance.
    """
    cdef double mean = lane_dot(trial, turn, width), square
    cdef int64_t k
    for k in range(width):
        turn[k] -= mean
        trial[k] *= turn[k]
    square = lane_dot(trial, turn, width)
    return curvature / square if curvature < most * square else most


cdef int descend "pyunlearn_exponentiated_descend"(
    const double* G, int64_t n, int64_t width, double gap_tolerance, int max_iter, double* work,
    double* gap_out,
) noexcept nogil:
    """The steps that took the gap down to its tolerance, -1 if it stayed above.

    `work`: -b, the weights, room. A trial that raises f is not taken. This cannot happen at rates
    up to 1 / max G_kk, where KL(trial, c) / rate bounds what f has beyond its tangent.
    """
    cdef const double* start = work
    cdef double* c = work + width
    cdef double* g = work + 2 * width
    cdef double* excess = work + 3 * width
    cdef double* trial = work + 4 * width
    cdef double* turn = work + 5 * width
    cdef double* change = work + 6 * width
    cdef double smallest, curvature, rate, safe, trace = 0.0, largest = 0.0
    cdef int64_t k
    cdef int iteration
    cdef bint falls
    for k in range(n):
        trace += G[k * width + k]
        largest = max(largest, G[k * width + k])
        c[k] = 1.0 / <double> n
    safe = 1.0 / largest
    rate = <double> n / trace
    gradient(G, n, width, start, c, g)
    for iteration in range(max_iter + 1):
        smallest = smallest_of(g, width)
        for k in range(width):
            excess[k] = g[k] - smallest
        gap_out[0] = lane_dot(c, excess, width)
        if gap_out[0] <= gap_tolerance:
            return iteration
        if iteration == max_iter:
            break
        move(c, excess, rate, n, width, trial)
        gradient(G, n, width, start, trial, turn)
        for k in range(width):
            change[k] = trial[k] - c[k]
            turn[k] -= g[k]
        curvature = lane_dot(change, turn, width)
        falls = lane_dot(change, excess, width) + 0.5 * curvature <= 0.0 or rate <= safe
        if falls:
            for k in range(width):
                c[k] = trial[k]
                g[k] += turn[k]
        rate = max(
            rate / FACTOR,
            rate_of(trial, turn, width, curvature, rate * FACTOR if falls else rate * 0.5),
        )
        rate = min(max(rate, safe), MOST * safe)
    return -1


cdef int one_row(
    const double* G, int64_t n, int64_t width, const double* b, double gap_tolerance, int max_iter,
    double* work, double* c_out, double* gap_out,
) noexcept nogil:
    cdef int64_t k
    cdef int steps
    for k in range(VECTORS * width):
        work[k] = 0.0
    for k in range(n):
        work[k] = -b[k]
    for k in range(n, width):
        work[k] = FAR
    steps = descend(G, n, width, gap_tolerance, max_iter, work, gap_out)
    for k in range(n):
        c_out[k] = work[width + k]
    return steps


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

    `G`: r rows of `width` doubles, r rounded up to 32, with zeros behind the r columns. `work`:
    7 `width` doubles, one row a thread.
    """
    cdef int64_t r, row, n_rows = rows.shape[0], n = G.shape[0], width = G.shape[1]
    cdef int thread
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=4, num_threads=num_threads):
            thread = threadid()
            row = rows[r]
            steps_out[row] = one_row(
                &G[0, 0], n, width, &gram[row, 0], gap_tolerance, max_iter, &work[thread, 0],
                &weights_out[row, 0], &gap_out[row],
            )
