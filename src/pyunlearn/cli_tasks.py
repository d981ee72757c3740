"""The commands that stand on the topics: heads, search, corrections."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from pyunlearn._similarity import SIMILARITIES
from pyunlearn.errors import RecordError
from pyunlearn.heads._features import FEATURES
from pyunlearn.heads._training import LOSSES, TASKS
from pyunlearn.records import JsonlReader, Record
from pyunlearn.store import Found, HeadInfo, Store

__all__ = ["add_commands"]

Print = Callable[[argparse.Namespace, dict[str, Any], str], int]
AddCommand = Callable[..., argparse.ArgumentParser]

HEAD_HELP = """\
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
examples:
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
SEARCH_HELP = """\
Print the ids of the documents whose topics are most like those of a text, best first, each with
its similarity (0 to 1). The first search builds an index, which every later request keeps up to
date.
"""
REDACT_HELP = """\
Take words out of a document, each as often as it occurs, from its word counts and (with
--keep-text) from its text. Topics, heads and index are then those of a store that never had the
words in this document. Nothing changes unless the document holds every word. What was taken out is
recorded nowhere; the certificate and the ledger have their number. `compact` afterwards clears what
SQLite may have left of a word in unused parts of the file.
"""


def add_commands(commands: Any, add_command: AddCommand, print_result: Print) -> None:
    """Add `head`, `search` and `redact` to the parser."""
    head = commands.add_parser("head", help="train, use and list heads", description=HEAD_HELP)
    actions = head.add_subparsers(metavar="ACTION", required=True)

    def command(parent: Any, name: str, run: Callable[..., int], *texts: str) -> Any:
        return add_command(parent, name, lambda given: run(given, print_result), *texts)

    _add_fit(command(actions, "fit", _fit, "train a head", FIT_HELP))
    predict = command(
        actions, "predict", _predict, "the class of each text of a JSONL file", PREDICT_HELP
    )
    score = command(
        actions, "score", _score, "accuracy (or R^2) on a JSONL file with labels", SCORE_HELP
    )
    for one in (predict, score):
        one.add_argument("corpus", metavar="CORPUS", help="JSONL file, plain or gzip")
        _add_label(one)
    command(actions, "list", _list, "the heads of a store")
    drop = command(actions, "delete", _delete, "delete a head")
    _add_label(drop)

    search = command(
        commands, "search", _search, "find documents by the topics of a text", SEARCH_HELP
    )
    search.add_argument("text", nargs="+", metavar="WORD", help="the text to search by")
    search.add_argument(
        "--top", type=int, default=10, metavar="N", help="documents to print (default 10)"
    )
    search.add_argument(
        "--similarity",
        choices=SIMILARITIES,
        default="cosine",
        help="how topics are compared (default cosine)",
    )
    redact = command(commands, "redact", _redact, "take words out of a document", REDACT_HELP)
    redact.add_argument("id", metavar="ID", help="id of the document")
    redact.add_argument("words", nargs="+", metavar="WORD", help="words to take out")


def _add_fit(parser: argparse.ArgumentParser) -> None:
    parser.epilog = FIT_EXAMPLE
    _add_label(parser)
    parser.add_argument(
        "--labels", metavar="FILE", help="JSONL file to take the labels from, for another field"
    )
    parser.add_argument(
        "--loss",
        choices=LOSSES,
        default="logistic",
        help="what is minimised (default logistic); squared keeps sums in place of documents",
    )
    parser.add_argument(
        "--features",
        choices=FEATURES,
        default="word-topic",
        help="what of a document is used (default word-topic; see docs/heads.md)",
    )
    parser.add_argument(
        "--task",
        choices=TASKS,
        default="classification",
        help="whether labels are classes (default) or numbers, which need --loss squared",
    )
    parser.add_argument(
        "--alpha",
        type=float,
        default=1e-4,
        metavar="A",
        help="strength of the penalty, above 0 (default 1e-4)",
    )


def _add_label(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--label",
        default="label",
        metavar="FIELD",
        help='field that has the label (default "label")',
    )


def _fit(arguments: argparse.Namespace, show: Print) -> int:
    with Store.open(arguments.store, create=False) as store:
        labels = None
        if arguments.labels:
            reader = JsonlReader(arguments.labels, label_field=arguments.label)
            labels = {one.id: str(one.label) for one in _labelled(reader)}
        head = store.fit_head(
            arguments.label,
            labels,
            loss=arguments.loss,
            features=arguments.features,
            task=arguments.task,
            alpha=arguments.alpha,
        )
    return show(
        arguments,
        asdict(head),
        f"head {_summary(head)}\n"
        f"digest {head.digest}\n"
        f"try it: pyunlearn head predict CORPUS --label {head.field} --store {arguments.store}",
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
    lines = [f"{_summary(one)}\n    digest {one.digest}" for one in heads.values()]
    result = {"heads": [asdict(one) for one in heads.values()]}
    return show(arguments, result, "\n".join(lines) or "no heads")


def _summary(head: HeadInfo) -> str:
    loss, features, task = (head.parameters[name] for name in ("loss", "features", "task"))
    target = "numbers" if task == "regression" else f"{len(head.classes)} classes"
    return f"{head.field}: {loss}, {features} features, {target}, {head.n_documents:,} documents"


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
    count = certificate.path["n_words_redacted"]
    return show(
        arguments,
        asdict(certificate),
        f"took {count} word{'s' * (count != 1)} out of {arguments.id}\n"
        f"model before  {certificate.model_before}\n"
        f"model after   {certificate.model_after}\n"
        f"It equals {certificate.comparator}.\n"
        + "".join(f"also up to date: {name}\n" for name in certificate.dependents)
        + f"check it: pyunlearn verify --store {arguments.store}",
    )


def _labelled(reader: JsonlReader) -> Iterator[Record]:
    found = False
    for record in reader:
        if record.label is not None:
            found = True
            yield record
    if not found:
        raise RecordError(f"{reader.path}: no record has the field {reader.label_field!r}")
