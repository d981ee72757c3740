"""Linear heads: what they compute, and how they refuse."""

import numpy as np
import pytest
import scipy.sparse as sp
from estimator_checks import WRONG_CHECKS, AskForIntegers
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks
from tasks import KINDS, base, corpus, new_head, targets

from pyunlearn import AnchorTopicModel, LinearHeadClassifier, LinearHeadRegressor
from pyunlearn._documents import check_documents
from pyunlearn.errors import (
    FewerClassesWarning,
    InvalidInputError,
    InvalidParameterError,
    NotInModelError,
    StaleHeadError,
    StaleHeadWarning,
    StatisticsOverflowError,
)
from pyunlearn.heads._logistic_loss import LogisticLoss, NewtonSystems
from pyunlearn.heads._training import Trainer

COUNTS, LABELS = corpus()
FIRST = slice(0, 9)
LINEAR = [kind for kind in KINDS if kind[1] != "proportions"]
LOGISTIC = [kind for kind in KINDS if kind[0] == "logistic"]


def fitted(kind, **parameters):
    return new_head(kind, base(COUNTS), **parameters).fit(COUNTS, targets(kind, LABELS))


def features_of(head, counts):
    return Trainer(head.model_, head.settings_, 1).features(check_documents(counts))


class CheckedHead(AskForIntegers):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Two topics of what are no documents.
        (tags.classifier_tags or tags.regressor_tags).poor_score = True
        return tags


class Classifier(CheckedHead, LinearHeadClassifier):
    pass


class Regressor(CheckedHead, LinearHeadRegressor):
    pass


def unfitted_base():
    """The checks know only X and y, so the head fits its base."""
    return AnchorTopicModel(n_topics=2, anchor_min_df=1)


def expected_failures(head):
    if getattr(head, "loss", "squared") == "squared":
        return WRONG_CHECKS
    return WRONG_CHECKS | {
        "check_decision_proba_consistency": "its X has negative values, which are no counts"
    }


