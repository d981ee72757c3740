"""Files of models that somebody wrote on purpose: any content, with the digests that belong to it.

The digests are those of docs/statistics-format.md, computed from the arrays alone.
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from core import reference
from safetensors import safe_open

from pyunlearn._digest import content_digest

TYPES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "int64": "I64",
    "uint64": "U64",
    "int32": "I32",
    "uint8": "U8",
    "int8": "I8",
    "bool": "BOOL",
}

Header = dict[str, Any]
Arrays = dict[str, np.ndarray]


def unpacked(path: Path) -> tuple[Header, Arrays]:
    """Header and arrays of a file, without its two digests."""
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["pyunlearn"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    del header["content"], header["digest"]
    return header, arrays


def packed(header: Header, arrays: Arrays) -> bytes:
    """A file of this header and these arrays, with its two digests, where they have any."""
    header = dict(header)
    header.setdefault("digest", model_digest(header, arrays))
    header["content"] = content_digest(header, arrays)
    return container(json.dumps(header, sort_keys=True), arrays)


def container(header: str, arrays: Arrays, table: Header | None = None, **metadata: str) -> bytes:
    """The bytes of a safetensors file; `table` replaces its entries of arrays."""
    whole: Header = {"__metadata__": {"pyunlearn": header, **metadata}}
    data = b""
    for name in sorted(arrays, key=lambda name: (-arrays[name].itemsize, name)):
        content = np.ascontiguousarray(arrays[name]).tobytes()
        whole[name] = {
            "dtype": TYPES[arrays[name].dtype.name],
            "shape": list(arrays[name].shape),
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    return with_table(json.dumps({**whole, **(table or {})}), data)


def with_table(text: str, data: bytes) -> bytes:
    """The bytes of a safetensors file with any text in front."""
    return struct.pack("<Q", len(text.encode())) + text.encode() + data


def model_digest(header: Header, arrays: Arrays) -> str:
    """The digest that this content would have; "none" for content that has no digest."""
    try:
        anchor, settings = header["learner"] == "anchor", dict(header["settings"])
        if anchor and settings["solver"] == "active-set":
            del settings["tol"], settings["max_iter"]
        name, hashed = ("anchors", "word_topic") if anchor else ("core", "weights")
        rows = arrays[f"learned.{hashed}"]
        blocks = [hashlib.sha256(rows[at : at + 16]) for at in range(0, len(rows), 16)]
        hashes = np.frombuffer(b"".join(one.digest() for one in blocks), np.uint8)
        covered = {"row_hashes": hashes, name: arrays[f"learned.{name}"]}
        told = {name: header[name] for name in ("format", "learner")}
        told |= {"settings": settings, "statistics": statistics_digest(header, arrays)}
        return content_digest(told, covered)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError):
        return "none"


def statistics_digest(header: Header, arrays: Arrays) -> str:
    told = {name: header[name] for name in ("scale_bits", "weighting", "contexts", "n_documents")}
    indptr, frequency = arrays["indptr"], arrays["document_frequency"]
    told |= {"format": "pyunlearn-statistics-2", "n_words": len(indptr) - 1}
    least = reference.least_documents(told["contexts"], told["n_documents"])
    contexts = np.flatnonzero(frequency >= least).astype(np.int32)
    total = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for array in (frequency, arrays["word_mass"], contexts):
        total.update(array.tobytes())
    number = np.full(len(indptr) - 1, -1)
    number[contexts] = np.arange(len(contexts))
    for word in range(len(indptr) - 1):
        part = slice(indptr[word], indptr[word + 1])
        numbers, first = number[arrays["columns"][arrays["indices"][part]]], max(number[word], 0)
        counted = numbers >= first
        row = reference.packed_row(first, numbers[counted], arrays["values"][part][counted])
        total.update(hashlib.sha256(row).digest())
    return total.hexdigest()
