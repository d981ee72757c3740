"""Records `{"id": ..., "text": ..., "label": ...}`, read one at a time from JSONL files."""

from __future__ import annotations

import gzip
import io
import json
import math
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pyunlearn.errors import DuplicateDocumentError, PyUnlearnError, RecordError

__all__ = ["JsonlReader", "Record", "as_records", "ids_from_lines", "label_text"]

GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What else people have their corpora in, by the first bytes of the file.
OTHER_FORMATS = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstandard file",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    b"SQLite format 3": "an SQLite database",
    b"%PDF": "a PDF",
}
WANTED = (
    'what is read is JSONL in UTF-8, plain or gzip: {"id": "...", "text": "..."}, one object a '
    "line (of a pandas data frame: df.to_json(FILE, orient='records', lines=True))"
)
SHOWN_LINES = 5


@dataclass(frozen=True)
class Record:
    """One document as it comes in.

    Attributes
    ----------
    id : str
        Not empty; the name under which the document can be forgotten.
    text : str
        What is counted.
    label : str or None
        Kept beside the document.
    where : str
        For messages: "corpus.jsonl, line 3".
    """

    id: str
    text: str
    label: str | None = None
    where: str = ""


class JsonlReader:
    """The records of a JSONL file, plain or gzip, in bounded memory (one line, and the ids seen).

    Parameters
    ----------
    path : str or path-like
        One JSON object a line, in UTF-8; blank lines are passed over. `id` is a non-empty string
        (an integer becomes its decimal string), `text` a string, `label` a string, an integer or
        null and may be missing. Other fields are ignored.
    skip_bad : bool, default=False
        Pass over lines that are no record, and note them, instead of raising.
    label_field : str, default="label"
        The field that has the label.

    Attributes
    ----------
    n_read, n_skipped : int
        Records given out and lines passed over so far.
    skipped_lines : list of int
        Numbers of the first five lines passed over, from 1.
    n_bytes : int
        Size of the file.
    position : int
        Bytes of the file read so far (compressed bytes for gzip).

    Raises
    ------
    FileNotFoundError, PermissionError, IsADirectoryError
        The file cannot be opened.
    RecordError
        While iterating: a line that is no record (file and line are named), a damaged gzip file,
        a file without a record, or one of another format (CSV, Parquet, ...), which is named.
    DuplicateDocumentError
        While iterating: an id for the second time.
    """

    def __init__(
        self, path: str | os.PathLike[str], skip_bad: bool = False, *, label_field: str = "label"
    ) -> None:
        self.path = Path(path)
        self.label_field = label_field
        self.skip_bad = skip_bad
        self.n_read = 0
        self.n_skipped = 0
        self.skipped_lines: list[int] = []
        self.position = 0
        with open(self.path, "rb") as file:
            self.n_bytes = file.seek(0, os.SEEK_END)

    def __iter__(self) -> Iterator[Record]:
        self.n_read = self.n_skipped = 0
        self.skipped_lines = []
        seen: set[str] = set()
        with open(self.path, "rb") as file:
            for number, line in enumerate(self._lines(file), start=1):
                self.position = file.tell()
                if not line.strip():
                    continue
                try:
                    record = self._new_record(line, number, seen)
                except PyUnlearnError as error:
                    self._skip(number, line, error)
                    continue
                self.n_read += 1
                yield record
        if self.n_read == 0:
            skipped = f" ({self.n_skipped} lines are no records)" if self.n_skipped else ""
            raise RecordError(f"{self.path}: there is no record in this file{skipped}; {WANTED}")

    def _new_record(self, line: bytes, number: int, seen: set[str]) -> Record:
        record = _parse(line, f"{self.path}, line {number}", self.label_field)
        if record.id in seen:
            raise DuplicateDocumentError(
                f"{record.where}: id {record.id!r} stands in the file twice"
            )
        seen.add(record.id)
        return record

    def _skip(self, number: int, line: bytes, error: PyUnlearnError) -> None:
        """Note a bad line; raise if it must not be skipped, or tells that no line is a record."""
        if not self.skip_bad:
            if self.n_read == 0 and isinstance(error, RecordError):
                raise RecordError(f"{error}{_other_text(line)}") from None
            raise error
        self.n_skipped += 1
        if len(self.skipped_lines) < SHOWN_LINES:
            self.skipped_lines.append(number)

    def _lines(self, file: BinaryIO) -> Iterator[bytes]:
        packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        file.seek(0)
        lines = io.BufferedReader(gzip.GzipFile(fileobj=file)) if packed else file
        number = 0
        try:
            for number, line in enumerate(lines, start=1):
                if number == 1:
                    line = line.removeprefix(BYTE_ORDER_MARK)
                    self._refuse_other_formats(line)
                yield line
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise RecordError(
                f"{self.path}, after line {number}: the gzip file is damaged or cut short ({error})"
            ) from None

    def _refuse_other_formats(self, start: bytes) -> None:
        for magic, name in OTHER_FORMATS.items():
            if start.startswith(magic):
                raise RecordError(f"{self.path}: this is {name}; {WANTED}")


