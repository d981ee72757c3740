"""Laws of the JSONL reader: a record, or an error that names file and line."""

import gzip
import json

import pytest

from pyunlearn.errors import DuplicateDocumentError, RecordError
from pyunlearn.records import JsonlReader, Record, as_records, ids_from_lines

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
    "'label' must be a string or an integer, not an object": b'{"id":"x","text":"","label":{}}',
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
    assert (reader.n_read, reader.n_skipped) == (2, 1)


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


def test_messages_do_not_repeat_content(corpus):
    for line in BAD_LINES.values():
        with pytest.raises(RecordError) as error:
            list(JsonlReader(corpus(line.replace(b'"x"', b'"secret"'))))
        assert "secret" not in str(error.value)


def test_ids_are_one_a_line_in_utf8():
    assert ids_from_lines(b"\xef\xbb\xbfa\r\n\n b \n\xc3\xb6", "ids") == ["a", " b ", "ö"]
    with pytest.raises(RecordError, match="ids, line 2: not UTF-8"):
        ids_from_lines(b"a\n\xff\n", "ids")
