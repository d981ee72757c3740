"""`add`: more documents for a store."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pyunlearn.cli._corpus import add_corpus, take_in
from pyunlearn.cli._options import SECONDS, add_command, add_jobs
from pyunlearn.cli._output import plural, show

if TYPE_CHECKING:
    from pyunlearn.records import Record
    from pyunlearn.store import Store

__all__ = ["add_to"]

HELP = f"""\
Add documents to a store, and bring topics, heads and index up to date. The corpus is as for `fit`;
the store counts words as it did from the start, and passes over words that are not in its
dictionary. All documents are added or none: an id that the store holds is refused.
{SECONDS}
"""


def add_to(commands: Any) -> None:
    """Add the command."""
    example = "pyunlearn add more.jsonl --store topics.store"
    add = add_command(commands, "add", _add, "add documents to a store", example, HELP)
    add_corpus(add)
    add_jobs(add)


def _add(arguments: argparse.Namespace) -> int:
    def request(store: Store, records: Iterator[Record]) -> int:
        return store.add(records)

    result = take_in(arguments, request, create=False)
    n_documents = result.info.n_documents
    text = (
        f"added {plural(result.n_added, 'document')} in {result.seconds:.1f} s; the store has "
        f"{n_documents:,}\n{result.lines()}"
    )
    return show(arguments, {"n_added": result.n_added, **result.as_dict()}, text)
