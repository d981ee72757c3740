"""`Store`: documents that can be forgotten, and the topics that were learned from them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pyunlearn import _params as check
from pyunlearn._similarity import SIMILARITIES
from pyunlearn.certificates import Certificate, commitment_in
from pyunlearn.errors import InvalidParameterError, StoreError
from pyunlearn.records import Record
from pyunlearn.store import (
    _arguments,
    _compaction,
    _fitting,
    _forgetting,
    _head_requests,
    _intake,
    _ledger,
    _questions,
    _redaction,
    _revising,
    _stored_heads,
    _verification,
)
from pyunlearn.store import _stored_model as state
from pyunlearn.store import _stored_words as words
from pyunlearn.store._answers import Found, HeadInfo, Progress, StoreInfo, Topic, Verification
from pyunlearn.store._current import Current
from pyunlearn.store._database import Database
from pyunlearn.store._ledger import LedgerEntry
from pyunlearn.store._state_digest import model_digest, state_digest
from pyunlearn.text import TextRules

if TYPE_CHECKING:
    import scipy.sparse as sp

    from pyunlearn.heads._linear_head import LinearHead

__all__ = ["Store"]


class Store:
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
        self._current = Current(database, n_jobs, progress or _silent)

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
            `rules` or `keep_text` differ from what the store was begun with, or `rules` are of
            another type.
        """
        if rules is not None and not isinstance(rules, TextRules):
            raise InvalidParameterError(f"rules must be TextRules, got {type(rules).__name__}")
        database = Database(Path(path), create=create, busy_seconds=busy_seconds)
        store = cls(database, rules, keep_text, n_jobs, progress)
        try:
            with database.reading():
                if not exist_ok and words.read_rules(database) is not None:
                    raise StoreError(
                        f"{path} holds a store already; choose another directory, or delete that "
                        "one first"
                    )
                _intake.refuse_other_rules(database, rules, keep_text)
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close the file."""
        self._current.drop()
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # ---- documents and topics -------------------------------------------------------------

    def add(self, records: Iterable[Record | Mapping[str, Any]]) -> int:
        """Add documents, and bring the topics up to date when there are any.

        The dictionary is that of all documents held afterwards: new words come in with them.

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
            No record.
        DocumentTooLongError, StatisticsOverflowError
            The store is fitted, and `scale_bits` does not allow for a document.
        StoreError
            Nothing has been changed, after any of these errors.
        """
        with self._request():
            return _intake.add(self._current, records, self._rules, self._keep_text)

    def fit(self, n_topics: int = 20, *, learner: str = "factor", **parameters: Any) -> None:
        """Learn topics from the documents of the store.

        Parameters
        ----------
        n_topics : int, default=20
            Number of topics.
        learner : {"factor", "anchor"}, default="factor"
            Factorisation of the co-occurrence counts, or anchor words.
        **parameters
            Of "factor": core_min_df, background, n_updates. Of "anchor": anchor_min_df, solver,
            anchor_cleanup, tol, max_iter. Of both: scale_bits, weighting, contexts.

        Raises
        ------
        InvalidParameterError
            A parameter outside its range, or of the other learner; `min_df` and `n_jobs`, which
            are fixed by `Store.open`.
        InvalidInputError
            The rules leave no word for the dictionary.
        TooFewAnchorsError
            Fewer than `n_topics` words can be anchors.
        DocumentTooLongError, StatisticsOverflowError
            `scale_bits` does not allow for a document, or for so many.
        StoreError
            The store has no documents. Nothing has been changed, after any of these errors.
        """
        with self._request():
            _fitting.fit(self._current, learner, {"n_topics": n_topics, **parameters})

    def train(self, records: Iterable[Record | Mapping[str, Any]], **parameters: Any) -> int:
        """`add` and `fit` as one request: after an error of either, nothing has been changed.

        Parameters
        ----------
        records : iterable of Record or mapping
            As for `add`.
        **parameters
            As for `fit`.

        Returns
        -------
        int
            Documents added.

        Raises
        ------
        PyUnlearnError
            Those of `add` and of `fit`.
        """
        with self._request():
            added = self.add(records)
            self.fit(**parameters)
        return added

    def forget(self, ids: Iterable[str | int] | str | int, refresh: str = "now") -> Certificate:
        """Delete documents: afterwards the store's model is the one that never saw them.

        Statistics, topics and squared heads on linear features need the word counts of these
        documents, and of those that hold a word which enters or leaves the dictionary; other heads
        read those of their task, the index those of all documents.

        Parameters
        ----------
        ids : iterable of str or int, or one of them
            Their ids, each once; an integer is its decimal string.
        refresh : {"now", "later"}, default="now"
            "later": documents, labels and statistics are clean at once, while topics, heads and
            index, which were learned with the documents, are deleted until `refresh` (or the next
            request that changes documents) learns them from what is left. So many requests share
            one time of learning.

        Returns
        -------
        Certificate
            Also kept in the store.

        Raises
        ------
        UnknownDocumentError
            Ids that the store does not hold.
        DuplicateDocumentError
            An id for the second time.
        InvalidInputError
            No ids, or a value that is none.
        CorruptStateError
            The stored statistics or topics are damaged.
        StoreError
            The store is not fitted. Nothing has been changed, after any of these errors.

        Warns
        -----
        FewerTopicsWarning
            The remaining documents support fewer topics. Deletion is never refused for that.
        """
        check.check_choice("refresh", refresh, ("now", "later"))
        wanted = _arguments.checked_ids(ids)
        with self._request():
            state.refuse_unfitted(self._db)
            return _forgetting.forget(self._current, wanted, refresh)

    def refresh(self) -> Certificate | None:
        """Learn topics, heads and index from the statistics, after forgetting with refresh="later".

        Returns
        -------
        Certificate or None
            Of all documents forgotten since the topics were learned, also kept in the store; None
            when they are up to date already. A request that changes the store before this one
            learns them first, and keeps this certificate beside its own.

        Raises
        ------
        CorruptStateError
            The stored statistics are damaged.
        StoreError
            The store is not fitted. Nothing has been changed, after any of these errors.

        Warns
        -----
        FewerTopicsWarning
            As for `forget`.
        """
        with self._db.reading():
            state.refuse_unfitted(self._db)
            if not state.is_waiting(self._db):
                return None
        with self._request():
            return _revising.refresh(self._current)

    def redact(self, identifier: str | int, names: Iterable[str] | str) -> Certificate:
        """Take names out of a document: afterwards the store is one that never saw them in it.

        A name is text: it may hold apostrophes, hyphens or blanks, or be one letter. Where texts
        are kept, it is found as it is written: in any case where the store counts in lower case,
        with composed and decomposed letters equal, and not as part of a longer word. It is taken
        out of the text, which is then counted again. Where only counts are kept, a name must be
        exactly one of the words that were counted.

        Parameters
        ----------
        identifier : str or int
            Of the document.
        names : iterable of str, or str
            The names. They are recorded nowhere.

        Returns
        -------
        Certificate
            Also kept in the store.

        Raises
        ------
        UnknownDocumentError
            There is no such document.
        InvalidInputError
            No names, a name that is not in the document, or one that is not a single word while
            the text is not kept.
        CorruptStateError
            The stored statistics, topics or heads are damaged.
        StoreError
            The store is not fitted. Nothing has been changed, after any of these errors.
        """
        one = _arguments.checked_id(identifier)
        wanted = _arguments.checked_names(names)
        with self._request():
            state.refuse_unfitted(self._db)
            return _redaction.redact(self._current, one, wanted)

    def compact(self) -> int:
        """Write the file anew: afterwards nothing of deleted content is in it.

        SQLite overwrites what is deleted, but when it moves entries between pages, copies (of words
        and ids, above all) stay in the unused part of a page. The statistics are written with the
        columns of a store that was made of the documents of now. Reads and writes the whole file.

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
        with self._request():
            _compaction.write_anew(self._current)
        self._db.compact()
        return self._db.path.stat().st_size

    # ---- heads ----------------------------------------------------------------------------

    def set_labels(self, field: str, labels: Mapping[Any, Any]) -> int:
        """Write labels of documents under a field of your own, in place of those of before.

        A head of that field is trained again.

        Parameters
        ----------
        field : str
            Name of the field; not "label", which is read with the documents.
        labels : mapping from id to str, int, float or bool
            Numbers and booleans, NumPy's as well, become the strings that JSON writes.

        Returns
        -------
        int
            Number of labels.

        Raises
        ------
        StoreError
            The store is not fitted, or does not hold an id.
        InvalidInputError
            The field "label", no mapping, or a label or id of another type.
        DuplicateDocumentError
            An id for the second time. Nothing has been changed, after any of these errors.
        """
        name, given = _arguments.checked_field(field), _arguments.checked_labels(labels)
        with self._request():
            state.refuse_unfitted(self._db)
            return _head_requests.set_labels(self._current, name, given)

    def fit_head(
        self,
        field: str = "label",
        labels: Mapping[Any, Any] | None = None,
        **parameters: Any,
    ) -> HeadInfo:
        """Train a head on the documents that have a label under a field.

        From then on it is brought up to date by every request that changes documents or topics.

        Parameters
        ----------
        field : str, default="label"
            "label" for the labels that came with the documents, or a field of your own.
        labels : mapping, optional
            Labels by id, written under the field first, as by `set_labels`.
        **parameters
            Of the head: `task` ("classification" or "regression"), loss, features, alpha, tol,
            max_iter; see `LinearHeadClassifier` and `LinearHeadRegressor`.

        Returns
        -------
        HeadInfo
            The head.

        Raises
        ------
        InvalidParameterError
            A parameter outside its range.
        InvalidInputError
            Fewer than two classes, labels of another type, or none that is a number for a
            regression.
        StoreError
            The store is not fitted, or does not hold an id. Nothing has been changed, after any of
            these errors.
        """
        name = _arguments.checked_field(field)
        given = None if labels is None else _arguments.checked_labels(labels)
        with self._request():
            state.refuse_unfitted(self._db)
            return _head_requests.fit_head(self._current, name, given, parameters)

    def delete_head(self, field: str) -> None:
        """Delete the head of a field with all that it keeps of its task, but for the labels.

        Labels belong to the documents, and go with them.

        Parameters
        ----------
        field : str
            Of the head.

        Raises
        ------
        StoreError
            The store is not fitted, or has no head for the field.
        InvalidInputError
            The field is no string.
        """
        name = _arguments.checked_field(field)
        with self._request():
            state.refuse_unfitted(self._db)
            _head_requests.delete_head(self._current, name)

    def heads(self) -> dict[str, HeadInfo]:
        """The heads of the store.

        Returns
        -------
        dict of str to HeadInfo
            By field.
        """
        with self._db.reading():
            return _stored_heads.listed(self._db)

    def predict(self, texts: Iterable[str], field: str = "label") -> list[Any]:
        """The class, or number, of each text. Reads no documents and no statistics.

        Parameters
        ----------
        texts : iterable of str
            The texts.
        field : str, default="label"
            Of the head.

        Returns
        -------
        list of str or float
            One a text.

        Raises
        ------
        StoreError
            The store is not fitted, has no head for the field, or no document with such a label.
        StaleModelError
            The topics wait for `refresh`.
        InvalidInputError
            No texts, or something that is no text.
        """
        head, counts = self._asked(_arguments.checked_texts(texts), field)
        predicted: list[Any] = head.predict(counts).tolist()
        return predicted

    def score(self, texts: Iterable[str], labels: Iterable[Any], field: str = "label") -> float:
        """Accuracy of a classifier, or R^2 of a regression, on texts with labels.

        Parameters
        ----------
        texts : iterable of str
            The texts.
        labels : iterable of str, int, float or bool
            One a text.
        field : str, default="label"
            Of the head.

        Returns
        -------
        float
            At most 1.

        Raises
        ------
        StoreError, StaleModelError
            As for `predict`.
        InvalidInputError
            No texts, something that is no text or no label, or another number of labels.
        """
        asked = _arguments.checked_texts(texts)
        given = _arguments.checked_targets(labels, len(asked))
        head, counts = self._asked(asked, field)
        return _head_requests.score(head, counts, given)

    # ---- questions ------------------------------------------------------------------------

    def search(self, text: str, n: int = 10, similarity: str = "cosine") -> list[Found]:
        """The documents whose topics are most like those of a text, best first.

        The first search writes the index, which every later request keeps up to date. Where the
        store cannot be written, each search computes it for itself.

        Parameters
        ----------
        text : str
            What to search by.
        n : int, default=10
            Documents to find at most.
        similarity : {"cosine", "jensen-shannon"}, default="cosine"
            Of the topic proportions.

        Returns
        -------
        list of Found
            Ids and similarities.

        Raises
        ------
        StoreError
            The store is not fitted, or has no documents or topics.
        StaleModelError
            The topics wait for `refresh`.
        InvalidParameterError
            n or similarity out of range.
        InvalidInputError
            No text, or no word of it is in the dictionary.
        """
        check.check_choice("similarity", similarity, SIMILARITIES)
        n = check.check_integer("n", n, 1)
        (asked,) = _arguments.checked_texts([text])
        with self._db.reading():
            state.refuse_unfitted(self._db)
            state.refuse_waiting(self._db)
            indexed = _questions.has_index(self._db)
            if not indexed:
                # A search that is refused writes nothing.
                _questions.asked_of(self._db, words.read_dictionary(self._db), asked)
        if not indexed:
            with suppress(StoreError), self._request():
                _questions.build_index(self._current)
        with self._db.reading():
            return _questions.search(self._db, asked, n, similarity)

    def topics(self, n_words: int = 10) -> list[Topic]:
        """The topics with their most probable words. Reads no documents and no statistics.

        Parameters
        ----------
        n_words : int, default=10
            Words a topic, at most.

        Returns
        -------
        list of Topic
            In the order of the learner.

        Raises
        ------
        StoreError
            The store is not fitted.
        StaleModelError
            The topics wait for `refresh`.
        """
        with self._db.reading():
            state.refuse_unfitted(self._db)
            return _questions.topics(self._db, n_words)

    def info(self) -> StoreInfo:
        """What the store holds. Reads no documents and no statistics.

        Returns
        -------
        StoreInfo
            Counts, rules, parameters and digests.
        """
        with self._db.reading():
            return _questions.info(self._db, self._keep_text)

    def ledger(self) -> list[LedgerEntry]:
        """Every request that changed the store.

        Returns
        -------
        list of LedgerEntry
            Oldest first.
        """
        with self._db.reading():
            return _ledger.entries(self._db)

    def certificates(self) -> list[Certificate]:
        """The certificate of every deletion, correction and refresh.

        Returns
        -------
        list of Certificate
            Oldest first.

        Raises
        ------
        CorruptStateError
            A certificate is not the one that its entry in the ledger names.
        """
        with self._db.reading():
            return _ledger.certificates(self._db)

    def digest(self) -> str:
        """SHA-256 of the model over its words, hexadecimal, as it is stored.

        Equal for every history of requests that ends with the same documents, rules and parameters.
        A digest confirms guesses: whoever has it can try whether a corpus leads to it.

        Returns
        -------
        str
            64 hexadecimal digits.

        Raises
        ------
        StoreError
            The store is not fitted.
        StaleModelError
            The topics wait for `refresh`.
        """
        with self._db.reading():
            state.refuse_unfitted(self._db)
            state.refuse_waiting(self._db)
            return str(model_digest(self._db, words.read_dictionary(self._db)))

    def confirms(self, certificate: Certificate) -> bool:
        """Whether a certificate of this store is of the state that the store is in now.

        Parameters
        ----------
        certificate : Certificate
            As a request gave it.

        Returns
        -------
        bool
            False after any later change: the secret of the commitment is erased then.

        Raises
        ------
        InvalidInputError
            No certificate of a deletion.
        """
        commitment = commitment_in(certificate) or ""
        with self._db.reading():
            if words.read_rules(self._db) is None:
                return False  # nothing was asked of this store yet
            digest = state_digest(self._db, words.read_dictionary(self._db))
            return _ledger.is_of_now(self._db, digest, commitment)

    def verify(self) -> Verification:
        """Count the documents again, learn again, and compare with what is stored, byte for byte.

        Also checks the words of the documents, and their texts where those are kept; the chain of
        the ledger; that every certificate is the one that its entry names; and that the last entry
        is of the state that is stored. Whoever can write the file can write a new chain: keep the
        last hash elsewhere if that matters.

        Returns
        -------
        Verification
            Whether all is equal, and what differs.

        Raises
        ------
        StoreError
            The store is not fitted.
        StaleModelError
            The topics wait for `refresh`.
        """
        with self._db.reading():
            state.refuse_unfitted(self._db)
            state.refuse_waiting(self._db)
            return _verification.verify(self._db, self._current.n_jobs, self._current.progress)

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
                self._current.drop()
                raise
        # After the end of the transaction: a warning must not undo a deletion.
        for one in caught:
            warnings.warn(one.message, stacklevel=4)

    def _asked(self, texts: Sequence[str], field: str) -> tuple[LinearHead, sp.csr_array]:
        """The head of a field, for use, and the word counts of texts."""
        with self._db.reading():
            state.refuse_unfitted(self._db)
            head = _head_requests.scoring_head(self._db, field)
            dictionary = words.read_dictionary(self._db)
            return head, _questions.counts_of(self._db, dictionary, texts).to_csr()


def _silent(stage: str, done: int, total: int) -> None:
    """No progress is shown."""
