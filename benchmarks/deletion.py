"""What one deletion costs, and what a refit would: `python -m benchmarks.deletion`.

Random documents of 20 newsgroups are deleted one at a time, each added again before the next. A
deletion is timed from counts to certificate, which is a commitment to the new digest.
"""

import argparse
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone

from benchmarks import corpora
from benchmarks.clock import median_seconds, seconds_of
from benchmarks.report import Row, machine, print_rows
from pyunlearn import AnchorTopicModel, CooccurrenceStatistics
from pyunlearn._cooccurrence.rows import CooccurrenceRows
from pyunlearn._learners import update
from pyunlearn._learners.topics import Topics, UpdatePath

STAGES = ("subtract", "rows", "anchors", "recovery")
WARM_UP = 10


@dataclass(frozen=True)
class Deletion:
    """One timed deletion."""

    seconds: float
    stages: dict[str, float]
    touched_anchors: int
    touched_words: int
    reselected: bool

    @property
    def without_digests(self) -> float:
        return sum(self.stages.values())


def delete_and_restore(model: AnchorTopicModel, document: sp.csr_array) -> Deletion:
    """Time one deletion; afterwards the model is, byte for byte, what it was."""
    model.digest()  # a model in use has one; it is not part of this deletion
    with paths_of_updates() as paths, seconds_of_methods("removal", "make") as subtract:
        seconds = seconds_of(lambda: model.forget(document))
    model.partial_fit(document)
    path = paths[0]
    return Deletion(
        seconds,
        {"subtract": sum(subtract), **path.seconds},
        path.touched_anchors,
        path.touched_words,
        path.reselected_from is not None,
    )


@contextmanager
def seconds_of_methods(*names: str) -> Iterator[list[float]]:
    """The time of every call of some methods of the statistics."""
    found: list[float] = []

    def timed(method: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*given: Any) -> Any:
            result: list[Any] = []
            found.append(seconds_of(lambda: result.append(method(*given))))
            return result[0]

        return wrapped

    with ExitStack() as stack:
        for name in names:
            method = getattr(CooccurrenceStatistics, name)
            stack.enter_context(mock.patch.object(CooccurrenceStatistics, name, timed(method)))
        yield found


@contextmanager
def paths_of_updates() -> Iterator[list[UpdatePath]]:
    """How models reach their topics: they tell nobody, since that would tell of the documents."""
    paths: list[UpdatePath] = []

    def watched(*given: Any) -> tuple[Topics, UpdatePath]:
        topics, path = update(*given)
        paths.append(path)
        return topics, path

    with mock.patch("pyunlearn._estimator.update", watched):
        yield paths


def delete_each(model: AnchorTopicModel, documents: Sequence[sp.csr_array]) -> list[Deletion]:
    for document in documents[:WARM_UP]:
        delete_and_restore(model, document)
    return [delete_and_restore(model, document) for document in documents]


def random_documents(X: sp.csr_array, count: int, seed: int = 0) -> list[sp.csr_array]:
    chosen = np.random.default_rng(seed).choice(X.shape[0], min(count, X.shape[0]), replace=False)
    return [X[[row]] for row in np.sort(chosen)]


def copies(model: AnchorTopicModel, times: int) -> AnchorTopicModel:
    """The model of `times` copies of the corpus: the same words, topics and non-zeros of K."""
    once = model.statistics_
    indptr, indices, values = once.rows.to_arrays()
    many = CooccurrenceStatistics(once.n_words, once.scale_bits, once.weighting, once.contexts)
    many.restore(
        CooccurrenceRows.from_arrays(indptr, indices, times * values, once.rows.columns.copy()),
        times * once.word_mass,
        times * once.document_frequency,
        times * once.n_documents,
    )
    return clone(model).fit_statistics(many)


def flatness(
    small: AnchorTopicModel, large: AnchorTopicModel, documents: Sequence[sp.csr_array]
) -> float:
    """Median over documents of the time at the large m over the time at the small m.

    Both are timed in turn, so that what else the machine does falls on both.
    """
    for document in documents[:WARM_UP]:
        delete_and_restore(small, document)
        delete_and_restore(large, document)
    ratios = []
    for number, document in enumerate(documents):
        pair = [(0, small), (1, large)]
        taken = {
            which: delete_and_restore(model, document).seconds
            for which, model in (pair if number % 2 else reversed(pair))
        }
        ratios.append(taken[1] / taken[0])
    return statistics.median(ratios)


