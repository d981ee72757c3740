"""Matrix products whose bits are fixed: every entry is one accumulator, inner index ascending; many
small ones go through the 8 lanes.

No thread, tile or SIMD width changes an entry, because none of them splits a sum.
"""
from cython.parallel cimport prange
from libc.stdint cimport int32_t, int64_t

cimport pyunlearn._core._portable
from pyunlearn._core._clones cimport one_step
from pyunlearn._core._lanes cimport lane_dot

ctypedef fused real:
    float
    double

cdef extern from *:
    """
    PYUNLEARN_CLONES static void pyunlearn_products_tile(
        const double*, const double*, const double*, const double*, const double*, int64_t, double*);
    PYUNLEARN_CLONES static void pyunlearn_products_single_tile(
        const float*, const float*, const float*, const float*, const float*, int64_t, float*);
    """

cdef enum:
    GROUP = 4          # rows of a tile
    PANEL = 8          # columns of a tile: its accumulators stay in registers
    SINGLE_PANEL = 16  # the same in single precision
    DEPTH = 256        # inner indices at a time: that part of a panel stays in the nearest cache
    CHUNK = 32         # rows of a thread at a time, which share that part

SINGLE_COLUMNS = SINGLE_PANEL


cdef void tile "pyunlearn_products_tile"(
    const double* row_0, const double* row_1, const double* row_2, const double* row_3,
    const double* panel, int64_t depth, double* sums,
) noexcept nogil:
    """Go on with the sums of 4 rows and 8 columns."""
    cdef double part[GROUP * PANEL]
    cdef const double* right
    cdef double a, b, c, d
    cdef int64_t k
    cdef int j
    for j in range(GROUP * PANEL):
        part[j] = sums[j]
    for k in range(depth):
        one_step()
        right = panel + k * PANEL
        a = row_0[k]
        b = row_1[k]
        c = row_2[k]
        d = row_3[k]
        for j in range(PANEL):
            part[j] += a * right[j]
        for j in range(PANEL):
            part[PANEL + j] += b * right[j]
        for j in range(PANEL):
            part[2 * PANEL + j] += c * right[j]
        for j in range(PANEL):
            part[3 * PANEL + j] += d * right[j]
    for j in range(GROUP * PANEL):
        sums[j] = part[j]


cdef void single_tile "pyunlearn_products_single_tile"(
    const float* row_0, const float* row_1, const float* row_2, const float* row_3,
    const float* panel, int64_t depth, float* sums,
) noexcept nogil:
    """Go on with the sums of 4 rows and 16 columns.

    One array a row: GCC does not keep an array of 64 in registers, at a tenth of the speed.
    """
    cdef float part_0[SINGLE_PANEL]
    cdef float part_1[SINGLE_PANEL]
    cdef float part_2[SINGLE_PANEL]
    cdef float part_3[SINGLE_PANEL]
    cdef const float* right
    cdef float a, b, c, d
    cdef int64_t k
    cdef int j
    for j in range(SINGLE_PANEL):
        part_0[j] = sums[j]
        part_1[j] = sums[SINGLE_PANEL + j]
        part_2[j] = sums[2 * SINGLE_PANEL + j]
        part_3[j] = sums[3 * SINGLE_PANEL + j]
    for k in range(depth):
        one_step()
        right = panel + k * SINGLE_PANEL
        a = row_0[k]
        b = row_1[k]
        c = row_2[k]
        d = row_3[k]
        for j in range(SINGLE_PANEL):
            part_0[j] += a * right[j]
            part_1[j] += b * right[j]
            part_2[j] += c * right[j]
            part_3[j] += d * right[j]
    for j in range(SINGLE_PANEL):
        sums[j] = part_0[j]
        sums[SINGLE_PANEL + j] = part_1[j]
        sums[2 * SINGLE_PANEL + j] = part_2[j]
        sums[3 * SINGLE_PANEL + j] = part_3[j]


cdef void group_of_rows(
    const real* left, int64_t n_rows, int64_t inner, const real* panel, int64_t depth,
    int64_t width, int64_t size, real* out,
) noexcept nogil:
    """Up to 4 rows of one panel: `out` has the sums so far."""
    cdef real sums[GROUP * SINGLE_PANEL]
    cdef int64_t i, j, columns = SINGLE_PANEL if real is float else PANEL
    cdef const real* row_1 = left + min(1, n_rows - 1) * inner
    cdef const real* row_2 = left + min(2, n_rows - 1) * inner
    cdef const real* row_3 = left + min(3, n_rows - 1) * inner
    for i in range(GROUP * columns):
        sums[i] = 0.0
    for i in range(n_rows):
        for j in range(size):
            sums[i * columns + j] = out[i * width + j]
    if real is float:
        single_tile(left, row_1, row_2, row_3, panel, depth, sums)
    else:
        tile(left, row_1, row_2, row_3, panel, depth, sums)
    for i in range(n_rows):
        for j in range(size):
            out[i * width + j] = sums[i * columns + j]


cdef void depth_of_rows(
    const real* left, int64_t n_rows, int64_t inner, const real* panels, int64_t panel_size,
    int64_t depth, int64_t width, real* out,
) noexcept nogil:
    """All panels, `depth` inner indices of them."""
    cdef int64_t column = 0, row, columns = SINGLE_PANEL if real is float else PANEL
    while column < width:
        row = 0
        while row < n_rows:
            group_of_rows(
                left + row * inner, min(<int64_t> GROUP, n_rows - row), inner,
                panels + column * panel_size, depth, width, min(columns, width - column),
                out + row * width + column,
            )
            row += GROUP
        column += columns


