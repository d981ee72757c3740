"""`release_head`: what may be published of a head after deletions, with a claim.

Base and features are exact, so with and without the deleted documents they are the same numbers.
What can differ is how near W is to the optimum: nothing at all after exact training, and at most
2 tau / alpha when both heads stopped at a gradient of tau (strong convexity). The noise goes on W
in the coordinates of the penalty; everything released is computed from the noised W, the exact base
and, for kind="head", a base that is public already.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from pyunlearn import _params as check
from pyunlearn._digest import content_digest
from pyunlearn.certificates import HeadReleaseCertificate
from pyunlearn.errors import (
    DowngradedCertificateWarning,
    InvalidInputError,
    InvalidParameterError,
    StaleHeadError,
)
from pyunlearn.privacy._capacity import stopping_sensitivity
from pyunlearn.privacy._mechanism import check_privacy
from pyunlearn.privacy._noise import calibrated, noised

if TYPE_CHECKING:
    from pyunlearn.heads._linear_head import LinearHead

__all__ = ["HeadRelease", "HeadReleaseCertificate", "release_head"]

RELEASES = ("composed", "head", "full")
GRID_BITS = 64

COVERS = {
    "composed": "the word scores B = A W (A of the base after the deletions); not the base itself",
    "head": (
        "the weights V for the frozen base, as something computed from the composed release and "
        "that base: V tells no more of the deleted documents than the frozen base does. The frozen "
        "base, which was trained on them, is not covered"
    ),
    "full": "A of the base after the deletions, and the weights of the head on it",
}
DOWNGRADED = (
    "a base that is not the one after the deletions was exported with this release: it was trained "
    "on documents that have been deleted since, or is another model; nothing is certified"
)

F64 = NDArray[np.float64]


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
    if getattr(head.model_.topics_, "newton", False):
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
    sensitivity = sigma = 0.0
    published = weights.copy()
    if tolerance > 0:
        moved = stopping_sensitivity(tolerance, head.settings_.alpha)
        sigmas, charged = calibrated(
            {"weights": moved}, {"weights": weights.size}, epsilon, delta, GRID_BITS
        )
        sensitivity, sigma = charged["weights"], sigmas["weights"]
        random = None if seed is None else np.random.default_rng(seed)
        published = noised(weights, sigma, GRID_BITS, random)
    arrays, residual = _released(head, published, kind, frozen)
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
