"""Medians of repeated runs, and the time that each kernel takes of a run."""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

from pyunlearn._core import anchors, counts, exponentiated, factorise, gram, rows, simplex

KERNELS: tuple[ModuleType, ...] = (counts, rows, anchors, gram, simplex, exponentiated, factorise)


def seconds_of(job: Callable[[], object]) -> float:
    begin = time.perf_counter()
    job()
    return time.perf_counter() - begin


def median_seconds(job: Callable[[], object], runs: int, warm_up: int = 1) -> float:
    """Median of `runs`, after runs that do not count: fresh memory pages are slow to get."""
    for _ in range(warm_up):
        job()
    return statistics.median(seconds_of(job) for _ in range(runs))


@contextmanager
def kernel_seconds() -> Iterator[dict[str, float]]:
    """Seconds by kernel, summed over the calls within the block."""
    spent: dict[str, float] = defaultdict(float)
    originals = []

    def timed(name: str, kernel: Callable[..., None]) -> Callable[..., None]:
        def run(*arguments: object) -> None:
            begin = time.perf_counter()
            kernel(*arguments)
            spent[name] += time.perf_counter() - begin

        return run

    for module in KERNELS:
        for name, kernel in list(vars(module).items()):
            if callable(kernel) and not name.startswith("_"):
                originals.append((module, name, kernel))
                setattr(module, name, timed(name, kernel))
    try:
        yield spent
    finally:
        for module, name, kernel in originals:
            setattr(module, name, kernel)
