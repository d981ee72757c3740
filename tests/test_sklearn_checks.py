"""scikit-learn's own checks of an estimator, on counts."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from pyunlearn import AnchorTopicModel, TopicModel


class AskForIntegers:
    """The estimator as it is, but asking the checks for integers where they can give them."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        return tags


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
        EXPECTED_FAILURES if isinstance(one, AnchorTopicModel) else {}
    ),
)
def test_scikit_learn_check(estimator, check):
    check(estimator)
