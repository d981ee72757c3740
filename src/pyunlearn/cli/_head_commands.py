"""`head fit | predict | score | list | delete`: linear models on labels."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pyunlearn.cli._opened import opened
from pyunlearn.cli._options import add_command, add_jobs, add_label, given
from pyunlearn.cli._output import plural, show
from pyunlearn.errors import RecordError

if TYPE_CHECKING:
    from pyunlearn.records import JsonlReader, Record
    from pyunlearn.store import HeadInfo

__all__ = ["add_to"]

HELP = """\
Train linear classifiers or regressions ("heads") on labels of the documents, and use them.
Every later request that changes the store, `forget` above all, brings its heads up to date in the
same transaction, and the certificate of a deletion lists them.
"""
FIT_HELP = """\
Train a head on the documents of the store that have a label. The labels are those that came with
the documents (the field "label" of the corpus), or those of a JSONL file that has the fields id,
text (which may be empty) and FIELD. A head of the same field is replaced.
"""
FIT_EXAMPLE = """\
pyunlearn head fit --store topics.store
pyunlearn head fit --store topics.store --label section --labels sections.jsonl
"""
PREDICT_HELP = """\
Print the class (or number) that a head predicts for each text of a JSONL file with the fields id
and text: one line a document, id and prediction with a tab between them.
"""
SCORE_HELP = """\
Print the share of documents of a JSONL file whose label the head predicts (R^2 for a regression).
Records without the field are passed over.
"""


def add_to(commands: Any) -> None:
    """Add the commands."""
    head = commands.add_parser("head", help="train, use and list heads", description=HELP)
    actions = head.add_subparsers(metavar="ACTION", required=True)
    _add_fit(add_command(actions, "fit", _fit, "train a head", FIT_EXAMPLE, FIT_HELP))
    for name, run, summary, description in (
        ("predict", _predict, "print the class of each text of a JSONL file", PREDICT_HELP),
        ("score", _score, "print accuracy (or R^2) on a JSONL file with labels", SCORE_HELP),
    ):
        example = f"pyunlearn head {name} test.jsonl --store topics.store"
        command = add_command(actions, name, run, summary, example, description)
        command.add_argument("corpus", metavar="CORPUS", help="JSONL file, plain or gzip")
        add_label(command)
    example = "pyunlearn head list --store topics.store"
    add_command(actions, "list", _list, "print the heads of a store", example)
    example = "pyunlearn head delete --label section --store topics.store"
    add_label(add_command(actions, "delete", _delete, "delete a head", example))


def _add_fit(parser: argparse.ArgumentParser) -> None:
    add_label(parser)
    parser.add_argument(
        "--labels", metavar="FILE", help="JSONL file to take the labels from, for another field"
    )
    parser.add_argument(
        "--loss",
        choices=("logistic", "squared"),
        help="what is minimised (default logistic); squared keeps sums in place of documents",
    )
    parser.add_argument(
        "--features",
        choices=("word-topic", "linear", "proportions"),
        help="what of a document is used (default word-topic), see docs/heads.md",
    )
    parser.add_argument(
        "--task",
        choices=("classification", "regression"),
        help="whether labels are classes or numbers, which need --loss squared "
        "(default classification)",
    )
    parser.add_argument(
        "--alpha",
        type=float,
        metavar="A",
        help="strength of the penalty, above 0 (default 1e-4)",
    )
    add_jobs(parser)


def _fit(arguments: argparse.Namespace) -> int:
    parameters = given(arguments, ["loss", "features", "task", "alpha"])
    with opened(arguments) as store:
        labels = _labels(arguments) if arguments.labels else None
        head = store.fit_head(arguments.label, labels, **parameters)
    text = (
        f"head {_summary(head)}\n"
        f"digest {head.digest}\n"
        f"try it: pyunlearn head predict CORPUS --label {head.field} --store {arguments.store}"
    )
    return show(arguments, asdict(head), text)


def _labels(arguments: argparse.Namespace) -> dict[str, str]:
    reader = _reader(arguments, arguments.labels)
    return {one.id: str(one.label) for one in _labelled(reader)}


def _predict(arguments: argparse.Namespace) -> int:
    with opened(arguments) as store:
        records = list(_reader(arguments, arguments.corpus))
        found = store.predict([one.text for one in records], arguments.label)
    pairs = [{"id": one.id, "label": label} for one, label in zip(records, found, strict=True)]
    lines = "\n".join(f"{pair['id']}\t{pair['label']}" for pair in pairs)
    return show(arguments, {"predictions": pairs}, lines)


def _score(arguments: argparse.Namespace) -> int:
    with opened(arguments) as store:
        records = list(_labelled(_reader(arguments, arguments.corpus)))
        labels = [str(one.label) for one in records]
        score = store.score([one.text for one in records], labels, arguments.label)
    result = {"score": score, "n_documents": len(records)}
    return show(arguments, result, f"{score:.4f} on {plural(len(records), 'document')}")


def _list(arguments: argparse.Namespace) -> int:
    with opened(arguments) as store:
        heads = store.heads()
    lines = [f"{_summary(one)}\n    digest {one.digest}" for one in heads.values()]
    result = {"heads": [asdict(one) for one in heads.values()]}
    return show(arguments, result, "\n".join(lines) or "no heads")


def _summary(head: HeadInfo) -> str:
    loss, features, task = (head.parameters[name] for name in ("loss", "features", "task"))
    target = "numbers" if task == "regression" else f"classes: {len(head.classes)}"
    count = plural(head.n_documents, "document")
    return f"{head.field}: {loss}, {features} features, {target}, {count}"


def _delete(arguments: argparse.Namespace) -> int:
    with opened(arguments) as store:
        store.delete_head(arguments.label)
    return show(arguments, {"deleted": arguments.label}, f"deleted head {arguments.label!r}")


def _reader(arguments: argparse.Namespace, path: str) -> JsonlReader:
    from pyunlearn.records import JsonlReader

    return JsonlReader(path, label_field=arguments.label)


def _labelled(reader: JsonlReader) -> Iterator[Record]:
    found = False
    for record in reader:
        if record.label is not None:
            found = True
            yield record
    if not found:
        raise RecordError(f"{reader.path}: no record has the field {reader.label_field!r}")
