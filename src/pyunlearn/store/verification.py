"""Verify a store: count its documents again, learn again, compare digests."""

from __future__ import annotations

from pyunlearn.errors import CorruptStateError
from pyunlearn.store import documents as docs
from pyunlearn.store import ledger, state
from pyunlearn.store.answers import Verification
from pyunlearn.store.counting import Progress, count_all
from pyunlearn.store.database import Database


def verify(db: Database, n_jobs: int | None, progress: Progress) -> Verification:
    """Compare what is stored with what the documents give."""
    problems: list[str] = []
    progress("reading", 0, 0)
    stored = _stored_digests(db, n_jobs, problems)
    parameters = db.get_meta("model_parameters")
    statistics = count_all(db, parameters["scale_bits"], parameters["weighting"], n_jobs, progress)
    progress("learning", 0, 0)
    model = state.learned_model(parameters, statistics, n_jobs)
    counted = (statistics.digest(), model.digest())
    if stored != (None, None):
        for name, one, other in zip(("statistics", "topics"), stored, counted, strict=True):
            if one != other:
                problems.append(f"the stored {name} are not those of the documents")
    problems += _ledger_problems(db, counted[1])
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
    )


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
