"""`release_head`: what may be published of a head after deletions, with a claim.

Base and features are exact, so with and without the deleted documents they are the same numbers.
What can differ is how near W is to the optimum: nothing at all after exact training, and at most
2 tau / alpha when both heads stopped at a gradient of tau (strong convexity). The noise goes on W
in the coordinates of the penalty; everything released is computed from the noised W, the exact base
and, for kind="head", a base that is public already.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from pyunlearn import _params as check
from pyunlearn._digest import content_digest
from pyunlearn._learners.anchor_newton import is_newton
from pyunlearn._version import __version__
from pyunlearn.errors import (
    DowngradedCertificateWarning,
    InvalidInputError,
    InvalidParameterError,
    StaleHeadError,
)
from pyunlearn.privacy._capacity import stopping_sensitivity
from pyunlearn.privacy._mechanism import check_privacy, gaussian_sigma
from pyunlearn.privacy._noise import (
    discrete_gaussian,
    grid_charge,
    require_sampler,
    rounding_charge,
)

if TYPE_CHECKING:
    from pyunlearn.heads._linear_head import LinearHead

__all__ = ["HeadRelease", "HeadReleaseCertificate", "release_head"]

RELEASES = ("composed", "head", "full")
FORMAT = "pyunlearn-head-release-1"
GRID_BITS = 64
# The share of delta that replacing the continuous by the discrete Gaussian may cost.
GRID_SHARE = 2.0**-20

COMPARATOR = (
    "the same release of a head with the same parameters, trained to `tol` on the remaining task "
    "documents over the base trained on the remaining documents"
)
COVERS = {
    "composed": "the word scores B = A W (A of the base after the deletions); not the base itself",
    "head": (
        "the weights V for the frozen base, as something computed from the composed release and "
        "that base: V tells no more of the deleted documents than the frozen base does. The frozen "
        "base, which was trained on them, is not covered"
    ),
    "full": "A of the base after the deletions, and the weights of the head on it",
}
NOT_COVERED = (
    "the choice of the vocabulary; a base from before the deletions, which voids this certificate "
    "when it is exported with the release; earlier releases of head or base; copies of the "
    "documents elsewhere; the digests in this certificate (publish `public()`, not this)"
)
DOWNGRADED = (
    "a base that is not the one after the deletions was exported with this release: it was trained "
    "on documents that have been deleted since, or is another model; nothing is certified"
)

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class HeadReleaseCertificate:
    """What a release of a head claims, and what it does not.

    Attributes
    ----------
    certified : bool
        Whether a claim is made at all: not for seeded noise, and not after a downgrade.
    kind : {"composed", "head", "full"}
        What is released.
    mode : {"exact", "newton"}
        How the head was trained last. Exact heads need no noise.
    released : tuple of str
        Names of the arrays.
    epsilon, delta : float
        The claim; both 0 for an exact head.
    tolerance : float
        tau, the declared bound of the gradient norm, the larger of `residual_budget` and `tol`; 0
        for an exact head.
    sensitivity, sigma : float
        2 tau / alpha with the charge for rounding, and the noise on each entry of W.
    score_noise : float
        Root mean square of the noise on the score of a token of the base's corpus.
    grid_bits : int
        Noise is on multiples of 2^-grid_bits; 0 without noise, or with seeded noise.
    residual, relative_residual : float or None
        kind="head": |A_S V - B|, root mean square over the tokens of the base's corpus, and its
        share of that of B.
    parameters : Mapping
        Of the head.
    base_components : str or None
        SHA-256 of A after the deletions.
    head_digest, release_digest : str or None
        SHA-256 of the head and of what is released.
    downgraded : str or None
        Why nothing is certified any more.
    """

    certified: bool
    kind: str
    mode: str
    released: tuple[str, ...]
    epsilon: float
    delta: float
    tolerance: float
    sensitivity: float
    sigma: float
    score_noise: float
    grid_bits: int
    residual: float | None
    relative_residual: float | None
    parameters: Mapping[str, Any]
    base_components: str | None
    head_digest: str | None
    release_digest: str | None
    covers: str
    comparator: str = COMPARATOR
    not_covered: str = NOT_COVERED
    downgraded: str | None = None
    version: str = __version__
    format: str = FORMAT

    def __str__(self) -> str:
        if self.downgraded:
            return f"not certified: {self.downgraded}"
        claim = f"({self.epsilon:g}, {self.delta:g})-unlearning of {self.kind} release"
        return claim if self.certified else f"not certified (seeded noise): {claim}"

    def public(self) -> HeadReleaseCertificate:
        """A copy that may go with the release: without digests of what was not noised."""
        return replace(self, base_components=None, head_digest=None)

    def to_json(self) -> str:
        """One line of JSON, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True, eq=False)
