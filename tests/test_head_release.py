"""Releases of heads: what is noised, what is claimed, and what voids it."""

import json
import math

import numpy as np
import pytest
from tasks import base, corpus, new_head

from pyunlearn.errors import (
    DowngradedCertificateWarning,
    InvalidInputError,
    InvalidParameterError,
    StaleHeadError,
)
from pyunlearn.privacy import gaussian_delta, head_capacity, release_head, smallest_topic_used

COUNTS, LABELS = corpus()
LINEAR = ("logistic", "linear", "classification")
PROPORTIONS = ("logistic", "proportions", "classification")


def after_deletion(mode="exact", kind=LINEAR):
    """A head whose base has lost documents, and A of the base from before."""
    head = new_head(kind, base(COUNTS)).fit(COUNTS, LABELS)
    frozen = head.model_.components_
    head.model_.forget(COUNTS[:9])
    head.refresh(mode=mode)
    return head, frozen


def test_an_exact_head_is_released_without_noise():
    head, _ = after_deletion()
    release = release_head(head, 1.0, 1e-6)
    certificate = release.certificate
    assert (certificate.epsilon, certificate.delta, certificate.sigma) == (0, 0, 0)
    assert certificate.certified
    assert (release.arrays["word_scores"] == head.word_scores_).all()
    once = new_head(LINEAR, base(COUNTS[9:])).fit(COUNTS, LABELS)
    assert release_head(once, 1.0, 1e-6).certificate.release_digest == certificate.release_digest


def test_a_newton_head_gets_noise_for_its_declared_tolerance():
    head, _ = after_deletion("newton")
    certificate = release_head(head, 1.0, 1e-6, seed=0).certificate
    assert certificate.sensitivity >= 2 * head.residual_budget / head.alpha
    assert gaussian_delta(certificate.sensitivity / certificate.sigma, 1.0) <= 1e-6
    assert not certificate.certified
    assert "seeded" in str(certificate)


def test_noise_hides_what_newton_steps_left_and_what_training_leaves():
    head, _ = after_deletion("newton")
    assert head.gradient_norm_ <= release_head(head, 1.0, 1e-6, seed=0).certificate.tolerance
    head.set_params(residual_budget=head.gradient_norm_ / 2)
    with pytest.raises(InvalidParameterError, match="lowered"):
        release_head(head, 1.0, 1e-6, seed=0)
    coarse = new_head(LINEAR, base(COUNTS), tol=1e-2).fit(COUNTS, LABELS)
    coarse.model_.forget(COUNTS[:9])
    coarse.set_params(residual_budget=5e-3).refresh(mode="newton")
    assert release_head(coarse, 1.0, 1e-6, seed=0).certificate.tolerance == 1e-2


def test_noise_has_the_size_that_the_certificate_says():
    head, _ = after_deletion("newton")
    share = head.model_.word_frequencies_
    squares = []
    for seed in range(60):
        release = release_head(head, 1.0, 1e-6, seed=seed)
        noise = release.arrays["word_scores"] - head.word_scores_
        squares.append((share @ noise**2).mean())
    assert math.sqrt(np.mean(squares)) == pytest.approx(release.certificate.score_noise, rel=0.15)


def test_certified_noise_differs_each_time():
    pytest.importorskip("opendp")
    head, _ = after_deletion("newton")
    one, other = (release_head(head, 1.0, 1e-6) for _ in range(2))
    assert one.certificate.certified
    assert one.certificate.release_digest != other.certificate.release_digest


def test_a_frozen_base_gets_the_nearest_weights_and_the_residual():
    head, frozen = after_deletion()
    release = release_head(head, 1.0, 1e-6, kind="head", base=frozen)
    fitted = frozen.T @ release.arrays["coef"].T + release.arrays["intercept"]
    weight = np.sqrt(head.model_.word_frequencies_)[:, None]
    residual = np.linalg.norm(weight * (fitted - head.word_scores_))
    assert release.certificate.residual == pytest.approx(residual)
    assert 0 < release.certificate.relative_residual < 1
    same = release_head(head, 1.0, 1e-6, kind="head", base=head.model_.components_)
    assert same.certificate.relative_residual < 1e-9


