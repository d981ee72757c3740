"""Gram entries B_ij = <Qbar_i, Qbar_{s_j}> of words i and anchors s_j, Qbar_i = K_i / c_i.

Every entry of B is one accumulator over the non-zeros of row i, columns ascending. The column pass
(one topic, many rows) and the row pass (all topics, few rows) go through several accumulators side
by side, each in this order, and so give the same bits.
"""
from cython.parallel cimport prange, threadid
from libc.stdint cimport int32_t, int64_t

cimport pyunlearn._core._portable
from pyunlearn._core._search cimport first_at_least

cdef enum:
    GROUP = 32    # rows that go through a tile together
    TILE = 1024   # columns of a tile: at 50 topics its part of the anchors' rows is 0.4 MB

ROWS_TOGETHER = GROUP


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