class HeadRelease:
    """Arrays that may be published under the claim of the certificate.

    Attributes
    ----------
    arrays : Mapping of str to ndarray
        "composed": `word_scores` (n_words, outputs). "head": `coef` (outputs, topics of the frozen
        base) and `intercept` (outputs,) for features A_S^T x. "full": `components`
        (topics, n_words), `coef` and `intercept`.
    classes : ndarray or None
        Labels of the outputs.
    certificate : HeadReleaseCertificate
        The claim.
    """

    arrays: Mapping[str, F64]
    classes: NDArray[Any] | None
    certificate: HeadReleaseCertificate

    def with_base(self, components: Any) -> HeadRelease:
        """The release with a base beside it, p(word | topic) of shape (topics, n_words).

        The base after the deletions leaves a composed or full release as it is (it is a full
        release then). Any other voids the certificate, which says so.

        Warns
        -----
        DowngradedCertificateWarning
            The base is not the one after the deletions.
        """
        base = _checked_base(components, None)
        certificate = self.certificate
        if content_digest({}, {"components": base}) != certificate.base_components:
            certificate = replace(certificate, certified=False, downgraded=DOWNGRADED)
            warnings.warn(DOWNGRADED, DowngradedCertificateWarning, stacklevel=2)
        arrays = {**self.arrays, "components": base}
        certificate = replace(
            certificate, released=tuple(arrays), release_digest=content_digest({}, arrays)
        )
        return HeadRelease(arrays, self.classes, certificate)


def release_head(
    head: LinearHead,
    epsilon: float,
    delta: float,
    *,
    kind: str = "composed",
    base: Any = None,
    seed: int | None = None,
) -> HeadRelease:
    """A copy of a head that may be published after deletions.

    Parameters
    ----------
    head : LinearHead
        Up to date with its base, on linear features.
    epsilon, delta : float
        The claim asked for; an exact head gets (0, 0) and no noise.
    kind : {"composed", "head", "full"}
        "composed": word scores B. "head": weights V = argmin |A_S V - B| for a frozen base that
        stays in use (in mean square over tokens), with the residual. "full": A and its weights.
    base : array-like, shape (topics, n_words), optional
        For kind="head": `components_` of the frozen base A_S, which is public.
    seed : int, optional
        For tests only: reproducible noise, and a release that is not certified.

    Returns
    -------
    HeadRelease
        Arrays and certificate.

    Raises
    ------
    StaleHeadError
        The base has changed since the head was brought up to date.
    InvalidParameterError
        A parameter out of range; a head on proportions with kind "composed" or "head" (there are
        no word scores); a base in mode="newton", which is not exact; a `residual_budget` lowered
        below what Newton steps may have left.
    InvalidInputError
        A `base` of another vocabulary.
    MissingExtraError
        Noise is needed and OpenDP, the extra [privacy], is not installed.
    """
    check_is_fitted(head, "task_")
    epsilon, delta = check_privacy(epsilon, delta)
    check.check_choice("kind", kind, RELEASES)
    if seed is not None:
        check.check_integer("seed", seed, 0)
    if not head.is_fresh():
        raise StaleHeadError("the base of this head has changed; call head.refresh() first")
    if is_newton(head.model_.parameters_):
        raise InvalidParameterError(
            "the base was last updated with mode='newton', so it differs from a retrained one; "
            "call model.fit_statistics(model.statistics_) and head.refresh() first"
        )
    if kind != "full" and head.settings_.features == "proportions":
        raise InvalidParameterError(
            "features='proportions' have no word scores; release with kind='full'"
        )
    frozen = _checked_base(base, head.n_features_in_) if kind == "head" else None
    tolerance = _declared_tolerance(head)
    weights = head.weights_
    sensitivity, sigma = _calibrate(tolerance, head.settings_.alpha, weights.size, epsilon, delta)
    if sigma > 0 and seed is None:
        require_sampler()
    noised = _noised(weights, sigma, seed)
    arrays, residual = _released(head, noised, kind, frozen)
    components = np.ascontiguousarray(head.model_.components_)
    certificate = HeadReleaseCertificate(
        certified=sigma == 0 or seed is None,
        kind=kind,
        mode=head.mode_,
        released=tuple(arrays),
        epsilon=epsilon if sigma > 0 else 0.0,
        delta=delta if sigma > 0 else 0.0,
        tolerance=tolerance,
        sensitivity=sensitivity,
        sigma=sigma,
        score_noise=sigma * math.sqrt(len(weights)),
        grid_bits=GRID_BITS if sigma > 0 and seed is None else 0,
        residual=residual[0],
        relative_residual=residual[1],
        parameters=head.settings_.as_dict(),
        base_components=content_digest({}, {"components": components}),
        head_digest=head.digest(),
        release_digest=content_digest({}, arrays),
        covers=COVERS[kind],
    )
    classes = head.classes_ if head.settings_.task == "classification" else None
    return HeadRelease(arrays, classes, certificate)


