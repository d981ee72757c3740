"""The `pyunlearn` command: arguments, progress and printing. All that it does, `Store` does."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from tqdm import tqdm

from pyunlearn._version import __version__
from pyunlearn.certificates import Certificate
from pyunlearn.cli_tasks import add_commands
from pyunlearn.errors import FewerTopicsWarning, InvalidParameterError, PyUnlearnError
from pyunlearn.records import JsonlReader, Record, ids_from_lines
from pyunlearn.store import Store, StoreInfo, Topic, Verification
from pyunlearn.text import TextRules

DONE, REFUSED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
RULES = TextRules()

FIT_HELP = """\
Read documents, choose the dictionary, learn topics, and keep all of it in a store.

The corpus has one JSON object a line, {"id": "...", "text": "...", "label": "..."}; label may be
missing, other fields are ignored. The file may be gzip-compressed. Memory stays bounded: the
corpus is read once, as a stream.
"""
FIT_EXAMPLE = """\
example:
  pyunlearn fit corpus.jsonl --store topics.store --topics 20 --stop-words english --min-df 10
"""
FORGET_HELP = """\
Delete documents from a store, so that its topics are those of a training run that never saw them,
byte for byte; heads and search index are brought up to date with them. The other documents are not
read, unless there is a search index or a head that needs them. Nothing is deleted unless every id
is known. `compact` afterwards clears what SQLite may have left of words and ids in unused parts of
the file.
--json prints the certificate, which the store keeps as well.
"""
FORGET_EXAMPLE = """\
examples:
  pyunlearn forget post-17 post-4711 --store topics.store
  pyunlearn forget --ids requests.txt --store topics.store
  pyunlearn forget post-18 --later --store topics.store
