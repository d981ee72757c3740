"""Digests of a store: of its model over words, and of all that follows from its documents."""

from __future__ import annotations

from pyunlearn._digest import STORE_FORMAT, STORE_STATE_FORMAT, content_digest
from pyunlearn.store import _stored_heads as heads
from pyunlearn.store import _stored_index as index
from pyunlearn.store import _stored_model as state
from pyunlearn.store._database import Database
from pyunlearn.store._stored_words import Dictionary


def model_digest(db: Database, dictionary: Dictionary) -> str | None:
    """SHA-256 of the model with the words of its columns; None where there is no model."""
    digest = state.digest_of(db, "model")
    if digest is None:
        return None
    return content_digest(
        {"format": STORE_FORMAT, "model": digest, "words": dictionary.digest()}, {}
    )


def state_digest(db: Database, dictionary: Dictionary) -> str:
    """SHA-256 of the model, its statistics, the heads and the index, as they are stored."""
    header = {
        "format": STORE_STATE_FORMAT,
        "model": model_digest(db, dictionary),
        "statistics": state.digest_of(db, "statistics"),
        "words": dictionary.digest(),
        "heads": heads.digests(db),
        "index": index.digest_of(db),
        "n_documents": db.get_meta("n_documents"),
    }
    return content_digest(header, {})