def _declared_tolerance(head: LinearHead) -> float:
    """tau: what this head and one trained anew both stay below; 0 for an exact head."""
    if head.mode_ == "exact":
        return 0.0
    budget = check.check_positive("residual_budget", head.residual_budget)
    if head.residual_spent_ > budget:
        raise InvalidParameterError(
            f"residual_budget={budget:g} was lowered below the {head.residual_spent_:.3g} that "
            "Newton steps may have left; raise it again, or call head.refresh() first"
        )
    return max(budget, head.settings_.tol)


def _checked_base(base: Any, n_words: int | None) -> F64:
    if base is None:
        raise InvalidInputError(
            "kind='head' needs base=, the components_ of the frozen base that stays in use"
        )
    try:
        components = np.ascontiguousarray(base, np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError("base must be an array of numbers") from None
    if components.ndim != 2 or n_words not in (None, components.shape[-1]):
        raise InvalidInputError(
            f"base has shape {components.shape}, expected (topics, {n_words or 'n_words'})"
        )
    if not np.isfinite(components).all():
        raise InvalidInputError("base contains NaN or infinity")
    return components


def _calibrate(
    tolerance: float, alpha: float, size: int, epsilon: float, delta: float
) -> tuple[float, float]:
    """Sensitivity with the charge for rounding to the grid, and sigma; both 0 for tolerance 0."""
    if tolerance == 0:
        return 0.0, 0.0
    sensitivity = stopping_sensitivity(tolerance, alpha) + rounding_charge(size, GRID_BITS)
    sigma = gaussian_sigma(sensitivity, epsilon, delta * (1 - GRID_SHARE))
    if grid_charge(size, sigma, epsilon, GRID_BITS) > delta * GRID_SHARE:
        raise InvalidParameterError(
            f"delta={delta:g} with epsilon={epsilon:g} is finer than a grid of 2^-{GRID_BITS} can "
            "certify; use a larger delta or a smaller epsilon"
        )
    return sensitivity, sigma


def _noised(weights: F64, sigma: float, seed: int | None) -> F64:
    if sigma == 0:
        return weights.copy()
    if seed is None:
        return discrete_gaussian(weights, sigma, GRID_BITS)
    return weights + sigma * np.random.default_rng(seed).standard_normal(weights.shape)


def _released(
    head: LinearHead, weights: F64, kind: str, frozen: F64 | None
) -> tuple[dict[str, F64], tuple[float | None, float | None]]:
    """Arrays of the release, and the residual of a frozen base with its share of |B|."""
    if kind == "full":
        topics = head.topic_weights(weights)
        base = np.ascontiguousarray(head.model_.components_)
        coef = np.ascontiguousarray(topics[1:].T)
        return {"components": base, "coef": coef, "intercept": topics[0].copy()}, (None, None)
    scores = head.word_scores_of(weights)
    if frozen is None:
        return {"word_scores": scores}, (None, None)
    # Words count as often as they occur: what is kept near is the score of a token.
    weight = np.sqrt(head.model_.word_frequencies_)[:, None]
    columns = weight * np.hstack([np.ones((frozen.shape[1], 1)), frozen.T])
    fitted = np.linalg.lstsq(columns, weight * scores, rcond=None)[0]
    residual = float(np.linalg.norm(columns @ fitted - weight * scores))
    size = float(np.linalg.norm(weight * scores))
    arrays = {"coef": np.ascontiguousarray(fitted[1:].T), "intercept": fitted[0].copy()}
    return arrays, (residual, residual / size if size > 0 else 0.0)
