"""Integer sums over the documents of a store, after documents and with them the dictionary changed.

Sums are reversible, so what changed is taken out by the dictionary of before and put in by that of
now. Only documents that hold a word which entered or left the dictionary are read besides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store._database import Database
from pyunlearn.store._stored_words import Dictionary

READ_AT_ONCE = 10_000


class Sums(Protocol):
    """What is kept of documents in place of them."""

    def remove(self, batch: docs.Batch) -> None:
        """Take documents out."""

    def add(self, batch: docs.Batch) -> None:
        """Put documents in."""

    def renumber(self, columns: NDArray[np.int32], n_words: int) -> None:
        """Move words to other columns; -1 for those that no document holds."""


@dataclass(frozen=True)
class StatisticsSums:
    """The statistics that topics are learned from."""

    statistics: CooccurrenceStatistics

    def remove(self, batch: docs.Batch) -> None:
        """Take documents out."""
        self.statistics.remove(batch.counts, batch.lengths)

    def add(self, batch: docs.Batch) -> None:
        """Put documents in."""
        with batch.naming_ids():
            self.statistics.add(batch.counts, batch.lengths)

    def renumber(self, columns: NDArray[np.int32], n_words: int) -> None:
        """Move words to other columns."""
        self.statistics.renumber(columns, n_words)


def recount(
    db: Database,
    sums: Sequence[Sums],
    before: Dictionary,
    after: Dictionary,
    gone: Sequence[docs.Named],
    come: Sequence[str],
) -> NDArray[np.intp] | None:
    """Bring sums up to date with documents that are stored already.

    Parameters
    ----------
    db : Database
        With the documents as they are now.
    sums : sequence of Sums
        Of the documents as they were.
    before, after : Dictionary
        Of then and of now.
    gone : sequence of named bags
        Of documents as they were.
    come : sequence of str
        Ids of documents that are new, or have another bag now.

    Returns
    -------
    ndarray of intp or None
        Columns of words that changed, ascending; None when columns moved.
    """
    added = _in_parts(come)
    if before.words == after.words:
        touched = np.zeros(len(after), np.bool_)
        for batch in docs.batches(gone, before):
            _each(sums, "remove", batch, touched)
        for batch in docs.batches(_read(db, added), after):
            _each(sums, "add", batch, touched)
        return np.flatnonzero(touched)
    keys = _held_by_others(db, np.setxor1d(before.keys, after.keys), added)
    others = _in_parts(docs.ids_with_words(db, keys, come))
    for batch in docs.batches(chain(gone, _read(db, others)), before):
        _each(sums, "remove", batch)
    columns = after.columns(before.keys)
    for one in sums:
        one.renumber(columns, len(after))
    for batch in docs.batches(_read(db, others + added), after):
        _each(sums, "add", batch)
    return None


def _in_parts(ids: Sequence[str]) -> list[Sequence[str]]:
    """Ids in parts, so that not all documents are in memory at once."""
    return [ids[at : at + READ_AT_ONCE] for at in range(0, len(ids), READ_AT_ONCE)]


def _each(
    sums: Sequence[Sums], verb: str, batch: docs.Batch, touched: NDArray[np.bool_] | None = None
) -> None:
    for one in sums:
        getattr(one, verb)(batch)
    if touched is not None:
        touched[batch.counts.indices] = True


def _read(db: Database, parts: Sequence[Sequence[str]]) -> Iterator[docs.Named]:
    for part in parts:
        yield from docs.read_some(db, part)


def _held_by_others(
    db: Database, keys: NDArray[np.int64], added: Sequence[Sequence[str]]
) -> NDArray[np.int64]:
    """Those of some words that documents hold which did not come just now."""
    held = np.array(
        [
            db.value("SELECT n_documents FROM words WHERE key = ?", (key,)) or 0
            for key in keys.tolist()
        ],
        np.int64,
    )
    for part in added:
        came = np.concatenate([bag.keys for _, bag in docs.read_some(db, part)])
        np.subtract.at(held, np.searchsorted(keys, came[np.isin(came, keys)]), 1)
    return keys[held > 0]
