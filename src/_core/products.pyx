"""Matrix products whose bits are fixed: every entry is one accumulator, inner index ascending.

No thread, tile or SIMD width changes an entry, because none of them splits a sum.
"""
from cython.parallel cimport prange
from libc.stdint cimport int32_t, int64_t

cdef enum:
    TILE = 16  # columns whose accumulators stay in registers


cdef void product_row(
    const double* left, const double* right, int64_t inner, int64_t width, double* out
) noexcept nogil:
    cdef double sums[TILE]
    cdef double value
    cdef const double* row
    cdef int64_t first = 0, k
    cdef int j, size
    while first + TILE <= width:
        for j in range(TILE):
            sums[j] = 0.0
        for k in range(inner):
            value = left[k]
            row = right + k * width + first
            for j in range(TILE):
                sums[j] += value * row[j]
        for j in range(TILE):
            out[first + j] = sums[j]
        first += TILE
    size = <int> (width - first)
    for j in range(size):
        out[first + j] = 0.0
    for k in range(inner):
        value = left[k]
        row = right + k * width + first
        for j in range(size):
            out[first + j] += value * row[j]


def multiply(
    const double[:, ::1] left, const double[:, ::1] right, double[:, ::1] product_out,
    int num_threads,
):
    """`product_out` = left @ right, (m, p) and (p, q)."""
    cdef int64_t i, n_rows = left.shape[0], inner = left.shape[1], width = right.shape[1]
    if n_rows == 0 or inner == 0 or width == 0:
        return
    with nogil:
        for i in prange(n_rows, schedule="dynamic", chunksize=8, num_threads=num_threads):
            product_row(&left[i, 0], &right[0, 0], inner, width, &product_out[i, 0])


cdef void mean_row(
    const int32_t* columns, const int32_t* counts, int64_t length, const double* rows,
    int64_t width, double* out,
) noexcept nogil:
    cdef double sums[TILE]
    cdef double value, total = 0.0
    cdef const double* row
    cdef int64_t first = 0, t
    cdef int j, size
    for t in range(length):
        total += <double> counts[t]
    while first < width:
        size = <int> min(<int64_t> TILE, width - first)
        for j in range(TILE):
            sums[j] = 0.0
        for t in range(length):
            value = <double> counts[t]
            row = rows + columns[t] * width + first
            for j in range(size):
                sums[j] += value * row[j]
        for j in range(size):
            out[first + j] = sums[j] / total if length > 0 else 0.0
        first += TILE


def document_means(
    const int64_t[::1] document_start,
    const int32_t[::1] columns,
    const int32_t[::1] counts,
    const double[:, ::1] rows,
    double[:, ::1] means_out,
    int num_threads,
):
    """`means_out[d]` = sum_i h_i rows[i] / sum_i h_i over the words of document d; 0 without any.

    IN: the documents as CSR, columns ascending, counts > 0; `rows` is n x p.
    """
    cdef int64_t d, n_documents = means_out.shape[0], width = rows.shape[1]
    if n_documents == 0 or columns.shape[0] == 0 or width == 0:
        means_out[:, :] = 0.0
        return
    with nogil:
        for d in prange(n_documents, schedule="dynamic", chunksize=16, num_threads=num_threads):
            mean_row(
                &columns[0] + document_start[d], &counts[0] + document_start[d],
                document_start[d + 1] - document_start[d], &rows[0, 0], width, &means_out[d, 0],
            )
