"""The commands that stand on the topics: heads, search, corrections."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from pyunlearn.errors import RecordError
from pyunlearn.heads.features import FEATURES
from pyunlearn.heads.training import LOSSES, TASKS
from pyunlearn.records import JsonlReader, Record
from pyunlearn.similarity import SIMILARITIES
from pyunlearn.store import Found, Store

__all__ = ["add_commands"]

Print = Callable[[argparse.Namespace, dict[str, Any], str], int]
AddCommand = Callable[..., argparse.ArgumentParser]

HEAD_HELP = """\
Train a linear head on labels of the documents, and use it.

Every later request that changes the store, `forget` above all, brings its heads up to date in the
same transaction, and the certificate lists them.
"""
FIT_HELP = """\
Train a head on the documents that have a label. Labels are those that came with the documents (the
field "label"), or those of a JSONL file with the fields id, text (which may be empty) and FIELD.
"""


def add_commands(commands: Any, add_command: AddCommand, print_result: Print) -> None:
    """Add `head`, `search` and `redact` to the parser."""
    head = commands.add_parser("head", help="train, use and list heads", description=HEAD_HELP)
    actions = head.add_subparsers(metavar="ACTION", required=True)

    def command(parent: Any, name: str, run: Callable[..., int], *texts: str) -> Any:
        return add_command(parent, name, lambda given: run(given, print_result), *texts)

    _add_fit(command(actions, "fit", _fit, "train a head", FIT_HELP))
    predict = command(actions, "predict", _predict, "the class of each text of a JSONL file")
    score = command(actions, "score", _score, "accuracy (or R^2) on a JSONL file with labels")
    for one in (predict, score):
        one.add_argument("corpus", metavar="CORPUS", help="JSONL file, plain or gzip")
        _add_label(one)
    command(actions, "list", _list, "the heads of a store")
    drop = command(actions, "delete", _delete, "delete a head")
    _add_label(drop)

    search = command(commands, "search", _search, "documents with the topics of a text")
    search.add_argument("text", nargs="+", metavar="WORD", help="the text")
    search.add_argument("--top", type=int, default=10, metavar="N", help="documents (default 10)")
    search.add_argument(
        "--similarity", choices=SIMILARITIES, default="cosine", help="of topics (default cosine)"
    )
    redact = command(commands, "redact", _redact, "take words out of a document")
    redact.add_argument("id", metavar="ID", help="id of the document")
    redact.add_argument("words", nargs="+", metavar="WORD", help="words to take out")


def _add_fit(parser: argparse.ArgumentParser) -> None:
    _add_label(parser)
    parser.add_argument("--labels", metavar="FILE", help="JSONL file with labels of the field")
    parser.add_argument("--loss", choices=LOSSES, default="logistic", help="default logistic")
    parser.add_argument("--features", choices=FEATURES, default="linear", help="default linear")
    parser.add_argument("--task", choices=TASKS, default="classification")
    parser.add_argument(
        "--alpha", type=float, default=1e-4, metavar="A", help="strength of the penalty (1e-4)"
    )


def _add_label(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--label", default="label", metavar="FIELD", help="field that has the label (label)"
    )


def _fit(arguments: argparse.Namespace, show: Print) -> int:
    with Store.open(arguments.store, create=False) as store:
        if arguments.labels:
            reader = JsonlReader(arguments.labels, label_field=arguments.label)
            store.set_labels(arguments.label, {one.id: str(one.label) for one in _labelled(reader)})
        head = store.fit_head(
            arguments.label,
            loss=arguments.loss,
            features=arguments.features,
            task=arguments.task,
            alpha=arguments.alpha,
        )
    return show(
        arguments,
        asdict(head),
        f"head {head.field!r}: {len(head.classes) or 'no'} classes from {head.n_documents:,} "
        f"documents\nhead {head.digest}",
    )


def _predict(arguments: argparse.Namespace, show: Print) -> int:
    with Store.open(arguments.store, create=False) as store:
        records = list(JsonlReader(arguments.corpus, label_field=arguments.label))
        found = store.predict([one.text for one in records], arguments.label)
    pairs = [{"id": one.id, "label": label} for one, label in zip(records, found, strict=True)]
    lines = "\n".join(f"{pair['id']}\t{pair['label']}" for pair in pairs)
    return show(arguments, {"predictions": pairs}, lines)


def _score(arguments: argparse.Namespace, show: Print) -> int:
    with Store.open(arguments.store, create=False) as store:
        reader = JsonlReader(arguments.corpus, label_field=arguments.label)
        records = list(_labelled(reader))
        labels = [str(one.label) for one in records]
        score = store.score([one.text for one in records], labels, arguments.label)
    result = {"score": score, "n_documents": len(records)}
    return show(arguments, result, f"{score:.4f} on {len(records):,} documents")


def _list(arguments: argparse.Namespace, show: Print) -> int:
    with Store.open(arguments.store, create=False) as store:
        heads = store.heads()
    lines = [
        f"{one.field}: {one.parameters['loss']}, {one.parameters['features']}, "
        f"{one.n_documents:,} documents, {one.digest}"
        for one in heads.values()
    ]
    result = {"heads": [asdict(one) for one in heads.values()]}
    return show(arguments, result, "\n".join(lines) or "no heads")


def _delete(arguments: argparse.Namespace, show: Print) -> int:
    with Store.open(arguments.store, create=False) as store:
        store.delete_head(arguments.label)
    return show(arguments, {"deleted": arguments.label}, f"deleted head {arguments.label!r}")


def _search(arguments: argparse.Namespace, show: Print) -> int:
    with Store.open(arguments.store, create=False) as store:
        found: list[Found] = store.search(
            " ".join(arguments.text), arguments.top, arguments.similarity
        )
    lines = "\n".join(f"{one.score:.4f}  {one.id}" for one in found)
    return show(arguments, {"found": [asdict(one) for one in found]}, lines)


def _redact(arguments: argparse.Namespace, show: Print) -> int:
    with Store.open(arguments.store, create=False) as store:
        certificate = store.redact(arguments.id, arguments.words)
    return show(
        arguments,
        asdict(certificate),
        f"redacted {certificate.path['n_words_redacted']} words of {arguments.id}\n"
        f"model after   {certificate.model_after}\nIt equals {certificate.comparator}.",
    )


def _labelled(reader: JsonlReader) -> Iterator[Record]:
    found = False
    for record in reader:
        if record.label is not None:
            found = True
            yield record
    if not found:
        raise RecordError(f"{reader.path}: no record has the field {reader.label_field!r}")
