"""`fit`: from a corpus to a store with topics."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pyunlearn._stop_words import ENGLISH
from pyunlearn.cli._corpus import Intake, add_corpus, take_in
from pyunlearn.cli._options import SECONDS, add_command, add_jobs, given, number, word_or_number
from pyunlearn.cli._output import complain, plural, show
from pyunlearn.errors import InvalidParameterError

if TYPE_CHECKING:
    from pyunlearn.records import Record
    from pyunlearn.store import Store, Topic
    from pyunlearn.text import TextRules

__all__ = ["add_to"]

HELP = f"""\
Read documents, choose the dictionary, learn topics, and keep all of it in a new store.

The corpus has one JSON object a line, {{"id": "...", "text": "...", "label": "..."}}; label may be
missing, other fields are ignored. The file may be gzip-compressed. It is read once, as a stream:
texts are not held in memory, pairs of words are.
{SECONDS}
"""
EXAMPLE = """\
pyunlearn fit corpus.jsonl --store topics.store --topics 20 --stop-words english --min-df 10
"""

RULES = (
    "min_df",
    "max_df",
    "max_features",
    "stop_words",
    "ngram_range",
    "token_pattern",
    "lowercase",
)
FOR_BOTH = ("n_topics", "scale_bits", "weighting", "contexts")
# Parameters that one learner has, and the options that set them.
OF_LEARNER = {
    "factor": {
        "core_min_df": "--core-min-df",
        "background": "--background",
        "n_updates": "--updates",
    },
    "anchor": {
        "anchor_min_df": "--anchor-min-df",
        "solver": "--solver",
        "anchor_cleanup": "--anchor-cleanup",
        "tol": "--tol",
        "max_iter": "--max-iter",
    },
}
# Fewer documents a topic than this, and a topic may be one document.
DOCUMENTS_A_TOPIC = 10


def add_to(commands: Any) -> None:
    """Add the command."""
    fit = add_command(commands, "fit", _fit, "learn topics from a JSONL corpus", EXAMPLE, HELP)
    add_corpus(fit)
    fit.add_argument(
        "--topics", dest="n_topics", type=int, metavar="N", help="topics to learn (default 20)"
    )
    fit.add_argument("--keep-text", action="store_true", help="keep texts beside the word counts")
    add_jobs(fit)
    _add_rules(fit.add_argument_group("which words are counted"))
    _add_learning(fit.add_argument_group("how topics are learned"))
    _add_factor(fit.add_argument_group("with --learner factor"))
    _add_anchor(fit.add_argument_group("with --learner anchor"))


def _add_rules(words: Any) -> None:
    words.add_argument(
        "--min-df",
        type=number,
        metavar="N",
        help="words in at least N documents, or in a share of them, as 0.01 (default 1)",
    )
    words.add_argument(
        "--max-df",
        type=number,
        metavar="N",
        help="words in at most N documents, or in a share of them, as 0.5 (default 1.0)",
    )
    words.add_argument(
        "--ngrams",
        dest="ngram_range",
        type=int,
        nargs=2,
        metavar=("LEAST", "MOST"),
        help="successive words that are counted as one (default 1 1)",
    )
    words.add_argument(
        "--max-features", type=int, metavar="N", help="the N most frequent words only (default all)"
    )
    words.add_argument(
        "--stop-words", choices=("english", "none"), help="pass over common words (default none)"
    )
    words.add_argument(
        "--token-pattern", metavar="REGEX", help=r"what a word is (default (?u)\b\w\w+\b)"
    )
    words.add_argument(
        "--keep-case",
        dest="lowercase",
        action="store_const",
        const=False,
        help="do not turn words to lower case",
    )


def _add_learning(both: Any) -> None:
    both.add_argument(
        "--learner",
        choices=tuple(OF_LEARNER),
        default="factor",
        help="factorisation of co-occurrence, or anchor words (default factor)",
    )
    both.add_argument(
        "--weighting",
        choices=("document", "token"),
        help="each document counts once, or by its length (default token; anchor: document)",
    )
    both.add_argument(
        "--contexts",
        type=word_or_number,
        metavar="N",
        help="words whose pairs with every word are counted: in at least N documents, or in a "
        "share of them; or all (default those that decide the topics; anchor: all)",
    )
    both.add_argument(
        "--scale-bits",
        type=int,
        metavar="S",
        help="unit of the statistics, 2^-S; bounds the length of a document (default 20; with "
        "--weighting document 40)",
    )


def _add_factor(factor: Any) -> None:
    factor.add_argument(
        "--core-min-df",
        type=number,
        metavar="N",
        help="words that decide the topics are in at least N documents, or in a share of them "
        "(default 0.6 times the root of the documents, 0.006 from 10,000 documents on)",
    )
    factor.add_argument(
        "--background",
        type=float,
        metavar="B",
        help="share of independent co-occurrence taken off, 0 to 2 (default 0.375)",
    )
    factor.add_argument(
        "--updates",
        dest="n_updates",
        type=int,
        metavar="N",
        help="updates of the factorisation (default 16)",
    )


def _add_anchor(anchor: Any) -> None:
    anchor.add_argument(
        "--anchor-min-df",
        type=number,
        metavar="N",
        help="anchors are in at least N documents, or in a share of them (default 0.01)",
    )
    anchor.add_argument(
        "--solver",
        choices=("active-set", "eg"),
        help="exact, or exponentiated gradient (default active-set)",
    )
    anchor.add_argument(
        "--anchor-cleanup",
        action="store_const",
        const=True,
        help="look at each anchor a second time",
    )
    anchor.add_argument("--tol", type=float, metavar="GAP", help="where eg stops (default 1e-6)")
    anchor.add_argument(
        "--max-iter", type=int, metavar="N", help="steps of eg at most (default 2000)"
    )


def fit_parameters(arguments: argparse.Namespace) -> dict[str, Any]:
    """What `Store.fit` is told.

    Raises
    ------
    InvalidParameterError
        An option of the other learner.
    """
    own = OF_LEARNER[arguments.learner]
    for learner, options in OF_LEARNER.items():
        for name in given(arguments, options):
            if name not in own:
                raise InvalidParameterError(
                    f"{options[name]} is an option of --learner {learner}, not of --learner "
                    f"{arguments.learner}"
                )
    return {"learner": arguments.learner, **given(arguments, (*FOR_BOTH, *own))}


def _fit(arguments: argparse.Namespace) -> int:
    parameters = fit_parameters(arguments)

    def train(store: Store, records: Iterator[Record]) -> int:
        return store.train(records, **parameters)

    how = {"rules": _rules(arguments), "keep_text": arguments.keep_text}
    result = take_in(arguments, train, exist_ok=False, **how)
    _hint(result)
    return _show_fit(arguments, result)


def _rules(arguments: argparse.Namespace) -> TextRules:
    from pyunlearn.text import TextRules

    rules = given(arguments, RULES)
    if rules.get("stop_words") == "none":
        rules["stop_words"] = None
    return TextRules(**rules)


def _show_fit(arguments: argparse.Namespace, result: Intake) -> int:
    info = result.info
    text = (
        f"{plural(len(result.topics), 'topic')} from {plural(info.n_documents, 'document')} and "
        f"{plural(info.n_columns, 'word')} in {result.seconds:.1f} s\n{result.lines()}"
    )
    return show(arguments, result.as_dict(), text)


# ---- hints --------------------------------------------------------------------------------------


def _hint(result: Intake) -> None:
    """Say what a newcomer would see in the topics only later, and what to type instead."""
    info, n_topics = result.info, len(result.topics)
    fewer = max(2, info.n_documents // DOCUMENTS_A_TOPIC)
    if fewer < n_topics:
        complain(
            f"hint: {n_topics} topics from {plural(info.n_documents, 'document')}: a topic may "
            f"be a single document; fewer say more: --topics {fewer}"
        )
    if info.text_rules["stop_words"] is None and _are_stop_words(result.topics):
        complain(
            "hint: most words of these topics are common English words; delete the directory "
            f"{info.path}, and fit again with --stop-words english"
        )


def _are_stop_words(topics: list[Topic]) -> bool:
    words = [word.lower() for topic in topics for word in topic.words]
    return 2 * sum(word in ENGLISH for word in words) > len(words)
