"""Ids of documents: all strings or all integers, in an array; and where they stand in it."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn.errors import DuplicateDocumentError, InvalidInputError, UnknownDocumentError

__all__ = ["ids_for", "rows_of"]

Ids = NDArray[Any]


def ids_for(ids: Iterable[Any], n_documents: int, like: Ids | None = None) -> Ids:
    """Ids of documents in their order, (m,), str or int64; `like` has the kind asked for.

    Raises
    ------
    InvalidInputError
        Another number of ids, ids of another kind, or in no order.
    DuplicateDocumentError
        An id for the second time.
    """
    if isinstance(ids, Set):
        raise InvalidInputError("ids must be in the order of the documents; a set has none")
    names = _as_array(ids)
    if len(names) != n_documents:
        raise InvalidInputError(f"{len(names)} ids for {n_documents} documents")
    if like is not None and len(like) and len(names) and like.dtype.kind != names.dtype.kind:
        raise InvalidInputError("ids must be all strings or all integers, as those in the index")
    _refuse_twice(names)
    return names


def rows_of(ids: Iterable[Any], held: Ids) -> NDArray[np.intp]:
    """Places of ids among `held`, which ascend.

    Raises
    ------
    InvalidInputError
        No ids, or ids of several kinds.
    DuplicateDocumentError
        An id for the second time.
    UnknownDocumentError
        An id that is not among them.
    """
    wanted = _as_array(ids)
    if not len(wanted):
        raise InvalidInputError("there are no ids in the request")
    _refuse_twice(wanted)
    rows, unknown = np.zeros(0, np.intp), wanted
    if len(held) and wanted.dtype.kind == held.dtype.kind:
        rows = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
        unknown = wanted[held[rows] != wanted]
    if len(unknown):
        raise UnknownDocumentError(
            f"not in the index: {unknown[0].item()!r} ({len(unknown)} of {len(wanted)} ids)"
        )
    return rows


def _as_array(ids: Any) -> Ids:
    """Ids as str or int64; one id alone is a list of one."""
    alone = isinstance(ids, str | bytes | int | np.integer)
    try:
        listed = [ids] if alone else list(ids)
    except TypeError:
        raise InvalidInputError(f"ids must be a list of ids, got {type(ids).__name__}") from None
    kinds = {_kind(one) for one in listed}
    if kinds == {str}:
        if any(one.endswith("\0") for one in listed):  # NumPy would cut it off
            raise InvalidInputError("an id must not end in a NUL character")
        return np.array(listed)
    if kinds - {int}:
        raise InvalidInputError("ids must be all strings or all integers")
    try:
        return np.array(listed, np.int64)
    except OverflowError:
        raise InvalidInputError("an id is larger than int64 can hold; use strings") from None


def _kind(one: Any) -> type | None:
    if isinstance(one, str):
        return str
    # A boolean is an integer to Python.
    return int if isinstance(one, int | np.integer) and not isinstance(one, bool) else None


def _refuse_twice(ids: Ids) -> None:
    found, counts = np.unique(ids, return_counts=True)
    if len(found) < len(ids):
        twice = found[np.argmax(counts > 1)].item()
        raise DuplicateDocumentError(f"id {twice!r} stands in the request twice")
