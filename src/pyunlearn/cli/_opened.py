"""The store that a command works on."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

# scikit-learn alone takes two seconds to import: what needs it is imported when a command runs,
# so that help and errors of usage come at once.
if TYPE_CHECKING:
    from pyunlearn.store import Store

__all__ = ["opened"]


@contextmanager
def opened(arguments: argparse.Namespace) -> Iterator[Store]:
    """The store of `--store`, which must exist, with bars for what takes long."""
    from pyunlearn.cli._bars import Bars
    from pyunlearn.store import Store

    n_jobs = getattr(arguments, "n_jobs", None)
    with (
        Bars() as bars,
        Store.open(arguments.store, create=False, n_jobs=n_jobs, progress=bars.show) as store,
    ):
        yield store
