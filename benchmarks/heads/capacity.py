"""Deletion capacity of base and head on tasks with known q: is the head's larger, and as q grows?

    python -m benchmarks.heads.capacity [--quick] [--out DIR]

One corpus with topics of unequal probability; task t is about topic t (how much of a document it
is, or whether it is more than half), so q is that topic's probability in our reading of the paper.
Measured: the change of A and of B = A W by k random deletions, in units of their sizes; from it the
k at which Gaussian noise for that change has a relative size of 0.01. That is a mean over draws,
not a bound. Beside it the explicit bound for the weights (`head_capacity`) and the
paper's rates with constant 1.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone

from benchmarks.theory.output import arguments, figure, print_table, save
from pyunlearn import AnchorTopicModel, LinearHeadClassifier, LinearHeadRegressor
from pyunlearn.privacy import gaussian_sigma, head_capacity
from pyunlearn.privacy._capacity import paper_rate

EPSILON, DELTA, ERROR = 1.0, 1e-6, 0.01
SHARES = np.array([0.4, 0.25, 0.15, 0.1, 0.06, 0.04])
TASK_DOCUMENTS = 4000


def documents(m: int, topics: np.ndarray, seed: int) -> tuple[sp.csr_array, np.ndarray]:
    """Counts of m documents of 50 tokens, and their topic proportions."""
    rng = np.random.default_rng(seed)
    theta = rng.dirichlet(0.5 * SHARES, m)
    words = theta @ topics
    counts = rng.multinomial(50, words / words.sum(axis=1, keepdims=True))
    return sp.csr_array(counts.astype(np.int32)), theta


def separable_topics(n: int, seed: int) -> np.ndarray:
    """p(word | topic), (r, n); word t is an anchor of topic t."""
    r = len(SHARES)
    topics = np.random.default_rng(seed).dirichlet(np.ones(n), r)
    topics[:, :r] = 0.1 * np.eye(r)
    return topics / topics.sum(axis=1, keepdims=True)


def by_anchor(model: AnchorTopicModel) -> np.ndarray:
    return model.components_.T[:, np.argsort(model.anchors_)]


def capacity(before: np.ndarray, after: list[np.ndarray], k: int) -> float:
    """Documents at which the noise is ERROR of the size, when the change grows like k."""
    change = float(np.mean([np.linalg.norm(one - before) for one in after])) / k
    noise = gaussian_sigma(1.0, EPSILON, DELTA) * math.sqrt(before.size)
    return ERROR * float(np.linalg.norm(before)) / (change * noise)


def measured(m: int, n: int, k: int, repeats: int, seed: int) -> list[dict]:
    topics = separable_topics(n, seed)
    X, _ = documents(m, topics, seed + 1)
    X_task, theta = documents(TASK_DOCUMENTS, topics, seed + 2)
    r = len(SHARES)
    model = AnchorTopicModel(r, anchor_min_df=0.002).fit(X)
    logistic = LinearHeadClassifier(model, features="linear", alpha=1e-2, tol=1e-9)
    squared = LinearHeadRegressor(model, features="linear", alpha=1e-2)
    heads = [clone(logistic).fit(X_task, theta[:, t] > 0.5) for t in range(r)]
    heads += [clone(squared).fit(X_task, theta[:, t]) for t in range(r)]
    before = [by_anchor(model), *(head.word_scores_ for head in heads)]
    bounds = [head_capacity(head, EPSILON, DELTA, alpha=ERROR) for head in heads[:r]]
    after: list[list[np.ndarray]] = []
    rng = np.random.default_rng(seed)
    for _ in range(repeats):
        gone = rng.permutation(m)[:k]
        model.forget(X[gone])
        for head in heads:
            head.refresh()
        after.append([by_anchor(model), *(head.word_scores_ for head in heads)])
        model.partial_fit(X[gone])
    found = [capacity(one, [changed[at] for changed in after], k) for at, one in enumerate(before)]
    return [
        {
            "q": float(SHARES[t]),
            "base": found[0],
            "head, logistic": found[1 + t],
            "head, squared": found[1 + r + t],
            "bound on weights": bounds[t].n_documents,
            "paper, base": paper_rate(m, n, r),
            # The paper's q is at least 1/r.
            "paper, head": paper_rate(m, n, r, target="head", head_share=max(SHARES[t], 1 / r)),
        }
        for t in range(r)
    ]


def main() -> None:
    options = arguments(__doc__)
    m, n, repeats = (4_000, 100, 3) if options.quick else (100_000, 300, 20)
    rows = measured(m, n, max(m // 1000, 5), repeats, options.seed)
    print(f"m={m:,}, n={n}, epsilon={EPSILON}, delta={DELTA}, relative error {ERROR}\n")
    print_table(tuple(rows[0]), [tuple(row.values()) for row in rows])
    made, (axis,) = figure(1, 5.0, 3.8)
    styles = {"base": "C0o-", "head, logistic": "C1s-", "head, squared": "C2^-"}
    for name, style in styles.items():
        axis.loglog([row["q"] for row in rows], [row[name] for row in rows], style, label=name)
    axis.set_xticks(SHARES, [f"{share:g}" for share in SHARES])
    axis.minorticks_off()
    axis.set_xlabel("q, probability of the topic that the task is about")
    axis.set_ylabel("deletion capacity, documents")
    axis.set_title(f"m={m:,}, n={n}, r={len(SHARES)}, relative error {ERROR}", fontsize=8)
    axis.legend(fontsize=7)
    save(made, options.out, "head-capacity.png")


if __name__ == "__main__":
    main()
