"""Greedy anchor selection in Gram form: a pivoted Cholesky factorisation of Qbar Qbar^T.

Qbar_i = K_i / c_i. Only the pivot columns B_ij = <Qbar_i, Qbar_{s_j}> are formed. Every entry of B
is one accumulator over the non-zeros of row i, columns ascending. The column pass (one topic, many
rows) and the row pass (all topics, few rows) go through several accumulators side by side, each in
this order, and so give the same bits.
"""
from cython.parallel cimport prange, threadid
from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t

from pyunlearn._core._lanes cimport combine_lanes, lane_dot, lane_square_sum


cdef enum:
    GROUP = 32    # rows that go through a tile together
    TILE = 1024   # columns of a tile: at 50 topics its part of the anchors' rows is 0.4 MB

ROWS_TOGETHER = GROUP


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


cdef void column_entries(
    const int32_t* rows,
    const int64_t* start,
    const int64_t* length,
    const int32_t* indices,
    const int64_t* values,
    const double* anchor_row,
    double* sums,
) noexcept nogil:
    """Dot products of 4 rows with a dense vector, side by side to hide the latency of addition."""
    cdef int64_t t, shared = length[rows[0]]
    cdef const int32_t* columns[4]
    cdef const int64_t* numbers[4]
    cdef double sum_0 = 0.0, sum_1 = 0.0, sum_2 = 0.0, sum_3 = 0.0
    cdef int k
    for k in range(4):
        shared = min(shared, length[rows[k]])
        columns[k] = indices + start[rows[k]]
        numbers[k] = values + start[rows[k]]
    for t in range(shared):
        sum_0 += anchor_row[columns[0][t]] * <double> numbers[0][t]
        sum_1 += anchor_row[columns[1][t]] * <double> numbers[1][t]
        sum_2 += anchor_row[columns[2][t]] * <double> numbers[2][t]
        sum_3 += anchor_row[columns[3][t]] * <double> numbers[3][t]
    sums[0] = sum_0
    sums[1] = sum_1
    sums[2] = sum_2
    sums[3] = sum_3
    for k in range(4):
        for t in range(shared, length[rows[k]]):
            sums[k] += anchor_row[columns[k][t]] * <double> numbers[k][t]


cdef void column_group(
    const int32_t* rows,
    int64_t n_rows,
    const int64_t* start,
    const int64_t* length,
    const int32_t* indices,
    const int64_t* values,
    const int64_t* mass,
    const double* anchor_row,
    double* column_out,
) noexcept nogil:
    cdef int32_t group[4]
    cdef double sums[4]
    cdef int64_t k
    for k in range(4):
        group[k] = rows[min(k, n_rows - 1)]
    column_entries(group, start, length, indices, values, anchor_row, sums)
    for k in range(n_rows):
        column_out[k] = sums[k] / <double> mass[rows[k]]


def gram_column(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int64_t[::1] values,
    const int64_t[::1] mass,
    const int32_t[::1] rows,
    const double[::1] anchor_row,
    double[::1] column_out,
    int num_threads,
):
    """<Qbar_i, Qbar_anchor> for the given rows i, all of positive mass; `column_out[r]` a row.

    Quickest when neighbours in `rows` are of about the same length.
    """
    cdef int64_t group, n_rows = rows.shape[0]
    if indices.shape[0] == 0 or n_rows == 0:
        return
    with nogil:
        for group in prange(
            (n_rows + 3) // 4, schedule="dynamic", chunksize=4, num_threads=num_threads
        ):
            column_group(
                &rows[4 * group], min(4, n_rows - 4 * group), &start[0], &length[0], &indices[0],
                &values[0], &mass[0], &anchor_row[0], &column_out[4 * group],
            )


cdef void add_entries_16(
    const int32_t* columns, const int64_t* values, int64_t length, const double* anchor_rows,
    int64_t width, double* sums,
) noexcept nogil:
    """Go on with 16 topics of one row; the sums stay in registers meanwhile."""
    cdef double partial[16]
    cdef double value
    cdef const double* weights
    cdef int64_t t
    cdef int k
    for k in range(16):
        partial[k] = sums[k]
    for t in range(length):
        value = <double> values[t]
        weights = anchor_rows + columns[t] * width
        for k in range(16):
            partial[k] += weights[k] * value
    for k in range(16):
        sums[k] = partial[k]


