"""An empirical lower bound on epsilon, which must never exceed the claim.

    python -m benchmarks.theory.epsilon_audit [--quick]

The topics of a model and of the same model without one document, each with the noise that the
certificate of a release names, are told apart by the best test there is for known inputs: the
projection on the difference of the two, before the simplex projection, which only blurs it. The
threshold is chosen on one half of the draws; on the other half, Clopper-Pearson intervals at 95 %
turn the error rates into a lower bound on epsilon. With the sensitivity equal to the true distance
the audit should find a good part of the claim; with our worst-case bound next to nothing.
"""

from __future__ import annotations

import math
import warnings
from copy import copy

import numpy as np
from scipy.stats import beta

from benchmarks.theory.output import arguments, figure, print_table, save
from pyunlearn import AnchorTopicModel
from pyunlearn.datasets import make_separable
from pyunlearn.errors import NoisyReleaseWarning
from pyunlearn.privacy._release import release

DELTA = 1e-3
CONFIDENCE = 0.95


def lower_bound(first: np.ndarray, second: np.ndarray, delta: float) -> float:
    """Epsilon that scores of two kinds of releases prove, at the confidence level."""
    half = len(first) // 2
    thresholds = np.quantile(np.concatenate([first[:half], second[:half]]), np.linspace(0, 1, 201))
    best = max(thresholds, key=lambda t: empirical(first[:half], second[:half], t, delta, False))
    return max(0.0, empirical(first[half:], second[half:], best, delta, True))


def empirical(first, second, threshold: float, delta: float, careful: bool) -> float:
    """ln((TPR - delta) / FPR), both rates at their unfavourable ends when careful."""
    tests = len(first)
    hits, alarms = int(np.sum(first > threshold)), int(np.sum(second > threshold))
    risk = (1 - CONFIDENCE) / 2  # two one-sided intervals
    if careful:
        low = beta.ppf(risk, hits, tests - hits + 1) if hits else 0.0
        high = beta.ppf(1 - risk, alarms + 1, tests - alarms) if alarms < tests else 1.0
    else:
        low, high = hits / tests, (alarms + 1) / (tests + 1)
    return math.log((low - delta) / high) if low > delta else -math.inf


def scores(exact, direction, sigma: float, count: int, seed: int) -> np.ndarray:
    """Projections of noised topics on the direction, in chunks."""
    rng, chunk = np.random.default_rng(seed), 20_000
    shift = float(np.vdot(exact, direction))
    parts = [
        shift + sigma * (rng.standard_normal((chunk, direction.size)) @ direction.ravel())
        for _ in range(count // chunk)
    ]
    return np.concatenate(parts)


def main() -> int:
    options = arguments(__doc__)
    warnings.simplefilter("ignore", NoisyReleaseWarning)
    count = 40_000 if options.quick else 400_000
    X = make_separable(4000, 30, 3, p=0.3, concentration=0.1, length=15, seed=options.seed).X
    model = AnchorTopicModel(3, anchor_min_df=0.05).fit(X)
    share = X[:, [int(model.anchors_[0])]].toarray().ravel()
    rest = np.delete(np.arange(X.shape[0]), np.argmax(share))
    without = AnchorTopicModel(3, anchor_min_df=0.05).fit(X[rest])
    assert (model.anchors_ == without.anchors_).all()
    direction = model.components_ - without.components_
    distance = float(np.linalg.norm(direction)) * (1 + 1e-9)
    rows = []
    for epsilon in (0.25, 0.5, 1.0, 2.0, 4.0):
        for kind, sensitivity in (("true distance", distance), ("our bound", None)):
            given = {} if sensitivity is None else {"sensitivity": sensitivity}
            claim = release(
                copy(model), epsilon, DELTA, capacity=1, correlation=False, seed=0, **given
            ).certificate
            found = [
                scores(one.components_, direction, claim.sigma["components"], count, seed)
                for one, seed in ((model, options.seed), (without, options.seed + 10**8))
            ]
            rows.append((kind, epsilon, lower_bound(*found, DELTA)))
    print(f"{count} noised copies of each, delta={DELTA}, confidence {CONFIDENCE:.0%}")
    print_table(("noise by", "claimed epsilon", "proved at least"), rows)
    made, (axis,) = figure(1)
    for kind, style in (("true distance", "C0s-"), ("our bound", "C1^-")):
        mine = [row for row in rows if row[0] == kind]
        axis.plot([row[1] for row in mine], [row[2] for row in mine], style, label=f"noise: {kind}")
    axis.plot([0, 4], [0, 4], "k-", lw=1, label="claim")
    axis.set_xlabel("claimed epsilon")
    axis.set_ylabel("lower bound by audit (95 %)")
    axis.legend(fontsize=8)
    save(made, options.out, "epsilon_audit.png")
    return int(any(proved > claimed for _, claimed, proved in rows))


if __name__ == "__main__":
    raise SystemExit(main())
