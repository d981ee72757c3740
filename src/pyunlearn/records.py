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
from pathlib import Path
from typing import Any, BinaryIO

from pyunlearn.errors import DuplicateDocumentError, PyUnlearnError, RecordError

__all__ = ["JsonlReader", "Record", "as_records", "ids_from_lines", "label_text"]

GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


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
        Pass over lines that are no record, and count them, instead of raising.
    label_field : str, default="label"
        The field that has the label.

    Attributes
    ----------
    n_read, n_skipped : int
        Records given out and lines passed over so far.
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
        or a file without a record.
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
        self.position = 0
        with open(self.path, "rb") as file:
            self.n_bytes = file.seek(0, os.SEEK_END)

    def __iter__(self) -> Iterator[Record]:
        self.n_read = self.n_skipped = 0
        seen: set[str] = set()
        with open(self.path, "rb") as file:
            for number, line in enumerate(self._lines(file), start=1):
                self.position = file.tell()
                if not line.strip():
                    continue
                try:
                    record = _parse(line, f"{self.path}, line {number}", self.label_field)
                    if record.id in seen:
                        raise DuplicateDocumentError(
                            f"{record.where}: id {record.id!r} stands in the file twice"
                        )
                except PyUnlearnError:
                    if not self.skip_bad:
                        raise
                    self.n_skipped += 1
                    continue
                seen.add(record.id)
                self.n_read += 1
                yield record
        if self.n_read == 0:
            skipped = f" ({self.n_skipped} lines are no records)" if self.n_skipped else ""
            raise RecordError(f"{self.path}: there is no record in this file{skipped}")

    def _lines(self, file: BinaryIO) -> Iterator[bytes]:
        packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        file.seek(0)
        lines = io.BufferedReader(gzip.GzipFile(fileobj=file)) if packed else file
        number = 0
        try:
            for number, line in enumerate(lines, start=1):
                yield line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise RecordError(
                f"{self.path}, after line {number}: the gzip file is damaged or cut short ({error})"
            ) from None


def as_records(values: Iterable[Any]) -> Iterator[Record]:
    """Records from `Record` objects or mappings with `id`, `text` and perhaps `label`.

    Raises
    ------
    RecordError
        A value that is neither, or fields of the wrong type; its position is named.
    """
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
    """A label as the store keeps it: numbers and booleans as JSON writes them."""
    finite = isinstance(value, float) and math.isfinite(value)
    if finite or isinstance(value, bool):
        return json.dumps(value)
    return _name(value, field, where)


def _name(value: Any, field: str, where: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise RecordError(f"{where}: {field!r} must be a string or an integer, not {_kind(value)}")


def _kind(value: Any) -> str:
    """What JSON calls a value; never the value itself, which may be content."""
    for kind, name in (
        (type(None), "null"),
        (bool, "a boolean"),
        (int | float, "a number"),
        (str, "a string"),
        (list, "a list"),
        (Mapping, "an object"),
    ):
        if isinstance(value, kind):
            return name
    return type(value).__name__


def _is_unicode(string: str) -> bool:
    try:
        string.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
