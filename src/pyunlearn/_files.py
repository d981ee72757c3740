"""The file of a model: one safetensors file, no pickle, checked by digest on the way in."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from pyunlearn._cooccurrence.arrays import Arrays
from pyunlearn._digest import MODEL_FORMAT, content_digest
from pyunlearn.errors import CorruptStateError

__all__ = ["DAMAGED", "read_file", "write_file"]

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
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            header = json.loads(metadata["pyunlearn"])
            if header["format"] != MODEL_FORMAT:
                raise CorruptStateError(
                    f"{path}: format {header['format']!r}; this version reads {MODEL_FORMAT!r}. "
                    "Fit the model again, or use the version that saved it"
                )
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        content = header.pop("content")
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CorruptStateError(f"{path}: not a saved model, or truncated ({error})") from None
    if content != content_digest(header, arrays):
        raise CorruptStateError(f"{path}: {DAMAGED}")
    return header, arrays
