"""How everything is hashed, and the names of all formats that a digest or a file begins with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pyunlearn._owned import owned

# What the digests and files of each kind begin with, all of them. Bits that change need another
# name, a line in the changelog and new values in tests/golden.json.
STATISTICS_FORMAT: Final = "pyunlearn-statistics-2"
MODEL_FORMAT: Final = "pyunlearn-model-3"
TASK_STATISTICS_FORMAT: Final = "pyunlearn-task-statistics-2"
TASK_DOCUMENTS_FORMAT: Final = "pyunlearn-task-documents-1"
HEAD_FORMAT: Final = "pyunlearn-head-2"
INDEX_FORMAT: Final = "pyunlearn-index-1"
STORE_FORMAT: Final = "pyunlearn-store-2"
STORE_STATE_FORMAT: Final = "pyunlearn-store-state-2"
STORE_INDEX_FORMAT: Final = "pyunlearn-store-index-1"
CERTIFICATE_FORMAT: Final = "pyunlearn-certificate-2"
HEAD_CERTIFICATE_FORMAT: Final = "pyunlearn-head-certificate-2"
RELEASE_FORMAT: Final = "pyunlearn-release-1"
HEAD_RELEASE_FORMAT: Final = "pyunlearn-head-release-1"

# The bytes of some parts, one after the other.
Buffers = Callable[[NDArray[np.intp]], Iterable[memoryview]]

# hashlib releases the GIL for large parts, but for a few of them the threads of Python cost more
# than they win: 60 rows of 20 newsgroups took 2 ms on one thread and 5 ms on two.
PARTS_FOR_THREADS = 1024


class PartHashes:
    """SHA-256 of each of `count` parts, and which of them are up to date."""

    def __init__(self, count: int) -> None:
        self._digests = np.zeros((count, 32), np.uint8)
        self._fresh = np.zeros(count, np.bool_)

    @classmethod
    def known(cls, digests: NDArray[np.uint8]) -> PartHashes:
        """Hashes that are up to date, (count, 32)."""
        hashes = cls(0)
        hashes._digests, hashes._fresh = digests.copy(), np.ones(len(digests), np.bool_)
        return hashes

    @property
    def stale(self) -> NDArray[np.intp]:
        """Parts to be hashed again."""
        return np.flatnonzero(~self._fresh)

    def copy(self) -> PartHashes:
        """Independent hashes with the same state."""
        twin = PartHashes(0)
        twin._digests, twin._fresh = self._digests.copy(), self._fresh.copy()
        return twin

    def others(self, parts: NDArray[np.intp], buffers: Buffers) -> NDArray[np.intp]:
        """Those of some parts, up to date all of them, whose bytes have another hash."""
        differs = (_hashed(buffers, parts) != self._digests[parts]).any(axis=1)
        return np.asarray(parts[differs])

    def moved(self, places: NDArray[np.int32], count: int) -> PartHashes:
        """Hashes of `count` parts, when part i is part places[i] of them; -1: it is none."""
        twin, kept = PartHashes(count), places >= 0
        twin._digests[places[kept]] = self._digests[kept]
        twin._fresh[places[kept]] = self._fresh[kept]
        return twin

    def expire(self, parts: NDArray[np.integer]) -> None:
        """These parts changed."""
        self._fresh = owned(self._fresh)
        self._fresh[parts] = False

    def combined(self, buffers: Buffers, num_threads: int) -> bytes:
        """The digests of all parts, in order; `buffers(parts)` gives the bytes of some."""
        stale = self.stale
        # Small shares, dealt in turn: parts differ much in size.
        threads = 1 if len(stale) < PARTS_FOR_THREADS else num_threads
        shares = [stale[i :: 4 * threads] for i in range(4 * threads)] if threads > 1 else [stale]
        if threads == 1:
            hashed = [_hashed(buffers, stale)]
        else:
            with ThreadPoolExecutor(threads) as pool:
                hashed = list(pool.map(lambda share: _hashed(buffers, share), shares))
        # Written here, not by the threads: one that an interrupt left behind changes nothing.
        self._digests, self._fresh = owned(self._digests), owned(self._fresh)
        for share, digests in zip(shares, hashed, strict=True):
            self._digests[share] = digests
        self._fresh[stale] = True
        return self._digests.tobytes()


def _hashed(buffers: Buffers, parts: NDArray[np.intp]) -> NDArray[np.uint8]:
    digests = np.empty((len(parts), 32), np.uint8)
    for at, buffer in enumerate(buffers(parts)):
        digests[at] = np.frombuffer(hashlib.sha256(buffer).digest(), np.uint8)
    return digests


def content_digest(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 over a JSON header and named arrays (little-endian, with dtype and shape)."""
    described = {
        name: [array.dtype.newbyteorder("<").str, list(array.shape)]
        for name, array in arrays.items()
    }
    total = hashlib.sha256(
        json.dumps({"header": dict(header), "arrays": described}, sort_keys=True).encode()
    )
    for name in sorted(arrays):
        array = arrays[name]
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        total.update(np.ascontiguousarray(little).data)
    return total.hexdigest()
