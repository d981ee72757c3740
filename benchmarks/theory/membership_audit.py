"""Can it be told whether a document was in the corpus: before, after deletion, and retrained?

    python -m benchmarks.theory.membership_audit [--quick]

LiRA (Carlini et al. 2022) as used on topic models by Manzonelli et al. (2024): the score of a
document is its log-likelihood a token under EM fold-in; shadow models trained on random halves give
its distribution with and without the document, and the likelihood ratio of the two is the test.
Each model in turn is attacked with all others as shadows. "vulnerable": the tenth of the documents
whose two distributions lie farthest apart. After an exact deletion the model has the digest of the
retrained one, so the attack sees the same bytes; the newton column shows what U_base leaves.
"""

from __future__ import annotations

import numpy as np

from benchmarks.theory.output import arguments, figure, print_table, save
from pyunlearn import AnchorTopicModel
from pyunlearn._learners.anchor_newton import newton_update
from pyunlearn.datasets import make_separable

STAGES = ("before", "after exact", "retrained", "after newton")


def train(X) -> AnchorTopicModel:
    return AnchorTopicModel(5, anchor_min_df=0.1).fit(X)


def log_likelihood(model: AnchorTopicModel, X) -> np.ndarray:
    """Of each document, a token, with its proportions folded in."""
    model.set_params(transform_tol=1e-4, transform_max_iter=200)
    mixed = model.transform(X) @ model.components_
    counts = X.toarray()
    return (counts * np.log(mixed + 1e-6)).sum(axis=1) / counts.sum(axis=1)


def ratios(scores: np.ndarray, shadows: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Log-likelihood ratio in/out of each document's score, Gaussians fitted to the shadows."""
    found = np.zeros(len(scores))
    for document in range(len(scores)):
        inside = members[:, document]
        terms = []
        for group in (shadows[inside, document], shadows[~inside, document]):
            spread = group.std() + 1e-6
            terms.append(-0.5 * ((scores[document] - group.mean()) / spread) ** 2 - np.log(spread))
        found[document] = terms[0] - terms[1]
    return found


def curve(ratio: np.ndarray, member: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates over all thresholds."""
    order = np.argsort(-ratio, kind="stable")
    hits = np.concatenate(([0], np.cumsum(member[order]))) / max(member.sum(), 1)
    alarms = np.concatenate(([0], np.cumsum(~member[order]))) / max((~member).sum(), 1)
    return alarms, hits


def attack(X, members: np.ndarray, targets: np.ndarray) -> dict[str, np.ndarray]:
    """Score of every target under every model, at each stage: (models, targets)."""
    wanted = X[targets]
    tables = {stage: np.zeros((len(members), len(targets))) for stage in STAGES}
    for row, inside in enumerate(members):
        chosen = np.flatnonzero(inside)
        model = train(X[chosen])
        tables["before"][row] = log_likelihood(model, wanted)
        gone, left = np.intersect1d(chosen, targets), np.setdiff1d(chosen, targets)
        learned = model.topics_
        model.forget(X[gone])
        tables["after exact"][row] = log_likelihood(model, wanted)
        retrained = train(X[left])
        assert retrained.digest() == model.digest()
        tables["retrained"][row] = log_likelihood(retrained, wanted)
        model.topics_ = newton_update(learned, model.statistics_)
        tables["after newton"][row] = log_likelihood(model, wanted)
    return tables


def main() -> None:
    options = arguments(__doc__)
    m, n, n_models, n_targets = (400, 120, 16, 60) if options.quick else (1000, 300, 64, 150)
    rng = np.random.default_rng(options.seed)
    X = make_separable(m, n, 5, p=0.1, concentration=0.5, length=(5, 40), seed=options.seed).X
    members = np.array([rng.permutation(m) < m // 2 for _ in range(n_models)])
    targets = np.sort(rng.choice(m, n_targets, replace=False))
    tables, inside = attack(X, members, targets), members[:, targets]
    shadows = tables["before"]
    apart = np.array(
        [
            abs(shadows[inside[:, d], d].mean() - shadows[~inside[:, d], d].mean())
            / (shadows[:, d].std() + 1e-9)
            for d in range(n_targets)
        ]
    )
    groups = {
        "random": np.arange(n_targets),
        "vulnerable": np.argsort(-apart)[: max(5, n_targets // 10)],
    }
    rows, made = [], figure(2)
    for axis, (name, chosen) in zip(made[1], groups.items(), strict=True):
        for stage, style in zip(STAGES, ("C3-", "C0-", "k:", "C1--"), strict=True):
            found = pooled(tables[stage], shadows, inside)
            alarms, hits = curve(found[:, chosen].ravel(), inside[:, chosen].ravel())
            at_one = float(hits[np.searchsorted(alarms, 0.01, side="right") - 1])
            rows.append((name, stage, float(np.trapezoid(hits, alarms)), at_one))
            axis.plot(alarms, hits, style, label=stage)
        axis.plot([0, 1], [0, 1], color="gray", lw=0.6)
        axis.set_title(f"{name} documents", fontsize=9)
        axis.set_xlabel("false positive rate")
        axis.set_ylabel("true positive rate")
    made[1][0].legend(fontsize=8)
    print(f"{n_models} models on halves of {m} documents, {n} words; {n_targets} targets")
    print_table(("documents", "model", "AUC", "TPR at 1 % FPR"), rows)
    save(made[0], options.out, "membership_audit.png")


def pooled(scores: np.ndarray, shadows: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Ratios of every model's scores, with all other models as shadows."""
    keep = ~np.eye(len(scores), dtype=bool)
    return np.array(
        [ratios(scores[row], shadows[keep[row]], inside[keep[row]]) for row in range(len(scores))]
    )


if __name__ == "__main__":
    main()
