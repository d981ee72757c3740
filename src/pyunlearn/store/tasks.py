"""`StoreTasks`: heads on labels, search by topics, corrections; each reached by every deletion."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._documents import check_documents
from pyunlearn._similarity import SIMILARITIES, similarities, top_of_rows
from pyunlearn.certificates import Certificate
from pyunlearn.errors import (
    FewerTopicsWarning,
    InvalidInputError,
    InvalidParameterError,
    StoreError,
)
from pyunlearn.heads._linear_head import LinearHead
from pyunlearn.model import AnchorTopicModel
from pyunlearn.records import label_text
from pyunlearn.store import _stored_heads as heads
from pyunlearn.store import documents as docs
from pyunlearn.store import index, ledger, state
from pyunlearn.store.answers import Found, HeadInfo
from pyunlearn.store.counting import Progress
from pyunlearn.store.database import Database
from pyunlearn.store.redaction import redacted_text, without_words
from pyunlearn.text import CountedText, Dictionary

__all__ = ["StoreTasks"]

COVERS = (
    "the statistics and the topics of this store, its heads and its index, its word counts, texts "
    "and labels of the documents, and the words that only they held"
)
NOT_COVERED = (
    "; the ids in files or logs outside the store; copies of words and ids in unused parts of the "
    "store's file, until `compact` writes it anew; what the file system and the disk keep of "
    "overwritten blocks, of the journal and of temporary files"
)
REDACTED = (
    "the model that the same version and parameters give when trained once on the documents as "
    "they are after the correction: every byte is equal"
)


class StoreTasks:
    """The part of `Store` that stands on its topics."""

    _db: Database
    _n_jobs: int | None
    _progress: Progress
    _heads: dict[str, LinearHead] | None

    def _request(self) -> AbstractContextManager[None]:
        raise NotImplementedError

    def _finish(
        self, action: str, n_documents: int, certificate: Certificate | None = None
    ) -> None:
        raise NotImplementedError

    def _current_model(self) -> AnchorTopicModel:
        raise NotImplementedError

    def _refuse_unfitted(self) -> None:
        raise NotImplementedError

    # ---- heads ----------------------------------------------------------------------------

    def set_labels(self, field: str, labels: Mapping[str, str | int]) -> int:
        """Write labels of documents, by id, under a field of your own; returns their number.

        A head of that field is trained again. Labels of before are replaced. Numbers and booleans
        become the strings that JSON writes.

        Raises
        ------
        StoreError
            An id that the store does not hold. Nothing has been changed then.
        InvalidInputError
            The field "label", which is read with the documents, or a label of another type.
        """
        with self._request():
            self._refuse_unfitted()
            model = self._current_model()
            count = heads.set_labels(self._db, field, labels.items())
            if field in heads.fields(self._db):
                self._retrain(model, field, heads.parameters_of(self._db, field))
            self._finish("label", count)
        return count

    def fit_head(
        self,
        field: str = "label",
        labels: Mapping[str, str | int] | None = None,
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

        Raises
        ------
        InvalidParameterError
            A parameter outside its range.
        InvalidInputError
            Fewer than two classes, or labels that are no numbers for a regression.
        StoreError
            The store is not fitted, or does not hold an id. Nothing has been changed, after any of
            these errors.
        """
        unknown = set(parameters) - set(heads.PARAMETERS)
        if unknown:
            raise InvalidParameterError(f"a head of a store has no parameter {min(unknown)!r}")
        with self._request():
            self._refuse_unfitted()
            model = self._current_model()
            if labels is not None:
                heads.set_labels(self._db, field, labels.items())
            known = self._current_heads(model)
            head = heads.trained(self._db, model, field, parameters, self._n_jobs)
            if head.task_.n_documents == 0 or len(getattr(head, "classes_", "xx")) < 2:
                classes = getattr(head, "classes_", None)
                kinds = "" if classes is None else f", of {len(classes)} classes"
                raise InvalidInputError(
                    f"{head.task_.n_documents} documents have a label under {field!r}{kinds}; a "
                    "head needs some, and a classifier two classes. Give labels that did not come "
                    "with the documents as `labels` (--labels FILE)"
                )
            heads.delete(self._db, field)
            heads.write(self._db, field, head, None)
            known[field] = head
            self._finish("head", head.task_.n_documents)
            info = self.heads()[field]
        return info

    def delete_head(self, field: str) -> None:
        """Delete the head of a field with all that it keeps of its task, but for the labels.

        Labels belong to the documents, and go with them.
        """
        with self._request():
            self._current_model()
            heads.refuse_unknown(self._db, field)
            # Heads are not read: a damaged one can be deleted.
            if self._heads is not None:
                self._heads.pop(field, None)
            heads.delete(self._db, field)
            self._finish("delete head", 0)

    def heads(self) -> dict[str, HeadInfo]:
        """The heads of the store by field."""
        with self._db.reading():
            return {
                field: HeadInfo(
                    field, parameters, held.get("classes", []), held.get("n_documents", 0), digest
                )
                for field in heads.fields(self._db)
                for _, parameters, held, digest in [heads.row(self._db, field)]
            }

    def predict(self, texts: Iterable[str], field: str = "label") -> list[Any]:
        """The class (or number) of each text. Reads no documents and no statistics.

        Raises
        ------
        StoreError
            The store is not fitted, has no head for the field, or no document with such a label.
        InvalidInputError
            No texts, or something that is no text.
        """
        head, counts = self._asked(texts, field)
        predicted: list[Any] = head.predict(counts).tolist()
        return predicted

    def score(
        self, texts: Iterable[str], labels: Sequence[str | int], field: str = "label"
    ) -> float:
        """Accuracy (or R^2) of the head on texts with labels; errors as for `predict`."""
        head, counts = self._asked(texts, field)
        targets = heads.task_targets(
            head.settings_,
            [label_text(one, "label", f"text {at}") for at, one in enumerate(labels)],
            [f"text {at}" for at in range(len(labels))],
        )
        return float(head.score(counts, targets))

    # ---- search ---------------------------------------------------------------------------

    def search(self, text: str, n: int = 10, similarity: str = "cosine") -> list[Found]:
        """The documents whose topics are most like those of a text, best first.

        The first search builds the index, which every later request keeps up to date.

        Raises
        ------
        StoreError
            The store is not fitted, or has no documents.
        InvalidParameterError
            n or similarity out of range.
        InvalidInputError
            No word of the text is in the dictionary.
        """
        check.check_choice("similarity", similarity, SIMILARITIES)
        check.check_integer("n", n, 1)
        with self._db.reading():
            self._refuse_unfitted()
            missing = index.digest_of(self._db) is None
        if missing:
            with self._request():
                model = self._current_model()
                self._progress("indexing", 0, 0)
                index.write(self._db, model)
                self._finish("index", docs.n_documents(self._db))
        with self._db.reading():
            model = state.read_topics(self._db)
            held = index.read(self._db, ledger.last_digest(self._db))
            names = index.ids(self._db)
            asked = check_documents(self._counts([text]))
        if not names or not model.n_topics_:
            raise StoreError("the store has no documents or no topics to search by")
        if not model.word_frequencies_[asked.columns].any():
            raise InvalidInputError(
                "no word of the text is in the dictionary; nothing to search by"
            )
        query = model.fold_in(asked)
        rows, scores = top_of_rows(similarities(similarity, query, held), min(n, len(names)))
        return [
            Found(names[row], float(score))
            for row, score in zip(rows[0].tolist(), scores[0].tolist(), strict=True)
        ]

    # ---- corrections ----------------------------------------------------------------------

    def redact(self, identifier: str, words: Iterable[str]) -> Certificate:
        """Take words out of a document: afterwards the store is one that never saw them in it.

        Parameters
        ----------
        identifier : str
            Of the document.
        words : iterable of str
            The words; in any case where the store counts in lower case. Where texts are kept, they
            are taken out of the text, also words that have no column in the dictionary.

        Returns
        -------
        Certificate
            Also kept in the store.

        Raises
        ------
        UnknownDocumentError
            There is no such document.
        InvalidInputError
            No words, or a word that is not in the document. Nothing has been changed, after any of
            these errors.
        """
        wanted = {words} if isinstance(words, str) else set(words)
        if not wanted or not all(isinstance(word, str) for word in wanted):
            raise InvalidInputError("redact takes words, as strings")
        with self._request():
            self._refuse_unfitted()
            rules = docs.read_rules(self._db)
            assert rules is not None
            if rules.lowercase:
                wanted = {word.lower() for word in wanted}
            ((_, before),) = docs.read_some(self._db, [identifier])
            dictionary = docs.read_words(self._db)
            columns = {column for column, word in enumerate(dictionary) if word in wanted}
            after = without_words(before, columns)
            text = docs.read_text(self._db, identifier)
            n_present = len(before.columns) - len(after.columns)
            if text is not None:
                text, found = redacted_text(text, rules, wanted)
                n_present = len(found)
                after = Dictionary(dictionary, rules).count(text)
            if n_present < len(wanted) or columns & set(after.columns.tolist()):
                raise InvalidInputError(
                    f"document {identifier!r} does not hold {len(wanted) - n_present} of the "
                    f"{len(wanted)} words, as words of their own; nothing was redacted"
                )
            model = self._current_model()
            certificate = self._correct(model, identifier, before, after, text)
            certificate = replace(
                certificate, path={**certificate.path, "n_words_redacted": len(wanted)}
            )
            self._finish("redact", 1, certificate)
        return certificate

    # ---- inside ---------------------------------------------------------------------------

    def _correct(
        self,
        model: AnchorTopicModel,
        identifier: str,
        before: CountedText,
        after: CountedText,
        text: str | None,
    ) -> Certificate:
        tasks = self._current_heads(model)
        old, new = (_one(identifier, counted, model.n_features_in_) for counted in (before, after))
        with warnings.catch_warnings():
            # Topics that are gone only between the two steps are no news.
            warnings.simplefilter("ignore", FewerTopicsWarning)
            certificate = model.unlearn(old.counts, old.lengths)
        model.partial_fit(new.counts, lengths=new.lengths)
        touched = np.union1d(before.columns, after.columns)
        vanished = touched[model.statistics_.document_frequency[touched] == 0]
        docs.replace_counts(self._db, identifier, after, text)
        docs.delete_words(self._db, vanished.astype(np.intp))
        state.write_model(self._db, model, touched)
        for field, head in tasks.items():
            (label,) = heads.labels_of(self._db, field, [identifier])
            if label is not None:
                targets = heads.task_targets(head.settings_, [label], [identifier])
                head.task_.remove(check_documents(old.counts), targets)
                head.task_.add(check_documents(new.counts), targets)
        certificate = replace(
            certificate,
            n_documents_removed=0,
            n_documents_left=model.statistics_.n_documents,
            statistics_after=model.statistics_.digest(),
            model_after=model.digest(),
            comparator=REDACTED,
            covers=COVERS,
            not_covered=certificate.not_covered + NOT_COVERED,
            dependents=self._update_dependents(model, tasks, touched),
        )
        return certificate

    def _remove_from_tasks(
        self, tasks: Mapping[str, LinearHead], batch: docs.Batch
    ) -> dict[str, int]:
        """Take documents out of the tasks of all heads; returns how many, by field."""
        removed = {}
        for field, head in tasks.items():
            labels = heads.labels_of(self._db, field, batch.ids)
            rows = [row for row, label in enumerate(labels) if label is not None]
            removed[field] = len(rows)
            if rows:
                documents = check_documents(heads.chosen(batch, rows).counts)
                given = [str(labels[row]) for row in rows]
                names = [batch.ids[row] for row in rows]
                head.task_.remove(documents, heads.task_targets(head.settings_, given, names))
        return removed

    def _update_dependents(
        self,
        model: AnchorTopicModel,
        tasks: Mapping[str, LinearHead],
        touched: NDArray[np.integer],
        removed: Mapping[str, int] | None = None,
    ) -> dict[str, Any]:
        """Bring heads and index up to date with the model; what the certificate lists."""
        listed: dict[str, Any] = {}
        for field, head in tasks.items():
            self._progress("heads", 0, 0)
            before = heads.digests(self._db)[field]
            after = head.refresh().head_after
            heads.write(self._db, field, head, touched)
            listed[f"head {field}"] = {
                "before": before,
                "after": after,
                "task_documents_removed": (removed or {}).get(field, 0),
                "task_documents_left": head.task_.n_documents,
            }
        index_before = index.digest_of(self._db)
        if index_before is not None:
            self._progress("indexing", 0, 0)
            listed["index"] = {"before": index_before, "after": index.write(self._db, model)}
        return listed

    def _dependents(self) -> dict[str, Any]:
        """Heads and index as they are; what the certificate of a refresh lists."""
        listed: dict[str, Any] = {
            f"head {field}": {"before": None, "after": digest}
            for field, digest in heads.digests(self._db).items()
        }
        if index.digest_of(self._db) is not None:
            listed["index"] = {"before": None, "after": index.digest_of(self._db)}
        return listed

    def _rebuild_dependents(self, model: AnchorTopicModel) -> None:
        """Train every head and build the index anew from the documents, after an addition."""
        for field in heads.fields(self._db):
            self._retrain(model, field, heads.parameters_of(self._db, field))
        if index.digest_of(self._db) is not None:
            index.write(self._db, model)

    def _retrain(self, model: AnchorTopicModel, field: str, parameters: dict[str, Any]) -> None:
        head = heads.trained(self._db, model, field, parameters, self._n_jobs)
        heads.write(self._db, field, head, None)
        if self._heads is not None:
            self._heads[field] = head

    def _current_heads(self, model: AnchorTopicModel) -> dict[str, LinearHead]:
        """All heads on the model of the stored state, which must be the current one."""
        if self._heads is None:
            self._heads = {
                field: heads.read(self._db, model, field, self._n_jobs)
                for field in heads.fields(self._db)
            }
        return self._heads

    def _asked(self, texts: Iterable[str], field: str) -> tuple[LinearHead, sp.csr_array]:
        """The head of a field, for use, and the word counts of texts."""
        with self._db.reading():
            self._refuse_unfitted()
            head = heads.read_scoring(self._db, state.read_topics(self._db), field)
            counts = self._counts(texts)
        if not head.n_task_documents_:
            raise StoreError(f"no document with a label under {field!r} is left in the store")
        return head, counts

    def _counts(self, texts: Iterable[str]) -> sp.csr_array:
        """Word counts of texts by the dictionary of the store."""
        texts = texts if isinstance(texts, str) else list(texts)
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise InvalidInputError("expected texts, each a string")
        rules = docs.read_rules(self._db)
        words = docs.read_words(self._db)
        assert rules is not None
        dictionary = Dictionary(words, rules)
        counted = [("", dictionary.count(text)) for text in texts]
        if not counted:
            raise InvalidInputError("there are no texts")
        (batch,) = docs.batches(counted, len(words), max_entries=2**62)
        return batch.counts


def _one(identifier: str, counted: CountedText, n_words: int) -> docs.Batch:
    (batch,) = docs.batches([(identifier, counted)], n_words)
    return batch
