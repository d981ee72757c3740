"""How far from retraining is a model after k deletions, by method, k, m, n and r?

    python -m benchmarks.theory.distance [--quick]

"nothing": the old model. "newton": U_base. "exact": must be 0. Beside them the bound Delta(k) for
random and for any documents, and the paper's capacity (its rate with constant 1).
"""

from __future__ import annotations

import numpy as np

from benchmarks.theory.output import arguments, figure, print_table, save
from pyunlearn import AnchorTopicModel, CooccurrenceStatistics
from pyunlearn._learners.anchor_newton import anchors_unchanged, newton_update
from pyunlearn.datasets import make_separable
from pyunlearn.privacy._capacity import paper_rate
from pyunlearn.privacy._sensitivity import removal_bound, sensitivity_bound

STYLE = {"nothing": "C3o-", "newton": "C0s-", "bound": "C1^--", "worst": "C7v--"}
LABEL = {
    "nothing": "do nothing",
    "newton": "newton (U_base)",
    "bound": "bound, these k documents",
    "worst": "bound, any k documents",
}


def by_anchor(topics):
    """A with its columns in the order of the anchor words, as it is released."""
    return topics.word_distributions().T[:, np.argsort(topics.anchors)]


def measured(m: int, n: int, r: int, k: int, seed: int) -> dict[str, float]:
    """All distances to the model trained on the remaining documents."""
    corpus = make_separable(m, n, r, p=0.1, concentration=0.2, length=50, seed=seed).X
    model = AnchorTopicModel(r, anchor_min_df=0.5 / r * 0.2).fit(corpus)
    before, old = model.statistics_.copy(), model.topics_
    gone = CooccurrenceStatistics(n).add(corpus[:k])
    model.forget(corpus[:k])
    retrained = AnchorTopicModel(r, anchor_min_df=model.anchor_min_df).fit(corpus[k:])
    target = by_anchor(retrained.topics_)
    newton = newton_update(old, model.statistics_)
    return {
        "nothing": float(np.linalg.norm(by_anchor(old) - target)),
        "newton": float(np.linalg.norm(by_anchor(newton) - target)),
        "exact": float(np.linalg.norm(by_anchor(model.topics_) - target)),
        "bound": removal_bound(before, old, gone).topics,
        "worst": sensitivity_bound(before, old, k).topics,
        "anchors": float(anchors_unchanged(old, model.statistics_)),
        "paper": paper_rate(m, n, r),
    }


def main() -> None:
    options = arguments(__doc__)
    m, n, r, k = (5_000, 200, 4, 20) if options.quick else (50_000, 500, 5, 100)
    sweeps = {
        "k": [(m, n, r, value) for value in (1, 3, 10, 30, 100, 300, 1000)],
        "m": [(value, n, r, k) for value in (m // 8, m // 4, m // 2, m, 2 * m, 4 * m)],
        "n": [(m, value, r, k) for value in (n // 4, n // 2, n, 2 * n, 4 * n)],
        "r": [(m, n, value, k) for value in (2, 3, 5, 8, 12)],
    }
    made, axes = figure(4, 3.9, 3.6)
    for axis, (name, points) in zip(axes, sweeps.items(), strict=True):
        results = [measured(*point, options.seed) for point in points]
        print_table(
            ("m", "n", "r", "k", *results[0]),
            [(*point, *result.values()) for point, result in zip(points, results, strict=True)],
        )
        assert all(result["exact"] == 0 for result in results)
        draw(axis, name, points, results)
    axes[0].legend(fontsize=6)
    axes[0].set_ylabel("|A - A_retrained| (Frobenius)")
    save(made, options.out, "distance.png")


def draw(axis, name, points, results) -> None:
    x = [point["mnrk".index(name)] for point in points]
    for line, style in STYLE.items():
        axis.loglog(x, [result[line] for result in results], style, ms=4, label=LABEL[line])
    changed = [i for i, result in enumerate(results) if not result["anchors"]]
    axis.plot(
        [x[i] for i in changed],
        [results[i]["newton"] for i in changed],
        "ko",
        ms=10,
        mfc="none",
        label="retraining chose other anchors" if name == "k" else None,
    )
    axis.set_xticks(x, [f"{value:,}" for value in x], fontsize=7)
    axis.minorticks_off()
    if name == "k":
        axis.axvline(results[0]["paper"], color="k", ls=":", lw=1, label="paper's rate, constant 1")
    fixed = [f"{letter}={value:,}" for letter, value in zip("mnrk", points[0], strict=True)]
    axis.set_title(", ".join(text for text in fixed if not text.startswith(name)), fontsize=8)
    axis.set_xlabel(f"{name}  (exact is 0 everywhere)")


if __name__ == "__main__":
    main()