def as_records(values: Iterable[Any]) -> Iterator[Record]:
    """Records from `Record` objects or mappings with `id`, `text` and perhaps `label`.

    Raises
    ------
    RecordError
        At once: something that is no iterable of records, such as a data frame. While iterating:
        a value that is neither, or fields of the wrong type; its position is named.
    """
    if hasattr(values, "columns"):  # iterating would give the names of the columns
        raise RecordError(
            'a data frame is no iterable of records; give df.to_dict("records"), with the columns '
            "id and text"
        )
    if isinstance(values, Mapping | Record):
        raise RecordError("one object is no iterable of records; give a list of them")
    if isinstance(values, str | bytes | os.PathLike):
        raise RecordError(
            "records are mappings with id and text; read a file with "
            "pyunlearn.records.JsonlReader(path)"
        )
    if not isinstance(values, Iterable):
        raise RecordError(f"{_kind(values)} is no iterable of records with id and text")
    return _as_records(values)


def _as_records(values: Iterable[Any]) -> Iterator[Record]:
    for number, value in enumerate(values, start=1):
        yield value if isinstance(value, Record) else _record(value, f"record {number}")


def ids_from_lines(content: bytes, source: str) -> list[str]:
    """Ids, one a line, from the content of a file in UTF-8; empty lines are passed over.

    Raises
    ------
    RecordError
        Not UTF-8; `source` and the line are named.
    """
    lines = content.removeprefix(BYTE_ORDER_MARK).split(b"\n")
    ids = []
    for number, line in enumerate(lines, start=1):
        try:
            ids.append(line.removesuffix(b"\r").decode("utf-8"))
        except UnicodeDecodeError:
            raise RecordError(f"{source}, line {number}: not UTF-8") from None
    return [one for one in ids if one]


def _parse(line: bytes, where: str, label_field: str) -> Record:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RecordError(f"{where}: not UTF-8 (byte {error.start + 1} of the line)") from None
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise RecordError(f"{where}: not JSON ({error.msg}, column {error.colno})") from None
    except (ValueError, RecursionError):  # numbers of thousands of digits, or nested too deeply
        raise RecordError(f"{where}: not JSON that can be read") from None
    return _record(value, where, label_field)


def _record(value: Any, where: str, label_field: str = "label") -> Record:
    if not isinstance(value, Mapping):
        raise RecordError(f"{where}: not an object with id and text, but {_kind(value)}")
    for name in ("id", "text"):
        if name not in value:
            raise RecordError(f"{where}: the field {name!r} is missing")
    identifier = _name(value["id"], "id", where)
    if not identifier:
        raise RecordError(f"{where}: 'id' is empty")
    text = value["text"]
    if not isinstance(text, str):
        raise RecordError(f"{where}: 'text' must be a string, not {_kind(text)}")
    label = value.get(label_field)
    label = None if label is None else label_text(label, label_field, where)
    for name, string in (("id", identifier), ("text", text), (label_field, label or "")):
        if not _is_unicode(string):
            raise RecordError(f"{where}: {name!r} holds half of a surrogate pair")
    return Record(identifier, text, label, where)


def label_text(value: Any, field: str, where: str) -> str:
    """A label as the store keeps it: numbers and booleans, NumPy's too, as JSON writes them."""
    if isinstance(value, bool | np.bool_):
        return json.dumps(bool(value))
    if isinstance(value, float | np.floating) and math.isfinite(value):
        return json.dumps(float(value))
    return _name(value, field, where, "a string, a number or a boolean")


def _name(value: Any, field: str, where: str, wanted: str = "a string or an integer") -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Integral) and not isinstance(value, bool | np.timedelta64):
        return str(int(value))
    raise RecordError(f"{where}: {field!r} must be {wanted}, not {_kind(value)}")


def _kind(value: Any) -> str:
    """What JSON calls a value; never the value itself, which may be content."""
    missing = isinstance(value, Real) and value != value
    if missing or type(value).__name__ in ("NAType", "NaTType"):
        return "a missing value (NaN); leave such records or labels out"
    for kind, name in (
        (type(None), "null"),
        (bool | np.bool_, "a boolean"),
        (Real, "a number"),
        (str, "a string"),
        (list, "a list"),
        (Mapping, "an object"),
    ):
        if isinstance(value, kind):
            return name
    return type(value).__name__


def _other_text(line: bytes) -> str:
    """What a file of text looks like whose first line is no record; nothing of the line itself."""
    start = line.lstrip()[:1]
    if start == b"[":
        return f"; the file looks like one JSON array; {WANTED}"
    if start == b"{":
        return (
            ""
            if line.rstrip().endswith(b"}")
            else (f"; the file looks like JSON over several lines; {WANTED}")
        )
    if any(mark in line for mark in (b",", b";", b"\t")):
        return f"; the file looks like a table (CSV); {WANTED}"
    return f"; {WANTED}"


def _is_unicode(string: str) -> bool:
    try:
        string.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