@parametrize_with_checks(
    [
        Classifier(unfitted_base(), alpha=1e-2),
        Classifier(unfitted_base(), alpha=1e-2, features="linear"),
        Classifier(unfitted_base(), alpha=1e-2, features="proportions"),
        Classifier(unfitted_base(), alpha=1e-2, loss="squared"),
        Regressor(unfitted_base(), alpha=1e-2),
        Regressor(unfitted_base(), alpha=1e-2, features="proportions"),
    ],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


# ---- what is computed ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LINEAR)
def test_linear_features_are_orthonormal_over_the_tokens_of_the_corpus(kind):
    head = fitted(kind)
    trainer = Trainer(head.model_, head.settings_, 1)
    rows, share = trainer.words.rows, head.model_.word_frequencies_
    gram = (rows * share[:, None]).T @ rows
    kept = np.diagonal(gram) > 0.5
    np.testing.assert_allclose(gram, np.diag(kept.astype(float)), atol=1e-9)
    assert (rows[:, 0] == 1).all()


@pytest.mark.parametrize("kind", LINEAR)
def test_the_penalty_is_the_mean_square_score_of_a_token(kind):
    head = fitted(kind)
    mean_square = head.model_.word_frequencies_ @ head.word_scores_**2
    np.testing.assert_allclose(mean_square, (head.weights_**2).sum(axis=0), rtol=1e-9)


@pytest.mark.parametrize("learner", ["anchor", "factor"])
@pytest.mark.parametrize("kind", KINDS)
def test_coefficients_score_the_features_that_they_are_named_after(kind, learner):
    head = new_head(kind, base(COUNTS, learner=learner)).fit(COUNTS, targets(kind, LABELS))
    x = COUNTS / COUNTS.sum(axis=1, keepdims=True)
    features = {
        "linear": x @ head.model_.components_.T,
        "word-topic": x @ head.model_.word_topic_,
        "proportions": head.model_.transform(COUNTS),
    }[kind[1]]
    expected = features @ head.coef_.T + head.intercept_
    np.testing.assert_allclose(expected, head.raw_scores(check_documents(COUNTS)), atol=1e-8)


@pytest.mark.parametrize("kind", LINEAR)
def test_word_scores_alone_predict(kind):
    head = fitted(kind)
    x = COUNTS / COUNTS.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        x @ head.word_scores_, head.raw_scores(check_documents(COUNTS)), atol=1e-12
    )


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind[0] == "squared"])
def test_squared_loss_is_ridge_regression(kind):
    head, y = fitted(kind), targets(kind, LABELS)
    if kind[2] == "classification":
        y = (y[:, None] == head.classes_).astype(float)
    ridge = Ridge(alpha=1e-3 * len(y), fit_intercept=False).fit(features_of(head, COUNTS), y)
    np.testing.assert_allclose(head.weights_.T, ridge.coef_, atol=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", LOGISTIC)
def test_logistic_loss_reaches_the_optimum(kind, classes):
    y = LABELS % classes
    head = new_head(kind, base(COUNTS)).fit(COUNTS, y)
    reference = LogisticRegression(
        C=1 / (1e-3 * len(y)), fit_intercept=False, tol=1e-10, max_iter=10_000
    ).fit(features_of(head, COUNTS), y)
    np.testing.assert_allclose(head.weights_.T, reference.coef_, atol=2e-5)
    assert head.gradient_norm_ <= head.tol


@pytest.mark.parametrize("classes", [2, 3])
def test_the_gradient_is_that_of_the_objective(classes):
    rng = np.random.default_rng(0)
    features = rng.standard_normal((20, 4))
    outputs = 1 if classes == 2 else 3
    targets = (rng.integers(0, classes, 20)[:, None] == np.arange(outputs) + 2 - outputs) * 1.0
    loss = LogisticLoss(features, targets[:, -outputs:].copy(), 0.3, 1)
    weights, direction = rng.standard_normal((2, 4, outputs))
    moved = [loss.gradient(weights + sign * 1e-6 * direction)[0] for sign in (1, -1)]
    curved = loss.curved(loss.gradient(weights)[1], direction)
    np.testing.assert_allclose(curved, (moved[0] - moved[1]) / 2e-6, atol=1e-8)


@pytest.mark.parametrize("outputs", [1, 4])
@pytest.mark.parametrize("forcing", [0.3, 1e-3, 1e-10])
def test_a_newton_system_is_solved_to_the_share_asked_for(outputs, forcing):
    rng = np.random.default_rng(outputs)
    features = rng.standard_normal((40, 6)) * 10.0 ** rng.uniform(-1, 1, 6)
    hot = np.eye(5)[rng.integers(0, max(outputs, 2), 40)]
    loss = LogisticLoss(features, hot[:, :outputs].copy(), 1e-3, 2)
    systems = NewtonSystems(loss)
    for _ in range(3):  # the second finds the blocks of the first
        probability = loss.gradient(rng.standard_normal((6, outputs)))[1]
        right = rng.standard_normal((6, outputs))
        found = systems.solve(probability, right, forcing)
        left = np.linalg.norm(loss.curved(probability, found) - right)
        assert left <= 1.001 * forcing * np.linalg.norm(right)


def test_the_preconditioner_inverts_the_blocks_of_the_hessian():
    rng = np.random.default_rng(0)
    loss = LogisticLoss(rng.standard_normal((30, 4)), np.eye(3)[rng.integers(0, 3, 30)], 0.1, 1)
    probability = loss.gradient(rng.standard_normal((4, 3)))[1]
    for c, inverse in enumerate(loss.preconditioner(probability)):
        for k in range(4):
            direction = np.zeros((4, 3))
            direction[:, c] = inverse[k]
            np.testing.assert_allclose(
                loss.curved(probability, direction)[:, c], np.eye(4)[k], atol=1e-12
            )


@pytest.mark.parametrize("kind", KINDS)
def test_threads_and_the_order_of_documents_change_no_bit(kind):
    y = targets(kind, LABELS)
    order = np.random.default_rng(1).permutation(len(y))
    one = new_head(kind, base(COUNTS)).fit(COUNTS, y)
    other = (
        new_head(kind, base(COUNTS)).set_params(n_jobs=3).fit(sp.csc_array(COUNTS)[order], y[order])
    )
    assert one.digest() == other.digest()


def test_probabilities_sum_to_one_and_agree_with_the_prediction():
    for classes in (2, 3):
        head = LinearHeadClassifier(base(COUNTS)).fit(COUNTS, LABELS % classes)
        probability = head.predict_proba(COUNTS)
        np.testing.assert_allclose(probability.sum(axis=1), 1)
        assert (head.classes_[probability.argmax(axis=1)] == head.predict(COUNTS)).all()


def test_a_squared_head_on_linear_features_keeps_no_documents():
    head = fitted(("squared", "linear", "classification"))
    more = head.task_.pairs.nbytes
    head.partial_fit(np.repeat(COUNTS, 5, axis=0), np.repeat(targets(KINDS[3], LABELS), 5))
    assert head.task_.n_documents == 6 * len(COUNTS)
    assert head.task_.pairs.nbytes == more


# ---- scikit-learn's conventions --------------------------------------------------------------


def test_a_clone_is_an_unfitted_head_on_the_same_base():
    head = fitted(KINDS[0])
    twin = clone(head)
    assert twin.model is head.model
    assert not hasattr(twin, "task_")
    assert twin.get_params(deep=False) == head.get_params(deep=False)


def test_in_a_pipeline_and_in_cross_validation():
    head = LinearHeadClassifier(base(COUNTS), alpha=1e-3)
    pipeline = make_pipeline(FunctionTransformer(validate=False), head)
    assert cross_val_score(pipeline, COUNTS, LABELS, cv=3).mean() > 0.7
    search = GridSearchCV(head, {"alpha": [1e-4, 1e-1]}, cv=3).fit(COUNTS, LABELS)
    assert search.best_estimator_.model is head.model


def test_kinds_of_estimator():
    assert is_classifier(LinearHeadClassifier(base(COUNTS)))
    assert is_regressor(LinearHeadRegressor(base(COUNTS)))
    assert not hasattr(LinearHeadClassifier(base(COUNTS), loss="squared"), "predict_proba")
    assert not hasattr(fitted(KINDS[2]), "word_scores_")


def test_an_unfitted_base_is_fitted_to_the_task():
    model = AnchorTopicModel(n_topics=3, anchor_min_df=2)
    head = LinearHeadClassifier(model).fit(COUNTS, LABELS)
    assert not hasattr(model, "topics_")
    assert head.model_.digest() == base(COUNTS).digest()


# ---- a stale base ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_stale_head_refuses_and_names_the_remedy(kind):
    head = fitted(kind)
    before = head.predict(COUNTS)
    head.model_.forget(COUNTS[FIRST])
    with pytest.raises(StaleHeadError, match=r"head\.refresh\(\)"):
        head.predict(COUNTS)
    head.refresh()
    assert head.predict(COUNTS).shape == before.shape


def test_a_stale_head_can_warn_instead():
    head = fitted(KINDS[0], on_stale="warn")
    before = head.decision_function(COUNTS)
    head.model_.partial_fit(COUNTS[FIRST])
    with pytest.warns(StaleHeadWarning):
        assert (head.decision_function(COUNTS) == before).all()


def test_a_base_that_came_back_is_not_stale():
    head = fitted(KINDS[0])
    head.model_.forget(COUNTS[FIRST])
    head.model_.partial_fit(COUNTS[FIRST])
    assert head.is_fresh()
    head.predict(COUNTS)


# ---- Newton steps ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LOGISTIC)
def test_a_newton_step_is_within_its_certified_distance(kind):
    head, exact = fitted(kind), fitted(kind)
    for one in (head, exact):
        one.model_.forget(COUNTS[FIRST])
    certificate = head.refresh(mode="newton")
    exact.refresh()
    distance = np.linalg.norm(head.weights_ - exact.weights_)
    assert 0 < distance <= certificate.distance + exact.tol / exact.alpha
    assert certificate.mode == "newton"
    assert head.digest() != exact.digest()
    head.refresh()
    assert head.digest() == exact.digest()


def test_a_newton_step_that_leaves_too_much_gives_way_to_training():
    head = fitted(KINDS[0], residual_budget=1e-12)
    head.model_.forget(COUNTS[:40])
    certificate = head.refresh(mode="newton")
    assert (certificate.mode, certificate.retrained) == ("exact", True)
    assert head.gradient_norm_ <= min(head.tol, certificate.gradient_norm)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("features", ["linear", "proportions"])
def test_certified_removals_stay_within_their_bound(features, classes):
    y = LABELS % classes
    head = LinearHeadClassifier(base(COUNTS), features=features, alpha=1e-2, residual_budget=1.0)
    head.fit(COUNTS, y)
    for row in range(12):
        certificate = head.forget(COUNTS[[row]], y[[row]], mode="newton")
        assert certificate.mode == "newton"
        assert head.gradient_norm_ <= certificate.residual_spent
        exact = clone(head).fit(COUNTS[row + 1 :], y[row + 1 :])
        assert np.linalg.norm(head.weights_ - exact.weights_) <= certificate.distance + 1e-7


def test_bounds_add_up_until_training_is_repeated():
    head = LinearHeadClassifier(base(COUNTS), alpha=1e-2, residual_budget=2e-3).fit(COUNTS, LABELS)
    modes = [
        head.forget(COUNTS[[row]], LABELS[[row]], mode="newton").retrained for row in range(40)
    ]
    assert any(modes)
    assert not all(modes)
    assert head.residual_spent_ <= head.residual_budget


# ---- certificates ----------------------------------------------------------------------------


def test_a_certificate_of_a_head_survives_json():
    head = fitted(KINDS[0])
    head.model_.forget(COUNTS[FIRST])
    certificate = head.refresh()
    assert type(certificate).from_json(certificate.to_json()) == certificate
    assert head.confirms(certificate)


# ---- refusals --------------------------------------------------------------------------------

BAD_TARGETS = {
    "one class": ("classification", np.zeros(80, int)),
    "too few": ("classification", LABELS[:-1]),
    "fractions": ("classification", LABELS + 0.5),
    "missing": ("classification", None),
    "mixed": ("classification", np.array([1, "a"] * 40, object)),
    "None among them": ("classification", np.array([None, "a"] * 40, object)),
    "two columns of labels": ("classification", np.stack([LABELS, LABELS], axis=1)),
    "NaN": ("regression", np.where(LABELS == 0, np.nan, 1.0)),
    "infinity": ("regression", np.where(LABELS == 0, np.inf, 1.0)),
    "strings": ("regression", np.array(["x"] * 80)),
    "too few numbers": ("regression", np.ones((79, 2))),
    "no numbers": ("regression", np.ones((80, 0))),
}


@pytest.mark.parametrize("case", BAD_TARGETS)
def test_bad_targets_are_refused(case):
    task, y = BAD_TARGETS[case]
    kind = ("squared", "word-topic", task)
    head = new_head(kind, base(COUNTS))
    with pytest.raises(InvalidInputError):
        head.fit(COUNTS, y)
    assert not hasattr(head, "task_")
    assert not hasattr(head, "n_features_in_")


@pytest.mark.parametrize(
    "parameters",
    [
        {"alpha": 0},
        {"alpha": -1.0},
        {"alpha": np.nan},
        {"alpha": "1"},
        {"loss": "hinge"},
        {"features": "raw"},
        {"tol": 0},
        {"max_iter": 0},
        {"on_stale": "ignore"},
        {"residual_budget": 0},
        {"n_jobs": 0},
        {"model": LogisticRegression()},
    ],
    ids=str,
)
def test_bad_parameters_are_refused(parameters):
    head = LinearHeadClassifier(base(COUNTS)).set_params(**parameters)
    with pytest.raises(InvalidParameterError):
        head.fit(COUNTS, LABELS)


def test_other_columns_than_the_base_are_refused():
    head = LinearHeadClassifier(base(COUNTS))
    with pytest.raises(InvalidInputError, match="23 columns"):
        head.fit(COUNTS[:, :-1], LABELS)
    head.fit(COUNTS, LABELS)
    with pytest.raises(InvalidInputError):
        head.predict(COUNTS[:, :-1])


def test_an_unfitted_head_says_so():
    head = LinearHeadClassifier(base(COUNTS))
    for call in (lambda: head.predict(COUNTS), head.refresh, head.digest):
        with pytest.raises(NotFittedError):
            call()


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_change_changes_nothing(kind):
    head, y = fitted(kind), targets(kind, LABELS)
    before = head.digest()
    stranger = np.full((1, COUNTS.shape[1]), 9)
    with pytest.raises(NotInModelError):
        head.forget(stranger, y[:1])
    with pytest.raises(NotInModelError):
        head.relabel(stranger, y[:1], y[:1])
    with pytest.raises(InvalidInputError):
        head.relabel(COUNTS[:2], y[:2], y[:1])
    with pytest.raises(InvalidInputError):
        head.partial_fit(COUNTS[:2], y[:1])
    assert head.digest() == before
    head.predict(COUNTS)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind[2] == "classification"])