@pytest.mark.parametrize("kind", [LINEAR, PROPORTIONS])
def test_a_full_release_predicts_alone(kind):
    head, _ = after_deletion(kind=kind)
    arrays = release_head(head, 1.0, 1e-6, kind="full").arrays
    x = COUNTS / COUNTS.sum(axis=1, keepdims=True)
    features = x @ arrays["components"].T if kind == LINEAR else head.model_.transform(COUNTS)
    scores = features @ arrays["coef"].T + arrays["intercept"]
    assert (head.classes_[scores.argmax(axis=1)] == head.predict(COUNTS)).all()


@pytest.mark.parametrize("kind", ["composed", "head"])
def test_exporting_the_stale_base_voids_the_certificate(kind):
    head, frozen = after_deletion()
    release = release_head(head, 1.0, 1e-6, kind=kind, base=frozen)
    with pytest.warns(DowngradedCertificateWarning, match="nothing is certified"):
        exported = release.with_base(frozen)
    assert release.certificate.certified
    assert not exported.certificate.certified
    assert "deleted since" in str(exported.certificate)
    assert "components" in exported.certificate.released


def test_the_base_after_the_deletions_voids_nothing():
    head, _ = after_deletion()
    exported = release_head(head, 1.0, 1e-6).with_base(head.model_.components_)
    assert exported.certificate.certified


def test_a_certificate_is_json_and_its_public_copy_has_no_digest_of_the_model():
    certificate = release_head(after_deletion()[0], 1.0, 1e-6).certificate
    values = json.loads(certificate.public().to_json())
    assert values["head_digest"] is values["base_components"] is None
    assert values["covers"].startswith("the word scores")


def test_releases_that_are_refused():
    head, frozen = after_deletion()
    proportions, _ = after_deletion(kind=PROPORTIONS)
    for error, call in (
        (InvalidParameterError, lambda: release_head(head, 0, 1e-6)),
        (InvalidParameterError, lambda: release_head(head, 1.0, 1.0)),
        (InvalidParameterError, lambda: release_head(head, 1.0, 1e-6, kind="base")),
        (InvalidParameterError, lambda: release_head(head, 1.0, 1e-6, seed=-1)),
        (InvalidParameterError, lambda: release_head(proportions, 1.0, 1e-6)),
        (InvalidInputError, lambda: release_head(head, 1.0, 1e-6, kind="head")),
        (InvalidInputError, lambda: release_head(head, 1.0, 1e-6, kind="head", base=frozen[:, 1:])),
        (
            InvalidInputError,
            lambda: release_head(head, 1.0, 1e-6, kind="head", base=frozen * np.nan),
        ),
    ):
        with pytest.raises(error):
            call()
    head.model_.forget(COUNTS[9:12])
    with pytest.raises(StaleHeadError):
        release_head(head, 1.0, 1e-6)


# ---- capacity --------------------------------------------------------------------------------


def test_q_is_the_smallest_topic_that_the_head_uses():
    head, _ = after_deletion()
    shares = head.model_.topic_proportions_
    assert smallest_topic_used(head, 1e-9) == shares.min()
    assert smallest_topic_used(head, 1.0) in shares


def test_capacity_of_a_head_is_bounded_and_its_rate_grows_with_q():
    head, _ = after_deletion()
    capacity = head_capacity(head, 1.0, 1e-6)
    assert capacity.n_documents <= head.model_.statistics_.n_documents
    assert capacity.error_of_one > 0
    rates = [head_capacity(head, 1.0, 1e-6, threshold=threshold).rate for threshold in (1e-9, 1.0)]
    assert rates[0] <= rates[1]
    squared = new_head(("squared", "linear", "classification"), head.model_).fit(COUNTS, LABELS)
    with pytest.raises(InvalidParameterError):
        head_capacity(squared, 1.0, 1e-6)
