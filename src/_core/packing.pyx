"""Rows of the co-occurrence matrix as few bytes: gaps and values, each as wide as needed.

Layout, little-endian: one byte width of a gap, one byte width of a value, int32 number of entries,
a sum of 64 bits over all entries, all gaps, all values. Gaps are between successive columns, the
first from a column that is known, of the row's own or 0. Equal rows have equal bytes.
"""
from cython.parallel cimport prange
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

cimport pyunlearn._core._portable
from pyunlearn._core._status cimport NOT_CANONICAL, OK

cdef extern from *:
    """
    #include <string.h>

    /* Eight bytes at a time: what stands behind is masked, or written over by what comes next. */
    static inline uint64_t pyunlearn_little_endian(uint64_t number) {
    #if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        return __builtin_bswap64(number);
    #else
        return number;
    #endif
    }
    static inline void pyunlearn_put(unsigned char* at, uint64_t number) {
        number = pyunlearn_little_endian(number);
        memcpy(at, &number, 8);
    }
    static inline uint64_t pyunlearn_get(const unsigned char* at) {
        uint64_t number;
        memcpy(&number, at, 8);
        return pyunlearn_little_endian(number);
    }
    """
    void put "pyunlearn_put"(uint8_t* at, uint64_t number) noexcept nogil
    uint64_t get_8 "pyunlearn_get"(const uint8_t* at) noexcept nogil

cdef enum:
    HEADER = 14
    SPARE = 8    # bytes behind a row, or behind all of them, that are read or written as well
    SUM = 6      # where the sum stands
    WIDEST = 12  # bytes of an entry at most

HEADER_BYTES = HEADER
ENTRY_BYTES = WIDEST
SPARE_BYTES = SPARE


cdef inline int width_of(uint64_t number) noexcept nogil:
    cdef int width = 0
    while number:
        number >>= 8
        width += 1
    return width


cdef inline uint64_t mask_of(int width) noexcept nogil:
    return <uint64_t> -1 if width >= 8 else (<uint64_t> 1 << (8 * width)) - 1


cdef inline uint64_t term(int64_t column, uint64_t value) noexcept nogil:
    """What an entry adds to the sum: odd multiples, so that no bit of a value is without trace."""
    return (value + 0x9E3779B97F4A7C15u) * <uint64_t> (2 * column + 1)


cdef int64_t pack_row(
    const int32_t* columns, const int64_t* values, int64_t length, const int32_t* number,
    int32_t first, uint8_t* out,
) noexcept nogil:
    """The entries with number[column] >= first; the bytes written."""
    cdef int64_t t, size = 0
    cdef uint64_t gaps = 0, all_values = 0, total = 0
    cdef int32_t previous = first, column
    cdef int gap_width, value_width
    cdef uint8_t* at
    for t in range(length):
        column = number[columns[t]]
        if column >= first:
            gaps |= <uint64_t> (column - previous)
            all_values |= <uint64_t> values[t]
            total += term(column, <uint64_t> values[t])
            previous = column
            size += 1
    gap_width = width_of(gaps)
    value_width = width_of(all_values)
    out[0] = <uint8_t> gap_width
    out[1] = <uint8_t> value_width
    put(out + 2, <uint64_t> size)
    put(out + SUM, total)
    at = out + HEADER
    previous = first
    for t in range(length):
        column = number[columns[t]]
        if column >= first:
            put(at, <uint64_t> (column - previous))
            at += gap_width
            previous = column
    for t in range(length):
        if number[columns[t]] >= first:
            put(at, <uint64_t> values[t])
            at += value_width
    return HEADER + size * (gap_width + value_width)


