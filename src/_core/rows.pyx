"""Checked addition and subtraction of a small matrix to rows kept with room to grow.

The matrix lives in one pair of arrays: row i holds `length[i]` entries from `start[i]` on, columns
ascending, no zeros. Row r of a delta belongs to row words[r] of the matrix, and its column c to
column places[c]; both ascending. Each delta row touches one matrix row, so rows run in parallel.
"""
from cython.parallel cimport prange
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

cimport pyunlearn._core._portable
from pyunlearn._core._search cimport first_at_least
from pyunlearn._core._status cimport MASS_LIMIT, NOT_CANONICAL, NOT_IN_MODEL, OK, OVERFLOW


cdef int check_row(
    const int32_t* columns, const int64_t* values, int64_t length, int64_t n_columns,
    int64_t* mass_out,
) noexcept nogil:
    cdef int64_t t, total = 0, previous = -1
    for t in range(length):
        if columns[t] <= previous or columns[t] >= n_columns or values[t] <= 0:
            return NOT_CANONICAL
        if values[t] >= MASS_LIMIT - total:
            return OVERFLOW
        total += values[t]
        previous = columns[t]
    mass_out[0] = total
    return OK


def check_rows(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int64_t[::1] values,
    int64_t n_columns,
    int64_t[::1] mass_out,
    int32_t[::1] status_out,
    int num_threads,
):
    """Whether rows are what the other kernels take for granted, one status a row; and their sums.

    Columns ascending and below `n_columns`, values > 0, sums below 2^62. `start` and `length`
    stay inside of the arrays.
    """
    cdef int64_t row, n_words = start.shape[0]
    if indices.shape[0] == 0:
        return
    with nogil:
        for row in prange(n_words, schedule="dynamic", chunksize=64, num_threads=num_threads):
            status_out[row] = check_row(
                &indices[0] + start[row], &values[0] + start[row], length[row], n_columns,
                &mass_out[row],
            )


cdef void compare_columns(
    int64_t first, int64_t last, const int64_t* start, const int64_t* length,
    const int32_t* indices, const int64_t* values, int64_t size, int64_t* position,
    int32_t* status_out,
) noexcept nogil:
    """Rows first..last-1 against what stands above the diagonal in their columns."""
    cdef int64_t row, at, end, twin
    for row in range(first, last):
        position[row] = start[row]
    for row in range(last - 1):
        end = start[row] + length[row]
        at = first_at_least(indices, start[row], end, max(first, row + 1))
        while at < end and indices[at] < last:
            twin = position[indices[at]]
            if twin == size or indices[twin] != row or values[twin] != values[at]:
                status_out[indices[at]] = NOT_CANONICAL
            else:
                position[indices[at]] = twin + 1
            at = at + 1
    for row in range(first, last):
        twin = position[row]
        end = start[row] + length[row]
        if twin > end or (twin < end and indices[twin] < row) or (
            twin < end and indices[twin] == row and values[twin] % 2
        ):
            status_out[row] = NOT_CANONICAL


def check_pairs(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int64_t[::1] values,
    int64_t[::1] position,
    int32_t[::1] status_out,
    int num_threads,
):
    """Whether rows that `check_rows` has passed are symmetric, with an even diagonal.

    One status a row. `position` is work space, one entry a row. Blocks of columns as in
    `counts.mirror`.
    """
    cdef int64_t n_words = start.shape[0], block_size = 256, block
    cdef int64_t n_blocks = (n_words + block_size - 1) // block_size
    if indices.shape[0] == 0:
        return
    with nogil:
        for block in prange(n_blocks, schedule="dynamic", num_threads=num_threads):
            compare_columns(
                block * block_size, min(n_words, (block + 1) * block_size), &start[0], &length[0],
                &indices[0], &values[0], indices.shape[0], &position[0], &status_out[0],
            )


