"""Symmetric non-negative factorisation of M_ij = sqrt(K_ij) s_i s_j: rows of M, and the descent.

M is dense: nearly all pairs of words that decide topics occur. Sums go through the 8 lanes; descent
works on one row at a time. Rows have one owner, so no bit depends on the number of threads.
"""
from cython.parallel cimport prange
from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t

cimport pyunlearn._core._clones
cimport pyunlearn._core._portable
from pyunlearn._core._lanes cimport lane_dot, lane_sum

cdef extern from *:
    """
    PYUNLEARN_CLONES static void pyunlearn_factorise_descend(
        const double*, const double*, int64_t, int, double*, double*);
    """


cdef void roots_of_row(
    const int32_t* columns, const int64_t* values, int64_t length, const int32_t* position,
    const double* scale, double own_scale, int64_t width, double* row_out,
) noexcept nogil:
    cdef int64_t t
    for t in range(width):
        row_out[t] = 0.0
    for t in range(length):
        if position[columns[t]] >= 0:
            row_out[position[columns[t]]] = sqrt(<double> values[t]) * (own_scale * scale[columns[t]])


def fill_roots(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int64_t[::1] values,
    const int32_t[::1] position,
    const double[::1] scale,
    const int32_t[::1] rows,
    double[:, ::1] roots_out,
    double[::1] sums_out,
    double[::1] squares_out,
    int num_threads,
):
    """M at the given rows, and the columns with `position` >= 0 in that place; and the sums of its
    rows and of their squares.
    """
    cdef int64_t r, n_rows = rows.shape[0], width = roots_out.shape[1]
    if n_rows == 0 or width == 0:
        return
    if indices.shape[0] == 0:
        roots_out[:, :] = 0.0
        sums_out[:] = 0.0
        squares_out[:] = 0.0
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=16, num_threads=num_threads):
            roots_of_row(
                &indices[0] + start[rows[r]], &values[0] + start[rows[r]], length[rows[r]],
                &position[0], &scale[0], scale[rows[r]], width, &roots_out[r, 0],
            )
            sums_out[r] = lane_sum(&roots_out[r, 0], width)
            squares_out[r] = lane_dot(&roots_out[r, 0], &roots_out[r, 0], width)


cdef void descend_row "pyunlearn_factorise_descend"(
    const double* cross, const double* inverse, int64_t n_topics, int sweeps,
    double* residual, double* weights,
) noexcept nogil:
    cdef int sweep
    cdef int64_t k, j
    cdef double weight, step
    for sweep in range(sweeps):
        for k in range(n_topics):
            weight = max(0.0, weights[k] + residual[k] * inverse[k])
            step = weight - weights[k]
            if step != 0.0:
                weights[k] = weight
                for j in range(n_topics):
                    residual[j] -= step * cross[k * n_topics + j]


def descend(
    const double[:, ::1] cross,
    const double[::1] inverse,
    int sweeps,
    double[:, ::1] residual,
    double[:, ::1] weights,
    int num_threads,
):
    """Coordinate descent on 1/2 w^T G w - p^T w with w >= 0, row by row, in place.

    G: `cross`, with `inverse` 1 over its diagonal, or 0 for a topic that stays as it is.
    `residual`, p - G w, is brought along.
    """
    cdef int64_t r, n_rows = weights.shape[0], n_topics = weights.shape[1]
    if n_rows == 0 or n_topics == 0:
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=8, num_threads=num_threads):
            descend_row(
                &cross[0, 0], &inverse[0], n_topics, sweeps, &residual[r, 0], &weights[r, 0]
            )
