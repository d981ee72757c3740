"""One run of the command: the parser, and what becomes of errors and warnings."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence

from pyunlearn._version import __version__
from pyunlearn.cli import (
    _add_command,
    _fit_command,
    _forget_commands,
    _head_commands,
    _question_commands,
)
from pyunlearn.cli._options import with_options
from pyunlearn.cli._output import REFUSED, WRONG_USAGE, allow_any_encoding, complain, write
from pyunlearn.errors import (
    InvalidInputError,
    InvalidParameterError,
    PyUnlearnError,
    TooFewAnchorsError,
)

EPILOG = """\
example:
  pyunlearn fit corpus.jsonl --store topics.store --topics 20 --stop-words english
  pyunlearn topics --store topics.store
  pyunlearn forget post-17 --store topics.store
  pyunlearn verify --store topics.store

`pyunlearn COMMAND --help` tells more about a command.
exit status: 0 done; 1 refused (bad input, an unknown id, a failed verification); 2 wrong usage;
130 interrupted
"""


def run(argv: Sequence[str] | None) -> int:
    """Run one command; its exit status."""
    allow_any_encoding()
    try:
        arguments = parser().parse_args(argv)
    except SystemExit as stop:  # argparse has printed what is wrong, or the help
        write("")
        return int(stop.code or 0)
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = _show_warning
        return _run(arguments)


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        prog="pyunlearn",
        description="Topic models of documents that can be deleted again, exactly.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"pyunlearn {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for group in (
        _fit_command,
        _add_command,
        _question_commands,
        _forget_commands,
        _head_commands,
    ):
        group.add_to(commands)
    return top


def _run(arguments: argparse.Namespace) -> int:
    try:
        return int(arguments.run(arguments))
    except InvalidParameterError as error:
        return complain(with_options(str(error)), WRONG_USAGE)
    except (InvalidInputError, TooFewAnchorsError) as error:
        return complain(with_options(str(error)), REFUSED)
    except PyUnlearnError as error:
        return complain(str(error), REFUSED)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return complain(f"{name}{error.strerror or error}", REFUSED)
    except MemoryError as error:
        return complain(
            f"out of memory ({str(error) or 'no size is known'}); nothing has been changed. Fewer "
            "words take less: fit with --min-df or --max-features",
            REFUSED,
        )


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    complain(f"warning: {message}")
