"""Simplex-constrained least squares: min 1/2 c^T G c - b^T c  with  c >= 0, sum(c) = 1.

One problem a row of `gram`. The active set is finite and exact; its answer is a fixed sequence of
+ - * / sqrt on (G, b, support), so its bits do not depend on how the support was found.
"""
from cython.parallel cimport prange, threadid
from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t

cimport pyunlearn._core._portable
from pyunlearn._core._lanes cimport lane_dot


cdef int factor_from(
    const double* G, int64_t n, const int32_t* support, int64_t size, int64_t first,
    const double* b, double* U, double* yb, double* y1,
) noexcept nogil:
    """Columns first..size-1 of U, G = U^T U on the support, with U^T yb = b and U^T y1 = 1.

    Row q of U starts at U + q n; its diagonal entry holds 1 / U_qq. Every entry receives its terms
    with q ascending, whether columns come one by one or all at once. Returns 0 if singular.
    """
    cdef int64_t i, q, t
    cdef double weight, level_b, level_1, square
    cdef double* row
    cdef double* column = y1 + n
    cdef const double* source
    for i in range(first, size):
        source = G + support[i] * n
        for q in range(i):
            column[q] = source[support[q]]
        square = source[support[i]]
        level_b = b[support[i]]
        level_1 = 1.0
        for q in range(i):
            row = U + q * n
            weight = column[q] * row[q]
            row[i] = weight
            for t in range(q + 1, i):
                column[t] -= weight * row[t]
            square -= weight * weight
            level_b -= weight * yb[q]
            level_1 -= weight * y1[q]
        if not square > 1e-14 * source[support[i]]:
            return 0
        weight = 1.0 / sqrt(square)
        U[i * n + i] = weight
        yb[i] = level_b * weight
        y1[i] = level_1 * weight
    return 1


cdef double solve_support(
    int64_t n, int64_t size, const double* U, const double* yb, const double* y1, double* solution
) noexcept nogil:
    """Weights with sum 1 on the support, G c - b = level there; returns the level."""
    cdef int64_t i
    cdef double level = (1.0 - lane_dot(y1, yb, size)) / lane_dot(y1, y1, size)
    for i in range(size - 1, -1, -1):
        solution[i] = yb[i] + level * y1[i]
        solution[i] -= lane_dot(U + i * n + i + 1, solution + i + 1, size - i - 1)
        solution[i] *= U[i * n + i]
    if size == 1:
        solution[0] = 1.0
    return level


cdef void gradient(
    const double* G, int64_t n, const double* b, const int32_t* support, const double* weights,
    int64_t size, double* g,
) noexcept nogil:
    cdef int64_t i, k
    cdef const double* row
    for k in range(n):
        g[k] = -b[k]
    for i in range(size):
        row = G + support[i] * n
        for k in range(n):
            g[k] += weights[i] * row[k]


cdef int64_t start_vertex(const double* G, int64_t n, const double* b) noexcept nogil:
    cdef int64_t k, best = 0
    for k in range(1, n):
        if 0.5 * G[k * n + k] - b[k] < 0.5 * G[best * n + best] - b[best]:
            best = k
    return best


cdef void sort_support(int32_t* support, int64_t size) noexcept nogil:
    cdef int64_t i, j
    cdef int32_t value
    for i in range(1, size):
        value = support[i]
        j = i - 1
        while j >= 0 and support[j] > value:
            support[j + 1] = support[j]
            j -= 1
        support[j + 1] = value


cdef void write_canonical(
    const double* G, int64_t n, const double* b, int32_t* support, int64_t size,
    double* U, double* yb, double* y1, double* solution, double* c_out,
) noexcept nogil:
    """The answer as a function of (G, b, support): support ascending, one order of operations."""
    cdef int64_t i
    sort_support(support, size)
    factor_from(G, n, support, size, 0, b, U, yb, y1)
    solve_support(n, size, U, yb, y1, solution)
    for i in range(n):
        c_out[i] = 0.0
    for i in range(size):
        c_out[support[i]] = solution[i] if solution[i] > 0.0 else 0.0


cdef int64_t shrink_to_feasible(
    const double* G, int64_t n, const double* b, int32_t* support, int64_t size, double* U,
    double* yb, double* y1, double* weights, double* solution, double* level,
) noexcept nogil:
    """Move towards the equality-constrained optimum; drop an index at each boundary met."""
    cdef int64_t i, at
    cdef double step, ratio
    while True:
        level[0] = solve_support(n, size, U, yb, y1, solution)
        at = -1
        step = 1.0
        for i in range(size):
            if solution[i] <= 0.0:
                ratio = weights[i] / (weights[i] - solution[i]) if weights[i] > 0.0 else 0.0
                if at < 0 or ratio < step:
                    step = ratio
                    at = i
        if at < 0:
            for i in range(size):
                weights[i] = solution[i]
            return size
        for i in range(size):
            weights[i] += step * (solution[i] - weights[i])
        for i in range(at, size - 1):
            support[i] = support[i + 1]
            weights[i] = weights[i + 1]
        size -= 1
        factor_from(G, n, support, size, at, b, U, yb, y1)


