"""Laws of the JSONL reader: a record, or an error that names file and line."""

import bz2
import gzip
import json
import lzma

import numpy as np
import pandas as pd
import pytest

from pyunlearn.errors import DuplicateDocumentError, RecordError
from pyunlearn.records import JsonlReader, Record, as_records, ids_from_lines, label_text

GOOD = b'{"id": "a", "text": "one two", "label": "x", "other": [1]}\n{"id": 7, "text": "three"}\n'

BAD_LINES = {
    "not JSON": b"{nope",
    "not JSON that can": b"[" * 100_000,
    "not an object with id and text, but a list": b"[1]",
    "'id' is missing": b'{"text": "x"}',
    "'text' is missing": b'{"id": "x"}',
    "'id' is empty": b'{"id": "", "text": "x"}',
    "'id' must be a string or an integer, not a boolean": b'{"id": true, "text": "x"}',
    "'id' must be a string or an integer, not a number": b'{"id": 1.5, "text": "x"}',
    "'text' must be a string, not null": b'{"id": "x", "text": null}',
    "'text' must be a string, not a missing value": b'{"id": "x", "text": NaN}',
    "'label' must be a string, a number or a boolean, not an object": (
        b'{"id": "x", "text": "", "label": {}}'
    ),
    "not UTF-8": b'{"id": "x", "text": "\xff"}',
    "surrogate": b'{"id": "x", "text": "\\ud800"}',
}


@pytest.fixture
def corpus(tmp_path):
    def write(content):
        path = tmp_path / "corpus.jsonl"
        path.write_bytes(content)
        return path

    return write


def test_records_keep_id_text_and_label(corpus):
    path = corpus(GOOD)
    assert list(JsonlReader(path)) == [
        Record("a", "one two", "x", f"{path}, line 1"),
        Record("7", "three", None, f"{path}, line 2"),
    ]


@pytest.mark.parametrize("content", [gzip.compress(GOOD), b"\xef\xbb\xbf" + GOOD, b"\n" + GOOD])
def test_gzip_byte_order_mark_and_blank_lines_change_nothing(corpus, content):
    assert [record.id for record in JsonlReader(corpus(content))] == ["a", "7"]


@pytest.mark.parametrize(("message", "line"), BAD_LINES.items(), ids=BAD_LINES)
def test_bad_line_is_an_error_that_names_file_and_line(corpus, message, line):
    with pytest.raises(RecordError, match="corpus.jsonl, line 3: .*" + message):
        list(JsonlReader(corpus(GOOD + line + b"\n")))


@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES)
def test_skip_bad_passes_over_bad_lines_and_counts_them(corpus, line):
    reader = JsonlReader(corpus(line + b"\n" + GOOD), skip_bad=True)
    assert [record.id for record in reader] == ["a", "7"]
    assert (reader.n_read, reader.n_skipped, reader.skipped_lines) == (2, 1, [1])


def test_first_lines_that_are_skipped_are_named_by_number(corpus):
    reader = JsonlReader(corpus(b"\n" + 9 * b"nope\n" + GOOD + b"nope"), skip_bad=True)
    for _ in range(2):
        list(reader)
        assert (reader.n_skipped, reader.skipped_lines) == (10, [2, 3, 4, 5, 6])


@pytest.mark.parametrize("skip_bad", [False, True])
@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"PAR1\x15\x04\x15\x00\nPAR1", "a Parquet file"),
        (b"PK\x03\x04\x14\x00", "a zip archive or a spreadsheet"),
        (bz2.compress(GOOD), "a bzip2 file"),
        (lzma.compress(GOOD), "an xz file"),
        (GOOD.decode().encode("utf-16"), "text in UTF-16"),
    ],
)
def test_file_of_another_format_is_named_with_what_is_wanted(corpus, content, name, skip_bad):
    with pytest.raises(RecordError, match=f"this is {name}; what is read is JSONL"):
        list(JsonlReader(corpus(content), skip_bad))


@pytest.mark.parametrize(
    ("content", "guess"),
    [
        (b"id,text\n1,secret\n", "a table (CSV)"),
        (b"id\ttext\n1\tsecret\n", "a table (CSV)"),
        (b'[{"id": "x", "text": "secret"}]', "one JSON array"),
        (b'{\n  "id": "x",\n  "text": "secret"\n}', "JSON over several lines"),
    ],
)
def test_text_of_another_format_is_guessed_without_its_content(corpus, content, guess):
    with pytest.raises(RecordError, match="line 1: ") as error:
        list(JsonlReader(corpus(content)))
    assert f"the file looks like {guess}; what is read is JSONL" in str(error.value)
    assert "secret" not in str(error.value)