def test_a_document_with_another_label_was_never_added(kind):
    head = fitted(kind)
    with pytest.raises(NotInModelError):
        head.forget(COUNTS[:1], np.array(["never seen"]))


def test_labels_of_another_type_are_refused():
    head = fitted(KINDS[0])
    with pytest.raises(InvalidInputError, match="integers"):
        head.partial_fit(COUNTS, LABELS)
    with pytest.raises(InvalidInputError, match="integers"):
        head.score(COUNTS, LABELS)


def test_an_unseen_label_is_an_error_of_the_head():
    head = fitted(KINDS[0])
    assert head.score(COUNTS, np.full(80, "never seen")) == 0


def test_changed_parameters_ask_for_fit():
    head = fitted(KINDS[0]).set_params(alpha=1.0)
    with pytest.raises(InvalidParameterError, match="fit"):
        head.refresh()


def test_targets_too_large_for_integers_are_refused():
    head = fitted(("squared", "linear", "regression"))
    before = head.digest()
    with pytest.raises(StatisticsOverflowError):
        head.partial_fit(COUNTS, np.full((80, 2), 1e9))
    assert head.digest() == before


def test_too_few_steps_warn():
    with pytest.warns(ConvergenceWarning, match="max_iter=1"):
        LinearHeadClassifier(base(COUNTS), max_iter=1).fit(COUNTS, LABELS)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind[2] == "classification"])
def test_deletion_is_never_refused_for_what_is_left(kind):
    y = targets(kind, LABELS)
    head = new_head(kind, base(COUNTS)).fit(COUNTS, y)
    last = y == y[0]
    with pytest.warns(FewerClassesWarning):
        head.forget(COUNTS[~last], y[~last])
    assert (head.predict(COUNTS) == y[0]).all()
    with pytest.warns(FewerClassesWarning):
        head.forget(COUNTS[last], y[last])
    with pytest.raises(NotFittedError):
        head.predict(COUNTS)
