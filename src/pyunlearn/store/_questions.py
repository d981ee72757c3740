"""Questions to a store, which change nothing but for an index that the first search builds."""

from __future__ import annotations

from collections.abc import Sequence

from pyunlearn._documents import Documents
from pyunlearn._fold_in import fold_in
from pyunlearn._learners.topics import Topics
from pyunlearn._params import check_integer
from pyunlearn._similarity import similarities, top_of_rows
from pyunlearn.errors import InvalidInputError, StoreError
from pyunlearn.store import _ledger as ledger
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_heads as heads
from pyunlearn.store import _stored_index as index
from pyunlearn.store import _stored_model as state
from pyunlearn.store import _stored_words as words
from pyunlearn.store._answers import Found, StoreInfo, Topic
from pyunlearn.store._current import Current
from pyunlearn.store._database import SCHEMA_VERSION, Database
from pyunlearn.store._state_digest import model_digest
from pyunlearn.store._stored_words import Dictionary
from pyunlearn.text import TextCounter


def topics(db: Database, n_words: int) -> list[Topic]:
    """The topics with their most probable words."""
    learned, names = state.read_topics(db), words.read_dictionary(db).words
    best = learned.best_words(check_integer("n_words", n_words, 1))
    described = zip(learned.proportions(), learned.representatives, best, strict=True)
    return [
        Topic(number, float(share), names[word], [names[one] for one, _ in top])
        for number, (share, word, top) in enumerate(described)
    ]


def info(db: Database, keep_text: bool | None) -> StoreInfo:
    """What the store holds."""
    rules = words.read_rules(db)
    fitted = state.is_fitted(db)
    waiting = state.is_waiting(db)
    dictionary = words.read_dictionary(db) if rules else None
    return StoreInfo(
        path=str(db.directory),
        version=SCHEMA_VERSION,
        n_bytes=db.path.stat().st_size,
        n_documents=docs.n_documents(db),
        n_words=int(db.value("SELECT count(*) FROM words")),
        n_columns=0 if dictionary is None else len(dictionary),
        n_topics=state.read_topics(db).n_topics if fitted and not waiting else None,
        n_waiting=ledger.n_waiting(db),
        keeps_text=bool(db.get_meta("keep_text", keep_text)),
        text_rules=rules.as_dict() if rules else {},
        parameters=db.get_meta("model_parameters", {}),
        digest=None if dictionary is None else model_digest(db, dictionary),
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
    index.write(current.db, current.dictionary(), current.model())
    current.record("index", docs.n_documents(current.db))


def asked_of(db: Database, dictionary: Dictionary, text: str) -> tuple[Topics, Documents]:
    """The topics, and the words of a text by it; an error where nothing can be searched by them."""
    learned = state.read_topics(db)
    if not docs.n_documents(db) or not learned.n_topics:
        raise StoreError("the store has no documents or no topics to search by")
    asked = counts_of(db, dictionary, [text])
    if not learned.word_frequencies()[asked.columns].any():
        raise InvalidInputError("no word of the text is in the dictionary; nothing to search by")
    return learned, asked


def search(db: Database, text: str, n: int, similarity: str) -> list[Found]:
    """The documents most like a text; without an index, from proportions that are not kept."""
    dictionary = words.read_dictionary(db)
    learned, asked = asked_of(db, dictionary, text)
    names = index.ids(db)
    if not has_index(db):
        held = index.proportions_of(db, dictionary, learned, None)
    else:
        held = index.read(db, state.digest_of(db, "model"))
    rows, scores = top_of_rows(
        similarities(similarity, fold_in(learned, asked, None), held), min(n, len(names))
    )
    return [
        Found(names[row], float(score))
        for row, score in zip(rows[0].tolist(), scores[0].tolist(), strict=True)
    ]


def counts_of(db: Database, dictionary: Dictionary, texts: Sequence[str]) -> Documents:
    """Word counts of texts by the dictionary of the store."""
    counter, new = TextCounter(words.rules_of(db)), words.NewWords()
    bags = new.bags(counter.count(texts))
    return docs.as_one([("", bag) for bag in bags], dictionary).documents
