"""`forget`, `refresh`, `redact`, `compact`: what takes something out of a store."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyunlearn.cli._opened import opened
from pyunlearn.cli._options import SECONDS, add_command, add_jobs
from pyunlearn.cli._output import model_lines, plural, show
from pyunlearn.errors import InvalidParameterError, RecordError

if TYPE_CHECKING:
    from pyunlearn.certificates import Certificate

__all__ = ["add_to"]

FORGET_HELP = f"""\
Delete documents from a store, so that its topics are those of a training run that never saw them,
byte for byte; heads and search index are brought up to date with them. The other documents are not
read, unless there is a search index or a head that needs them. Nothing is deleted unless every id
is known. `compact` afterwards clears what SQLite may have left of words and ids in unused parts of
the file.
--json prints the certificate, which the store keeps as well.
{SECONDS}
"""
FORGET_EXAMPLE = """\
pyunlearn forget post-17 post-4711 --store topics.store
pyunlearn forget --ids requests.txt --store topics.store
pyunlearn forget post-18 --later --store topics.store
"""
REFRESH_HELP = f"""\
Learn topics, heads and index again from what is left, after `forget --later`. Many requests to
forget can share one refresh; the documents themselves were deleted when they were asked for.
{SECONDS}
"""
REDACT_HELP = """\
Take names out of a document. With --keep-text a name is found as it is written: it may hold blanks
and apostrophes, and is not found inside a longer word. Without, it must be one of the words that
were counted. Topics, heads and index are then those of a store that never had the names in this
document. Nothing changes unless the document holds every name. The names are recorded nowhere; the
certificate and the ledger have their number. `compact` afterwards clears what SQLite may have left
of a word in unused parts of the file.
"""
COMPACT_HELP = """\
Write the file of a store anew, so that nothing of deleted documents is left in it. A deletion
overwrites what it deletes, but copies of words and ids can stay in unused parts of the file, where
SQLite moved entries. This reads and writes the whole file, and needs room for a second one.
"""


def add_to(commands: Any) -> None:
    """Add the commands."""
    forget = add_command(
        commands, "forget", _forget, "delete documents", FORGET_EXAMPLE, FORGET_HELP
    )
    forget.add_argument("id", nargs="*", metavar="ID", help="id of a document to delete")
    forget.add_argument("--ids", metavar="FILE", help="file with one id a line; - for stdin")
    forget.add_argument(
        "--later",
        action="store_true",
        help="delete documents and topics now, and learn new topics with `pyunlearn refresh`",
    )
    refresh = add_command(
        commands,
        "refresh",
        _refresh,
        "learn topics again after forget --later",
        "pyunlearn refresh --store topics.store",
        REFRESH_HELP,
    )
    redact = add_command(
        commands,
        "redact",
        _redact,
        "take names out of a document",
        'pyunlearn redact post-17 anna "Anne-Marie O\'Brien" --store topics.store',
        REDACT_HELP,
    )
    redact.add_argument("id", metavar="ID", help="id of the document")
    redact.add_argument("names", nargs="+", metavar="NAME", help="names to take out")
    for command in (forget, refresh, redact):
        add_jobs(command)
    add_command(
        commands,
        "compact",
        _compact,
        "write the file of a store anew",
        "pyunlearn compact --store topics.store",
        COMPACT_HELP,
    )


def _forget(arguments: argparse.Namespace) -> int:
    if not arguments.id and not arguments.ids:
        raise InvalidParameterError("there are no ids to forget: give ID, or --ids FILE")
    ids = arguments.id + (_read_ids(arguments.ids) if arguments.ids else [])
    with opened(arguments) as store:
        started = time.perf_counter()
        certificate = store.forget(ids, "later" if arguments.later else "now")
        seconds = time.perf_counter() - started
        digest = "" if arguments.later else store.digest()
    left = certificate.n_documents_left
    lines = (
        _waiting_lines(certificate, arguments.store)
        if arguments.later
        else model_lines(certificate, digest, arguments.store)
    )
    text = (
        f"forgot {plural(certificate.n_documents_removed, 'document')} in {seconds:.1f} s; "
        f"{left:,} {'is' if left == 1 else 'are'} left\n" + lines
    )
    return show(arguments, asdict(certificate), text)


def _read_ids(path: str) -> list[str]:
    from pyunlearn.records import ids_from_lines

    if path != "-":
        return ids_from_lines(Path(path).read_bytes(), path)
    if sys.stdin is None:
        raise RecordError("--ids -: there is no stdin")
    return ids_from_lines(sys.stdin.buffer.read(), path)


def _waiting_lines(certificate: Certificate, store: str) -> str:
    return (
        f"What is left equals {certificate.comparator}.\n"
        f"Topics, heads and index are deleted until: pyunlearn refresh --store {store}"
    )


def _refresh(arguments: argparse.Namespace) -> int:
    with opened(arguments) as store:
        started = time.perf_counter()
        certificate = store.refresh()
        seconds = time.perf_counter() - started
        digest = store.digest()
    if certificate is None:
        return show(arguments, {}, "the topics are up to date")
    text = (
        f"learned again in {seconds:.1f} s, without "
        f"{plural(certificate.n_documents_removed, 'forgotten document')}\n"
        + model_lines(certificate, digest, arguments.store)
    )
    return show(arguments, asdict(certificate), text)


def _redact(arguments: argparse.Namespace) -> int:
    with opened(arguments) as store:
        certificate = store.redact(arguments.id, arguments.names)
        digest = store.digest()
    count = plural(len(set(arguments.names)), "name")
    lines = model_lines(certificate, digest, arguments.store)
    text = f"took {count} out of {arguments.id}\n{lines}"
    return show(arguments, asdict(certificate), text)


def _compact(arguments: argparse.Namespace) -> int:
    with opened(arguments) as store:
        n_bytes = store.compact()
    return show(arguments, {"n_bytes": n_bytes}, f"{n_bytes / 1e6:,.1f} MB written anew")
