"""Packed rows against a twin in plain Python, and bytes that are no row."""

from itertools import pairwise

import numpy as np
from core import reference
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyunlearn._core import packing

HEADER = packing.HEADER_BYTES
# Of every width, 1 to 8 bytes, and their edges.
VALUES = st.one_of(
    st.integers(1, 2**62 - 1),
    st.integers(0, 7).flatmap(lambda width: st.sampled_from([256**width, 256 ** (width + 1) - 1])),
).filter(lambda value: value < 2**62)
# Gaps of 1 to 4 bytes.
GAPS = st.one_of(st.integers(1, 3), st.sampled_from([255, 256, 65535, 65536, 2**24 - 1, 2**24]))


@st.composite
def rows(draw):
    """The number from which a row is packed, its numbers (ascending, from there on), its values."""
    first, size = draw(st.integers(0, 300)), draw(st.integers(0, 6))
    gaps = draw(st.lists(GAPS, min_size=size, max_size=size))
    numbers = np.cumsum([first, *gaps])[1:] - draw(st.integers(0, 1))
    values = draw(st.lists(VALUES, min_size=size, max_size=size))
    return first, numbers.astype(np.int32), np.array(values, np.int64)


def packed(columns, values, number, first, room=packing.SPARE_BYTES, n_jobs=2):
    """The bytes of rows, by the kernel; a row may be written over by none of the others."""
    length = np.array([len(row) for row in columns], np.int64)
    start = np.cumsum(length) - length
    size = HEADER + packing.ENTRY_BYTES * length + room
    target = np.cumsum(size) - size
    out, sizes = np.full(int(size.sum()), 0xAA, np.uint8), np.zeros(len(length), np.int64)
    packing.pack_rows(
        start,
        length,
        np.concatenate([np.zeros(0, np.int32), *columns]),
        np.concatenate([np.zeros(0, np.int64), *values]),
        np.arange(len(length), dtype=np.int32),
        number,
        np.array(first, np.int32),
        target,
        out,
        sizes,
        n_jobs,
    )
    kept = np.zeros(len(out), np.bool_)
    for at, taken in zip(target.tolist(), sizes.tolist(), strict=True):
        kept[at : at + taken + packing.SPARE_BYTES] = True
    assert (out[~kept] == 0xAA).all()
    return [out[at : at + taken].tobytes() for at, taken in zip(target, sizes, strict=True)]


def together(parts):
    """Rows one after the other, and what a kernel may read behind them."""
    return np.frombuffer(b"".join([*parts, b"\xff" * packing.SPARE_BYTES]), np.uint8)


def entries(parts):
    """What the kernel says of the number of entries of some rows."""
    found = np.full(len(parts), -7, np.int64)
    ends = np.cumsum([0, *map(len, parts)]).astype(np.int64)
    packing.entries_of_rows(together(parts), ends, found)
    return found


def unpacked(parts, number, first, n_jobs=2):
    """Columns and values of rows, None for bytes that are refused."""
    found = entries(parts)
    rows, length = np.flatnonzero(found >= 0), found[found >= 0]
    assert (length <= [len(parts[row]) for row in rows]).all(), "more entries than bytes"
    ends = np.cumsum([0, *(len(parts[row]) for row in rows)]).astype(np.int64)
    start, status = np.cumsum(length) - length, np.zeros(len(rows), np.int32)
    columns = np.full(int(length.sum()), -7, np.int32)
    values = np.full(len(columns), -7, np.int64)
    data = together([parts[row] for row in rows])
    begins = np.array(first, np.int32)[rows]
    packing.unpack_rows(data, ends, length, number, begins, start, columns, values, status, n_jobs)
    result = [None] * len(parts)
    for at, row in enumerate(rows.tolist()):
        part = slice(start[at], start[at] + length[at])
        if status[at] == 0:
            result[row] = columns[part].tolist(), values[part].tolist()
    return result


def numbering(columns):
    """Numbers that are the columns themselves, for as many as there are."""
    return np.arange(
        max((int(one[-1]) for one in columns if len(one)), default=-1) + 1, dtype=np.int32
    )


SMALL = st.lists(rows().filter(lambda row: not len(row[1]) or row[1][-1] < 2**18), max_size=6)


@settings(max_examples=80)
@given(SMALL)
def test_rows_are_packed_as_by_the_twin_and_come_back(found):
    first, columns, values = ([row[at] for row in found] for at in range(3))
    number = numbering(columns)
    parts = packed(columns, values, number, first)
    assert parts == [reference.packed_row(*row) for row in found]
    assert entries(parts).tolist() == [len(one) for one in columns]
    expected = [(one.tolist(), two.tolist()) for _, one, two in found]
    assert unpacked(parts, number, first) == expected
    twin = [reference.unpacked_row(part, at, number) for part, at in zip(parts, first, strict=True)]
    assert twin == expected


