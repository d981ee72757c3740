"""Verify a store: count its documents again, learn again, compare digests."""

from __future__ import annotations

import warnings

import numpy as np

from pyunlearn._estimator import BaseTopicModel
from pyunlearn.errors import CorruptStateError, FewerClassesWarning
from pyunlearn.io import new_model
from pyunlearn.store import _ledger as ledger
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_heads as heads
from pyunlearn.store import _stored_index as index
from pyunlearn.store import _stored_model as state
from pyunlearn.store._answers import Progress, Verification
from pyunlearn.store._database import Database


def verify(db: Database, n_jobs: int | None, progress: Progress) -> Verification:
    """Compare what is stored with what the documents give."""
    problems: list[str] = []
    progress("reading", 0, 0)
    stored = _stored_digests(db, n_jobs, problems)
    parameters = db.get_meta("model_parameters")
    empty = new_model(parameters, n_jobs).new_statistics(docs.n_columns(db))
    statistics = docs.count_all(db, empty, progress)
    progress("learning", 0, 0)
    model = state.learned_model(parameters, statistics, n_jobs)
    counted = (statistics.digest(), model.digest())
    if stored != (None, None):
        for name, one, other in zip(("statistics", "topics"), stored, counted, strict=True):
            if one != other:
                problems.append(f"the stored {name} are not those of the documents")
    problems += _ledger_problems(db, counted[1])
    dependents, more = _dependent_problems(db, model, n_jobs, progress)
    problems += more
    held = statistics.document_frequency > 0
    if [word is not None for word in docs.read_words(db)] != held.tolist():
        problems.append("the words of the dictionary are not those of the documents")
    return Verification(
        ok=not problems,
        problems=tuple(problems),
        n_documents=statistics.n_documents,
        statistics_stored=stored[0],
        statistics_recounted=counted[0],
        model_stored=stored[1],
        model_relearned=counted[1],
        n_ledger_entries=int(db.value("SELECT count(*) FROM ledger")),
        dependents=tuple(dependents),
    )


def _dependent_problems(
    db: Database, model: BaseTopicModel, n_jobs: int | None, progress: Progress
) -> tuple[list[str], list[str]]:
    """Heads and index against what documents and model give: what was compared, and problems."""
    compared, problems = [], []
    for field in heads.fields(db):
        progress("heads", 0, 0)
        compared.append(f"head {field}")
        try:
            stored = heads.read(db, model, field, n_jobs).digest()
            with warnings.catch_warnings():
                # Said when the documents went.
                warnings.simplefilter("ignore", FewerClassesWarning)
                parameters = heads.parameters_of(db, field)
                trained = heads.trained(db, model, field, parameters, n_jobs).digest()
        except CorruptStateError as error:
            problems.append(str(error))
            continue
        if not trained == stored == heads.digests(db)[field]:
            problems.append(f"the stored head {field!r} is not that of the documents")
    if index.digest_of(db) is not None:
        progress("indexing", 0, 0)
        compared.append("index")
        proportions, digest = index.computed(db, model)
        try:
            same = np.array_equal(index.read(db, model.digest()), proportions)
        except CorruptStateError:
            same = False
        if not same or index.digest_of(db) != digest:
            problems.append("the stored index is not that of the documents")
    return compared, problems


def _ledger_problems(db: Database, digest: str) -> list[str]:
    problems = []
    broken = ledger.first_broken(db)
    if broken is not None:
        problems.append(f"entry {broken} of the ledger does not follow from those before it")
    try:
        if ledger.last_digest(db) != digest:
            problems.append("the last digest of the ledger is not that of the documents")
        changed = ledger.changed_certificate(db)
        if changed is not None:
            problems.append(
                f"entry {changed} of the ledger and its certificate do not belong together"
            )
    except CorruptStateError as error:
        problems.append(str(error))
    return problems


def _stored_digests(
    db: Database, n_jobs: int | None, problems: list[str]
) -> tuple[str | None, str | None]:
    """Digests of the stored bytes; the model itself is let go, to make room for the other."""
    try:
        model = state.read_model(db, n_jobs)
    except CorruptStateError as error:
        problems.append(str(error))
        return None, None
    return model.statistics_.digest(), model.digest()