cdef int64_t missing_in_row(
    const int32_t* columns, int64_t length, const int32_t* places, const int32_t* delta_columns,
    int64_t delta_length,
) noexcept nogil:
    cdef int64_t t, at = 0, missing = 0
    for t in range(delta_length):
        at = first_at_least(columns, at, length, places[delta_columns[t]])
        if at == length or columns[at] != places[delta_columns[t]]:
            missing += 1
    return missing


def count_missing(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int32_t[::1] words,
    const int32_t[::1] places,
    const int64_t[::1] delta_start,
    const int32_t[::1] delta_indices,
    int64_t[::1] missing_out,
    int num_threads,
):
    """How many columns of each delta row its matrix row does not hold yet."""
    cdef int64_t r, n_rows = words.shape[0]
    cdef const int32_t* places_of_delta = &places[0] if places.shape[0] else NULL
    if delta_indices.shape[0] == 0:
        return
    if indices.shape[0] == 0:
        for r in range(n_rows):
            missing_out[r] = delta_start[r + 1] - delta_start[r]
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=8, num_threads=num_threads):
            missing_out[r] = missing_in_row(
                &indices[0] + start[words[r]], length[words[r]], places_of_delta,
                &delta_indices[0] + delta_start[r], delta_start[r + 1] - delta_start[r],
            )


cdef int covered_in_row(
    const int32_t* columns, const int64_t* values, int64_t length, const int32_t* places,
    const int32_t* delta_columns, const int64_t* delta_values, int64_t delta_length,
) noexcept nogil:
    cdef int64_t t, at = 0
    for t in range(delta_length):
        at = first_at_least(columns, at, length, places[delta_columns[t]])
        if at == length or columns[at] != places[delta_columns[t]] or values[at] < delta_values[t]:
            return NOT_IN_MODEL
    return OK


def check_subtraction(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int64_t[::1] values,
    const int32_t[::1] words,
    const int32_t[::1] places,
    const int64_t[::1] delta_start,
    const int32_t[::1] delta_indices,
    const int64_t[::1] delta_values,
    int32_t[::1] status_out,
    int num_threads,
):
    """Whether every entry stays >= 0 when the delta is subtracted; one status a delta row."""
    cdef int64_t r, n_rows = words.shape[0]
    cdef const int32_t* places_of_delta = &places[0] if places.shape[0] else NULL
    if delta_indices.shape[0] == 0:
        return
    if indices.shape[0] == 0:
        for r in range(n_rows):
            status_out[r] = NOT_IN_MODEL if delta_start[r + 1] > delta_start[r] else OK
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=8, num_threads=num_threads):
            status_out[r] = covered_in_row(
                &indices[0] + start[words[r]], &values[0] + start[words[r]], length[words[r]],
                places_of_delta, &delta_indices[0] + delta_start[r], &delta_values[0] + delta_start[r],
                delta_start[r + 1] - delta_start[r],
            )


cdef void wipe(int32_t* columns, int64_t* values, int64_t first, int64_t last) noexcept nogil:
    """No entry that a row gave up stays in memory."""
    cdef int64_t at
    for at in range(first, last):
        columns[at] = 0
        values[at] = 0


cdef int64_t subtract_row(
    int32_t* columns, int64_t* values, int64_t length, const int32_t* places,
    const int32_t* delta_columns, const int64_t* delta_values, int64_t delta_length,
) noexcept nogil:
    """Subtract, drop the zeros, wipe the room they leave, return the new length."""
    cdef int64_t t, at = 0, first_zero = length, kept
    for t in range(delta_length):
        at = first_at_least(columns, at, length, places[delta_columns[t]])
        values[at] -= delta_values[t]
        if values[at] == 0 and first_zero == length:
            first_zero = at
    kept = first_zero
    for at in range(first_zero, length):
        if values[at] != 0:
            columns[kept] = columns[at]
            values[kept] = values[at]
            kept += 1
    wipe(columns, values, kept, length)
    return kept


