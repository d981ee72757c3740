"""Verify a store: count its documents again, learn again, compare with what is stored."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np

from pyunlearn._model import Model, settings_in
from pyunlearn.errors import CorruptStateError, FewerClassesWarning
from pyunlearn.store import _ledger as ledger
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_heads as heads
from pyunlearn.store import _stored_index as index
from pyunlearn.store import _stored_model as state
from pyunlearn.store import _stored_words as words
from pyunlearn.store._answers import Progress, Verification
from pyunlearn.store._database import Database
from pyunlearn.store._state_digest import state_digest
from pyunlearn.store._stored_words import Bag, Dictionary
from pyunlearn.text import TextCounter

COUNTED_AT_ONCE = 10_000


def verify(db: Database, n_jobs: int | None, progress: Progress) -> Verification:
    """Compare what is stored with what the documents give."""
    problems: list[str] = []
    progress("reading", 0, 0)
    stored = _stored_digests(db, n_jobs, problems)
    try:
        return _compared(db, n_jobs, progress, stored, problems)
    except CorruptStateError as error:
        return Verification(
            ok=False,
            problems=(*problems, str(error)),
            n_documents=0,
            statistics_stored=stored.get("statistics"),
            statistics_recounted=None,
            model_stored=stored.get("model"),
            model_relearned=None,
            n_ledger_entries=ledger.version(db),
            dependents=(),
        )


def _compared(
    db: Database,
    n_jobs: int | None,
    progress: Progress,
    stored: dict[str, str],
    problems: list[str],
) -> Verification:
    problems += _word_problems(db)
    dictionary = words.read_dictionary(db)
    parameters = state.read_parameters(db)
    statistics = state.counted_statistics(db, parameters, dictionary, n_jobs, progress)
    progress("learning", 0, 0)
    model = Model.learned(statistics, settings_in(parameters))
    counted = {"statistics": statistics.digest(), "model": model.digest()}
    for name, what in (("statistics", "statistics"), ("model", "topics")):
        if stored and stored[name] != counted[name]:
            problems.append(f"the stored {what} are not those of the documents")
        if state.digest_of(db, name) != counted[name]:
            problems.append(f"the digest that is stored of the {what} is another")
    if docs.n_documents(db) != statistics.n_documents:
        problems.append("the number of documents is another")
    problems += _ledger_problems(db, dictionary)
    dependents, more = _dependent_problems(db, dictionary, model, n_jobs, progress)
    problems += more
    return Verification(
        ok=not problems,
        problems=tuple(problems),
        n_documents=statistics.n_documents,
        statistics_stored=stored.get("statistics"),
        statistics_recounted=counted["statistics"],
        model_stored=stored.get("model"),
        model_relearned=counted["model"],
        n_ledger_entries=ledger.version(db),
        dependents=tuple(dependents),
    )


def _word_problems(db: Database) -> list[str]:
    """The table of words against the documents, and the documents against their texts."""
    counter, new, problems = TextCounter(words.rules_of(db)), words.NewWords(), []
    found: dict[int, tuple[int, int]] = {}
    bags: list[Bag] = []
    for part in docs.read_texts(db):
        for identifier in _other_than_text(part, counter, new):
            problems.append(f"the words of document {identifier!r} are not those of its text")
        bags += [bag for _, bag, _ in part]
        if len(bags) >= COUNTED_AT_ONCE:
            _add_totals(found, bags)
            bags = []
    if bags:
        _add_totals(found, bags)
    if words.frequencies(db) != found:
        problems.append("the words of the store are not those of the documents")
    if words.wrong_keys(db):
        problems.append("a word of the store has the key of another")
    return problems


def _other_than_text(
    part: Sequence[tuple[str, Bag, str | None]], counter: TextCounter, new: words.NewWords
) -> Iterator[str]:
    """Ids of documents whose text is kept, and is not that of their words."""
    kept = [(identifier, bag, text) for identifier, bag, text in part if text is not None]
    counted = new.bags(counter.count([text for _, _, text in kept]))
    for (identifier, bag, _), other in zip(kept, counted, strict=True):
        if not _same(bag, other):
            yield identifier


def _same(one: Bag, other: Bag) -> bool:
    return (
        np.array_equal(one.keys, other.keys)
        and np.array_equal(one.counts, other.counts)
        and one.length == other.length
    )


def _add_totals(found: dict[int, tuple[int, int]], bags: list[Bag]) -> None:
    """Add documents and occurrences of each word to those found, by key."""
    for key, *more in words.totals(bags):
        before = found.get(key, (0, 0))
        found[key] = (before[0] + more[0], before[1] + more[1])


def _dependent_problems(
    db: Database,
    dictionary: Dictionary,
    model: Model,
    n_jobs: int | None,
    progress: Progress,
) -> tuple[list[str], list[str]]:
    """Heads and index against what documents and model give: what was compared, and problems."""
    compared, problems = [], []
    fields = heads.fields(db)
    if fields:
        from pyunlearn.store import _trained_heads as made
    for field in fields:
        progress("heads", 0, 0)
        compared.append(f"head {field}")
        try:
            stored = made.read(db, dictionary, model, field, n_jobs).digest()
            with warnings.catch_warnings():
                # Said when the documents went.
                warnings.simplefilter("ignore", FewerClassesWarning)
                parameters = heads.parameters_of(db, field)
                trained = made.trained(db, dictionary, model, field, parameters, n_jobs).digest()
        except CorruptStateError as error:
            problems.append(str(error))
            continue
        if not trained == stored == heads.digests(db)[field]:
            problems.append(f"the stored head {field!r} is not that of the documents")
    if index.digest_of(db) is not None:
        progress("indexing", 0, 0)
        compared.append("index")
        proportions, digest = index.computed(db, dictionary, model)
        try:
            same = np.array_equal(index.read(db, model.digest()), proportions)
        except CorruptStateError:
            same = False
        if not same or index.digest_of(db) != digest:
            problems.append("the stored index is not that of the documents")
    return compared, problems


def _ledger_problems(db: Database, dictionary: Dictionary) -> list[str]:
    problems = []
    broken = ledger.first_broken(db)
    if broken is not None:
        problems.append(f"entry {broken} of the ledger does not follow from those before it")
    if ledger.older_secrets(db):
        problems.append("entries of the ledger before the last still have their secrets")
    try:
        if not ledger.is_of_now(db, state_digest(db, dictionary)):
            problems.append("the last entry of the ledger is not of the state that is stored")
        changed = ledger.changed_certificate(db)
        if changed is not None:
            problems.append(
                f"entry {changed} of the ledger and its certificate do not belong together"
            )
    except CorruptStateError as error:
        problems.append(str(error))
    return problems


def _stored_digests(db: Database, n_jobs: int | None, problems: list[str]) -> dict[str, str]:
    """Digests of the stored bytes; the model itself is let go, to make room for the other."""
    try:
        model = state.read_model(db, words.read_dictionary(db).keys, n_jobs)
    except CorruptStateError as error:
        problems.append(str(error))
        return {}
    return {"statistics": model.statistics.digest(), "model": model.digest()}