def pack_rows(
    const int64_t[::1] start,
    const int64_t[::1] length,
    const int32_t[::1] indices,
    const int64_t[::1] values,
    const int32_t[::1] words,
    const int32_t[::1] number,
    const int32_t[::1] first,
    const int64_t[::1] target_start,
    uint8_t[::1] bytes_out,
    int64_t[::1] sizes_out,
    int num_threads,
):
    """Row words[r], its columns numbered by `number` (ascending, -1: left out), from first[r] on.

    It is written to `target_start[r]`, where there is room for HEADER_BYTES, ENTRY_BYTES an entry, and
    SPARE_BYTES; `sizes_out[r]`: the bytes that it took.
    """
    cdef int64_t r, n_rows = words.shape[0]
    cdef const int32_t* columns = &indices[0] if indices.shape[0] else NULL
    cdef const int64_t* entries = &values[0] if indices.shape[0] else NULL
    cdef const int32_t* numbers = &number[0] if number.shape[0] else NULL
    if n_rows == 0:
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=16, num_threads=num_threads):
            sizes_out[r] = pack_row(
                columns + start[words[r]], entries + start[words[r]], length[words[r]], numbers,
                first[r], &bytes_out[0] + target_start[r],
            )


def entries_of_rows(
    const uint8_t[::1] data, const int64_t[::1] data_start, int64_t[::1] entries_out
):
    """The entries of each packed row, -1 where the bytes are no row of their length.

    Row r: the bytes from data_start[r] to data_start[r + 1]; SPARE_BYTES stand behind the last. It has no more entries than bytes.
    """
    cdef int64_t r, size, n_bytes
    cdef const uint8_t* row
    with nogil:
        for r in range(entries_out.shape[0]):
            n_bytes = data_start[r + 1] - data_start[r]
            entries_out[r] = -1
            if n_bytes < HEADER:
                continue
            row = &data[data_start[r]]
            size = <int64_t> (get_8(row + 2) & mask_of(4))
            # A value takes a byte at least: else 14 bytes could ask for memory for 2^32 entries.
            if size > 0 and row[1] == 0:
                continue
            if row[0] <= 4 and row[1] <= 8 and size * (row[0] + row[1]) == n_bytes - HEADER:
                entries_out[r] = size


cdef int unpack_row(
    const uint8_t* row, int64_t size, const int32_t* number, int64_t n_numbers, int64_t first,
    int32_t* columns_out, int64_t* values_out,
) noexcept nogil:
    cdef int gap_width = row[0], value_width = row[1]
    cdef const uint8_t* gap = row + HEADER
    cdef const uint8_t* value = gap + size * gap_width
    cdef int64_t t, column = first, step
    cdef uint64_t entry, total = 0, gap_mask = mask_of(gap_width), value_mask = mask_of(value_width)
    for t in range(size):
        step = <int64_t> (get_8(gap) & gap_mask)
        column += step
        entry = get_8(value) & value_mask
        if (step == 0 and t > 0) or column >= n_numbers or entry == 0 or entry >> 62:
            return NOT_CANONICAL
        if number[column] < 0:
            return NOT_CANONICAL
        total += term(column, entry)
        columns_out[t] = number[column]
        values_out[t] = <int64_t> entry
        gap += gap_width
        value += value_width
    return OK if total == get_8(row + SUM) else NOT_CANONICAL


def unpack_rows(
    const uint8_t[::1] data,
    const int64_t[::1] data_start,
    const int64_t[::1] entries,
    const int32_t[::1] number,
    const int32_t[::1] first,
    const int64_t[::1] target_start,
    int32_t[::1] indices_out,
    int64_t[::1] values_out,
    int32_t[::1] status_out,
    int num_threads,
):
    """The rows that `entries_of_rows` has passed; row r is written to `target_start[r]`.

    `number`: the column of each stored number, ascending, -1 for one that no row may have;
    `first[r]`: the number from which the first gap of row r counts. One status a row: columns
    ascending, values from 1 to below 2^62, the sum right.
    """
    cdef int64_t r, n_rows = entries.shape[0]
    cdef const int32_t* numbers = &number[0] if number.shape[0] else NULL
    cdef int32_t* columns = &indices_out[0] if indices_out.shape[0] else NULL
    cdef int64_t* values = &values_out[0] if indices_out.shape[0] else NULL
    if n_rows == 0:
        return
    with nogil:
        for r in prange(n_rows, schedule="dynamic", chunksize=16, num_threads=num_threads):
            status_out[r] = unpack_row(
                &data[0] + data_start[r], entries[r], numbers, number.shape[0], first[r],
                columns + target_start[r], values + target_start[r],
            )
