"""What is a release worth, by number of documents that it has to cover?

    python -m benchmarks.theory.release_utility [--quick]

Topics are released with the noise for k documents, from our bound and from the largest change that
aimed removals were seen to make (not a proof, and not certified: what no bound could beat). Worth
is the share of each topic's ten best words that the release keeps, and the Frobenius error after
projection. The capacity is where the error bound reaches alpha = 0.01.
"""

from __future__ import annotations

import warnings
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.theory.output import arguments, figure, print_table, save
from pyunlearn import AnchorTopicModel
from pyunlearn._learners.anchor_newton import newton_update
from pyunlearn.datasets import make_separable
from pyunlearn.errors import NoisyReleaseWarning
from pyunlearn.privacy._capacity import deletion_capacity, paper_rate
from pyunlearn.privacy._constants import measure
from pyunlearn.privacy._release import release
from pyunlearn.privacy._sensitivity import worst_case

EPSILON, DELTA, ALPHA = 1.0, 1e-6, 0.01
SIZES = ((30, 2), (100, 2), (500, 5), (2_000, 5), (500, 20), (2_000, 20))


def largest_change_seen(model: AnchorTopicModel, X, k: int) -> float:
    """Removing the k documents with most of one anchor word, for the worst anchor."""
    A = newton_update(model.topics_, model.statistics_).word_distributions().T
    changes = []
    for anchor in model.anchors_:
        share = X[:, [int(anchor)]].toarray().ravel() / np.maximum(X.sum(axis=1), 1)
        left = model.statistics_.copy().remove(X[np.argsort(-share, kind="stable")[:k]])
        changes.append(
            np.linalg.norm(newton_update(model.topics_, left).word_distributions().T - A)
        )
    return float(max(changes))


def kept_top_words(released, exact, words: int = 10) -> float:
    best = [np.argsort(-matrix, axis=1, kind="stable")[:, :words] for matrix in (released, exact)]
    pairs = zip(*best, strict=True)
    return float(np.mean([len(np.intersect1d(a, b)) / words for a, b in pairs]))


def worth(model, sensitivity: float, seed: int, repeats: int = 5) -> tuple[float, float]:
    """Share of top words kept and Frobenius error of a release with this sensitivity."""
    exact, results = model.components_[np.argsort(model.anchors_)], []
    for repeat in range(repeats):
        made = release(
            copy(model),  # each with a budget of its own
            EPSILON,
            DELTA,
            capacity=1,
            sensitivity=sensitivity,
            correlation=False,
            seed=seed + repeat,
        ).components_
        results.append((kept_top_words(made, exact), np.linalg.norm(made - exact)))
    return tuple(float(value) for value in np.mean(results, axis=0))


def main() -> None:
    options = arguments(__doc__)
    warnings.simplefilter("ignore", NoisyReleaseWarning)
    m, n, r = (20_000, 200, 4) if options.quick else (400_000, 500, 5)
    X = make_separable(m, n, r, p=0.1, concentration=0.2, seed=options.seed).X
    model = AnchorTopicModel(r, anchor_min_df=0.02).fit(X)
    constants = measure(model.statistics_, model.topics_)
    capacity = deletion_capacity(constants, EPSILON, DELTA, alpha=ALPHA)
    rows = []
    for k in (1, 3, 10, 30, 100, 300, 1000):
        bound, seen = worst_case(constants, k).topics, largest_change_seen(model, X, k)
        capped = min(bound, float(np.sqrt(2 * r)))
        rows.append(
            (k, bound, *worth(model, capped, options.seed), seen, *worth(model, seen, options.seed))
        )
    print(f"m={m:,} n={n} r={r}, epsilon={EPSILON}, delta={DELTA}")
    print_table(("k", "bound", "top-10 kept", "error", "change seen", "top-10 kept", "error"), rows)
    print(
        f"capacity by our bound: {capacity.n_documents} documents (error bound for one: "
        f"{capacity.error_of_one:.3g}); paper's rate with constant 1: {capacity.rate:.3g}\n"
    )
    needed = [documents_needed(*size, options) for size in SIZES]
    print_table(("n", "r", "documents needed for a capacity of 1", "paper's rate there"), needed)
    draw(rows, capacity, options.out, f"m={m:,}, n={n}, r={r}, epsilon={EPSILON:g}")


def documents_needed(n: int, r: int, options) -> tuple[int, int, float, float]:
    """How large a corpus of this law must be before one document is covered at alpha."""
    m = 5_000 if options.quick else 50_000
    X = make_separable(m, n, r, p=0.1, concentration=0.2, seed=options.seed).X
    model = AnchorTopicModel(r, anchor_min_df=0.1 / r).fit(X)
    constants = measure(model.statistics_, model.topics_)
    factor = 1.0
    while True:
        grown = replace(
            constants,
            row_error=0.0,
            total_mass=constants.total_mass * factor,
            anchor_mass=constants.anchor_mass * factor,
        )
        if deletion_capacity(grown, EPSILON, DELTA, alpha=ALPHA).error_of_one <= ALPHA:
            return n, r, grown.total_mass, paper_rate(grown.total_mass, n, r)
        factor *= 1.1


def draw(rows, capacity, folder: Path, title: str) -> None:
    made, axes = figure(2)
    k = [row[0] for row in rows]
    for axis, columns, label in (
        (axes[0], (2, 5), "share of top-10 words kept"),
        (axes[1], (3, 6), "error after projection"),
    ):
        axis.semilogx(k, [row[columns[0]] for row in rows], "C1^-", label="noise by our bound")
        axis.semilogx(
            k, [row[columns[1]] for row in rows], "C0s-", label="noise by change seen (no proof)"
        )
        axis.axvline(max(capacity.n_documents, 0.7), color="C1", ls="--", lw=1)
        axis.axvline(capacity.rate, color="k", ls=":", lw=1)
        axis.set_xlabel("documents to cover, k")
        axis.set_ylabel(label)
    axes[1].set_yscale("log")
    axes[1].axhline(ALPHA, color="gray", lw=0.8)
    text = f"capacity by our bound: {capacity.n_documents}"
    axes[0].text(0.75, 0.5, text, rotation=90, fontsize=7, va="center", color="C1")
    axes[0].text(capacity.rate * 1.08, 0.5, "paper's rate, constant 1", rotation=90, fontsize=7)
    axes[1].text(1, ALPHA * 1.1, "alpha", fontsize=7, color="gray")
    axes[0].set_ylim(-0.03, 1.03)
    axes[1].legend(fontsize=7, loc="lower right")
    axes[0].set_title(title, fontsize=8)
    save(made, folder, "release_utility.png")


if __name__ == "__main__":
    main()
