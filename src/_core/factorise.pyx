"""Symmetric non-negative factorisation of M_ij = sqrt(K_ij) s_i s_j in single precision: rows of M,
products of rows that are not kept, and the descent.

M over the core is dense: nearly all pairs of words that decide topics occur. Every sum is one
accumulator in ascending order and every row has one owner, so no bit depends on threads, tiles or
SIMD width.
"""
from cython.parallel cimport prange, threadid
from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t

cimport pyunlearn._core._clones
cimport pyunlearn._core._portable
from pyunlearn._core._clones cimport one_step

cdef extern from *:
    """
    PYUNLEARN_CLONES static void pyunlearn_factorise_entries(
        const int32_t*, const float*, int64_t, const float*, int64_t, float*);
    PYUNLEARN_CLONES static void pyunlearn_factorise_descend(
        const float*, const float*, int64_t, int, float*, float*);
    """

cdef enum:
    TOPICS = 32  # topics of a word that are summed up together, in registers

TOGETHER = TOPICS


cdef int64_t roots_of_row(
    const int32_t* columns, const int64_t* values, int64_t length, const int32_t* position,
    const double* scale, double own_scale, int32_t* places_out, float* roots_out,
) noexcept nogil:
    """The entries of a row of M at columns with a position, one after the other; their number."""
    cdef int64_t t, size = 0
    for t in range(length):
        places_out[size] = position[columns[t]]
        roots_out[size] = <float> (sqrt(<double> values[t]) * (own_scale * scale[columns[t]]))
        size += position[columns[t]] >= 0
    return size


cdef double root_sum(const float* roots, int64_t size) noexcept nogil:
    cdef double total = 0.0
    cdef int64_t t
    for t in range(size):
        total += <double> roots[t]
    return total


cdef double square_sum(const float* roots, int64_t size) noexcept nogil:
    cdef double total = 0.0
    cdef int64_t t
    for t in range(size):
        total += <double> roots[t] * <double> roots[t]
    return total


cdef void scatter(
    const int32_t* places, const float* roots, int64_t size, float* row_out, int64_t width
) noexcept nogil:
    cdef int64_t t
    for t in range(width):
        row_out[t] = 0.0
    for t in range(size):
        row_out[places[t]] = roots[t]


def fill_roots(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int64_t[::1] values,
    const int32_t[::1] position,
    const double[::1] scale,
    const int32_t[::1] rows,
    const double[::1] own_scale,
    int32_t[:, ::1] places,
    float[:, ::1] entries,
    float[:, ::1] roots_out,
    double[::1] sums_out,
    double[::1] squares_out,
    int num_threads,
):
    """M at the given rows, and the columns with `position` >= 0 in that place; and the sums of its
    rows and of their squares. M_ij = sqrt(K_ij) own_scale[i] scale[j], own_scale one a given row.

    `places`, `entries`: work space, one row a thread, one entry more than `roots_out` has columns.
    """
    cdef int64_t r, size, n_rows = rows.shape[0], width = roots_out.shape[1]
    cdef int thread
    if n_rows == 0 or width == 0:
        return
    if indices.shape[0] == 0:
        roots_out[:, :] = 0.0
        sums_out[:] = 0.0
        squares_out[:] = 0.0
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=16, num_threads=num_threads):
            thread = threadid()
            size = roots_of_row(
                &indices[0] + start[rows[r]], &values[0] + start[rows[r]], length[rows[r]],
                &position[0], &scale[0], own_scale[r], &places[thread, 0], &entries[thread, 0],
            )
            sums_out[r] = root_sum(&entries[thread, 0], size)
            squares_out[r] = square_sum(&entries[thread, 0], size)
            scatter(&places[thread, 0], &entries[thread, 0], size, &roots_out[r, 0], width)


cdef void add_entries "pyunlearn_factorise_entries"(
    const int32_t* places, const float* roots, int64_t size, const float* factors, int64_t width,
    float* sums_out,
) noexcept nogil:
    cdef float part[TOPICS]
    cdef const float* row
    cdef float root
    cdef int64_t t
    cdef int k
    for k in range(TOPICS):
        part[k] = 0.0
    for t in range(size):
        one_step()
        row = factors + places[t] * width
        root = roots[t]
        for k in range(TOPICS):
            part[k] += root * row[k]
    for k in range(TOPICS):
        sums_out[k] = part[k]


def root_products(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int64_t[::1] values,
    const int32_t[::1] position,
    const double[::1] scale,
    const int32_t[::1] rows,
    const double[::1] own_scale,
    const float[:, ::1] factors,
    int32_t[:, ::1] places,
    float[:, ::1] entries,
    float[:, ::1] products_out,
    double[::1] sums_out,
    int num_threads,
):
    """M H for the given rows of M, of which nothing is kept, and the sums of these rows.

    IN: as for `fill_roots`; `factors`: H, its columns padded with zeros to a multiple of TOGETHER, as
    those of `products_out` are. `places`, `entries`: work space, one row a thread, one entry more
    than H has rows.
    """
    cdef int64_t r, size, block, n_rows = rows.shape[0], width = factors.shape[1]
    cdef int64_t n_blocks = width // TOPICS
    cdef int thread
    if n_rows == 0 or width == 0:
        return
    if indices.shape[0] == 0:
        products_out[:, :] = 0.0
        sums_out[:] = 0.0
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=16, num_threads=num_threads):
            thread = threadid()
            size = roots_of_row(
                &indices[0] + start[rows[r]], &values[0] + start[rows[r]], length[rows[r]],
                &position[0], &scale[0], own_scale[r], &places[thread, 0], &entries[thread, 0],
            )
            sums_out[r] = root_sum(&entries[thread, 0], size)
            for block in range(n_blocks):
                add_entries(
                    &places[thread, 0], &entries[thread, 0], size, &factors[0, block * TOPICS],
                    width, &products_out[r, block * TOPICS],
                )


cdef void descend_row "pyunlearn_factorise_descend"(
    const float* cross, const float* inverse, int64_t n_topics, int sweeps,
    float* residual, float* weights,
) noexcept nogil:
    cdef int sweep
    cdef int64_t k, j
    cdef float weight, step
    for sweep in range(sweeps):
        for k in range(n_topics):
            weight = weights[k] + residual[k] * inverse[k]
            weight = weight if weight > 0.0 else 0.0
            step = weight - weights[k]
            if step != 0.0:
                weights[k] = weight
                for j in range(n_topics):
                    residual[j] -= step * cross[k * n_topics + j]


def descend(
    const float[:, ::1] cross,
    const float[::1] inverse,
    int sweeps,
    float[:, ::1] residual,
    float[:, ::1] weights,
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
