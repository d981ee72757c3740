"""`Store`: documents that can be forgotten, and the topics that were learned from them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._learners.anchor import weighting_for
from pyunlearn.certificates import Certificate
from pyunlearn.errors import (
    InvalidInputError,
    InvalidParameterError,
    StoreError,
)
from pyunlearn.heads._linear_head import LinearHead
from pyunlearn.model import AnchorTopicModel
from pyunlearn.records import Record, as_records
from pyunlearn.store import _stored_heads as heads
from pyunlearn.store import documents as docs
from pyunlearn.store import index, ledger, state
from pyunlearn.store.answers import StoreInfo, Topic, Verification
from pyunlearn.store.counting import Progress, count_all
from pyunlearn.store.database import SCHEMA_VERSION, Database
from pyunlearn.store.deletion import StoreDeletion
from pyunlearn.store.intake import choose_dictionary, count_texts
from pyunlearn.store.ledger import LedgerEntry
from pyunlearn.store.verification import verify
from pyunlearn.text import CountedText, TextRules

__all__ = ["Store"]


class Store(StoreDeletion):
    """Documents by id, with topics that are always those of the documents held.

    Open one with `Store.open`. Every request is one transaction: it happens in full, or not at
    all, also when the process is killed. After an error the store is as before.

    Examples
    --------
    >>> import tempfile
    >>> from pyunlearn import Store
    >>> texts = ["red blue red", "blue green", "green red green", "red blue blue green"]
    >>> with tempfile.TemporaryDirectory() as path, Store.open(path) as store:
    ...     store.add({"id": f"d{i}", "text": text} for i, text in enumerate(texts))
    ...     store.fit(n_topics=2)
    ...     certificate = store.forget(["d1"])
    ...     store.verify().ok, certificate.n_documents_left
    4
    (True, 3)
    """

    def __init__(
        self,
        database: Database,
        rules: TextRules | None,
        keep_text: bool | None,
        n_jobs: int | None,
        progress: Progress | None,
    ) -> None:
        self._db = database
        self._rules = rules
        self._keep_text = keep_text
        self._n_jobs = n_jobs
        self._progress = progress or _silent
        self._model: AnchorTopicModel | None = None
        self._model_version = -1
        self._heads: dict[str, LinearHead] | None = None  # on self._model
        self._statistics: CooccurrenceStatistics | None = None  # while topics wait for a refresh

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        create: bool = True,
        exist_ok: bool = True,
        rules: TextRules | None = None,
        keep_text: bool | None = None,
        n_jobs: int | None = None,
        busy_seconds: float = 5.0,
        progress: Progress | None = None,
    ) -> Self:
        """Open the store in a directory.

        Parameters
        ----------
        path : str or path-like
            The directory.
        create : bool, default=True
            Make the directory and an empty store when there is none.
        exist_ok : bool, default=True
            Open a store that has been written to; otherwise refuse it.
        rules : TextRules, optional
            How texts are counted; fixed by the first `add`. Default `TextRules()`.
        keep_text : bool, optional
            Keep the texts beside the word counts; fixed by the first `add`. Default no.
        n_jobs : int or None
            Threads; None uses all processors at hand. No result depends on it.
        busy_seconds : float, default=5.0
            How long to wait for another process that uses the store.
        progress : callable, optional
            Called with a stage, what is done of it and its total (0 when not known).

        Returns
        -------
        Store
            To be closed, or used in a `with` statement.

        Raises
        ------
        StoreError
            No store there, one that is not `exist_ok`, one of another version, or no permission.
        CorruptStateError
            The file is not a store.
        StoreBusyError
            Another process holds it.
        InvalidParameterError
            `rules` or `keep_text` differ from what the store was begun with.
        """
        database = Database(Path(path), create=create, busy_seconds=busy_seconds)
        store = cls(database, rules, keep_text, n_jobs, progress)
        try:
            with database.reading():
                if not exist_ok and docs.read_rules(database) is not None:
                    raise StoreError(
                        f"{path} holds a store already; choose another directory, or delete that "
                        "one first"
                    )
                store._refuse_other_rules()
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close the file."""
        self._model = self._heads = self._statistics = None
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # ---- requests that change the store ---------------------------------------------------

    def add(self, records: Iterable[Record | Mapping[str, Any]]) -> int:
        """Add documents, and bring the topics up to date when there are any.

        The first addition chooses the dictionary, for the life of the store.

        Parameters
        ----------
        records : iterable of Record or mapping
            With `id`, `text` and perhaps `label`. Read once; memory stays bounded.

        Returns
        -------
        int
            Documents added.

        Raises
        ------
        RecordError
            A record without id or text, or with values of the wrong type.
        DuplicateDocumentError
            An id that the store holds, or that comes twice.
        InvalidInputError
            No record, or no word left for the dictionary.
        DocumentTooLongError, StatisticsOverflowError
            The store is fitted, and `scale_bits` does not allow for a document.
        StoreError
            Nothing has been changed, after any of these errors.
        """
        with self._request():
            self._refuse_other_rules()
            before = docs.n_documents(self._db)
            counted = docs.insert(self._db, self._counted(as_records(records)))
            if self._is_fitted():
                self._learn_more(counted)
            else:
                for _ in counted:
                    pass
            added = docs.n_documents(self._db) - before
            if not added:
                raise InvalidInputError("there are no records to add")
            self._finish("add", added)
        return added

    def fit(self, n_topics: int = 20, **parameters: Any) -> None:
        """Learn topics from the documents of the store.

        Parameters
        ----------
        n_topics : int, default=20
            Number of topics.
        **parameters
            Of `AnchorTopicModel`, except `min_df` (which the dictionary's rules fix) and `n_jobs`.

        Raises
        ------
        InvalidParameterError
            A parameter outside its range.
        TooFewAnchorsError
            Fewer than `n_topics` words can be anchors.
        DocumentTooLongError, StatisticsOverflowError
            `scale_bits` does not allow for a document, or for so many.
        StoreError
            The store has no documents. Nothing has been changed, after any of these errors.
        """
        for name in ("min_df", "n_jobs"):
            if name in parameters:
                raise InvalidParameterError(f"{name} is a matter of Store.open, not of fit")
        unknown = set(parameters) - set(AnchorTopicModel().get_params())
        if unknown:
            raise InvalidParameterError(f"AnchorTopicModel has no parameter {min(unknown)!r}")
        with self._request():
            rules = docs.read_rules(self._db)
            if rules is None or not docs.n_documents(self._db):
                raise StoreError("the store has no documents; add some before fit")
            parameters = {"n_topics": n_topics, "min_df": rules.min_df, **parameters}
            model = AnchorTopicModel(**parameters, n_jobs=self._n_jobs)
            weighting = weighting_for(model.learner, model.weighting)
            statistics = count_all(
                self._db, model.scale_bits, weighting, self._n_jobs, self._progress
            )
            self._progress("learning", 0, 0)
            model.fit_statistics(statistics)
            self._progress("saving", 0, 0)
            state.write_model(self._db, model, None)
            self._db.set_meta("n_waiting", 0)
            self._model, self._heads, self._statistics = model, None, None
            self._rebuild_dependents(model)
            self._finish("fit", statistics.n_documents)

    def train(self, records: Iterable[Record | Mapping[str, Any]], **parameters: Any) -> int:
        """`add` and `fit` as one request: after an error of either, nothing has been changed."""
        with self._request():
            added = self.add(records)
            self.fit(**parameters)
        return added

    def compact(self) -> int:
        """Write the file anew: afterwards nothing of deleted content is in it.

        SQLite overwrites what is deleted, but when it moves entries between pages, copies (of words
        and ids, above all) stay in the unused part of a page. Reads and writes the whole file.

        Returns
        -------
        int
            Bytes of the file.

        Raises
        ------
        StoreError
            There is no room for a second copy of the file on the disk.
        StoreBusyError
            Another process uses the store. Nothing has been changed, after either.
        """
        self._db.compact()
        return self._db.path.stat().st_size

    # ---- questions ------------------------------------------------------------------------

    def topics(self, n_words: int = 10) -> list[Topic]:
        """The topics with their most probable words. Reads no documents and no statistics.

        Raises
        ------
        StoreError
            The store is not fitted.
        StaleModelError
            The topics wait for `refresh`.
        """
        with self._db.reading():
            self._refuse_unfitted()
            model = state.read_topics(self._db)
            words = docs.read_words(self._db)
        top = model.top_words(words, n_words)
        return [
            Topic(number, float(share), str(words[anchor]), top[number])
            for number, (share, anchor) in enumerate(
                zip(model.topic_proportions_, model.anchors_, strict=True)
            )
        ]

    def info(self) -> StoreInfo:
        """What the store holds. Reads no documents and no statistics."""
        db = self._db
        with db.reading():
            rules = docs.read_rules(db)
            fitted = self._is_fitted()
            waiting = state.n_waiting(db)
            frequency = state.read_document_frequency(db) if fitted else None
            return StoreInfo(
                path=str(db.directory),
                version=SCHEMA_VERSION,
                n_bytes=db.path.stat().st_size,
                n_documents=docs.n_documents(db),
                n_columns=int(db.value("SELECT count(*) FROM dictionary")),
                n_words=None if frequency is None else int(np.count_nonzero(frequency)),
                n_topics=state.read_topics(db).n_topics_ if fitted and not waiting else None,
                n_waiting=waiting,
                keeps_text=self._keeps_text(),
                text_rules=rules.as_dict() if rules else {},
                parameters=db.get_meta("model_parameters", {}),
                model_digest=ledger.last_digest(self._db),
                n_ledger_entries=int(db.value("SELECT count(*) FROM ledger")),
                n_certificates=int(db.value("SELECT count(*) FROM certificates")),
                dependents=(
                    *(f"head {field}" for field in heads.fields(db)),
                    *(["index"] if index.digest_of(db) is not None else []),
                ),
            )

    def ledger(self) -> list[LedgerEntry]:
        """Every request that changed the store, oldest first."""
        with self._db.reading():
            return ledger.entries(self._db)

    def certificates(self) -> list[Certificate]:
        """The certificate of every deletion, oldest first.

        Raises
        ------
        CorruptStateError
            A certificate is not the one that its entry in the ledger names.
        """
        with self._db.reading():
            return ledger.certificates(self._db)

    def verify(self) -> Verification:
        """Count the documents again, learn again, and compare with what is stored, byte for byte.

        Also checks the chain of the ledger, that every certificate is the one that its entry
        names, that the last entry has the digest of the model, and that no word string outlived
        its documents. Whoever can write the file can write a new chain: keep the last hash
        elsewhere if that matters.

        Raises
        ------
        StoreError
            The store is not fitted.
        StaleModelError
            The topics wait for `refresh`.
        """
        with self._db.reading():
            self._refuse_unfitted()
            state.refuse_waiting(self._db)
            return verify(self._db, self._n_jobs, self._progress)

    # ---- inside ---------------------------------------------------------------------------

    @contextmanager
    def _request(self) -> Iterator[None]:
        """One transaction. An error leaves neither disk nor memory changed."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                with self._db.writing():
                    yield
            except BaseException:
                self._model = self._heads = self._statistics = None
                raise
        # After the end of the transaction: a warning must not undo a deletion.
        for one in caught:
            warnings.warn(one.message, stacklevel=4)

    def _finish(
        self, action: str, n_documents: int, certificate: Certificate | None = None
    ) -> None:
        """The marks that every change leaves: a new version, an entry in the ledger."""
        self._model_version = self._db.get_meta("state_version", 0) + 1
        self._db.set_meta("state_version", self._model_version)
        detail = {}
        if self._statistics is not None:
            detail = {"statistics": self._statistics.digest()}
        if self._model is not None:
            detail = {
                "statistics": self._model.statistics_.digest(),
                "model": self._model.digest(),
                **{f"head {name}": one for name, one in heads.digests(self._db).items()},
            }
            found = index.digest_of(self._db)
            if found is not None:
                detail["index"] = found
        ledger.append(self._db, action, n_documents, detail, certificate)

    def _counted(self, records: Iterator[Record]) -> Iterator[tuple[Record, CountedText]]:
        if docs.read_rules(self._db) is not None:
            return count_texts(self._db, records)
        rules = self._rules or TextRules()
        return choose_dictionary(self._db, records, rules, bool(self._keep_text), self._progress)

    def _learn_more(self, counted: Iterator[tuple[Record, CountedText]]) -> None:
        model = self._current_model()
        touched = np.zeros(model.n_features_in_, np.bool_)
        named = ((record.id, text) for record, text in counted)
        for batch in docs.batches(named, model.n_features_in_):
            with batch.naming_ids():
                model.partial_fit(batch.counts, lengths=batch.lengths)
            touched[batch.counts.indices] = True
        state.write_model(self._db, model, np.flatnonzero(touched))
        self._rebuild_dependents(model)

    def _is_fitted(self) -> bool:
        return self._db.get_meta("model_parameters") is not None

    def _refuse_unfitted(self) -> None:
        if not self._is_fitted():
            raise StoreError(f"the store at {self._db.directory} has no topics yet; call fit first")

    def _keeps_text(self) -> bool:
        return bool(self._db.get_meta("keep_text", self._keep_text))

    def _refuse_other_rules(self) -> None:
        stored = docs.read_rules(self._db)
        if stored is None:
            return
        # A share was turned into a number of documents, so it cannot be compared.
        given = self._rules or stored
        if isinstance(given.min_df, float):
            given = replace(given, min_df=stored.min_df)
        if given != stored:
            raise InvalidParameterError(
                f"the store was begun with {stored}, not with {self._rules}; leave `rules` out, or "
                "make a new store"
            )
        if self._keep_text not in (None, self._db.get_meta("keep_text")):
            raise InvalidParameterError(
                f"the store was begun with keep_text={not self._keep_text}; leave it out, or make "
                "a new store"
            )


def _silent(stage: str, done: int, total: int) -> None:
    """No progress is shown."""
