"""The file of a model: one safetensors file, no pickle, checked by digest on the way in."""

from __future__ import annotations

import json
import math
import os
import struct
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from pyunlearn._cooccurrence.arrays import Arrays
from pyunlearn._digest import MODEL_FORMAT, content_digest
from pyunlearn._json import read_json
from pyunlearn.errors import CorruptStateError

__all__ = ["DAMAGED", "read_file", "write_file"]

# The types of all arrays of a model, as safetensors calls them.
DTYPES = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}
DAMAGED = (
    "the content does not have the digest that was saved with it; the file was damaged or edited"
)


def write_file(path: Path, header: dict[str, Any], arrays: Arrays) -> None:
    ordered = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    # The model's digest covers what the model says; this one every array that updates start from.
    whole = {**header, "content": content_digest(header, ordered)}
    # One metadata key: safetensors does not promise an order of several.
    metadata = {"pyunlearn": json.dumps(whole, sort_keys=True)}
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        save_file(ordered, scratch, metadata=metadata)
        os.replace(scratch, path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def read_file(path: Path) -> tuple[dict[str, Any], Arrays]:
    """Header and arrays of a file whose digest is right.

    Raises
    ------
    CorruptStateError
        Not such a file, or another digest.
    FileNotFoundError, IsADirectoryError
        There is no file.
    """
    if path.is_dir():
        raise IsADirectoryError(
            f"{path}: a directory, not the file of a model; Store.open opens a store"
        )
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        # Refuses places that overlap, leave gaps or lie outside of the file.
        with safe_open(path, framework="numpy"), path.open("rb") as file:
            header, table = _read_header(file)
            if header["format"] != MODEL_FORMAT:
                raise CorruptStateError(
                    f"{path}: format {str(header['format'])[:60]!r}; this version reads "
                    f"{MODEL_FORMAT!r}. Fit the model again, or use the version that saved it"
                )
            start = file.tell()
            arrays = {name: _read_array(file, start, entry) for name, entry in table.items()}
        content = header.pop("content")
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CorruptStateError(
            f"{path}: not a saved model, or truncated ({str(error)[:200]})"
        ) from None
    if content != content_digest(header, arrays):
        raise CorruptStateError(f"{path}: {DAMAGED}")
    return header, arrays


def _read_header(file: BinaryIO) -> tuple[dict[str, Any], dict[str, Any]]:
    """Our header, and the entries of the arrays, of a file that safetensors could open.

    It is read here because safetensors takes the last of two entries with one name, and because
    NumPy does not know all of its types.
    """
    (size,) = struct.unpack("<Q", file.read(8))
    table = read_json(file.read(size))
    metadata = table.pop("__metadata__")
    if set(metadata) != {"pyunlearn"}:
        raise ValueError("other metadata than that of a model")
    for name, entry in table.items():
        if entry["dtype"] not in DTYPES:
            raise ValueError(f"the array {name:.60} has the type {entry['dtype']}")
    header = read_json(metadata["pyunlearn"])
    if not isinstance(header, dict):
        raise ValueError("the header is no object")
    return header, table


def _read_array(file: BinaryIO, start: int, entry: dict[str, Any]) -> NDArray[Any]:
    """One array; three times as fast as through safetensors, which copies it once more."""
    dtype, shape = np.dtype(DTYPES[entry["dtype"]]), entry["shape"]
    file.seek(start + entry["data_offsets"][0])
    array = np.fromfile(file, dtype, math.prod(shape)).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)
