"""Records on their way into a store: from text to word counts, and on to the topics."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from pyunlearn.errors import InvalidInputError, InvalidParameterError
from pyunlearn.records import Record, as_records
from pyunlearn.store import _dependents as dependents
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_model as state
from pyunlearn.store._answers import Progress
from pyunlearn.store._current import Current
from pyunlearn.store._database import Database
from pyunlearn.store._refreshing import current_model
from pyunlearn.text import (
    CandidateWords,
    CountedText,
    TextRules,
    TextSpool,
    renumbered,
)


def add(
    current: Current, records: Iterable[Any], rules: TextRules | None, keep_text: bool | None
) -> int:
    """Store documents and bring the topics up to date when there are any; their number."""
    db = current.db
    refuse_other_rules(db, rules, keep_text)
    before = docs.n_documents(db)
    if docs.read_rules(db) is not None:
        counted = _count_texts(db, as_records(records))
    else:
        counted = _choose_dictionary(
            db, as_records(records), rules or TextRules(), bool(keep_text), current.progress
        )
    stored = docs.insert(db, counted)
    if state.is_fitted(db):
        _learn_more(current, stored)
    else:
        deque(stored, maxlen=0)
    added = docs.n_documents(db) - before
    if not added:
        raise InvalidInputError("there are no records to add")
    current.record("add", added)
    return added


def refuse_other_rules(db: Database, rules: TextRules | None, keep_text: bool | None) -> None:
    """InvalidParameterError unless the store was begun with these rules, or not begun."""
    stored = docs.read_rules(db)
    if stored is None:
        return
    # A share was turned into a number of documents, so it cannot be compared.
    given = rules or stored
    if isinstance(given.min_df, float):
        given = replace(given, min_df=stored.min_df)
    if given != stored:
        raise InvalidParameterError(
            f"the store was begun with {stored}, not with {rules}; leave `rules` out, or make a "
            "new store"
        )
    if keep_text not in (None, db.get_meta("keep_text")):
        raise InvalidParameterError(
            f"the store was begun with keep_text={not keep_text}; leave it out, or make a new store"
        )


def _learn_more(current: Current, stored: Iterator[tuple[Record, CountedText]]) -> None:
    model = current_model(current)
    touched = np.zeros(model.n_features_in_, np.bool_)
    named = ((record.id, text) for record, text in stored)
    for batch in docs.batches(named, model.n_features_in_):
        with batch.naming_ids():
            model.partial_fit(batch.counts, lengths=batch.lengths)
        touched[batch.counts.indices] = True
    state.write_model(current.db, model, np.flatnonzero(touched))
    dependents.rebuild(current, model)


def _count_texts(db: Database, records: Iterator[Record]) -> Iterator[tuple[Record, CountedText]]:
    """Count records by the dictionary that the store has."""
    dictionary = docs.read_dictionary(db)
    for record in records:
        yield record, dictionary.count(record.text)


def _choose_dictionary(
    db: Database,
    records: Iterator[Record],
    rules: TextRules,
    keep_text: bool,
    progress: Progress,
) -> Iterator[tuple[Record, CountedText]]:
    """Count the first records of a store: all words first, then those that the rules choose."""
    candidates = CandidateWords(rules)
    with TextSpool() as spool:
        for record in records:
            counted = candidates.count(record.text)
            spool.write(record if keep_text else replace(record, text=""), counted)
        if not candidates.n_documents:
            return
        words, columns = candidates.choose()
        docs.write_dictionary(db, words, candidates.resolved_rules())
        db.set_meta("keep_text", keep_text)
        for done, document in enumerate(renumbered(spool.read(), columns), start=1):
            progress("storing", done, candidates.n_documents)
            yield document
