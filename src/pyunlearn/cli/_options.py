"""Options that several commands have. An option that is not given is None, and is not passed on."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["SECONDS", "add_command", "add_jobs", "add_label", "given", "number", "with_options"]

# Ends the description of each command that prints a time.
SECONDS = "The seconds printed do not include the start of Python and the loading of its modules."
# Parameters in errors of the library, and the options that set them where the names differ.
OPTIONS = {
    "anchor_min_df": "--anchor-min-df",
    "contexts": "--contexts",
    "core_min_df": "--core-min-df",
    "max_df": "--max-df",
    "max_features": "--max-features",
    "max_iter": "--max-iter",
    "min_df": "--min-df",
    "n": "--top",
    "n_jobs": "--jobs",
    "n_topics": "--topics",
    "n_updates": "--updates",
    "n_words": "--words",
    "ngram_range": "--ngrams",
    "scale_bits": "--scale-bits",
    "stop_words": "--stop-words",
    "token_pattern": "--token-pattern",
}


def add_command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
    example: str,
    description: str | None = None,
) -> argparse.ArgumentParser:
    """A command on a store."""
    lines = example.strip().splitlines()
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=description or summary[:1].upper() + summary[1:] + ".",
        epilog="\n  ".join([f"example{'s' * (len(lines) > 1)}:", *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    command.add_argument("--store", required=True, metavar="DIR", help="directory of the store")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    return command


def add_jobs(command: argparse.ArgumentParser) -> None:
    """Add `--jobs`."""
    command.add_argument(
        "--jobs",
        dest="n_jobs",
        type=int,
        metavar="N",
        help="threads (default all processors); no result depends on them",
    )


def add_label(command: argparse.ArgumentParser) -> None:
    """Add `--label`."""
    command.add_argument(
        "--label",
        default="label",
        metavar="FIELD",
        help='field that has the label (default "label")',
    )


def given(arguments: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """Those of the options that the user gave, so that defaults stand in the classes only."""
    found = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def number(text: str) -> int | float:
    """A number of documents (10), or a share of them (0.01)."""
    try:
        return int(text)
    except ValueError:
        return float(text)


def word_or_number(text: str) -> str | int | float:
    """A word, or a number of documents or a share of them."""
    try:
        return number(text)
    except ValueError:
        return text


def with_options(message: str) -> str:
    """An error about parameters, with the names that the command has for them."""

    def renamed(name: re.Match[str]) -> str:
        option = OPTIONS.get(name[1])
        return name[0] if option is None else option + " " * len(name[2])

    # A name without "_" is a parameter at the start only; elsewhere it may be a word. An id is
    # in quotes.
    return re.sub(r"(^\w+|(?<!')\b\w+_\w+)\b(=?)", renamed, message)
