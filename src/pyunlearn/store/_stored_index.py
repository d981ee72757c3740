"""The index of a store: topic proportions of its documents, by id."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyunlearn._digest import STORE_INDEX_FORMAT, content_digest
from pyunlearn._fold_in import fold_in
from pyunlearn._learners.topics import Topics
from pyunlearn._model import Model
from pyunlearn.errors import CorruptStateError
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_statistics as tables
from pyunlearn.store._database import Database
from pyunlearn.store._stored_words import Dictionary

F64 = NDArray[np.float64]
OWNER = "index"
NAME = "proportions"


def digest_of(db: Database) -> str | None:
    """Digest of the index; None when there is none, "" when it waits for a refresh."""
    digest: str | None = db.get_meta("index_digest")
    return digest


def proportions_of(db: Database, dictionary: Dictionary, topics: Topics, n_jobs: int | None) -> F64:
    """Topic proportions of all documents by ascending id, (m, r)."""
    parts = [np.zeros((0, topics.n_topics))]
    for batch in docs.batches(docs.read_all(db), dictionary):
        documents = batch.documents
        if topics.n_topics:
            parts.append(fold_in(topics, documents, n_jobs))
        else:
            parts.append(np.zeros((documents.n_documents, 0)))
    return np.vstack(parts)


def computed(db: Database, dictionary: Dictionary, model: Model) -> tuple[F64, str]:
    """Topic proportions as above, and their digest."""
    proportions = proportions_of(db, dictionary, model.topics, model.statistics.n_jobs)
    return proportions, _digest(model.digest(), ids(db), proportions)


def write(db: Database, dictionary: Dictionary, model: Model) -> None:
    """Build the index anew."""
    proportions, digest = computed(db, dictionary, model)
    tables.write_array(db, OWNER, NAME, proportions)
    db.set_meta("index_digest", digest)


def clear(db: Database) -> None:
    """Delete the proportions of an index, which a refresh builds again."""
    if digest_of(db) is not None:
        db.execute("DELETE FROM arrays WHERE owner = ?", (OWNER,))
        db.set_meta("index_digest", "")


def read(db: Database, base: str | None) -> F64:
    """The stored proportions, (m, r); CorruptStateError if they were changed."""
    try:
        proportions = tables.read_array(db, OWNER, NAME)
    except ValueError as error:
        raise CorruptStateError(f"{db.path}: the index is damaged ({error})") from None
    if _digest(base or "", ids(db), proportions) != digest_of(db):
        raise CorruptStateError(f"{db.path}: the index was changed; see `verify`")
    return proportions


def ids(db: Database) -> list[str]:
    """Ids of all documents, ascending."""
    return [one for (one,) in db.execute("SELECT id FROM documents ORDER BY id")]


def _digest(base: str, names: list[str], proportions: F64) -> str:
    header = {"format": STORE_INDEX_FORMAT, "base": base, "ids": names}
    return content_digest(header, {"proportions": proportions})