cdef void chunk_of_rows(
    const real* left, int64_t n_rows, int64_t inner, const real* panels, int64_t width, real* out,
) noexcept nogil:
    cdef int64_t first = 0, row, columns = SINGLE_PANEL if real is float else PANEL
    for row in range(n_rows * width):
        out[row] = 0.0
    while first < inner:
        depth_of_rows(
            left + first, n_rows, inner, panels + first * columns, inner,
            min(<int64_t> DEPTH, inner - first), width, out,
        )
        first += DEPTH


cdef void chunk_of_wide_rows(
    const float* left, int64_t n_rows, int64_t inner, const double* panels, int64_t width,
    double* out,
) noexcept nogil:
    """As `chunk_of_rows`, a part of the rows at a time in double precision."""
    cdef double wide[CHUNK * DEPTH]
    cdef int64_t first = 0, row, k, depth
    for row in range(n_rows * width):
        out[row] = 0.0
    while first < inner:
        depth = min(<int64_t> DEPTH, inner - first)
        for row in range(n_rows):
            for k in range(depth):
                wide[row * depth + k] = <double> left[row * inner + first + k]
        depth_of_rows(
            <const double*> wide, n_rows, depth, panels + first * PANEL, inner, depth, width, out
        )
        first += DEPTH


cdef int64_t rows_together(int64_t n_rows, int num_threads) noexcept nogil:
    """Rows of a thread at a time; of few rows every thread gets a share."""
    cdef int64_t size = min(<int64_t> CHUNK, (n_rows + num_threads - 1) // num_threads)
    return (size + GROUP - 1) // GROUP * GROUP


cdef void all_rows(
    const real* left, int64_t n_rows, int64_t inner, const real* panels, int64_t width, real* out,
    int num_threads,
) noexcept nogil:
    cdef int64_t i, size = rows_together(n_rows, num_threads)
    for i in prange(
        (n_rows + size - 1) // size, schedule="dynamic", chunksize=1, num_threads=num_threads
    ):
        chunk_of_rows(
            left + i * size * inner, min(size, n_rows - i * size), inner, panels, width,
            out + i * size * width,
        )


def pack(const double[:, ::1] right, double[:, :, ::1] panels_out, int num_threads):
    """The columns 8 j to 8 j + 7 of right[k] to `panels_out[j, k]`, which holds zeros."""
    cdef int64_t k, j, inner = right.shape[0], width = right.shape[1]
    if inner == 0 or width == 0:
        return
    with nogil:
        for k in prange(inner, schedule="static", num_threads=num_threads):
            for j in range(width):
                panels_out[j >> 3, k, j & 7] = right[k, j]


def multiply(
    const double[:, ::1] left, const double[:, :, ::1] panels, double[:, ::1] product_out,
    int num_threads,
):
    """`product_out` = left @ right, (m, p) and (p, q).

    `panels`: right as `pack` leaves it, (q / 8 rounded up, p, 8).
    """
    cdef int64_t n_rows = left.shape[0], inner = left.shape[1], width = product_out.shape[1]
    if n_rows == 0 or width == 0:
        return
    if inner == 0:
        product_out[:, :] = 0.0
        return
    with nogil:
        all_rows(
            &left[0, 0], n_rows, inner, &panels[0, 0, 0], width, &product_out[0, 0], num_threads
        )


def multiply_single(
    const float[:, ::1] left, const float[:, :, ::1] panels, float[:, ::1] product_out,
    int num_threads,
):
    """As `multiply`, all in single precision.

    `panels`: columns 16 j to 16 j + 15 of right[k] at panels[j, k], padded with zeros.
    """
    cdef int64_t n_rows = left.shape[0], inner = left.shape[1], width = product_out.shape[1]
    if n_rows == 0 or width == 0:
        return
    if inner == 0:
        product_out[:, :] = 0.0
        return
    with nogil:
        all_rows(
            &left[0, 0], n_rows, inner, &panels[0, 0, 0], width, &product_out[0, 0], num_threads
        )


def multiply_wide(
    const float[:, ::1] left, const double[:, :, ::1] panels, double[:, ::1] product_out,
    int num_threads,
):
    """As `multiply`, for a left side in single precision; sums are in double precision."""
    cdef int64_t i, n_rows = left.shape[0], inner = left.shape[1], width = product_out.shape[1]
    cdef int64_t size = rows_together(n_rows, num_threads)
    if n_rows == 0 or width == 0:
        return
    if inner == 0:
        product_out[:, :] = 0.0
        return
    with nogil:
        for i in prange(
            (n_rows + size - 1) // size, schedule="dynamic", chunksize=1, num_threads=num_threads
        ):
            chunk_of_wide_rows(
                &left[i * size, 0], min(size, n_rows - i * size), inner, &panels[0, 0, 0], width,
                &product_out[i * size, 0],
            )


def multiply_each(
    const double[:, :, ::1] matrices, const double[:, ::1] vectors, double[:, ::1] product_out
):
    """`product_out[c]` = matrices[c] @ vectors[c], (q, p, p) and (q, p), in 8 lanes."""
    cdef int64_t c, i, size = vectors.shape[1]
    with nogil:
        for c in range(vectors.shape[0]):
            for i in range(size):
                product_out[c, i] = lane_dot(&matrices[c, i, 0], &vectors[c, 0], size)


cdef enum:
    TILE = 16  # columns whose accumulators stay in registers


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