"""
REFRESH_HELP = """\
Learn topics, heads and index again from what is left, after `forget --later`. Many requests to
forget can share one refresh; the documents themselves were deleted when they were asked for.
"""
VERIFY_HELP = """\
Count the documents of the store again, learn the topics again, and compare both with what is
stored, by digest. Also checks the ledger. The exit status is 1 if anything differs.
"""

COMPACT_HELP = """\
Write the file of a store anew, so that nothing of deleted documents is left in it. A deletion
overwrites what it deletes, but copies of words and ids can stay in unused parts of the file, where
SQLite moved entries. This reads and writes the whole file, and needs room for a second one.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        0 done; 1 refused (bad input, an unknown id, a failed verification); 2 wrong usage.
    """
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stop:  # argparse has printed what is wrong, or the help
        return int(stop.code or 0)
    with warnings.catch_warnings():
        warnings.simplefilter("always", FewerTopicsWarning)
        warnings.simplefilter("always", ConvergenceWarning)
        warnings.showwarning = _show_warning
        try:
            return int(arguments.run(arguments))
        except InvalidParameterError as error:
            return _complain(error, WRONG_USAGE)
        except (PyUnlearnError, OSError) as error:
            return _complain(error, REFUSED)
        except KeyboardInterrupt:
            return _complain("interrupted; the store is as it was before", INTERRUPTED)


# ---- commands -----------------------------------------------------------------------------------


def _learning(arguments: argparse.Namespace) -> dict[str, Any]:
    """What `Store.fit` is told; options that were left alone are left out."""
    given = {
        "core_min_df" if arguments.learner == "refined" else "anchor_min_df": (
            arguments.anchor_min_df,
            None,
        ),
        "background": (arguments.background, 0.375),
        "n_updates": (arguments.updates, 16),
        "solver": (arguments.solver, "active-set"),
        "anchor_cleanup": (arguments.anchor_cleanup, False),
        "tol": (arguments.tol, 1e-6),
        "max_iter": (arguments.max_iter, 2000),
        "scale_bits": (arguments.scale_bits, 40),
        "weighting": (arguments.weighting, None),
    }
    learner = "factor" if arguments.learner == "refined" else "anchor"
    told = {name: value for name, (value, default) in given.items() if value != default}
    return {"learner": learner, **told}


def _fit(arguments: argparse.Namespace) -> int:
    started = time.perf_counter()
    reader = JsonlReader(arguments.corpus, skip_bad=arguments.skip_bad)
    rules = TextRules(
        min_df=arguments.min_df,
        max_features=arguments.max_features,
        stop_words=None if arguments.stop_words == "none" else arguments.stop_words,
        token_pattern=arguments.token_pattern,
        lowercase=not arguments.keep_case,
    )
    with (
        _log_on_stderr(),
        _Bars() as bars,
        Store.open(
            arguments.store,
            exist_ok=False,
            rules=rules,
            keep_text=arguments.keep_text,
            n_jobs=arguments.jobs,
            progress=bars.show,
        ) as store,
    ):
        store.train(bars.reading(reader), n_topics=arguments.topics, **_learning(arguments))
        info = store.info()
    result = {
        "store": info.path,
        "n_documents": info.n_documents,
        "n_skipped": reader.n_skipped,
        "n_words": info.n_words,
        "n_topics": info.n_topics,
        "model_digest": info.model_digest,
        "seconds": round(time.perf_counter() - started, 3),
    }
    skipped = f", {reader.n_skipped} bad lines skipped" if reader.n_skipped else ""
    return _print(
        arguments,
        result,
        f"{info.n_topics} topics from {info.n_documents:,} documents and {info.n_words:,} words "
        f"in {result['seconds']:.1f} s{skipped}\n"
        f"model {info.model_digest}\n"
        f"see them: pyunlearn topics --store {info.path}",
    )


def _topics(arguments: argparse.Namespace) -> int:
    with Store.open(arguments.store, create=False) as store:
        topics = store.topics(arguments.words)
    return _print(arguments, {"topics": [asdict(topic) for topic in topics]}, _topic_table(topics))


def _forget(arguments: argparse.Namespace) -> int:
    started = time.perf_counter()
    ids = arguments.id + (_read_ids(arguments.ids) if arguments.ids else [])
    with (
        _Bars() as bars,
        Store.open(
            arguments.store, create=False, n_jobs=arguments.jobs, progress=bars.show
        ) as store,
    ):
        certificate = store.forget(ids, "later" if arguments.later else "now")
    seconds = time.perf_counter() - started
    removed = certificate.n_documents_removed
    text = (
        f"forgot {removed:,} document{'s' * (removed != 1)} in {seconds:.1f} s; "
        f"{certificate.n_documents_left:,} are left\n"
    )
    if arguments.later:
        text += (
            f"statistics after  {certificate.statistics_after}\n"
            f"They equal {certificate.comparator}.\n"
            "Topics, heads and index are deleted until: pyunlearn refresh --store "
            + arguments.store
        )
    else:
        text += _model_lines(certificate, arguments.store)
    return _print(arguments, asdict(certificate), text)


def _refresh(arguments: argparse.Namespace) -> int:
    started = time.perf_counter()
    with (
        _Bars() as bars,
        Store.open(
            arguments.store, create=False, n_jobs=arguments.jobs, progress=bars.show
        ) as store,
    ):
        certificate = store.refresh()
    if certificate is None:
        return _print(arguments, {}, "the topics are up to date")
    seconds = time.perf_counter() - started
    return _print(
        arguments,
        asdict(certificate),
        f"learned again in {seconds:.1f} s, without {certificate.n_documents_removed:,} forgotten "
        "documents\n" + _model_lines(certificate, arguments.store),
    )


def _model_lines(certificate: Certificate, store: str) -> str:
    before = certificate.model_before
    return (
        (f"model before  {before}\n" if before else "")
        + f"model after   {certificate.model_after}\n"
        + f"It equals {certificate.comparator}.\n"
        + "".join(f"also up to date: {name}\n" for name in certificate.dependents)
        + f"check it: pyunlearn verify --store {store}"
    )


def _verify(arguments: argparse.Namespace) -> int:
    with (
        _Bars() as bars,
        Store.open(
            arguments.store, create=False, n_jobs=arguments.jobs, progress=bars.show
        ) as store,
    ):
        result = store.verify()
    _print(arguments, asdict(result), _verification_table(result))
    return DONE if result.ok else REFUSED


def _info(arguments: argparse.Namespace) -> int:
    with Store.open(arguments.store, create=False) as store:
        info = store.info()
    return _print(arguments, asdict(info), _info_table(info))


def _compact(arguments: argparse.Namespace) -> int:
    with Store.open(arguments.store, create=False) as store:
        n_bytes = store.compact()
    return _print(arguments, {"n_bytes": n_bytes}, f"{n_bytes / 1e6:,.1f} MB written anew")


def _read_ids(path: str) -> list[str]:
    content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    return ids_from_lines(content, path)


# ---- printing -----------------------------------------------------------------------------------


def _print(arguments: argparse.Namespace, result: dict[str, Any], text: str) -> int:
    print(json.dumps(result, sort_keys=True) if arguments.json else text)
    return DONE


def _topic_table(topics: list[Topic]) -> str:
    width = max([len(topic.anchor) for topic in topics] + [6])
    lines = [f"topic  share  {'anchor':<{width}}  words"]
    lines += [
        f"{topic.number:>5}  {topic.proportion:5.1%}  {topic.anchor:<{width}}  "
        f"{' '.join(topic.words)}"
        for topic in topics
    ]
    return "\n".join(lines)


def _verification_table(result: Verification) -> str:
    lines = [
        f"{result.n_documents:,} documents counted and learned from again; "
        f"{result.n_ledger_entries} ledger entries",
        f"statistics  stored    {result.statistics_stored}",
        f"            recounted {result.statistics_recounted}",
        f"model       stored    {result.model_stored}",
        f"            relearned {result.model_relearned}",
        *(f"trained again: {name}" for name in result.dependents),
        *(f"problem: {problem}" for problem in result.problems),
        "verified: all equal" if result.ok else "NOT verified",
    ]
    return "\n".join(lines)


def _info_table(info: StoreInfo) -> str:
    def row(name: str, value: object) -> str:
        return f"{name:<13} {value}"

    lines = [
        row("store", f"{info.path} ({info.n_bytes / 1e6:,.1f} MB, version {info.version})"),
        row("documents", f"{info.n_documents:,}"),
        row("texts kept", "yes" if info.keeps_text else "no"),
        row("dictionary", f"{info.n_columns:,} words"),
    ]
    if info.n_words is not None:
        lines[-1] += f", {info.n_words:,} of them in documents"
        waiting = f"wait for a refresh, {info.n_waiting:,} documents were forgotten"
        lines.append(row("topics", waiting if info.n_waiting else info.n_topics))
        lines.append(row("model", info.model_digest))
    lines += [
        *(row("built on it", name) for name in info.dependents),
        row("requests", f"{info.n_ledger_entries}, {info.n_certificates} with a certificate"),
        row("text rules", _settings(info.text_rules)),
        row("parameters", _settings(info.parameters)),
    ]
    return "\n".join(lines)


def _settings(values: Any) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())


def _complain(error: object, status: int) -> int:
    if isinstance(error, OSError) and error.strerror and error.filename:
        error = f"{error.filename}: {error.strerror}"
    print("pyunlearn: " + " ".join(str(error).split()), file=sys.stderr)
    return status


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"pyunlearn: warning: {message}", file=sys.stderr)


class _OnStderr(logging.Handler):
    """What the library logs, between the progress bars."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(f"pyunlearn: {record.getMessage()}", file=sys.stderr)