cdef int cold_solve(
    const double* G, int64_t n, const double* b, double tolerance, double* work,
    int32_t* support, uint8_t* blocked, double* c_out,
) noexcept nogil:
    """Primal active set from the best vertex; returns the number of steps, negative if stopped."""
    cdef double* U = work
    cdef double* yb = work + n * n
    cdef double* y1 = yb + n
    cdef double* weights = y1 + 2 * n  # y1 + n is factor_from's column
    cdef double* solution = weights + n
    cdef double* g = solution + n
    cdef double level
    cdef int64_t k, i, size = 1, worst, limit = 10 * n + 10, before
    cdef int steps = 0
    for k in range(n):
        blocked[k] = 0
    support[0] = <int32_t> start_vertex(G, n, b)
    weights[0] = 1.0
    factor_from(G, n, support, 1, 0, b, U, yb, y1)
    level = solve_support(n, 1, U, yb, y1, solution)
    while steps < limit:
        steps += 1
        gradient(G, n, b, support, weights, size, g)
        for i in range(size):
            g[support[i]] = level
        worst = -1
        for k in range(n):
            if not blocked[k] and g[k] < level - tolerance and (worst < 0 or g[k] < g[worst]):
                worst = k
        if worst < 0:
            write_canonical(G, n, b, support, size, U, yb, y1, solution, c_out)
            return steps
        support[size] = <int32_t> worst
        weights[size] = 0.0
        if not factor_from(G, n, support, size + 1, size, b, U, yb, y1):
            blocked[worst] = 1
            continue
        before = size
        size = shrink_to_feasible(
            G, n, b, support, size + 1, U, yb, y1, weights, solution, &level
        )
        # An index that leaves in the step that brought it in would come back for ever.
        if size <= before:
            blocked[worst] = 1
            for i in range(size):
                if support[i] == worst:
                    blocked[worst] = 0
    write_canonical(G, n, b, support, size, U, yb, y1, solution, c_out)
    return -steps


cdef int warm_solve(
    const double* G, int64_t n, const double* b, double weight_margin, double gradient_margin,
    double* work, int32_t* support, double* c_out,
) noexcept nogil:
    """Try the support of the weights in c_out; 1 if it is optimal with margins to spare.

    The margins are so far above rounding that a cold start must end on the same support
    (docs/algorithms.md), hence in the same bits. On 0, c_out is unchanged.
    """
    cdef double* U = work
    cdef double* yb = work + n * n
    cdef double* y1 = yb + n
    cdef double* solution = y1 + 2 * n  # y1 + n is factor_from's column
    cdef double* g = solution + n
    cdef double level
    cdef int64_t k, i, size = 0
    for k in range(n):
        if c_out[k] > 0.0:
            support[size] = <int32_t> k
            size += 1
    if size == 0 or not factor_from(G, n, support, size, 0, b, U, yb, y1):
        return 0
    level = solve_support(n, size, U, yb, y1, solution)
    for i in range(size):
        if not solution[i] > weight_margin:
            return 0
    gradient(G, n, b, support, solution, size, g)
    for i in range(size):
        g[support[i]] = level + 2.0 * gradient_margin
    for k in range(n):
        if not g[k] > level + gradient_margin:
            return 0
    for i in range(size):
        c_out[support[i]] = solution[i]
    return 1


def active_set(
    const double[:, ::1] G,
    const double[:, ::1] gram,
    const int32_t[::1] rows,
    double tolerance,
    bint warm,
    double weight_margin,
    double gradient_margin,
    double[:, ::1] work,
    int32_t[:, ::1] support,
    uint8_t[:, ::1] blocked,
    double[:, ::1] weights_out,
    int32_t[::1] steps_out,
    int num_threads,
):
    """Solve the rows `rows`; `weights_out[i]` is the warm start when `warm`.

    `steps_out[i]`: 0 warm start confirmed, > 0 steps of a cold solve, < 0 step limit met.
    Work space, one row a thread: `work` r*r + 6 r doubles, `support` r + 1, `blocked` r.
    """
    cdef int64_t r, row, n_rows = rows.shape[0], n = G.shape[0]
    cdef int thread
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=16, num_threads=num_threads):
            thread = threadid()
            row = rows[r]
            if warm and warm_solve(
                &G[0, 0], n, &gram[row, 0], weight_margin, gradient_margin, &work[thread, 0],
                &support[thread, 0], &weights_out[row, 0],
            ):
                steps_out[row] = 0
            else:
                steps_out[row] = cold_solve(
                    &G[0, 0], n, &gram[row, 0], tolerance, &work[thread, 0], &support[thread, 0],
                    &blocked[thread, 0], &weights_out[row, 0],
                )