def test_second_record_of_an_id_is_an_error_and_can_be_skipped(corpus):
    path = corpus(GOOD + b'{"id": "7", "text": "again"}\n')
    with pytest.raises(DuplicateDocumentError, match="line 3: id '7'"):
        list(JsonlReader(path))
    assert [r.text for r in JsonlReader(path, skip_bad=True)] == ["one two", "three"]


@pytest.mark.parametrize("content", [b"", b"\n\n", gzip.compress(b"")])
def test_file_without_a_record_is_an_error(corpus, content):
    with pytest.raises(RecordError, match="no record"):
        list(JsonlReader(corpus(content)))


def test_file_of_bad_lines_only_is_an_error_even_when_they_are_skipped(corpus):
    with pytest.raises(RecordError, match="1 lines are no records"):
        list(JsonlReader(corpus(b"{nope"), skip_bad=True))


@pytest.mark.parametrize("cut", [5, 15, 60])
def test_truncated_gzip_is_an_error_even_when_bad_lines_are_skipped(corpus, cut):
    with pytest.raises(RecordError, match="damaged or cut short"):
        list(JsonlReader(corpus(gzip.compress(GOOD)[:cut]), skip_bad=True))


def test_missing_file_is_an_error_before_anything_is_read(tmp_path):
    with pytest.raises(FileNotFoundError):
        JsonlReader(tmp_path / "none.jsonl")


def test_position_ends_at_the_size_of_the_file(corpus):
    reader = JsonlReader(corpus(GOOD))
    list(reader)
    assert reader.position == reader.n_bytes == len(GOOD)


def test_mappings_are_checked_like_lines():
    assert list(as_records([json.loads(GOOD.splitlines()[1])])) == [
        Record("7", "three", None, "record 1")
    ]
    with pytest.raises(RecordError, match="record 1: not an object"):
        list(as_records(["text"]))


FRAME = pd.DataFrame({"id": [1, 2], "text": ["one", "two"], "label": [True, False]})


def test_rows_of_a_data_frame_are_records_like_plain_values():
    plain = [{"id": 1, "text": "one", "label": "x"}, {"id": 2, "text": "two", "label": "y"}]
    frame = pd.DataFrame(plain)
    assert list(as_records(frame.to_dict("records"))) == list(as_records(plain))
    rows = [dict(row) for _, row in frame.iterrows()]
    assert list(as_records(rows)) == list(as_records(plain))


@pytest.mark.parametrize("kind", [np.int8, np.int32, np.int64, np.uint64, np.str_])
def test_numpy_ids_are_plain_strings(kind):
    [record] = as_records([{"id": kind(7), "text": ""}])
    assert (record.id, type(record.id)) == ("7", str)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(1), 1),
        (np.uint8(1), 1),
        (np.bool_(True), True),
        (np.float64(0.1), 0.1),
        (np.float32(0.5), 0.5),
        (np.float16(2), 2.0),
        (np.str_("x"), "x"),
    ],
)
def test_numpy_labels_are_written_like_the_python_value(value, plain):
    assert label_text(value, "f", "here") == label_text(plain, "f", "here")


@pytest.mark.parametrize("value", [None, float("nan"), np.float32("inf"), pd.NA, pd.NaT, [1]])
def test_label_that_says_nothing_is_refused(value):
    with pytest.raises(RecordError, match="'f' must be a string, a number or a boolean, not "):
        label_text(value, "f", "here")


@pytest.mark.parametrize("missing", [float("nan"), np.float32("nan"), pd.NA, pd.NaT])
def test_missing_text_of_a_data_frame_is_refused_by_position(missing):
    values = [{"id": 1, "text": "x"}, {"id": 2, "text": missing}]
    with pytest.raises(RecordError, match=r"record 2: 'text' must be .* not a missing value"):
        list(as_records(values))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (FRAME, r'df\.to_dict\("records"\)'),
        ({"id": "x", "text": "y"}, "a list of them"),
        (Record("x", "y"), "a list of them"),
        ("corpus.jsonl", "JsonlReader"),
        (b"corpus.jsonl", "JsonlReader"),
        (None, "null is no iterable"),
        (7, "a number is no iterable"),
    ],
)
def test_what_is_no_iterable_of_records_is_refused_at_once(values, message):
    with pytest.raises(RecordError, match=message):
        as_records(values)


def test_messages_do_not_repeat_content(corpus):
    for line in BAD_LINES.values():
        with pytest.raises(RecordError) as error:
            list(JsonlReader(corpus(line.replace(b'"x"', b'"secret"'))))
        assert "secret" not in str(error.value)


def test_ids_are_one_a_line_in_utf8():
    assert ids_from_lines(b"\xef\xbb\xbfa\r\n\n b \n\xc3\xb6", "ids") == ["a", " b ", "ö"]
    with pytest.raises(RecordError, match="ids, line 2: not UTF-8"):
        ids_from_lines(b"a\n\xff\n", "ids")