def subtract_delta(
    const int64_t[::1] start,
    int64_t[::1] length_out,
    int32_t[::1] indices_out,
    int64_t[::1] values_out,
    int64_t[::1] mass_out,
    int64_t[::1] frequency_out,
    int64_t[::1] totals_out,
    const int32_t[::1] words,
    const int32_t[::1] places,
    const int64_t[::1] delta_start,
    const int32_t[::1] delta_indices,
    const int64_t[::1] delta_values,
    const int64_t[::1] delta_mass,
    const int64_t[::1] delta_frequency,
    const int64_t[::1] totals,
    int num_threads,
):
    """Subtract a delta that `check_subtraction` has passed; rows stay without zeros.

    All that changes, changes in this one call, which no signal interrupts: rows, masses, document
    frequencies, and the totals, which become `totals`.
    """
    cdef int64_t r, n_rows = words.shape[0]
    cdef const int32_t* places_of_delta = &places[0] if places.shape[0] else NULL
    cdef int32_t* columns = &indices_out[0] if indices_out.shape[0] else NULL
    cdef int64_t* numbers = &values_out[0] if values_out.shape[0] else NULL
    cdef const int32_t* delta_columns = &delta_indices[0] if delta_indices.shape[0] else NULL
    cdef const int64_t* delta_numbers = &delta_values[0] if delta_values.shape[0] else NULL
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=8, num_threads=num_threads):
            if delta_start[r + 1] > delta_start[r]:
                length_out[words[r]] = subtract_row(
                    columns + start[words[r]], numbers + start[words[r]], length_out[words[r]],
                    places_of_delta, delta_columns + delta_start[r], delta_numbers + delta_start[r],
                    delta_start[r + 1] - delta_start[r],
                )
            mass_out[words[r]] -= delta_mass[r]
            frequency_out[words[r]] -= delta_frequency[r]
        for r in range(totals.shape[0]):
            totals_out[r] = totals[r]


cdef void merge_row(
    const int32_t* columns, const int64_t* values, int64_t length, const int32_t* places,
    const int32_t* delta_columns, const int64_t* delta_values, int64_t delta_length,
    int32_t* columns_out, int64_t* values_out, int64_t length_out,
) noexcept nogil:
    """Sum of a row and a delta row, written from the back: source and target may be the same."""
    cdef int64_t i = length - 1, t = delta_length - 1, at = length_out - 1
    cdef int32_t column, delta_column
    while at >= 0:
        column = columns[i] if i >= 0 else -1
        delta_column = places[delta_columns[t]] if t >= 0 else -1
        if column > delta_column:
            columns_out[at] = column
            values_out[at] = values[i]
            i -= 1
        elif column < delta_column:
            columns_out[at] = delta_column
            values_out[at] = delta_values[t]
            t -= 1
        else:
            columns_out[at] = column
            values_out[at] = values[i] + delta_values[t]
            i -= 1
            t -= 1
        at -= 1


def merge_rows(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int64_t[::1] values,
    const int32_t[::1] words,
    const int32_t[::1] places,
    const int64_t[::1] delta_start,
    const int32_t[::1] delta_indices,
    const int64_t[::1] delta_values,
    const int64_t[::1] target_start,
    const int64_t[::1] target_length,
    int32_t[::1] indices_out,
    int64_t[::1] values_out,
    int num_threads,
):
    """Add a delta; row words[r] is written to `target_start[r]` of other arrays."""
    cdef int64_t r, n_rows = words.shape[0]
    cdef const int32_t* places_of_delta = &places[0] if places.shape[0] else NULL
    cdef const int32_t* columns = &indices[0] if indices.shape[0] else NULL
    cdef const int64_t* numbers = &values[0] if values.shape[0] else NULL
    if delta_indices.shape[0] == 0:
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=8, num_threads=num_threads):
            merge_row(
                columns + start[words[r]], numbers + start[words[r]], length[words[r]], places_of_delta,
                &delta_indices[0] + delta_start[r], &delta_values[0] + delta_start[r],
                delta_start[r + 1] - delta_start[r], &indices_out[0] + target_start[r],
                &values_out[0] + target_start[r], target_length[r],
            )


