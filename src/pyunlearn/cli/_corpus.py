"""A corpus on its way into a store: what `fit` and `add` share."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyunlearn.cli._opened import opened_with_bars
from pyunlearn.cli._output import numbers, plural

if TYPE_CHECKING:
    from pyunlearn.records import JsonlReader, Record
    from pyunlearn.store import Store, StoreInfo, Topic

__all__ = ["Intake", "add_corpus", "take_in"]


@dataclass(frozen=True)
class Intake:
    """What came of it."""

    n_added: int
    seconds: float  # of reading, counting and learning; imports are not in them
    reader: JsonlReader
    info: StoreInfo
    topics: list[Topic]  # empty before `Store.fit`

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "store": self.info.path,
            "n_documents": self.info.n_documents,
            "n_skipped": self.reader.n_skipped,
            "skipped_lines": self.reader.skipped_lines,
            "n_words": self.info.n_words,
            "n_topics": self.info.n_topics,
            "model_digest": self.info.model_digest,
            "seconds": self.seconds,
        }

    def lines(self) -> str:
        """For people, below the line that says what was done."""
        count = self.reader.n_skipped
        lines = numbers(self.reader.skipped_lines, count)
        return (f"{plural(count, 'bad line')} passed over: {lines}\n" if count else "") + (
            f"model {self.info.model_digest}\n"
            f"see the topics: pyunlearn topics --store {self.info.path}"
            if self.info.model_digest
            else "no topics were learned yet: Store.fit does so"
        )


def add_corpus(command: argparse.ArgumentParser) -> None:
    """Add the options of what is read."""
    command.add_argument("corpus", metavar="CORPUS", help="JSONL file, plain or gzip")
    command.add_argument(
        "--skip-bad", action="store_true", help="pass over bad lines, and say which they were"
    )


def take_in(
    arguments: argparse.Namespace, request: Callable[[Store, Iterator[Record]], int], **how: Any
) -> Intake:
    """Make one request with the records of a corpus, of a store opened as `how` says."""
    from pyunlearn.records import JsonlReader

    reader = JsonlReader(arguments.corpus, skip_bad=arguments.skip_bad)
    with opened_with_bars(arguments, **how) as (store, bars):
        started = time.perf_counter()
        n_added = request(store, bars.reading(reader))
        seconds = round(time.perf_counter() - started, 3)
        info = store.info()
        topics = [] if info.n_topics is None else store.topics()
    return Intake(n_added, seconds, reader, info, topics)
