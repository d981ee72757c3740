"""Integer sums over the documents of a store, after documents and with them the dictionary changed.

Sums are reversible, so what changed is taken out by the dictionary of before and put in by that of
now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store._database import Database
from pyunlearn.store._stored_statistics import Changed
from pyunlearn.store._stored_words import Dictionary

READ_AT_ONCE = 10_000


class Sums(Protocol):
    """What is kept of documents in place of them."""

    def remove(self, batch: docs.Batch) -> None:
        """Take documents out."""

    def add(self, batch: docs.Batch) -> None:
        """Put documents in."""

    def renumber(self, columns: NDArray[np.int32], n_words: int) -> None:
        """Move words to other columns; -1 for those that leave."""


def recount_statistics(
    db: Database,
    statistics: CooccurrenceStatistics,
    before: Dictionary,
    after: Dictionary,
    gone: Sequence[docs.Named],
    come: Sequence[str],
) -> Changed:
    """Bring statistics up to date with documents that are stored already.

    Their sums do not depend on which other words are in the dictionary. So a word that leaves it
    takes its row and column along, and no other document is read; for a word that comes into it,
    those that hold it are.

    Parameters
    ----------
    db : Database
        With the documents as they are now.
    statistics : CooccurrenceStatistics
        Of the documents as they were.
    before, after : Dictionary
        Of then and of now.
    gone : sequence of named bags
        Of documents as they were.
    come : sequence of str
        Ids of documents that are new, or have another bag now.

    Returns
    -------
    Changed
        The words whose row changed, and those that left the dictionary.
    """
    added, touched = _in_parts(come), np.zeros(len(before), np.bool_)
    held = _held_by_others(db, np.setdiff1d(after.keys, before.keys), added)
    others = _in_parts(docs.ids_with_words(db, held, come))
    for batch in docs.batches(chain(gone, _read(db, others)), before):
        statistics.refuse_changed_rows(np.unique(batch.documents.columns))
        statistics.remove_part(batch.documents, batch.lengths)
        touched[batch.documents.columns] = True
    columns = after.columns(before.keys)
    held_columns = statistics.rows.columns
    touched[_rows_with(statistics, held_columns[columns[held_columns] < 0])] = True
    now = np.zeros(len(after), np.bool_)
    now[columns[touched & (columns >= 0)]] = True
    if before.words != after.words:
        statistics.renumber(columns, len(after))
    for batch in docs.batches(_read(db, others + added), after):
        with batch.naming_ids():
            statistics.add_part(batch.documents, batch.lengths)
        now[batch.documents.columns] = True
    return Changed(np.flatnonzero(now), before.keys[columns < 0])


def _rows_with(statistics: CooccurrenceStatistics, words: NDArray[np.int32]) -> NDArray[np.integer]:
    """Words whose row has an entry in the column of one of some words."""
    nothing = np.zeros(0, np.intp)
    if not len(words):
        return nothing
    start, length, indices, _ = statistics.rows.arrays
    filled = np.flatnonzero(length)
    if not len(filled):
        return nothing
    asked = np.zeros(len(statistics.rows.columns), np.bool_)
    asked[statistics.rows.place[words]] = True
    entries = np.flatnonzero(asked[indices])
    in_order = filled[np.argsort(start[filled])]
    found = in_order[np.searchsorted(start[in_order], entries, "right") - 1]
    # Not what stands in the room between rows.
    inside = (entries >= start[found]) & (entries < start[found] + length[found])
    return np.unique(found[inside])


def recount_tasks(
    db: Database,
    sums: Sequence[Sums],
    before: Dictionary,
    after: Dictionary,
    gone: Sequence[docs.Named],
    come: Sequence[str],
) -> NDArray[np.intp] | None:
    """The same for sums that depend on which words of a document are in the dictionary.

    All documents that hold a word which entered or left it are read.

    Returns
    -------
    ndarray of intp or None
        Columns of words that changed, ascending; None when columns moved.
    """
    if not sums:
        return None
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
        touched[batch.documents.columns] = True


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
