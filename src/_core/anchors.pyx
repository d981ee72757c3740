"""Greedy anchor selection in Gram form: a pivoted Cholesky factorisation of Qbar Qbar^T.

Masses and norms of the rows, one row of Qbar as a vector, and the steps of the factorisation; the
Gram entries are formed in `gram`.
"""
from cython.parallel cimport prange
from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t

cimport pyunlearn._core._portable
from pyunlearn._core._lanes cimport combine_lanes, lane_dot, lane_square_sum


cdef int64_t kept_sum(
    const int32_t* columns, const int64_t* values, int64_t length, const uint8_t* keep
) noexcept nogil:
    cdef int64_t t, total = 0
    for t in range(length):
        total += values[t] * keep[columns[t]]
    return total


def kept_mass(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int64_t[::1] values,
    const uint8_t[::1] keep,
    const int32_t[::1] rows,
    int64_t[::1] mass_out,
    int num_threads,
):
    """Row sums of K over the kept columns, exact, for the given rows."""
    cdef int64_t r, row, n_rows = rows.shape[0]
    if indices.shape[0] == 0:
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=16, num_threads=num_threads):
            row = rows[r]
            mass_out[row] = kept_sum(
                &indices[0] + start[row], &values[0] + start[row], length[row], &keep[0]
            )


cdef double kept_square_sum(
    const int32_t* columns, const int64_t* values, int64_t length, const uint8_t* keep
) noexcept nogil:
    cdef double lane[8]
    cdef double value
    cdef int64_t t
    cdef int l
    for l in range(8):
        lane[l] = 0.0
    for t in range(length):
        value = <double> (values[t] * keep[columns[t]])
        lane[t & 7] += value * value
    return combine_lanes(lane)


def squared_norms(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int64_t[::1] values,
    const uint8_t[::1] keep,
    bint all_kept,
    const int64_t[::1] mass,
    const int32_t[::1] rows,
    double[::1] norms_out,
    int num_threads,
):
    """|Qbar_i|^2 over the kept columns for the given rows; 0 where the mass is 0."""
    cdef int64_t r, row, n_rows = rows.shape[0]
    cdef double total
    if indices.shape[0] == 0:
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=16, num_threads=num_threads):
            row = rows[r]
            if mass[row] == 0 or not keep[row]:
                norms_out[row] = 0.0
                continue
            if all_kept:
                total = lane_square_sum(&values[0] + start[row], length[row])
            else:
                total = kept_square_sum(
                    &indices[0] + start[row], &values[0] + start[row], length[row], &keep[0]
                )
            norms_out[row] = total / (<double> mass[row] * <double> mass[row])


def scatter_row(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int64_t[::1] values,
    const uint8_t[::1] keep,
    int64_t mass,
    int64_t word,
    double[::1] row_out,
):
    """Qbar_word as a dense vector, 0 in the columns that are not kept."""
    cdef int64_t t
    with nogil:
        row_out[:] = 0.0
        for t in range(start[word], start[word] + length[word]):
            if keep[indices[t]]:
                row_out[indices[t]] = <double> values[t] / <double> mass


def cholesky_step(
    const double[:, ::1] gram,
    int64_t anchor,
    int64_t topic,
    double pivot,
    double[:, ::1] factor_out,
    double[::1] residual_out,
    int num_threads,
):
    """One step of the factorisation, for all rows; `anchor` is the anchor's row.

    L_ij = (B_ij - sum_{t<j} L_it L_{s_j t}) / sqrt(pivot);  residual_i -= L_ij^2.
    """
    cdef int64_t row, n_rows = gram.shape[0]
    cdef double root = sqrt(pivot), value
    with nogil:
        for row in prange(n_rows, schedule="static", num_threads=num_threads):
            value = gram[row, topic] - lane_dot(&factor_out[row, 0], &factor_out[anchor, 0], topic)
            value = value / root
            factor_out[row, topic] = value
            residual_out[row] = residual_out[row] - value * value


def follow_pivots(
    const double[:, ::1] gram,
    const double[::1] norms,
    const int32_t[::1] words,
    const int32_t[::1] rows,
    const int32_t[::1] anchors,
    const int32_t[::1] anchor_positions,
    const double[::1] pivots,
    int64_t n_steps,
    double[:, ::1] factor_out,
    int32_t[::1] wins_out,
    int num_threads,
):
    """The first `n_steps` of `cholesky_step` for the rows `rows` of the factor, whose B and norms
    stand in `gram[r]` and `norms[r]`, with the pivots as they were chosen.

    `wins_out[r]`: the first step at which row rows[r] would have been chosen in place of the
    anchor (larger residual, or an equal one and a lower word), else `n_steps`.
    """
    cdef int64_t r, row, step, n_rows = rows.shape[0]
    cdef double value, residual
    cdef int32_t win
    if n_steps == 0:
        return
    with nogil:
        for r in prange(n_rows, schedule="static", num_threads=num_threads):
            row = rows[r]
            residual = norms[r]
            win = <int32_t> n_steps
            for step in range(n_steps):
                if win == n_steps and (
                    residual > pivots[step]
                    or (residual == pivots[step] and words[row] < anchors[step])
                ):
                    win = <int32_t> step
                value = gram[r, step] - lane_dot(
                    &factor_out[row, 0], &factor_out[anchor_positions[step], 0], step
                )
                value = value / sqrt(pivots[step])
                factor_out[row, step] = value
                residual = residual - value * value
            wins_out[r] = win
