"""Heads of a store: tables to heads and back, and their tasks from the documents.

Heads are estimators, so this needs scikit-learn: import it where a store has a head, or is to get
one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._cooccurrence.arrays import statistics_from_arrays
from pyunlearn._cooccurrence.contexts import ALL
from pyunlearn._digest import content_digest
from pyunlearn._estimator import BaseTopicModel
from pyunlearn._learners.topics import Topics
from pyunlearn._model import Model
from pyunlearn.errors import InvalidInputError, InvalidParameterError, PyUnlearnError
from pyunlearn.heads import LinearHeadClassifier, LinearHeadRegressor
from pyunlearn.heads._linear_head import LinearHead
from pyunlearn.heads._logistic_loss import Solution
from pyunlearn.heads._targets import check_labels, check_values
from pyunlearn.heads._task_statistics import OuterProducts, TargetSums, TaskStatistics
from pyunlearn.heads._training import TASKS, HeadSettings, Task, TaskSummary, Update, new_task
from pyunlearn.io import estimator
from pyunlearn.store import _stored_heads as heads
from pyunlearn.store import _stored_labels as labelled
from pyunlearn.store import _stored_statistics as tables
from pyunlearn.store._database import Database
from pyunlearn.store._stored_statistics import Changed
from pyunlearn.store._stored_words import Dictionary
from pyunlearn.topic_model import TopicModel


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
    for batch, labels in labelled.labelled_batches(db, dictionary, field):
        task.add(batch.documents, task_targets(settings, labels, batch.ids))
    return task


def new_head(model: Model | Topics, parameters: dict[str, Any], n_jobs: int | None) -> LinearHead:
    """A head on a model, not trained; `task` among the parameters tells of which class.

    Raises
    ------
    InvalidParameterError
        Another task, a parameter that such a head does not have, or a value out of range.
    """
    if isinstance(model, Topics):
        return _new_head(estimator(model, None, n_jobs), parameters, n_jobs)
    return _new_head(estimator(model.topics, model.statistics, n_jobs), parameters, n_jobs)


def _new_head(base: BaseTopicModel, parameters: dict[str, Any], n_jobs: int | None) -> LinearHead:
    given = {"task": "classification", **parameters}
    task = check.check_choice("task", given.pop("task"), TASKS)
    if task == "regression":
        if given.pop("loss", "squared") != "squared":
            raise InvalidParameterError("task='regression' needs loss='squared'")
        steps = sorted(given.keys() & {"tol", "max_iter"})
        if steps:
            raise InvalidParameterError(f"{steps[0]} is of loss='logistic'")
    kind = LinearHeadClassifier if task == "classification" else LinearHeadRegressor
    return kind(base, **given, n_jobs=n_jobs)


def trained(
    db: Database,
    dictionary: Dictionary,
    model: Model,
    field: str,
    parameters: dict[str, Any],
    n_jobs: int | None,
) -> LinearHead:
    """The head of a field, trained once on the documents of the store."""
    head = new_head(model, parameters, n_jobs)
    return head.fit_task(counted_task(db, dictionary, field, head._checked_settings(), n_jobs))


def settings_of(db: Database, field: str) -> HeadSettings:
    """The settings of a head; CorruptStateError if no head has them."""
    try:
        return _new_head(TopicModel(), heads.row(db, field)[0], None)._checked_settings()
    except (TypeError, PyUnlearnError) as error:
        raise heads.damaged(db, field, error) from None


def write(db: Database, field: str, head: LinearHead, touched: NDArray[np.integer] | None) -> None:
    """Write a head; of its word pairs only the rows of the touched words, None for all."""
    held = {
        "classes": head.classes_.tolist() if hasattr(head, "classes_") else [],
        "n_documents": head.task_.n_documents,
        "gradient_norm": head.gradient_norm_,
        "steps": head.n_iter_,
    }
    held["scoring"] = _scoring_digest(held["classes"], head.weights_, head.prior_)
    if isinstance(head.task_, TaskStatistics):
        held["task"] = head.task_.digest()
    heads.write_row(db, field, head.settings_.as_dict(), held, head.digest())
    arrays: dict[str, NDArray[Any]] = {"weights": head.weights_, "prior": head.prior_}
    if isinstance(head.task_, TaskStatistics):
        sums = head.task_.targets
        arrays |= {"own": head.task_.own, "totals": sums.totals, "sums": sums.by_word}
        changed = None if touched is None else Changed(touched, np.zeros(0, np.int64))
        pairs = head.task_.pairs
        tables.write_statistics(db, pairs, _keys_of_columns(pairs.n_words), changed, field)
    for name, array in arrays.items():
        tables.write_array(db, tables.owner_of(field), name, array)


def _keys_of_columns(n_words: int) -> NDArray[np.int64]:
    """Rows of tasks are stored by column: all are written when columns move."""
    return np.arange(n_words, dtype=np.int64)


def read(
    db: Database, dictionary: Dictionary, model: Model, field: str, n_jobs: int | None
) -> LinearHead:
    """A head with its task, on the model of the store; CorruptStateError if it was changed."""
    parameters, held, digest = heads.row(db, field)
    try:
        head = _scoring(db, model, field, parameters, held, n_jobs, model.digest())
        if head.settings_.keeps_documents:
            head.task_ = counted_task(db, dictionary, field, head.settings_, n_jobs)
        else:
            head.task_ = _stored_task(db, field, parameters, held, n_jobs)
        found = head.digest()
    except (KeyError, TypeError, ValueError, IndexError, PyUnlearnError) as error:
        raise heads.damaged(db, field, error) from None
    if found != digest:
        raise heads.damaged(db, field, "its digest is another")
    return head


def read_scoring(db: Database, topics: Topics, field: str) -> LinearHead:
    """A head that can be used but not changed: neither documents nor word pairs are read."""
    parameters, held, _ = heads.row(db, field)
    try:
        return _scoring(db, topics, field, parameters, held, None)
    except (KeyError, TypeError, ValueError, IndexError, PyUnlearnError) as error:
        raise heads.damaged(db, field, error) from None


def read_task(db: Database, field: str, n_jobs: int | None) -> TaskStatistics:
    """The task of a head that keeps sums; CorruptStateError if it was changed."""
    parameters, held, _ = heads.row(db, field)
    try:
        return _stored_task(db, field, parameters, held, n_jobs)
    except (KeyError, TypeError, ValueError, IndexError, PyUnlearnError) as error:
        raise heads.damaged(db, field, error) from None


def _scoring_digest(classes: Any, weights: NDArray[np.float64], prior: NDArray[np.float64]) -> str:
    """What prediction rests on; the digest of a head needs its task as well."""
    return content_digest({"classes": classes}, {"weights": weights, "prior": prior})


def _scoring(
    db: Database,
    model: Model | Topics,
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
    update = Update(Solution(weights, norm, steps), "exact", 0.0, norm)
    head.restore(head.model, update, task, base_digest)
    return head


def _stored_task(
    db: Database,
    field: str,
    parameters: dict[str, Any],
    held: dict[str, Any],
    n_jobs: int | None,
) -> TaskStatistics:
    n_words = len(tables.read_array(db, tables.owner_of(field), "word_mass"))
    arrays = tables.read_statistics(db, _keys_of_columns(n_words), n_jobs, field)
    n_outputs = 1 if parameters["task"] == "regression" else None
    task = TaskStatistics(n_words, n_outputs, n_jobs=n_jobs)
    pairs = OuterProducts(n_words, n_jobs=n_jobs)
    read = statistics_from_arrays(
        arrays, int(held["n_documents"]), pairs.scale_bits, "document", ALL, n_jobs
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
