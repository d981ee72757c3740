"""What scikit-learn's own checks of an estimator have to know of ours."""

import sklearn
from sklearn.utils.fixes import parse_version

# Until scikit-learn 1.7.1 this check subtracts a float in place from the integers it was asked for.
WRONG_CHECKS = (
    {"check_positive_only_tag_during_fit": "the check itself fails on integers"}
    if parse_version(sklearn.__version__) < parse_version("1.7.1")
    else {}
)


class AskForIntegers:
    """The estimator as it is, but asking the checks for integers where they can give them."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        return tags
