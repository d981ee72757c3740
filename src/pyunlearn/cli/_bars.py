"""Progress on stderr: bars when it is a terminal, and what the library logs."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyunlearn.records import JsonlReader, Record

__all__ = ["Bars", "log_on_stderr"]


class Bars:
    """One bar a stage; nothing is shown unless stderr is a terminal."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._stage = ""
        self._reads = False  # records are read and stored in turn, which is one stage
        self._silent = not _is_terminal()

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, stage: str, done: int, total: int) -> None:
        """Move the bar of a stage; for `Store.open(progress=)`."""
        if not self._reads:
            self._move(stage, done, total, unit=" documents")

    def reading(self, reader: JsonlReader) -> Iterator[Record]:
        """The records of a file, with a bar of its bytes."""
        self._reads = True
        for record in reader:
            self._move("reading", reader.position, reader.n_bytes, unit="B")
            yield record
        self._reads = False

    def _move(self, stage: str, done: int, total: int, unit: str) -> None:
        if self._silent:
            return
        if stage != self._stage:
            from tqdm import tqdm

            self.__exit__()
            self._stage = stage
            self._bar = tqdm(
                total=total or None,
                desc=stage,
                unit=unit,
                unit_scale=True,
                bar_format=None if total else "{desc}: {elapsed}",
            )
        self._bar.update(done - self._bar.n)


class _OnStderr(logging.Handler):
    """What the library logs, between the bars."""

    def emit(self, record: logging.LogRecord) -> None:
        line = f"pyunlearn: {record.getMessage()}"
        if _is_terminal():
            from tqdm import tqdm

            tqdm.write(line, file=sys.stderr)
        elif sys.stderr is not None:
            print(line, file=sys.stderr)


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def log_on_stderr() -> Iterator[None]:
    """Show what the library logs."""
    log, handler = logging.getLogger("pyunlearn"), _OnStderr()
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
