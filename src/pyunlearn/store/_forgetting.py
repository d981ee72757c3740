"""Documents leave a store, and topics are learned again now or later."""

from __future__ import annotations

from collections.abc import Sequence

from pyunlearn.certificates import Certificate
from pyunlearn.store import _revising as revising
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_labels as labels
from pyunlearn.store import _stored_words as words
from pyunlearn.store._current import Current


def forget(current: Current, ids: Sequence[str], refresh: str) -> Certificate:
    """Delete documents, and learn again what was learned with them now, or delete it."""
    db, gone = current.db, docs.read_some(current.db, ids)
    if refresh == "now":
        revising.end_wait(current)
    before = revising.Before.read(current, gone, tasks=refresh == "now")
    docs.delete(db, ids)
    docs.set_number(db, docs.n_documents(db) - len(ids))
    labels.delete_labels(db, ids)
    words.subtract(db, [bag for _, bag in gone])
    if refresh == "now":
        revising.learn(current, before, ())
    else:
        revising.wait(current, before)
    return revising.certified(current, "forget", len(ids), len(ids))