def add_delta(
    int64_t[::1] start_out,
    int64_t[::1] length_out,
    int64_t[::1] capacity_out,
    int32_t[::1] indices_out,
    int64_t[::1] values_out,
    int64_t[::1] mass_out,
    int64_t[::1] frequency_out,
    int64_t[::1] totals_out,
    const int32_t[::1] words,
    const int32_t[::1] places,
    const int64_t[::1] delta_start,
    const int32_t[::1] delta_indices,
    const int64_t[::1] delta_values,
    const int64_t[::1] delta_mass,
    const int64_t[::1] delta_frequency,
    const int64_t[::1] target_start,
    const int64_t[::1] target_length,
    const int64_t[::1] target_capacity,
    const int64_t[::1] totals,
    int num_threads,
):
    """Add a delta; row words[r] moves to `target_start[r]`, or stays where it is.

    A row that moves goes to room that no row has, and its old place is wiped. All that changes,
    changes in this one call, as in `subtract_delta`.
    """
    cdef int64_t r, word, n_rows = words.shape[0]
    cdef const int32_t* places_of_delta = &places[0] if places.shape[0] else NULL
    cdef int32_t* columns = &indices_out[0] if indices_out.shape[0] else NULL
    cdef int64_t* numbers = &values_out[0] if values_out.shape[0] else NULL
    cdef const int32_t* delta_columns = &delta_indices[0] if delta_indices.shape[0] else NULL
    cdef const int64_t* delta_numbers = &delta_values[0] if delta_values.shape[0] else NULL
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=8, num_threads=num_threads):
            word = words[r]
            if delta_start[r + 1] > delta_start[r]:
                merge_row(
                    columns + start_out[word], numbers + start_out[word], length_out[word],
                    places_of_delta, delta_columns + delta_start[r], delta_numbers + delta_start[r],
                    delta_start[r + 1] - delta_start[r], columns + target_start[r],
                    numbers + target_start[r], target_length[r],
                )
                if target_start[r] != start_out[word]:
                    wipe(columns, numbers, start_out[word], start_out[word] + length_out[word])
                start_out[word] = target_start[r]
                length_out[word] = target_length[r]
                capacity_out[word] = target_capacity[r]
            mass_out[word] += delta_mass[r]
            frequency_out[word] += delta_frequency[r]
        for r in range(totals.shape[0]):
            totals_out[r] = totals[r]


def copy_rows(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int64_t[::1] values,
    const int32_t[::1] words,
    const int64_t[::1] target_start,
    int32_t[::1] indices_out,
    int64_t[::1] values_out,
    int num_threads,
):
    """Copy the rows `words` as they are; row words[r] goes to `target_start[r]`."""
    cdef int64_t r, word, n_rows = words.shape[0]
    if indices.shape[0] == 0 or indices_out.shape[0] == 0:
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=8, num_threads=num_threads):
            word = words[r]
            memcpy(&indices_out[0] + target_start[r], &indices[0] + start[word], length[word] * 4)
            memcpy(&values_out[0] + target_start[r], &values[0] + start[word], length[word] * 8)


cdef int64_t renumber(
    int32_t* columns_out, int64_t* values_out, int64_t length, const int32_t* number
) noexcept nogil:
    cdef int64_t t, kept = 0
    for t in range(length):
        if number[columns_out[t]] >= 0:
            values_out[kept] = values_out[t]
            columns_out[kept] = number[columns_out[t]]
            kept += 1
    wipe(columns_out, values_out, kept, length)
    return kept


def renumber_columns(
    const int64_t[::1] start,
    int64_t[::1] length_out,
    int32_t[::1] indices_out,
    int64_t[::1] values_out,
    const int32_t[::1] number,
    int num_threads,
):
    """Write number[c] for each column c of each row, and leave out entries with number[c] = -1.

    `number` keeps the order of columns.
    """
    cdef int64_t r, n_rows = start.shape[0]
    if indices_out.shape[0] == 0:
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=64, num_threads=num_threads):
            length_out[r] = renumber(
                &indices_out[0] + start[r], &values_out[0] + start[r], length_out[r], &number[0]
            )
