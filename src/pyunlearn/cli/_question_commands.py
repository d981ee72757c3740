"""`topics`, `search`, `info`, `verify`: what changes no document."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pyunlearn.cli._opened import opened
from pyunlearn.cli._options import add_command, add_jobs, given
from pyunlearn.cli._output import DONE, REFUSED, plural, show

if TYPE_CHECKING:
    from pyunlearn.store import StoreInfo, Topic, Verification

__all__ = ["add_to"]

SEARCH_HELP = """\
Print the ids of the documents whose topics are most like those of a text, best first, each with
its similarity (0 to 1). Topics are compared, not words: a document that is found need not hold a
word of the text. The first search builds an index, which every later request keeps up to
date.
"""
VERIFY_HELP = """\
Count the documents of the store again, learn the topics again, and compare both with what is
stored, by digest. Also checks the ledger. The exit status is 1 if anything differs.
"""


def add_to(commands: Any) -> None:
    """Add the commands."""
    topics = add_command(
        commands,
        "topics",
        _topics,
        "print the topics",
        "pyunlearn topics --store topics.store --words 15",
    )
    topics.add_argument(
        "--words", dest="n_words", type=int, metavar="N", help="words a topic (default 10)"
    )
    _add_search(commands)
    verify = add_command(
        commands,
        "verify",
        _verify,
        "check that the topics are those of the documents left",
        "pyunlearn verify --store topics.store",
        VERIFY_HELP,
    )
    add_jobs(verify)
    add_command(
        commands,
        "info",
        _info,
        "print what a store holds",
        "pyunlearn info --store topics.store",
    )


def _add_search(commands: Any) -> None:
    search = add_command(
        commands,
        "search",
        _search,
        "find documents by the topics of a text",
        "pyunlearn search space shuttle launch --top 5 --store topics.store",
        SEARCH_HELP,
    )
    search.add_argument("text", nargs="+", metavar="WORD", help="the text to search by")
    search.add_argument(
        "--top", dest="n", type=int, metavar="N", help="documents to print (default 10)"
    )
    search.add_argument(
        "--similarity",
        choices=("cosine", "jensen-shannon"),
        help="how topics are compared (default cosine)",
    )


def _topics(arguments: argparse.Namespace) -> int:
    with opened(arguments) as store:
        topics = store.topics(**given(arguments, ["n_words"]))
    return show(arguments, {"topics": [asdict(topic) for topic in topics]}, _topic_table(topics))


def _topic_table(topics: list[Topic]) -> str:
    title = "representative"
    width = max(len(word) for word in [title, *(topic.representative for topic in topics)])
    lines = [f"topic  share  {title:<{width}}  words"]
    lines += [
        f"{topic.number:>5}  {topic.proportion:5.1%}  {topic.representative:<{width}}  "
        f"{' '.join(topic.words)}"
        for topic in topics
    ]
    return "\n".join(lines)


def _search(arguments: argparse.Namespace) -> int:
    with opened(arguments) as store:
        found = store.search(" ".join(arguments.text), **given(arguments, ["n", "similarity"]))
    lines = "\n".join(f"{one.score:.4f}  {one.id}" for one in found)
    return show(arguments, {"found": [asdict(one) for one in found]}, lines)


def _verify(arguments: argparse.Namespace) -> int:
    with opened(arguments) as store:
        result = store.verify()
    show(arguments, asdict(result), _verification_table(result))
    return DONE if result.ok else REFUSED


def _verification_table(result: Verification) -> str:
    lines = [
        f"{plural(result.n_documents, 'document')} counted and learned from again; "
        f"ledger entries: {result.n_ledger_entries:,}",
        f"statistics  stored    {result.statistics_stored}",
        f"            recounted {result.statistics_recounted}",
        f"model       stored    {result.model_stored}",
        f"            relearned {result.model_relearned}",
        *(f"trained again: {name}" for name in result.dependents),
        *(f"problem: {problem}" for problem in result.problems),
        "verified: all equal" if result.ok else "NOT verified",
    ]
    return "\n".join(lines)


def _info(arguments: argparse.Namespace) -> int:
    with opened(arguments) as store:
        info = store.info()
    return show(arguments, asdict(info), _info_table(info))


def _info_table(info: StoreInfo) -> str:
    rows: list[tuple[str, object]] = [
        ("store", f"{info.path} ({info.n_bytes / 1e6:,.1f} MB, version {info.version})"),
        ("documents", f"{info.n_documents:,}"),
        ("texts kept", "yes" if info.keeps_text else "no"),
        ("dictionary", f"{info.n_columns:,} of {plural(info.n_words, 'word')} in documents"),
        *_topic_rows(info),
        *(("built on it", name) for name in info.dependents),
        ("requests", f"{info.n_ledger_entries}, {info.n_certificates} with a certificate"),
        ("text rules", _settings(info.text_rules)),
        ("parameters", _settings(info.parameters)),
    ]
    return "\n".join(f"{name:<13} {value}" for name, value in rows)


def _topic_rows(info: StoreInfo) -> list[tuple[str, object]]:
    if not info.parameters:
        return []
    waiting = f"wait for a refresh; documents forgotten: {info.n_waiting:,}"
    if info.n_waiting:
        return [("topics", waiting)]
    return [("topics", info.n_topics), ("model", info.digest)]


def _settings(values: Any) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