@contextmanager
def _log_on_stderr() -> Iterator[None]:
    log, handler = logging.getLogger("pyunlearn"), _OnStderr()
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


class _Bars:
    """Progress bars on stderr; silent unless that is a terminal."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._stage = ""

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, stage: str, done: int, total: int) -> None:
        self._move(stage, done, total, unit=" documents")

    def reading(self, reader: JsonlReader) -> Iterator[Record]:
        for record in reader:
            self._move("reading", reader.position, reader.n_bytes, unit="B")
            yield record

    def _move(self, stage: str, done: int, total: int, unit: str) -> None:
        if stage != self._stage:
            if self._bar is not None:
                self._bar.close()
            self._stage = stage
            self._bar = tqdm(
                total=total or None,
                desc=stage,
                unit=unit,
                unit_scale=True,
                bar_format=None if total else "{desc}: {elapsed}",
                disable=None,  # unless stderr is a terminal
            )
        self._bar.update(done - self._bar.n)


# ---- arguments ----------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pyunlearn",
        description="Topic models of documents that can be deleted again, exactly.",
        epilog="`pyunlearn COMMAND --help` tells more about a command.",
    )
    parser.add_argument("--version", action="version", version=f"pyunlearn {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_fit(commands)
    topics = _add_command(commands, "topics", _topics, "print the topics")
    topics.add_argument(
        "--words", type=int, default=10, metavar="N", help="words a topic (default 10)"
    )
    forget = _add_command(commands, "forget", _forget, "delete documents", FORGET_HELP)
    forget.epilog = FORGET_EXAMPLE
    forget.add_argument("id", nargs="*", metavar="ID", help="id of a document to delete")
    forget.add_argument("--ids", metavar="FILE", help="file with one id a line; - for stdin")
    forget.add_argument(
        "--later",
        action="store_true",
        help="delete documents and topics now, and learn new topics with `pyunlearn refresh`",
    )
    refresh = _add_command(
        commands, "refresh", _refresh, "learn topics again after forget --later", REFRESH_HELP
    )
    verify = _add_command(
        commands,
        "verify",
        _verify,
        "check that the topics are those of the documents left",
        VERIFY_HELP,
    )
    _add_command(commands, "info", _info, "what a store holds")
    _add_command(commands, "compact", _compact, "write the file of a store anew", COMPACT_HELP)
    add_commands(commands, _add_command, _print)
    for command in (forget, refresh, verify):
        _add_jobs(command)
    return parser


def _add_command(
    commands: Any, name: str, run: Any, summary: str, description: str | None = None
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=description or summary[:1].upper() + summary[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    command.add_argument("--store", required=True, metavar="DIR", help="directory of the store")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    return command


def _add_fit(commands: Any) -> None:
    fit = _add_command(commands, "fit", _fit, "learn topics from a JSONL corpus", FIT_HELP)
    fit.epilog = FIT_EXAMPLE
    fit.add_argument("corpus", metavar="CORPUS", help="JSONL file, plain or gzip")
    fit.add_argument(
        "--topics", type=int, default=20, metavar="N", help="topics to learn (default 20)"
    )
    fit.add_argument("--skip-bad", action="store_true", help="pass over bad lines and count them")
    fit.add_argument("--keep-text", action="store_true", help="keep texts beside the word counts")
    _add_jobs(fit)

    words = fit.add_argument_group("which words are counted")
    words.add_argument(
        "--min-df",
        type=_number,
        default=RULES.min_df,
        metavar="N",
        help="words in at least N documents, or in a share of them, as 0.01 (default 1)",
    )
    words.add_argument(
        "--max-features", type=int, metavar="N", help="the N most frequent words only (default all)"
    )
    words.add_argument(
        "--stop-words",
        choices=("english", "none"),
        default="none",
        help="pass over common words (default none)",
    )
    words.add_argument(
        "--token-pattern",
        default=RULES.token_pattern,
        metavar="REGEX",
        help=r"what a word is (default (?u)\b\w\w+\b)",
    )
    words.add_argument("--keep-case", action="store_true", help="do not turn words to lower case")

    model = fit.add_argument_group("how topics are learned")
    model.add_argument(
        "--learner",
        choices=("refined", "anchor"),
        default="refined",
        help="factorised topics, or plain anchor words (default refined)",
    )
    model.add_argument(
        "--anchor-min-df",
        type=_number,
        metavar="N",
        help="words that decide the topics are in at least N documents, or in a share of them "
        "(default 0.6 times the root of the documents, 0.006 from 10,000 documents on; with plain "
        "anchor words 0.01)",
    )
    model.add_argument(
        "--background",
        type=float,
        default=0.375,
        metavar="B",
        help="refined: share of independent co-occurrence taken off, 0 to 2 (default 0.375)",
    )
    model.add_argument(
        "--updates",
        type=int,
        default=16,
        metavar="N",
        help="refined: updates of the factorisation (default 16)",
    )
    model.add_argument(
        "--solver",
        choices=("active-set", "eg"),
        default="active-set",
        help="anchor: exact, or exponentiated gradient (default active-set)",
    )
    model.add_argument(
        "--anchor-cleanup", action="store_true", help="anchor: look at each anchor a second time"
    )
    model.add_argument(
        "--tol", type=float, default=1e-6, metavar="GAP", help="where eg stops (default 1e-6)"
    )
    model.add_argument(
        "--max-iter", type=int, default=2000, metavar="N", help="steps of eg at most (default 2000)"
    )
    model.add_argument(
        "--weighting",
        choices=("document", "token"),
        help="each document counts once, or by its length (default token, with plain anchor words "
        "document)",
    )
    model.add_argument(
        "--scale-bits",
        type=int,
        default=40,
        metavar="S",
        help="unit of the statistics, 2^-S; bounds the length of a document (default 40)",
    )


def _add_jobs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="threads (default all processors); no result depends on them",
    )


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


if __name__ == "__main__":
    sys.exit(main())