cdef void add_entries_8(
    const int32_t* columns, const int64_t* values, int64_t length, const double* anchor_rows,
    int64_t width, double* sums,
) noexcept nogil:
    cdef double partial[8]
    cdef double value
    cdef const double* weights
    cdef int64_t t
    cdef int k
    for k in range(8):
        partial[k] = sums[k]
    for t in range(length):
        value = <double> values[t]
        weights = anchor_rows + columns[t] * width
        for k in range(8):
            partial[k] += weights[k] * value
    for k in range(8):
        sums[k] = partial[k]


cdef void row_group(
    const int32_t* rows,
    int64_t n_rows,
    const int64_t* start,
    const int64_t* length,
    const int32_t* indices,
    const int64_t* values,
    const int64_t* mass,
    const double* anchor_rows,
    int64_t n_words,
    int64_t width,
    int64_t n_topics,
    double* sums,
    double* gram_out,
) noexcept nogil:
    """All topics of a few rows, which go side by side through tiles of columns: a tile of
    `anchor_rows` is read from memory once for all of them."""
    cdef int64_t g, t, end, topic, tile = 0
    cdef int64_t position[GROUP]
    for g in range(n_rows):
        position[g] = start[rows[g]]
    for t in range(n_rows * width):
        sums[t] = 0.0
    while tile < n_words:
        tile += TILE
        for g in range(n_rows):
            t = position[g]
            end = first_at_least(indices, t, start[rows[g]] + length[rows[g]], tile)
            position[g] = end
            topic = 0
            while topic + 16 <= width:
                add_entries_16(
                    indices + t, values + t, end - t, anchor_rows + topic, width,
                    sums + g * width + topic,
                )
                topic += 16
            if topic < width:
                add_entries_8(
                    indices + t, values + t, end - t, anchor_rows + topic, width,
                    sums + g * width + topic,
                )
    for g in range(n_rows):
        for topic in range(n_topics):
            gram_out[rows[g] * n_topics + topic] = sums[g * width + topic] / <double> mass[rows[g]]


cdef inline int64_t first_at_least(
    const int32_t* sorted_values, int64_t low, int64_t high, int64_t target
) noexcept nogil:
    cdef int64_t middle
    while low < high:
        middle = (low + high) >> 1
        if sorted_values[middle] < target:
            low = middle + 1
        else:
            high = middle
    return low


def gram_rows(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int64_t[::1] values,
    const int64_t[::1] mass,
    const int32_t[::1] rows,
    const double[:, ::1] anchor_rows,
    double[:, ::1] work,
    double[:, ::1] gram_out,
    int num_threads,
):
    """B[i, :] for the given rows i, all of positive mass; `anchor_rows[t, j]` = Qbar_{s_j, t}.

    The same bits as `gram_column`, topic by topic. `anchor_rows` has its columns padded with zeros
    to a multiple of 8. `work`: ROWS_TOGETHER times that many doubles, one row a thread.
    """
    cdef int64_t group, size, n_rows = rows.shape[0], n_topics = gram_out.shape[1]
    cdef int thread
    if n_topics == 0 or indices.shape[0] == 0 or n_rows == 0:
        return
    # Few rows: every thread gets a share.
    size = min(<int64_t> GROUP, (n_rows + num_threads - 1) // num_threads)
    with nogil:
        for group in prange(
            (n_rows + size - 1) // size, schedule="dynamic", chunksize=1, num_threads=num_threads
        ):
            thread = threadid()
            row_group(
                &rows[group * size], min(size, n_rows - group * size), &start[0], &length[0],
                &indices[0], &values[0], &mass[0], &anchor_rows[0, 0], anchor_rows.shape[0],
                anchor_rows.shape[1], n_topics, &work[thread, 0], &gram_out[0, 0],
            )


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
