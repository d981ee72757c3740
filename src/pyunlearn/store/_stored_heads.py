"""Heads of a store: tables to heads and back, and their tasks from the documents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._cooccurrence.arrays import statistics_from_arrays
from pyunlearn._digest import content_digest
from pyunlearn._estimator import BaseTopicModel
from pyunlearn.errors import (
    CorruptStateError,
    InvalidInputError,
    InvalidParameterError,
    PyUnlearnError,
    RecordError,
    StoreError,
)
from pyunlearn.heads import LinearHeadClassifier, LinearHeadRegressor
from pyunlearn.heads._linear_head import LinearHead
from pyunlearn.heads._logistic_loss import Solution
from pyunlearn.heads._targets import check_labels, check_values
from pyunlearn.heads._task_statistics import OuterProducts, TargetSums, TaskStatistics
from pyunlearn.heads._training import TASKS, HeadSettings, Task, TaskSummary, Update, new_task
from pyunlearn.records import label_text
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_statistics as tables
from pyunlearn.store._database import Database
from pyunlearn.store._stored_words import Dictionary
from pyunlearn.topic_model import TopicModel

PARAMETERS = ("task", "loss", "features", "alpha", "tol", "max_iter")
OWN_FIELD = "label"  # the label that stands beside the document


def set_labels(db: Database, field: str, labels: Iterable[tuple[str, str | float]]) -> int:
    """Write labels of documents under a field.

    Raises
    ------
    InvalidInputError
        A field that is no name for labels, or an id or a label of another type.
    StoreError
        An id that the store does not hold.
    """
    if field == OWN_FIELD:
        raise InvalidInputError(
            f"the field {OWN_FIELD!r} is read with the documents; give other labels another name"
        )
    if not isinstance(field, str) or not field:
        raise InvalidInputError("a field is a string that is not empty")
    db.execute("DELETE FROM labels WHERE field = ?", (field,))
    count = 0
    for given, value in labels:
        identifier = _id_text(given)
        try:
            text = label_text(value, field, f"document {identifier!r}")
        except RecordError as error:
            raise InvalidInputError(f"{error}; leave out documents without a label") from None
        if not db.value("SELECT 1 FROM documents WHERE id = ?", (identifier,)):
            raise StoreError(f"there is no document {identifier!r} in the store to be labelled")
        db.execute("REPLACE INTO labels VALUES (?, ?, ?)", (field, identifier, text))
        count += 1
    return count


def _id_text(identifier: Any) -> str:
    """An id as the store keeps it, also out of NumPy."""
    if isinstance(identifier, str):
        return str(identifier)
    if isinstance(identifier, Integral) and not isinstance(identifier, bool):
        return str(int(identifier))
    raise InvalidInputError(f"an id is a string or an integer, not {type(identifier).__name__}")


def delete_labels(db: Database, ids: Sequence[str]) -> None:
    """Delete the labels of documents under every field."""
    db.execute_many("DELETE FROM labels WHERE id = ?", ((one,) for one in ids))


def labels_of(db: Database, field: str, ids: Sequence[str]) -> list[str | None]:
    """The label of each document under a field, None where it has none."""
    sql = (
        "SELECT label FROM documents WHERE id = ?"
        if field == OWN_FIELD
        else "SELECT value FROM labels WHERE id = ? AND field = ?"
    )
    more = () if field == OWN_FIELD else (field,)
    return [db.value(sql, (one, *more)) for one in ids]


def labelled_batches(
    db: Database, dictionary: Dictionary, field: str
) -> Iterator[tuple[docs.Batch, list[str]]]:
    """Documents that have a label under a field, with their labels."""
    for batch in docs.batches(docs.read_all(db), dictionary):
        labels = labels_of(db, field, batch.ids)
        kept = [row for row, label in enumerate(labels) if label is not None]
        if kept:
            yield chosen(batch, kept), [str(labels[row]) for row in kept]


def chosen(batch: docs.Batch, rows: Sequence[int]) -> docs.Batch:
    """Some documents of a batch."""
    return docs.Batch(
        [batch.ids[row] for row in rows],
        sp.csr_array(batch.counts[list(rows)]),
        batch.lengths[list(rows)],
    )


def task_targets(settings: HeadSettings, labels: Sequence[str], ids: Sequence[str]) -> NDArray[Any]:
    """Labels as the head takes them: strings, or numbers for a regression."""
    if settings.task == "classification":
        return check_labels(np.array(labels), len(labels))
    numbers = []
    for at, label in enumerate(labels):
        try:
            numbers.append(float(label))
        except ValueError:
            raise InvalidInputError(
                f"the label of document {ids[at]!r} is not a number, as a regression needs"
            ) from None
    return check_values(numbers, len(labels), 1)


def counted_task(
    db: Database, dictionary: Dictionary, field: str, settings: HeadSettings, n_jobs: int | None
) -> Task:
    """The task of a field, from the documents of the store."""
    outputs = 1 if settings.task == "regression" else None
    task = new_task(settings, len(dictionary), outputs, n_jobs)
    for batch, labels in labelled_batches(db, dictionary, field):
        task.add(batch.documents(), task_targets(settings, labels, batch.ids))
    return task


def new_head(model: BaseTopicModel, parameters: dict[str, Any], n_jobs: int | None) -> LinearHead:
    """A head that is not trained; `task` among the parameters tells of which class.

    Raises
    ------
    InvalidParameterError
        Another task, a parameter that such a head does not have, or a value out of range.
    """
    given = {"task": "classification", **parameters}
    task = check.check_choice("task", given.pop("task"), TASKS)
    if task == "regression":
        if given.pop("loss", "squared") != "squared":
            raise InvalidParameterError("task='regression' needs loss='squared'")
        steps = sorted(given.keys() & {"tol", "max_iter"})
        if steps:
            raise InvalidParameterError(f"{steps[0]} is of loss='logistic'")
    kind = LinearHeadClassifier if task == "classification" else LinearHeadRegressor
    return kind(model, **given, n_jobs=n_jobs)


def trained(
    db: Database,
    dictionary: Dictionary,
    model: BaseTopicModel,
    field: str,
    parameters: dict[str, Any],
    n_jobs: int | None,
) -> LinearHead:
    """The head of a field, trained once on the documents of the store."""
    head = new_head(model, parameters, n_jobs)
    return head.fit_task(counted_task(db, dictionary, field, head._checked_settings(), n_jobs))


def keeps_sums(db: Database, field: str) -> bool:
    """Whether a head keeps sums of its task and can do without its documents."""
    return "task" in row(db, field)[1]


def settings_of(db: Database, field: str) -> HeadSettings:
    """The settings of a head; CorruptStateError if no head has them."""
    try:
        return new_head(TopicModel(), row(db, field)[0], None)._checked_settings()
    except (TypeError, PyUnlearnError) as error:
        raise _damaged(db, field, error) from None


def fields(db: Database) -> list[str]:
    """Fields that have a head."""
    return list(digests(db))


def write(db: Database, field: str, head: LinearHead, touched: Iterable[int] | None) -> None:
    """Write a head; of its word pairs only the rows of the touched words, None for all."""
    parameters = head.settings_.as_dict()
    held = {
        "classes": head.classes_.tolist() if hasattr(head, "classes_") else [],
        "n_documents": head.task_.n_documents,
        "gradient_norm": head.gradient_norm_,
        "steps": head.n_iter_,
    }
    held["scoring"] = _scoring_digest(held["classes"], head.weights_, head.prior_)
    if isinstance(head.task_, TaskStatistics):
        held["task"] = head.task_.digest()
    db.execute(
        "REPLACE INTO heads VALUES (?, ?, ?, ?)",
        (field, _json(parameters), _json(held), head.digest()),
    )
    arrays: dict[str, NDArray[Any]] = {"weights": head.weights_, "prior": head.prior_}
    if isinstance(head.task_, TaskStatistics):
        sums = head.task_.targets
        arrays |= {"own": head.task_.own, "totals": sums.totals, "sums": sums.by_word}
        tables.write_statistics(db, head.task_.pairs, touched, field)
    for name, array in arrays.items():
        tables.write_array(db, tables.owner_of(field), name, array)


def delete(db: Database, field: str) -> None:
    """Delete the head of a field; the labels of the field stay with the documents."""
    delete_learned(db, field)
    db.execute("DELETE FROM heads WHERE field = ?", (field,))


def delete_learned(db: Database, field: str) -> None:
    """Delete the weights of a head and the sums of its task."""
    db.execute("DELETE FROM arrays WHERE owner = ?", (tables.owner_of(field),))
    tables.delete_rows(db, field)


def clear(db: Database) -> None:
    """Delete what all heads have learned and keep of their tasks; their parameters stay."""
    for field in fields(db):
        delete_learned(db, field)
    db.execute("UPDATE heads SET state = ?, digest = ''", (_json({}),))


def read(
    db: Database, dictionary: Dictionary, model: BaseTopicModel, field: str, n_jobs: int | None
) -> LinearHead:
    """A head with its task, on the model of the store; CorruptStateError if it was changed."""
    parameters, held, digest = row(db, field)
    try:
        head = _scoring(db, model, field, parameters, held, n_jobs, model.digest())
        if head.settings_.keeps_documents:
            head.task_ = counted_task(db, dictionary, field, head.settings_, n_jobs)
        else:
            head.task_ = _stored_task(db, field, parameters, held, n_jobs)
        found = head.digest()
    except (KeyError, TypeError, ValueError, IndexError, PyUnlearnError) as error:
        raise _damaged(db, field, error) from None
    if found != digest:
        raise _damaged(db, field, "its digest is another")
    return head


def read_scoring(db: Database, model: BaseTopicModel, field: str) -> LinearHead:
    """A head that can be used but not changed: neither documents nor word pairs are read."""
    parameters, held, _ = row(db, field)
    try:
        return _scoring(db, model, field, parameters, held, None)
    except (KeyError, TypeError, ValueError, IndexError, PyUnlearnError) as error:
        raise _damaged(db, field, error) from None


def read_task(db: Database, field: str, n_jobs: int | None) -> TaskStatistics:
    """The task of a head that keeps sums; CorruptStateError if it was changed."""
    parameters, held, _ = row(db, field)
    try:
        return _stored_task(db, field, parameters, held, n_jobs)
    except (KeyError, TypeError, ValueError, IndexError, PyUnlearnError) as error:
        raise _damaged(db, field, error) from None


def digests(db: Database) -> dict[str, str]:
    """The digest that was stored with each head, by field."""
    rows = db.execute("SELECT field, digest FROM heads ORDER BY field").fetchall()
    return {str(field): str(digest) for field, digest in rows}


def parameters_of(db: Database, field: str) -> dict[str, Any]:
    """Parameters of a head."""
    return row(db, field)[0]


def refuse_unknown(db: Database, field: str) -> None:
    """StoreError unless the store has a head for a field."""
    if field not in fields(db):
        there = ", ".join(map(repr, fields(db))) or "none"
        raise StoreError(f"the store has no head for the field {field!r} (heads: {there})")


def row(db: Database, field: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Parameters, state and digest of a head."""
    refuse_unknown(db, field)
    found = db.execute(
        "SELECT parameters, state, digest FROM heads WHERE field = ?", (field,)
    ).fetchone()
    try:
        parameters, held = (db.parsed(text, "an entry of it") for text in found[:2])
    except CorruptStateError as error:
        raise _damaged(db, field, error) from None
    if not isinstance(parameters, dict) or not isinstance(held, dict):
        raise _damaged(db, field, "no JSON objects")
    return parameters, held, str(found[2])


