"""Symmetric non-negative factorisation of M_ij = sqrt(K_ij) s_i s_j over chosen columns.

Every entry of a product is one accumulator over the columns of its row, ascending, with the other
topics beside it; cross products add the rows in order; descent works on one row at a time. Rows have
one owner, so no bit depends on the number of threads.
"""
from cython.parallel cimport prange
from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t

from pyunlearn._core._lanes cimport combine_lanes, lane_dot, lane_sum


cdef int64_t chosen_in_row(
    const int32_t* columns, int64_t length, const int32_t* position
) noexcept nogil:
    cdef int64_t t, chosen = 0
    for t in range(length):
        chosen += position[columns[t]] >= 0
    return chosen


def count_chosen(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int32_t[::1] position,
    const int32_t[::1] rows,
    int64_t[::1] chosen_out,
    int num_threads,
):
    """Entries of the given rows in chosen columns, those with `position` >= 0."""
    cdef int64_t r, n_rows = rows.shape[0]
    if indices.shape[0] == 0 or n_rows == 0:
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=16, num_threads=num_threads):
            chosen_out[r] = chosen_in_row(
                &indices[0] + start[rows[r]], length[rows[r]], &position[0]
            )


cdef void roots_of_row(
    const int32_t* columns, const int64_t* values, int64_t length, const int32_t* position,
    const double* scale, double own_scale, int32_t* columns_out, double* roots_out,
) noexcept nogil:
    cdef int64_t t, at = 0
    for t in range(length):
        if position[columns[t]] >= 0:
            columns_out[at] = position[columns[t]]
            roots_out[at] = sqrt(<double> values[t]) * (own_scale * scale[columns[t]])
            at += 1


def fill_roots(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int64_t[::1] values,
    const int32_t[::1] position,
    const double[::1] scale,
    const int32_t[::1] rows,
    const int64_t[::1] root_start,
    int32_t[::1] columns_out,
    double[::1] roots_out,
    double[::1] sums_out,
    double[::1] squares_out,
    int num_threads,
):
    """M at the given rows and the chosen columns, renumbered by `position`; and the sums of its
    rows and of their squares.

    `root_start` comes from `count_chosen`.
    """
    cdef int64_t r, n_rows = rows.shape[0]
    if roots_out.shape[0] == 0:
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=16, num_threads=num_threads):
            roots_of_row(
                &indices[0] + start[rows[r]], &values[0] + start[rows[r]], length[rows[r]],
                &position[0], &scale[0], scale[rows[r]], &columns_out[0] + root_start[r],
                &roots_out[0] + root_start[r],
            )
            sums_out[r] = lane_sum(
                &roots_out[0] + root_start[r], root_start[r + 1] - root_start[r]
            )
            squares_out[r] = lane_dot(
                &roots_out[0] + root_start[r], &roots_out[0] + root_start[r],
                root_start[r + 1] - root_start[r],
            )


cdef double dot_of_row(
    const int32_t* columns, const double* roots, int64_t length, const double* vector
) noexcept nogil:
    cdef double lane[8]
    cdef int64_t t, whole = length - length % 8
    cdef int l
    for l in range(8):
        lane[l] = 0.0
    for t in range(0, whole, 8):
        for l in range(8):
            lane[l] += vector[columns[t + l]] * roots[t + l]
    for t in range(whole, length):
        lane[t - whole] += vector[columns[t]] * roots[t]
    return combine_lanes(lane)


def multiply_vector(
    const int64_t[::1] root_start,
    const int32_t[::1] columns,
    const double[::1] roots,
    const double[::1] vector,
    double[::1] product_out,
    int num_threads,
):
    """M v, (rows,), in 8 lanes over the entries of a row."""
    cdef int64_t r, n_rows = product_out.shape[0]
    if roots.shape[0] == 0:
        product_out[:] = 0.0
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=16, num_threads=num_threads):
            product_out[r] = dot_of_row(
                &columns[0] + root_start[r], &roots[0] + root_start[r],
                root_start[r + 1] - root_start[r], &vector[0],
            )


