"""What bounds each kernel of a fit: `python -m benchmarks.stages`.

One fit after another, the time of every kernel taken, beside what this machine can do at most:
bytes moved a second against copying, updates a second against a plain increment loop,
multiplications against a loop in registers (`bounds.py`).
"""

import argparse
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from benchmarks import bounds, corpora
from benchmarks.clock import kernel_seconds, seconds_of
from benchmarks.report import Row, machine, print_rows
from pyunlearn import AnchorTopicModel

ENTRY = 12  # bytes of an entry of K: int32 column, int64 value


@dataclass(frozen=True)
class Stage:
    """A kernel, its work in a fit, and the bound of that kind of work."""

    kernel: str
    work: float
    unit: str  # of the work
    bound: str  # copy, increments or multiply_adds
    aim: float | None = None  # share of the bound


def stages_of(X: sp.csr_array, model: AnchorTopicModel) -> list[Stage]:
    """The work that the kernels had, from the sizes of what they read and wrote."""
    learned, rows = model.topics_, model.statistics_.rows
    sizes = np.diff(X.indptr).astype(np.float64)
    pairs = float((sizes * (sizes + 1)).sum()) / 2
    read_by_search = float(rows.length[learned.candidates].sum())
    topics = model.n_topics_
    return [
        Stage("count_pattern", pairs, "updates", "increments"),
        Stage("count_upper", pairs, "updates", "increments", 0.6),
        Stage("mirror", ENTRY * rows.nnz, "bytes", "copy"),
        Stage("squared_norms", 8 * rows.nnz, "bytes", "copy"),
        Stage("gram_column", ENTRY * read_by_search * topics, "bytes", "copy", 0.6),
        Stage("gram_rows", (rows.nnz - read_by_search) * topics, "products", "multiply_adds"),
    ]


def measured_bounds(X: sp.csr_array) -> dict[str, float]:
    return {
        "copy": bounds.copy_bandwidth(),
        "increments": bounds.increments(X),
        "multiply_adds": bounds.multiply_adds(),
    }


def median_kernel_seconds(X: sp.csr_array, n_topics: int, runs: int) -> dict[str, float]:
    """Of fits after a first one that does not count; "fit" is the whole."""
    taken = []
    for _ in range(1 + runs):
        with kernel_seconds() as spent:
            total = seconds_of(lambda: AnchorTopicModel(n_topics=n_topics).fit(X))
        taken.append({**spent, "fit": total})
    return {name: statistics.median(one[name] for one in taken[1:]) for name in taken[0]}


def shares(X: sp.csr_array, n_topics: int, runs: int) -> dict[str, float]:
    """Speed of each kernel over its bound."""
    model, limits = AnchorTopicModel(n_topics=n_topics).fit(X), measured_bounds(X)
    spent = median_kernel_seconds(X, n_topics, runs)
    return {
        stage.kernel: stage.work / spent[stage.kernel] / limits[stage.bound]
        for stage in stages_of(X, model)
    }


def stage_rows(X: sp.csr_array, n_topics: int, runs: int) -> Iterator[Row]:
    limits = measured_bounds(X)
    yield Row("bound: copying, read and written", limits["copy"] / 1e9, "GB/s")
    yield Row("bound: increments where the corpus has its words", limits["increments"] / 1e6, "M/s")
    yield Row("bound: multiply and add in registers", limits["multiply_adds"] / 1e9, "G/s")
    model = AnchorTopicModel(n_topics=n_topics).fit(X)
    spent = median_kernel_seconds(X, n_topics, runs)
    for stage in stages_of(X, model):
        speed = stage.work / spent[stage.kernel]
        note = f"{1000 * spent[stage.kernel]:.0f} ms, {speed / 1e9:.2f} G {stage.unit}/s"
        yield Row(
            f"{stage.kernel}, share of {stage.bound}",
            100 * speed / limits[stage.bound],
            "%",
            stage.aim and 100 * stage.aim,
            False,
            note,
        )
    yield from whole_rows(X, model, spent)


def whole_rows(X: sp.csr_array, model: AnchorTopicModel, spent: dict[str, float]) -> Iterator[Row]:
    """Counting and recovery as a whole, and how the fit divides."""
    counting = sum(spent[name] for name in ("count_pattern", "count_upper", "mirror"))
    products = float((np.diff(X.indptr).astype(np.float64) ** 2).sum())
    yield Row(
        "counting, updates of the whole of K",
        products / counting / 1e6,
        "M/s",
        150,
        False,
        f"{products / 1e6:.0f} M in {1000 * counting:.0f} ms; half of them are made, half mirrored",
    )
    words = len(model.topics_.words)
    yield Row(f"recovery of {words:,} words, active set", spent["active_set"], "s", 1.5)
    eg = median_kernel_seconds_eg(X, model)
    yield Row(f"recovery of {words:,} words, eg to a gap of 1e-6", eg, "s")
    yield Row("fit", spent["fit"], "s")
    inside = sum(seconds for name, seconds in spent.items() if name != "fit")
    yield Row("  outside the kernels", spent["fit"] - inside, "s")


def median_kernel_seconds_eg(X: sp.csr_array, model: AnchorTopicModel, runs: int = 3) -> float:
    taken = []
    for _ in range(1 + runs):
        with kernel_seconds() as spent:
            AnchorTopicModel(n_topics=model.n_topics, solver="eg").fit_statistics(model.statistics_)
        taken.append(spent["exponentiated_gradient"])
    return statistics.median(taken[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--topics", type=int, default=50)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--max-words", type=int, help="only the most frequent words")
    given = parser.parse_args()
    X, _, _ = corpora.newsgroups(given.max_words)
    print(machine())
    print_rows(
        f"20 newsgroups: {X.shape[0]:,} documents, {X.shape[1]:,} words, {given.topics} topics; "
        f"medians of {given.runs} fits",
        stage_rows(X, given.topics, given.runs),
    )


if __name__ == "__main__":
    main()
