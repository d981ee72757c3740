"""Heads of a store: tables to `LinearHead` and back, and their tasks from the documents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pyunlearn._digest import content_digest
from pyunlearn._documents import check_documents
from pyunlearn.errors import (
    CorruptStateError,
    InvalidInputError,
    PyUnlearnError,
    RecordError,
    StoreError,
)
from pyunlearn.heads.head import LinearHead
from pyunlearn.heads.logistic import Solution
from pyunlearn.heads.targets import check_labels, check_values
from pyunlearn.heads.task_statistics import OuterProducts, TaskStatistics
from pyunlearn.heads.training import HeadSettings, Task, Trainer, new_task
from pyunlearn.io import statistics_from_arrays
from pyunlearn.model import AnchorTopicModel
from pyunlearn.records import label_text
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_model as state
from pyunlearn.store._database import Database

PARAMETERS = ("loss", "alpha", "features", "task", "tol", "max_iter")
OWN_FIELD = "label"  # the label that stands beside the document


def set_labels(db: Database, field: str, labels: Iterable[tuple[str, str | float]]) -> int:
    """Write labels of documents under a field; StoreError for ids that the store does not hold."""
    if field == OWN_FIELD:
        raise InvalidInputError(
            f"the field {OWN_FIELD!r} is read with the documents; give other labels another name"
        )
    if not isinstance(field, str) or not field:
        raise InvalidInputError("a field is a string that is not empty")
    db.execute("DELETE FROM labels WHERE field = ?", (field,))
    count = 0
    for identifier, value in labels:
        try:
            text = label_text(value, field, f"document {identifier!r}")
        except RecordError as error:
            raise InvalidInputError(f"{error}; leave out documents without a label") from None
        if not db.value("SELECT 1 FROM documents WHERE id = ?", (identifier,)):
            raise StoreError(f"there is no document {identifier!r} in the store to be labelled")
        db.execute("REPLACE INTO labels VALUES (?, ?, ?)", (field, identifier, text))
        count += 1
    return count


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


def labelled_batches(db: Database, field: str) -> Iterator[tuple[docs.Batch, list[str]]]:
    """Documents that have a label under a field, with their labels."""
    n_words = int(db.value("SELECT count(*) FROM dictionary"))
    for batch in docs.batches(docs.read_all(db), n_words):
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
                f"the label of document {ids[at]!r} is not a number, as task='regression' needs"
            ) from None
    return check_values(numbers, len(labels), 1)


def counted_task(db: Database, field: str, settings: HeadSettings, n_jobs: int | None) -> Task:
    """The task of a field, from the documents of the store."""
    n_words = int(db.value("SELECT count(*) FROM dictionary"))
    outputs = 1 if settings.task == "regression" else None
    task = new_task(settings, n_words, outputs, n_jobs)
    for batch, labels in labelled_batches(db, field):
        task.add(check_documents(batch.counts), task_targets(settings, labels, batch.ids))
    return task


def trained(
    db: Database, model: AnchorTopicModel, field: str, parameters: dict[str, Any], n_jobs: Any
) -> LinearHead:
    """The head of a field, trained once on the documents of the store."""
    head = LinearHead(model, **parameters, n_jobs=n_jobs)
    settings = head._settings()
    head.task_ = counted_task(db, field, settings, n_jobs)
    trainer = Trainer(model, settings, n_jobs)
    head._one_output = True
    head._accept(trainer, trainer.train(head.task_), "exact")
    return head


def fields(db: Database) -> list[str]:
    """Fields that have a head."""
    return list(digests(db))


def write(db: Database, field: str, head: LinearHead, touched: Iterable[int] | None) -> None:
    """Write a head; of its word pairs only the rows of the touched words, None for all."""
    number = db.value("SELECT number FROM heads WHERE field = ?", (field,))
    if number is None:
        number = db.value("SELECT coalesce(max(number), 0) + 1 FROM heads")
    parameters = head.settings_.as_dict()
    held = {
        "classes": head.classes_.tolist() if hasattr(head, "classes_") else [],
        "n_documents": head.task_.n_documents,
        "gradient_norm": head.gradient_norm_,
        "steps": head.n_iter_,
    }
    held["scoring"] = _scoring_digest(held["classes"], head.weights_)
    db.execute(
        "REPLACE INTO heads VALUES (?, ?, ?, ?, ?)",
        (number, field, _json(parameters), _json(held), head.digest()),
    )
    state.write_array(db, f"head.{number}.weights", head.weights_)
    if isinstance(head.task_, TaskStatistics):
        for name in ("own", "counts", "sums"):
            state.write_array(db, f"head.{number}.{name}", getattr(head.task_, name))
        state.write_statistics(db, head.task_.pairs, touched, number)


def delete(db: Database, field: str) -> None:
    """Delete the head of a field; the labels of the field stay with the documents."""
    number = db.value("SELECT number FROM heads WHERE field = ?", (field,))
    if number is not None:
        delete_learned(db, number)
        db.execute("DELETE FROM heads WHERE number = ?", (number,))


def delete_learned(db: Database, number: int) -> None:
    """Delete the weights of a head and the sums of its task."""
    db.execute("DELETE FROM arrays WHERE name LIKE ?", (f"head.{number}.%",))
    state.delete_rows(db, number)


def clear(db: Database) -> None:
    """Delete what all heads have learned and keep of their tasks; their parameters stay."""
    for (number,) in db.execute("SELECT number FROM heads").fetchall():
        delete_learned(db, number)
    db.execute("UPDATE heads SET state = ?, digest = ''", (_json({}),))


def read(db: Database, model: AnchorTopicModel, field: str, n_jobs: int | None) -> LinearHead:
    """A head with its task, on the model of the store; CorruptStateError if it was changed."""
    number, parameters, held, digest = row(db, field)
    try:
        head = _scoring(db, model, number, parameters, held, n_jobs)
        if head.settings_.keeps_documents:
            head.task_ = counted_task(db, field, head.settings_, n_jobs)
        else:
            head.task_ = _stored_task(db, number, head.settings_, held, n_jobs)
        head.base_digest_ = model.digest()
        found = head.digest()
    except (KeyError, TypeError, ValueError, IndexError, PyUnlearnError) as error:
        raise _damaged(db, field, error) from None
    if found != digest:
        raise _damaged(db, field, "its digest is another")
    return head


def read_scoring(db: Database, model: AnchorTopicModel, field: str) -> LinearHead:
    """A head that can be used but not changed: neither documents nor word pairs are read."""
    number, parameters, held, _ = row(db, field)
    try:
        return _scoring(db, model, number, parameters, held, None)
    except (KeyError, TypeError, ValueError, IndexError, PyUnlearnError) as error:
        raise _damaged(db, field, error) from None


def digests(db: Database) -> dict[str, str]:
    """The digest that was stored with each head, by field."""
    return dict(db.execute("SELECT field, digest FROM heads ORDER BY field").fetchall())


def parameters_of(db: Database, field: str) -> dict[str, Any]:
    """Parameters of a head."""
    return row(db, field)[1]


def refuse_unknown(db: Database, field: str) -> None:
    """StoreError unless the store has a head for a field."""
    if field not in fields(db):
        there = ", ".join(map(repr, fields(db))) or "none"
        raise StoreError(f"the store has no head for the field {field!r} (heads: {there})")


def row(db: Database, field: str) -> tuple[int, dict[str, Any], dict[str, Any], str]:
    """Number, parameters, state and digest of a head."""
    refuse_unknown(db, field)
    found = db.execute(
        "SELECT number, parameters, state, digest FROM heads WHERE field = ?", (field,)
    ).fetchone()
    try:
        parameters, held = json.loads(found[1]), json.loads(found[2])
    except ValueError as error:
        raise _damaged(db, field, error) from None
    if not isinstance(parameters, dict) or not isinstance(held, dict):
        raise _damaged(db, field, "no JSON objects")
    return int(found[0]), parameters, held, str(found[3])


def _damaged(db: Database, field: str, reason: object) -> CorruptStateError:
    return CorruptStateError(
        f"{db.path}: the head {field!r} was changed or is damaged ({reason}); delete it and fit it "
        "again"
    )


def _scoring_digest(classes: Any, weights: NDArray[np.float64]) -> str:
    """What prediction rests on; the digest of a head needs its task as well."""
    return content_digest({"classes": classes}, {"weights": weights})


def _scoring(
    db: Database,
    model: AnchorTopicModel,
    number: int,
    parameters: dict[str, Any],
    held: dict[str, Any],
    n_jobs: int | None,
) -> LinearHead:
    head = LinearHead(model, **parameters, n_jobs=n_jobs)
    head._one_output = True
    weights = state.read_array(db, f"head.{number}.weights")
    if _scoring_digest(held["classes"], weights) != held["scoring"]:
        raise ValueError("weights or classes are others")
    solution = Solution(weights, float(held["gradient_norm"]), int(held["steps"]))
    head.restore(
        Trainer(model, head._settings(), n_jobs),
        solution,
        np.array(held["classes"]),
        int(held["n_documents"]),
    )
    return head


def _stored_task(
    db: Database, number: int, settings: HeadSettings, held: dict[str, Any], n_jobs: int | None
) -> TaskStatistics:
    arrays = state.read_statistics(db, n_jobs, number)
    n_words = len(arrays["word_mass"])
    task = TaskStatistics(n_words, 1 if settings.task == "regression" else None, n_jobs=n_jobs)
    pairs = OuterProducts(n_words, n_jobs=n_jobs)
    read = statistics_from_arrays(
        arrays, int(held["n_documents"]), pairs.scale_bits, "document", n_jobs
    )
    pairs.restore(read.rows, arrays["word_mass"], arrays["document_frequency"], read.n_documents)
    task.pairs = pairs
    task.own = state.read_array(db, f"head.{number}.own")
    task.counts = state.read_array(db, f"head.{number}.counts")
    task.sums = state.read_array(db, f"head.{number}.sums")
    task.classes = np.array(held["classes"])
    return task


def _json(values: Any) -> str:
    return json.dumps(values, sort_keys=True)
