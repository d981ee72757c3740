"""Questions to a store, which change nothing but for an index that the first search builds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from pyunlearn._documents import check_documents
from pyunlearn._similarity import similarities, top_of_rows
from pyunlearn.errors import InvalidInputError, StoreError
from pyunlearn.store import _ledger as ledger
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_heads as heads
from pyunlearn.store import _stored_index as index
from pyunlearn.store import _stored_model as state
from pyunlearn.store._answers import Found, StoreInfo, Topic
from pyunlearn.store._current import Current
from pyunlearn.store._database import SCHEMA_VERSION, Database


def topics(db: Database, n_words: int) -> list[Topic]:
    """The topics with their most probable words."""
    model = state.read_topics(db)
    # A column whose word is gone is in no topic; its name must only differ from all others.
    words = [
        f" {column}" if word is None else word for column, word in enumerate(docs.read_words(db))
    ]
    top = model.top_words(words, n_words)
    return [
        Topic(number, float(share), words[word], top[number])
        for number, (share, word) in enumerate(
            zip(model.topic_proportions_, model.topics_.representatives, strict=True)
        )
    ]


def info(db: Database, keep_text: bool | None) -> StoreInfo:
    """What the store holds."""
    rules = docs.read_rules(db)
    fitted = state.is_fitted(db)
    waiting = state.n_waiting(db)
    frequency = state.read_document_frequency(db) if fitted else None
    return StoreInfo(
        path=str(db.directory),
        version=SCHEMA_VERSION,
        n_bytes=db.path.stat().st_size,
        n_documents=docs.n_documents(db),
        n_columns=docs.n_columns(db),
        n_words=None if frequency is None else int(np.count_nonzero(frequency)),
        n_topics=state.read_topics(db).n_topics_ if fitted and not waiting else None,
        n_waiting=waiting,
        keeps_text=bool(db.get_meta("keep_text", keep_text)),
        text_rules=rules.as_dict() if rules else {},
        parameters=db.get_meta("model_parameters", {}),
        model_digest=ledger.last_digest(db),
        n_ledger_entries=int(db.value("SELECT count(*) FROM ledger")),
        n_certificates=int(db.value("SELECT count(*) FROM certificates")),
        dependents=(
            *(f"head {field}" for field in heads.fields(db)),
            *(["index"] if has_index(db) else []),
        ),
    )


def has_index(db: Database) -> bool:
    """Whether an index is stored."""
    return index.digest_of(db) is not None


def build_index(current: Current) -> None:
    """Write the index, for searches to come, unless another process did or topics wait."""
    state.refuse_waiting(current.db)
    if has_index(current.db):
        return
    # Where nothing can be written this fails before the work.
    current.db.set_meta("index_digest", "")
    current.progress("indexing", 0, 0)
    index.write(current.db, current.model())
    current.record("index", docs.n_documents(current.db))


def search(db: Database, text: str, n: int, similarity: str) -> list[Found]:
    """The documents most like a text; without an index, from proportions that are not kept."""
    model = state.read_topics(db)
    names = index.ids(db)
    if not names or not model.n_topics_:
        raise StoreError("the store has no documents or no topics to search by")
    asked = check_documents(counts_of(db, [text]))
    if not model.word_frequencies_[asked.columns].any():
        raise InvalidInputError("no word of the text is in the dictionary; nothing to search by")
    if not has_index(db):
        held = index.proportions_of(db, model)
    else:
        held = index.read(db, ledger.last_digest(db))
    rows, scores = top_of_rows(
        similarities(similarity, model.fold_in(asked), held), min(n, len(names))
    )
    return [
        Found(names[row], float(score))
        for row, score in zip(rows[0].tolist(), scores[0].tolist(), strict=True)
    ]


def counts_of(db: Database, texts: Sequence[str]) -> sp.csr_array:
    """Word counts of texts by the dictionary of the store, (n_texts, n_words)."""
    dictionary = docs.read_dictionary(db)
    counted = [("", dictionary.count(text)) for text in texts]
    return docs.as_one(counted, len(dictionary.words)).counts
