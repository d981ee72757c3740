"""`release`: a noised copy of the topics with a statement of what it claims."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._core import newton
from pyunlearn._digest import content_digest
from pyunlearn._learners.anchor import AnchorTopics
from pyunlearn._learners.anchor_newton import newton_update
from pyunlearn._learners.topics import topic_correlation
from pyunlearn.certificates import ReleaseCertificate
from pyunlearn.errors import (
    FloorsError,
    InvalidParameterError,
    NoisyReleaseWarning,
)
from pyunlearn.privacy._capacity import Budget
from pyunlearn.privacy._constants import measure, require_anchors
from pyunlearn.privacy._mechanism import gaussian_epsilon
from pyunlearn.privacy._noise import GRID_SHARE, calibrated, noised, require_sampler

if TYPE_CHECKING:
    from pyunlearn.anchor_topic_model import AnchorTopicModel

__all__ = ["Release", "release"]

RECOVERY = {"exact": "simplex", "newton": "newton"}
GRID_BITS = 128


@dataclass(frozen=True, eq=False)
class Release:
    """Topics that may be published under the claim of the certificate, by anchor column.

    Attributes
    ----------
    components_ : ndarray of float64, shape (n_topics, n_words)
        p(word | topic) with noise, rows projected on the simplex.
    topic_correlation_ : ndarray of float64, shape (n_topics, n_topics), or None
        R with noise, symmetric and projected on the positive semidefinite cone.
    anchors_ : ndarray of int32, shape (n_topics,)
        The anchor words, ascending, public by assumption.
    certificate : ReleaseCertificate
        The claim.
    budget : Budget
        The budget after this release, to be kept with the model; not to be published.
    """

    components_: NDArray[np.float64]
    topic_correlation_: NDArray[np.float64] | None
    anchors_: NDArray[np.int32]
    certificate: ReleaseCertificate
    budget: Budget


def release(
    model: AnchorTopicModel,
    epsilon: float,
    delta: float,
    *,
    capacity: int,
    mechanism: str = "analytic",
    mode: str | None = None,
    correlation: bool = True,
    sensitivity: float | None = None,
    seed: int | None = None,
) -> Release:
    """A noised copy of the topics that hides which `capacity` documents were removed.

    The first release declares a budget: the claim, the capacity, and constants of the model
    rounded to powers of two. It is kept as `model.budget_`, saved with the model, and later
    releases and deletions with mode="newton" are counted against it. See docs/epsilon-delta.md for
    what is claimed; at common sizes the noise is larger than the topics (see
    `deletion_capacity`).

    Parameters
    ----------
    model : AnchorTopicModel
        Fitted.
    epsilon, delta : float
        The claim, for A and R together.
    capacity : int
        Documents that the release covers, from 1 to all.
    mechanism : {"analytic", "classical"}
        See `gaussian_sigma`.
    mode : {"exact", "newton"}, optional
        "newton" finishes the topics by `newton_update`, so that a model released before and after
        Newton deletions went through the same map, as the definition of unlearning asks. Default:
        that of the budget, else how the model was last updated.
    correlation : bool, default=True
        Whether R is released; without it A needs 1 / sqrt(2) of the noise.
    sensitivity : float, optional
        Bound on |A_F - A_S|_F to use instead of ours, with correlation=False; the certificate
        says that the caller gave it.
    seed : int, optional
        For tests only: reproducible noise, and a release that is not certified.

    Returns
    -------
    Release
        The noised arrays, the certificate and the budget after the release.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        The model is not fitted.
    InvalidParameterError
        A parameter out of range or other than in the budget, or a model that the bound does not
        speak of.
    FloorsError
        The budget's constants do not hold, or the bound is infinite: removing so many documents
        could take away an anchor word.
    AnchorVanishedError
        mode="newton", and the Newton step does not exist.
    MissingExtraError
        OpenDP, the extra [privacy], is not installed.

    Warns
    -----
    NoisyReleaseWarning
        The noise is larger than any two topic matrices can differ by.
    """
    model.refuse_stale()
    budget: Budget | None = getattr(model, "budget_", None)
    if seed is None:
        require_sampler()
    else:
        check.check_integer("seed", seed, 0)
    statistics = model.statistics_
    mode, topics = _finished(model, mode, budget)
    measured = measure(statistics, topics, RECOVERY[mode])
    if budget is None:
        budget = Budget.declare(
            measured.rounded(), epsilon, delta, capacity, statistics.n_documents, mechanism
        )
    _refuse_other_claim(budget, epsilon, delta, capacity, mechanism)
    budget.constants.check(measured)
    # By anchor column: the order in which anchors were found depends on the data.
    order = np.argsort(topics.anchors)
    arrays = {"components": np.ascontiguousarray(topics.word_distributions().T[:, order])}
    if correlation:
        arrays["topic_correlation"] = topic_correlation(topics, statistics)[np.ix_(order, order)]
    moved = _sensitivities(budget, sensitivity, correlation)
    sizes = {name: array.size for name, array in arrays.items()}
    sigma, charged = calibrated(
        moved, sizes, budget.epsilon, budget.delta, GRID_BITS, budget.mechanism
    )
    mu = math.hypot(*(charged[name] / sigma[name] for name in sigma if sigma[name] > 0), 0.0)
    noise_norm = {name: sigma[name] * math.sqrt(arrays[name].size) for name in arrays}
    _warn_if_useless(noise_norm["components"], topics.n_topics)
    random = None if seed is None else np.random.default_rng(seed)
    published = {
        name: noised(array, sigma[name], GRID_BITS, random) for name, array in arrays.items()
    }
    published["components"] = _project_rows(np.ascontiguousarray(published["components"].T))
    if correlation:
        published["topic_correlation"] = _nearest_semidefinite(published["topic_correlation"])
    budget = budget.released(mu)
    certificate = ReleaseCertificate(
        certified=seed is None,
        mode=mode,
        released=tuple(published),
        epsilon=budget.epsilon,
        delta=budget.delta,
        epsilon_composed=gaussian_epsilon(budget.mu_released, budget.delta * (1 - GRID_SHARE)),
        mechanism=budget.mechanism,
        sensitivity_source="bound" if sensitivity is None else "caller",
        sensitivity=charged,
        sigma=sigma,
        noise_norm=noise_norm,
        grid_bits=GRID_BITS if seed is None else 0,
        capacity=budget.capacity,
        capacity_used=budget.used,
        capacity_left=budget.left,
        n_releases=budget.n_releases,
        constants=budget.constants.as_dict(),
        parameters=topics.settings.as_dict(),
        n_documents=statistics.n_documents,
        model_digest=model.digest(),
        release_digest=content_digest({}, published),
    )
    model.budget_ = budget
    return Release(
        published["components"],
        published.get("topic_correlation"),
        topics.anchors[order],
        certificate,
        budget,
    )


def _finished(
    model: AnchorTopicModel, mode: str | None, budget: Budget | None
) -> tuple[str, AnchorTopics]:
    """Mode of the release and the topics to be noised."""
    topics = require_anchors(model.topics_)
    updated = topics.newton
    if mode is None:
        recovery = budget.constants.recovery if budget else ("newton" if updated else "simplex")
        mode = "newton" if recovery == "newton" else "exact"
    check.check_choice("mode", mode, tuple(RECOVERY))
    if mode == "newton":
        return mode, newton_update(topics, model.statistics_, model.n_jobs)
    if updated:
        raise InvalidParameterError(
            "the model was last updated with mode='newton', so it has no exact topics to release; "
            "call fit_statistics(model.statistics_) first, or release with mode='newton'"
        )
    return mode, topics


def _refuse_other_claim(
    budget: Budget, epsilon: float, delta: float, capacity: int, mechanism: str
) -> None:
    asked = {"epsilon": epsilon, "delta": delta, "capacity": capacity, "mechanism": mechanism}
    for name, value in asked.items():
        if getattr(budget, name) != value:
            raise InvalidParameterError(
                f"the budget was declared with {name}={getattr(budget, name)!r}, the release asks "
                f"for {value!r}; noise is fixed when the budget is declared. Pass the same, or "
                "withdraw what was released and begin without a budget, with "
                "model.fit_statistics(model.statistics_)"
            )


def _sensitivities(budget: Budget, given: float | None, correlation: bool) -> dict[str, float]:
    """l2 distance to hide, for each array."""
    if given is not None:
        if correlation:
            raise InvalidParameterError("a sensitivity of your own needs correlation=False")
        if not 0 <= given < math.inf:
            raise InvalidParameterError(f"sensitivity must be finite and >= 0, got {given!r}")
        return {"components": float(given)}
    bound = budget.sensitivity
    moved = {"components": bound.topics}
    if correlation:
        moved["topic_correlation"] = bound.correlation
    if not all(math.isfinite(value) for value in moved.values()):
        raise FloorsError(
            f"no finite bound for capacity={budget.capacity}: the anchor words are sure of a mass "
            f"of {budget.constants.anchor_mass:g} documents only, and the smallest singular value "
            f"of A of {budget.constants.topics_min:g}. Use a smaller capacity, or mode='exact', "
            "which needs no noise"
        )
    return moved


def _warn_if_useless(noise_norm: float, n_topics: int) -> None:
    if noise_norm > math.sqrt(2 * n_topics):
        warnings.warn(
            f"the noise on the topics has size {noise_norm:.3g}, more than any two topic matrices "
            f"of this shape can differ by ({math.sqrt(2 * n_topics):.3g}): the release says little "
            "of the corpus. See deletion_capacity; mode='exact' needs no noise",
            NoisyReleaseWarning,
            stacklevel=3,
        )


def _project_rows(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row replaced by the nearest distribution."""
    newton.project_rows(rows, np.empty((1, rows.shape[1])), 1)
    return rows


def _nearest_semidefinite(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest symmetric positive semidefinite matrix in Frobenius norm."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    nearest = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return np.asarray((nearest + nearest.T) / 2, np.float64)
