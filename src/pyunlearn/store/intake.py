"""Records on their way into a store: from text to word counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pyunlearn.records import Record
from pyunlearn.store import documents as docs
from pyunlearn.store.counting import Progress
from pyunlearn.store.database import Database
from pyunlearn.text import (
    CandidateWords,
    CountedText,
    Dictionary,
    TextRules,
    TextSpool,
    renumbered,
)


def count_texts(db: Database, records: Iterator[Record]) -> Iterator[tuple[Record, CountedText]]:
    """Count records by the dictionary that the store has."""
    rules = docs.read_rules(db)
    assert rules is not None
    dictionary = Dictionary(docs.read_words(db), rules)
    for record in records:
        yield record, dictionary.count(record.text)


def choose_dictionary(
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
