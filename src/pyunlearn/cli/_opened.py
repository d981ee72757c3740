"""The store that a command works on."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

# scikit-learn alone takes two seconds to import: what needs it is imported when a command runs,
# so that help and errors of usage come at once.
if TYPE_CHECKING:
    from pyunlearn.cli._bars import Bars
    from pyunlearn.store import Store

__all__ = ["opened", "opened_with_bars"]


@contextmanager
def opened(arguments: argparse.Namespace) -> Iterator[Store]:
    """The store of `--store`, which must exist, with bars for what takes long."""
    with opened_with_bars(arguments, create=False) as (store, _):
        yield store


@contextmanager
def opened_with_bars(arguments: argparse.Namespace, **how: Any) -> Iterator[tuple[Store, Bars]]:
    """The store of `--store`, opened as `Store.open` is told, and its bars."""
    from pyunlearn.cli._bars import Bars, log_on_stderr
    from pyunlearn.store import Store

    n_jobs = getattr(arguments, "n_jobs", None)
    with (
        log_on_stderr(),
        Bars() as bars,
        Store.open(arguments.store, n_jobs=n_jobs, progress=bars.show, **how) as store,
    ):
        yield store, bars
