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
        topics = arrays["learned.word_topic"]
        blocks = [hashlib.sha256(topics[at : at + 16]) for at in range(0, len(topics), 16)]
        hashes = b"".join(one.digest() for one in blocks)
        covered = {"word_topic_hashes": np.frombuffer(hashes, np.uint8)}
        settings = dict(header["settings"])
        if header["learner"] == "anchor":
            covered["anchors"] = arrays["learned.anchors"]
            if settings["solver"] == "active-set":
                del settings["tol"], settings["max_iter"]
        else:
            covered["representatives"] = arrays["learned.central"]
            covered["topical"] = arrays["learned.topical"]
        told = {name: header[name] for name in ("format", "learner")}
        told |= {"settings": settings, "statistics": statistics_digest(header, arrays)}
        return content_digest(told, covered)
    except (KeyError, TypeError, ValueError, IndexError):
        return "none"


def statistics_digest(header: Header, arrays: Arrays) -> str:
    indptr, indices, values = (arrays[name] for name in ("indptr", "indices", "values"))
    told = {name: header[name] for name in ("scale_bits", "weighting", "n_documents")}
    told |= {"format": "pyunlearn-statistics-1", "n_words": len(indptr) - 1}
    total = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    total.update(arrays["document_frequency"].tobytes())
    for word in range(len(indptr) - 1):
        columns, entries = (part[indptr[word] : indptr[word + 1]] for part in (indices, values))
        # As the library does it: rows are ascending where nobody lied.
        upper = int(np.searchsorted(columns, word))
        total.update(hashlib.sha256(columns[upper:].tobytes() + entries[upper:].tobytes()).digest())
    return total.hexdigest()
