"""Records on their way into a store: from text to bags of words, and on to the topics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pyunlearn.errors import InvalidInputError, InvalidParameterError
from pyunlearn.records import Record, as_records
from pyunlearn.store import _revising as revising
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_model as state
from pyunlearn.store import _stored_words as words
from pyunlearn.store._current import Current
from pyunlearn.store._database import Database
from pyunlearn.text import TextCounter, TextRules

CHARACTERS_AT_ONCE = 2**20


def add(
    current: Current, records: Iterable[Any], rules: TextRules | None, keep_text: bool | None
) -> int:
    """Store documents and bring the topics up to date when there are any; their number."""
    db = current.db
    refuse_other_rules(db, rules, keep_text)
    begin(db, rules or TextRules(), bool(keep_text))
    fitted = state.is_fitted(db)
    before = None
    if fitted:
        revising.end_wait(current)
        before = revising.Before.read(current, (), tasks=True)
    come = _store(current, records)
    if before is not None:
        revising.learn(current, before, come)
    else:
        current.drop()
    current.record("add", len(come))
    return len(come)


def begin(db: Database, rules: TextRules, keep_text: bool) -> None:
    """Fix rules and whether texts are kept, unless they are fixed already."""
    if words.read_rules(db) is None:
        words.write_rules(db, rules)
        db.set_meta("keep_text", keep_text)


def refuse_other_rules(db: Database, rules: TextRules | None, keep_text: bool | None) -> None:
    """InvalidParameterError unless the store was begun with these rules, or not begun."""
    stored = words.read_rules(db)
    if stored is None:
        return
    if (rules or stored) != stored:
        raise InvalidParameterError(
            f"the store was begun with {stored}, not with {rules}; leave `rules` out, or make a "
            "new store"
        )
    if keep_text not in (None, db.get_meta("keep_text")):
        raise InvalidParameterError(
            f"the store was begun with keep_text={not keep_text}; leave it out, or make a new store"
        )


def _store(current: Current, records: Iterable[Any]) -> list[str]:
    """Write documents with their words; their ids."""
    db = current.db
    counter, new = TextCounter(words.rules_of(db)), words.NewWords()
    keep_text = bool(db.get_meta("keep_text"))
    ids: list[str] = []
    for group in _groups(as_records(records)):
        bags = new.bags(counter.count([record.text for record in group]))
        docs.insert(db, group, bags, keep_text)
        ids += [record.id for record in group]
        current.progress("storing", len(ids), 0)
    if not ids:
        raise InvalidInputError("there are no records to add")
    new.write(db)
    docs.set_number(db, docs.n_documents(db) + len(ids))
    return ids


def _groups(records: Iterator[Record]) -> Iterator[list[Record]]:
    """Records in groups, which take a tenth of the time of one by one, and little memory."""
    group: list[Record] = []
    size = 0
    for record in records:
        group.append(record)
        size += len(record.text)
        if len(group) == docs.MOST_AT_ONCE or size > CHARACTERS_AT_ONCE:
            yield group
            group, size = [], 0
    if group:
        yield group