@settings(max_examples=50)
@given(st.data())
def test_columns_are_numbered_left_out_and_numbered_back(data):
    n = data.draw(st.integers(1, 30))
    present = np.array(sorted(data.draw(st.sets(st.integers(0, n - 1)))), np.int32)
    values = np.array(
        data.draw(st.lists(VALUES, min_size=len(present), max_size=len(present))), np.int64
    )
    named = sorted(data.draw(st.sets(st.integers(0, n - 1), min_size=1)))
    larger = sorted(
        data.draw(st.sets(st.integers(0, 500), min_size=len(named), max_size=len(named)))
    )
    number = np.full(n, -1, np.int32)
    number[named] = larger
    first = data.draw(st.integers(0, 500))
    (part,) = packed([present], [values], number, [first])
    kept = number[present] >= first
    assert part == reference.packed_row(first, number[present][kept], values[kept])
    back = np.full(501, -1, np.int32)
    back[larger] = named
    assert unpacked([part], back, [first]) == [(present[kept].tolist(), values[kept].tolist())]
    # A number that no row may have.
    if kept.any():
        back[number[present][kept][data.draw(st.integers(0, int(kept.sum()) - 1))]] = -1
        assert unpacked([part], back, [first]) == [None]
        assert unpacked([part], back[: number[present][kept][-1]], [first]) == [None]


def test_widths_are_from_0_to_8_bytes():
    for width in range(1, 9):
        for value in {256 ** (width - 1), min(256**width, 2**62) - 1}:
            if value < 2**62:
                columns, values = np.array([5], np.int32), np.array([value])
                (part,) = packed([columns], [values], numbering([columns]), [5])
                # One entry at the number that it is packed from: its gap takes no byte.
                assert (part[0], part[1], len(part)) == (0, width, HEADER + width)
                assert unpacked([part], numbering([columns]), [5]) == [([5], [value])]
    (empty,) = packed([columns[:0]], [values[:0]], numbering([columns]), [3])
    assert empty == bytes(HEADER)
    assert unpacked([empty], numbering([]), [3]) == [([], [])]
    assert packed([], [], numbering([]), []) == unpacked([], numbering([]), []) == []


@settings(max_examples=150)
@given(rows().filter(lambda row: not len(row[1]) or row[1][-1] < 2**18), st.data())
def test_a_changed_byte_is_refused(row, data):
    first, columns, values = row
    number = numbering([columns])
    (part,) = packed([columns], [values], number, [first])
    at, by = data.draw(st.integers(0, len(part) - 1)), data.draw(st.integers(1, 255))
    changed = part[:at] + bytes([part[at] ^ by]) + part[at + 1 :]
    (found,) = unpacked([changed], number, [first])
    assert found == reference.unpacked_row(changed, first, number)
    # An empty row has no entries whose widths could matter.
    assert found is None or not len(columns)


@settings(max_examples=150)
@given(st.binary(max_size=HEADER + 40), st.integers(0, 40))
@example(bytes(2) + b"\xff" * 4 + bytes(8), 0)
@example(b"\4\0" + b"\1" + bytes(11) + bytes(4), 0)
def test_any_bytes_are_refused_or_a_row(data, first):
    number = np.arange(64, dtype=np.int32)
    assert unpacked([data], number, [first]) == [reference.unpacked_row(data, first, number)]


@st.composite
def forged(draw):
    """Bytes of a row that somebody wrote on purpose, with the sum that belongs to it."""
    gap_width, value_width = draw(st.integers(0, 5)), draw(st.integers(0, 9))
    size = draw(st.integers(0, 4))
    gaps = [draw(st.integers(0, min(256**gap_width, 20) - 1)) for _ in range(size)]
    values = [draw(st.integers(0, 256**value_width - 1)) for _ in range(size)]
    said = draw(st.sampled_from([size, size, size, size + 1, 2**31, 2**32 - 1]))
    first = draw(st.integers(0, 40))
    numbers = (np.cumsum([first, *gaps])[1:]).tolist()
    total = sum(reference.term(*pair) for pair in zip(numbers, values, strict=True)) % 2**64
    header = bytes([gap_width, value_width]) + said.to_bytes(4, "little")
    octets = [gap.to_bytes(gap_width, "little") for gap in gaps]
    octets += [value.to_bytes(value_width, "little") for value in values]
    return header + total.to_bytes(8, "little") + b"".join(octets), first


@settings(max_examples=150)
@given(forged())
def test_a_forged_row_is_refused_or_canonical(row):
    data, first = row
    number = np.arange(64, dtype=np.int32)
    (found,) = unpacked([data], number, [first])
    assert found == reference.unpacked_row(data, first, number)
    if found:
        columns, values = found
        assert all(one < other for one, other in pairwise(columns))
        assert all(first <= column < 64 for column in columns)
        assert all(0 < value < 2**62 for value in values)


@settings(max_examples=50)
@given(st.lists(st.one_of(forged().map(lambda row: row[0]), st.binary(max_size=40)), max_size=8))
def test_each_row_is_judged_by_itself(parts):
    number, first = np.arange(64, dtype=np.int32), [0] * len(parts)
    expected = [reference.unpacked_row(part, 0, number) for part in parts]
    assert unpacked(parts, number, first) == expected
