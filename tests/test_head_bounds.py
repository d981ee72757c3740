"""The inequalities that heads are certified by, on random tasks and against plain NumPy."""

import numpy as np
import pytest

from pyunlearn.heads._logistic_loss import LogisticLoss, minimise, removal_step
from pyunlearn.privacy._capacity import head_sensitivity


def loss_of(features, labels, classes, alpha):
    hot = (labels[:, None] == np.arange(classes)).astype(float)
    return LogisticLoss(features, hot[:, 1:].copy() if classes == 2 else hot, alpha, 1)


def plain_gradient(loss, weights):
    scores = loss.features @ weights
    if scores.shape[1] == 1:
        scores = np.hstack([np.zeros_like(scores), scores])
    share = np.exp(scores - scores.max(axis=1, keepdims=True))
    share = (share / share.sum(axis=1, keepdims=True))[:, -loss.shape[1] :]
    mean = loss.features.T @ (share - loss.targets) / loss.n_documents
    return np.linalg.norm(mean + loss.alpha * weights)


def random_task(rng):
    """Features with outliers, labels from near certain to random, tiny to large alpha."""
    m, p, classes = (int(one) for one in rng.integers([6, 2, 2], [60, 7, 6]))
    features = rng.standard_normal((m, p)) * 10.0 ** rng.uniform(-1.5, 1.5)
    features[rng.integers(m)] *= rng.choice([1.0, 30.0])
    scores = features @ rng.standard_normal((p, classes)) / np.abs(features).mean()
    labels = np.argmax(scores + rng.gumbel(size=scores.shape) * rng.uniform(0.01, 2), axis=1)
    return features, labels, classes, 10.0 ** rng.uniform(-7, 0)


@pytest.mark.parametrize("seed", range(4))
def test_a_removal_leaves_no_more_than_its_bound_and_weights_are_within_the_distance(seed):
    rng = np.random.default_rng(seed)
    for _ in range(40):
        features, labels, classes, alpha = random_task(rng)
        whole = loss_of(features, labels, classes, alpha)
        start = minimise(whole, 1e-10, 200).weights
        # The documents that pull most, or any.
        pull = np.abs(whole.gradient(start)[1] - whole.targets).sum(axis=1)
        pull *= np.linalg.norm(features, axis=1)
        order = np.argsort(-pull) if rng.random() < 0.5 else rng.permutation(len(labels))
        cut = int(rng.integers(1, len(labels) // 2))
        gone, left = order[:cut], np.sort(order[cut:])
        remaining = loss_of(features[left], labels[left], classes, alpha)
        removed = loss_of(features[gone], labels[gone], classes, alpha)
        found, bound = removal_step(remaining, removed, start, 1e-10)
        before = plain_gradient(whole, start) * len(labels) / len(left)
        after = plain_gradient(remaining, found.weights)
        assert after <= (bound + before) * (1 + 1e-9) + 1e-13
        assert found.gradient_norm == pytest.approx(after, rel=1e-6, abs=1e-13)
        optimum = minimise(remaining, 1e-12, 300)
        apart = np.linalg.norm(found.weights - optimum.weights)
        assert apart <= (after + optimum.gradient_norm) / alpha * (1 + 1e-9)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_a_head_moves_no_more_than_the_topics_allow(classes):
    rng = np.random.default_rng(classes)
    for _ in range(30):
        A = rng.dirichlet(np.full(12, 0.3), 3).T
        B = 0.9 * A + 0.1 * rng.dirichlet(np.full(12, 0.3), 3).T
        x = rng.dirichlet(np.full(12, 0.2), 40)
        labels = rng.integers(0, classes, 40)
        alpha = 10.0 ** rng.uniform(-3, 1)
        one, other = (
            minimise(loss_of(x @ rows, labels, classes, alpha), 1e-12, 200).weights
            for rows in (A, B)
        )
        rho = max(np.linalg.norm(rows, axis=1).max() for rows in (A, B))
        moved = float(np.linalg.norm(A - B, axis=1).max())
        bound = head_sensitivity(moved, alpha, rho, softmax=classes > 2)
        assert np.linalg.norm(one - other) <= bound
