"""scikit-learn's own checks of an estimator, on counts."""

from estimator_checks import WRONG_CHECKS, AskForIntegers
from sklearn.utils.estimator_checks import parametrize_with_checks

from pyunlearn import AnchorTopicModel, TopicModel


class CountsModel(AskForIntegers, TopicModel):
    pass


class CountsAnchorModel(AskForIntegers, AnchorTopicModel):
    pass


EXPECTED_FAILURES = {
    "check_transformer_n_iter": "every word has a solver run of its own: there is no one n_iter_",
}


@parametrize_with_checks(
    [
        CountsModel(n_topics=1),  # two columns, less the background
        CountsAnchorModel(n_topics=2),
        CountsAnchorModel(n_topics=2, anchor_cleanup=True, weighting="token"),
        CountsAnchorModel(n_topics=2, solver="eg", tol=1e-3, max_iter=10_000),
    ],
    expected_failed_checks=lambda one: (
        WRONG_CHECKS | (EXPECTED_FAILURES if isinstance(one, AnchorTopicModel) else {})
    ),
)
def test_scikit_learn_check(estimator, check):
    check(estimator)
