"""The index of a store: topic proportions of its documents, by id."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pyunlearn._digest import STORE_INDEX_FORMAT, content_digest
from pyunlearn._documents import check_documents
from pyunlearn._estimator import BaseTopicModel
from pyunlearn.errors import CorruptStateError
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_model as state
from pyunlearn.store._database import Database
from pyunlearn.text import CountedText

F64 = NDArray[np.float64]
NAME = "index.proportions"


def digest_of(db: Database) -> str | None:
    """Digest of the index; None when there is none, "" when it waits for a refresh."""
    digest: str | None = db.get_meta("index_digest")
    return digest


def proportions_of(db: Database, model: BaseTopicModel) -> F64:
    """Topic proportions of all documents by ascending id, (m, r). Needs no statistics."""
    parts = [np.zeros((0, model.n_topics_))]
    for batch in docs.batches(_by_id(db), model.n_features_in_):
        documents = check_documents(batch.counts)
        if model.n_topics_:
            parts.append(model.fold_in(documents))
        else:
            parts.append(np.zeros((documents.n_documents, 0)))
    return np.vstack(parts)


def computed(db: Database, model: BaseTopicModel) -> tuple[F64, str]:
    """Topic proportions as above, and their digest."""
    proportions = proportions_of(db, model)
    return proportions, _digest(model.digest(), ids(db), proportions)


def write(db: Database, model: BaseTopicModel) -> str:
    """Build the index anew; returns its digest."""
    proportions, digest = computed(db, model)
    state.write_array(db, NAME, proportions)
    db.set_meta("index_digest", digest)
    return digest


def clear(db: Database) -> None:
    """Delete the proportions of an index, which a refresh builds again."""
    if digest_of(db) is not None:
        db.execute("DELETE FROM arrays WHERE name = ?", (NAME,))
        db.set_meta("index_digest", "")


def read(db: Database, base: str | None) -> F64:
    """The stored proportions, (m, r); CorruptStateError if they were changed."""
    try:
        proportions = state.read_array(db, NAME)
    except ValueError as error:
        raise CorruptStateError(f"{db.path}: the index is damaged ({error})") from None
    if _digest(base or "", ids(db), proportions) != digest_of(db):
        raise CorruptStateError(f"{db.path}: the index was changed; see `verify`")
    return proportions


def ids(db: Database) -> list[str]:
    """Ids of all documents, ascending."""
    return [one for (one,) in db.execute("SELECT id FROM documents ORDER BY id")]


def _by_id(db: Database) -> Iterator[tuple[str, CountedText]]:
    for row in db.execute("SELECT id, length, columns, counts FROM documents ORDER BY id"):
        yield docs.document(*row)


def _digest(base: str, names: list[str], proportions: F64) -> str:
    header = {"format": STORE_INDEX_FORMAT, "base": base, "ids": names}
    return content_digest(header, {"proportions": proportions})