cdef void product_of_topics(
    const int32_t* columns, const double* roots, int64_t length, const double* factors,
    int64_t width, int block, double* product_out,
) noexcept nogil:
    """A row of M times 8 or 16 columns of the factors, all in registers."""
    cdef double partial[16]
    cdef double root
    cdef const double* weights
    cdef int64_t t
    cdef int k
    for k in range(16):
        partial[k] = 0.0
    if block == 16:
        for t in range(length):
            root = roots[t]
            weights = factors + columns[t] * width
            for k in range(16):
                partial[k] += weights[k] * root
    else:
        for t in range(length):
            root = roots[t]
            weights = factors + columns[t] * width
            for k in range(8):
                partial[k] += weights[k] * root
    for k in range(block):
        product_out[k] = partial[k]


cdef void product_of_row(
    const int32_t* columns, const double* roots, int64_t length, const double* factors,
    int64_t width, double* product_out,
) noexcept nogil:
    cdef int64_t topic = 0
    while topic < width:
        product_of_topics(
            columns, roots, length, factors + topic, width, 16 if topic + 16 <= width else 8,
            product_out + topic,
        )
        topic += 16


def multiply(
    const int64_t[::1] root_start,
    const int32_t[::1] columns,
    const double[::1] roots,
    const double[:, ::1] factors,
    double[:, ::1] product_out,
    int num_threads,
):
    """M H, (rows, width); the width is a multiple of 8."""
    cdef int64_t r, width = factors.shape[1], n_rows = product_out.shape[0]
    if roots.shape[0] == 0 or width == 0:
        product_out[:, :] = 0.0
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=8, num_threads=num_threads):
            product_of_row(
                &columns[0] + root_start[r], &roots[0] + root_start[r],
                root_start[r + 1] - root_start[r], &factors[0, 0], width, &product_out[r, 0],
            )


cdef void cross_row(
    const double* factors, int64_t n_rows, int64_t width, int64_t topic, double* cross_out
) noexcept nogil:
    cdef int64_t i, k
    cdef double weight
    for k in range(width):
        cross_out[k] = 0.0
    for i in range(n_rows):
        weight = factors[i * width + topic]
        if weight != 0.0:
            for k in range(width):
                cross_out[k] += weight * factors[i * width + k]


def cross_product(const double[:, ::1] factors, double[:, ::1] cross_out, int num_threads):
    """H^T H, (width, width), symmetric to the last bit."""
    cdef int64_t topic, n_rows = factors.shape[0], width = factors.shape[1]
    if n_rows == 0 or width == 0:
        cross_out[:, :] = 0.0
        return
    with nogil:
        for topic in prange(width, schedule="static", num_threads=num_threads):
            cross_row(&factors[0, 0], n_rows, width, topic, &cross_out[topic, 0])


cdef void descend_row(
    const double* target, const double* cross, int64_t width, int64_t n_topics, int sweeps,
    double* weights,
) noexcept nogil:
    cdef int sweep
    cdef int64_t k
    cdef double gradient
    for sweep in range(sweeps):
        for k in range(n_topics):
            gradient = target[k] - lane_dot(weights, cross + k * width, width)
            weights[k] = max(0.0, weights[k] + gradient / cross[k * width + k])


def descend(
    const double[:, ::1] target,
    const double[:, ::1] cross,
    int n_topics,
    int sweeps,
    double[:, ::1] weights,
    int num_threads,
):
    """Coordinate descent on 1/2 w^T G w - p^T w with w >= 0, row by row, in place.

    p: the rows of `target`; G: `cross`, with a positive diagonal in the first `n_topics` places.
    Columns from `n_topics` on are 0 in `weights` and stay so.
    """
    cdef int64_t r, n_rows = weights.shape[0], width = weights.shape[1]
    if n_rows == 0 or n_topics == 0:
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=8, num_threads=num_threads):
            descend_row(
                &target[r, 0], &cross[0, 0], width, n_topics, sweeps, &weights[r, 0]
            )