def milliseconds(deletions: Sequence[Deletion], what: str = "seconds") -> float:
    return 1000 * statistics.median(getattr(one, what) for one in deletions)


def deletion_rows(
    X: sp.csr_array, n_topics: int, documents: int, fits: int, aims: bool
) -> Iterator[Row]:
    """Times of deletions by kind and stage, and against a refit."""

    def aim(value: float) -> float | None:
        return value if aims else None

    model = AnchorTopicModel(n_topics=n_topics).fit(X)
    deletions = delete_each(model, random_documents(X, documents))
    groups = {
        "no anchor word in it": [one for one in deletions if not one.touched_anchors],
        "anchor words in it": [one for one in deletions if one.touched_anchors],
        "all": deletions,
    }
    for (name, group), limit in zip(groups.items(), (5, 250, 100), strict=True):
        if not group:
            continue
        again = sum(one.reselected for one in group)
        words = statistics.median(one.touched_words for one in group)
        note = f"{len(group)} documents of {words:.0f} words, pivots chosen again in {again}"
        yield Row(f"delete one document, {name}", milliseconds(group), "ms", aim(limit), note=note)
        yield Row("  without digests", milliseconds(group, "without_digests"), "ms")
        for stage in STAGES:
            median = statistics.median(one.stages[stage] for one in group)
            yield Row(f"  {stage}", 1000 * median, "ms")
    refit = median_seconds(lambda: AnchorTopicModel(n_topics=n_topics).fit(X[1:]), fits)
    yield Row("fit on the rest", refit, "s", note=f"median of {fits}")
    yield Row(
        "fit over deletion (all)", 1000 * refit / milliseconds(deletions), "times", aim(50), False
    )


def flatness_rows(X: sp.csr_array, n_topics: int, documents: int) -> Iterator[Row]:
    """Deletion at about a million documents over deletion at about ten thousand."""
    chosen = random_documents(X, documents)
    small = AnchorTopicModel(n_topics=n_topics).fit(X)
    large = copies(small, max(2, round(1e6 / X.shape[0])))
    sizes = f"m = {large.statistics_.n_documents:,} over {X.shape[0]:,}"
    yield Row(f"20 newsgroups in copies, {sizes}", flatness(small, large, chosen), "times", 1.15)
    del small, large
    small, large = (synthetic_model(m) for m in SYNTHETIC_SIZES)
    sizes = f"m = {SYNTHETIC_SIZES[1]:,} over {SYNTHETIC_SIZES[0]:,}"
    chosen = random_documents(next(corpora.blocks(1000, *SYNTHETIC)), documents)
    yield Row(f"synthetic, {sizes}", flatness(small, large, chosen), "times", 1.15)


SYNTHETIC = (1000, 20)  # words, topics
SYNTHETIC_SIZES = (10**4, 10**6)


def synthetic_model(n_documents: int) -> AnchorTopicModel:
    """Of the first documents of the stream; only its statistics are held in memory."""
    total = CooccurrenceStatistics(SYNTHETIC[0])
    for block in corpora.blocks(n_documents, *SYNTHETIC):
        total.add(block)
    return AnchorTopicModel(n_topics=SYNTHETIC[1]).fit_statistics(total)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--topics", type=int, default=50)
    parser.add_argument("--documents", type=int, default=200, help="how many are deleted")
    parser.add_argument("--fits", type=int, default=5, help="runs of the refit")
    parser.add_argument("--max-words", type=int, help="only the most frequent words")
    given = parser.parse_args()
    X, _, _ = corpora.newsgroups(given.max_words)
    print(machine())
    title = f"20 newsgroups: {X.shape[0]:,} documents, {X.shape[1]:,} words, {given.topics} topics"
    aims = given.topics == 50 and given.max_words is None
    print_rows(
        f"{title}; medians of {given.documents} documents",
        deletion_rows(X, given.topics, given.documents, given.fits, aims),
    )
    print_rows(
        "Does the time of a deletion depend on the number of documents m?",
        flatness_rows(X, given.topics, given.documents),
    )


if __name__ == "__main__":
    main()
