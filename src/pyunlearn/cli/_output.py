"""What the command prints: results on stdout, everything else on stderr, one line each."""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyunlearn.certificates import Certificate

__all__ = [
    "DONE",
    "REFUSED",
    "WRONG_USAGE",
    "allow_any_encoding",
    "complain",
    "model_lines",
    "numbers",
    "plural",
    "show",
    "write",
]

DONE, REFUSED, WRONG_USAGE = 0, 1, 2


def allow_any_encoding() -> None:
    r"""Print as \u... what the encoding of the terminal does not have."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def show(arguments: argparse.Namespace, result: dict[str, Any], text: str) -> int:
    """Print a result, as one JSON object or for people; 0."""
    write(json.dumps(result, sort_keys=True) if arguments.json else text)
    return DONE


def write(text: str) -> None:
    """Print on stdout at once. Who stops reading, as `head` does, has all that is wanted.

    Raises
    ------
    OSError
        The result cannot be written, to a full disk say. What the command did is done.
    """
    if sys.stdout is None:
        return
    try:
        if text:
            print(text)
        sys.stdout.flush()
    except OSError as error:
        _discard_stdout()
        if error.errno not in (errno.EPIPE, errno.EINVAL):  # EINVAL: the same on Windows
            reason = f"done, but the result could not be printed: {error.strerror}"
            raise OSError(error.errno, reason) from None


def complain(message: str, status: int = DONE) -> int:
    """Print one line on stderr; the status."""
    if sys.stderr is not None:  # print would take stdout
        with suppress(OSError):
            print("pyunlearn: " + " ".join(message.split()), file=sys.stderr)
    return status


def model_lines(certificate: Certificate, digest: str, store: str) -> str:
    """The digest after a deletion, and how to check it."""
    return (
        f"model {digest}\n"
        + f"It equals {certificate.comparator}.\n"
        + "".join(f"also up to date: {name}\n" for name in certificate.dependents)
        + f"check it: pyunlearn verify --store {store}"
    )


def plural(count: int, noun: str) -> str:
    """Say "1 document", "2,000 documents"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def numbers(values: Iterable[int], total: int) -> str:
    """Say "3, 17, 40, ..." when there are more than are given."""
    given = [str(value) for value in values]
    return ", ".join(given + ["..."] * (total > len(given)))


def _discard_stdout() -> None:
    """Let what is left in the buffer go nowhere, when Python flushes it at its end."""
    with suppress(OSError, ValueError):  # a stream without a descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
