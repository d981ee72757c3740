"""Linear heads: downstream tasks on a topic model, and deletion that reaches them."""

from pyunlearn.heads._classifier import LinearHeadClassifier
from pyunlearn.heads._regressor import LinearHeadRegressor

__all__ = ["LinearHeadClassifier", "LinearHeadRegressor"]