def _damaged(db: Database, field: str, reason: object) -> CorruptStateError:
    return CorruptStateError(
        f"{db.path}: the head {field!r} was changed or is damaged ({reason}); delete it and fit it "
        "again"
    )


def _scoring_digest(classes: Any, weights: NDArray[np.float64], prior: NDArray[np.float64]) -> str:
    """What prediction rests on; the digest of a head needs its task as well."""
    return content_digest({"classes": classes}, {"weights": weights, "prior": prior})


def _scoring(
    db: Database,
    model: BaseTopicModel,
    field: str,
    parameters: dict[str, Any],
    held: dict[str, Any],
    n_jobs: int | None,
    base_digest: str = "",
) -> LinearHead:
    weights, prior = (
        tables.read_array(db, tables.owner_of(field), name) for name in ("weights", "prior")
    )
    if _scoring_digest(held["classes"], weights, prior) != held["scoring"]:
        raise ValueError("weights, classes or their shares are others")
    norm, steps = float(held["gradient_norm"]), int(held["steps"])
    task = TaskSummary(int(held["n_documents"]), np.array(held["classes"]), prior)
    head = new_head(model, parameters, n_jobs)
    head.restore(
        model, Update(Solution(weights, norm, steps), "exact", 0.0, norm), task, base_digest
    )
    return head


def _stored_task(
    db: Database,
    field: str,
    parameters: dict[str, Any],
    held: dict[str, Any],
    n_jobs: int | None,
) -> TaskStatistics:
    arrays = tables.read_statistics(db, n_jobs, field)
    n_words = len(arrays["word_mass"])
    n_outputs = 1 if parameters["task"] == "regression" else None
    task = TaskStatistics(n_words, n_outputs, n_jobs=n_jobs)
    pairs = OuterProducts(n_words, n_jobs=n_jobs)
    read = statistics_from_arrays(
        arrays, int(held["n_documents"]), pairs.scale_bits, "document", n_jobs
    )
    pairs.restore(read.rows, arrays["word_mass"], arrays["document_frequency"], read.n_documents)
    task.pairs = pairs
    own, totals, sums = (
        tables.read_array(db, tables.owner_of(field), name) for name in ("own", "totals", "sums")
    )
    task.own = own
    classes = None if task.n_outputs else np.array(held["classes"])
    task.targets = TargetSums(classes, totals, sums)
    if task.digest() != held.get("task"):
        raise ValueError("its task is another")
    return task


def _json(values: Any) -> str:
    return json.dumps(values, sort_keys=True)
