"""Topic models by the name of their learner, for tests that hold for all of them."""

from __future__ import annotations

import inspect
from typing import Any

from pyunlearn import AnchorTopicModel, TopicModel
from pyunlearn.io import MODELS

LEARNERS = sorted(MODELS)


def new_model(
    n_topics: int = 20, *, learner: str = "factor", word_min_df: Any = None, **parameters: Any
) -> TopicModel | AnchorTopicModel:
    """A model; `word_min_df` is the threshold of the words that decide topics."""
    if word_min_df is not None:
        parameters[{"factor": "core_min_df", "anchor": "anchor_min_df"}[learner]] = word_min_df
    return MODELS[learner](n_topics, **parameters)


def own_parameters(learner: str, parameters: dict) -> dict:
    """Those of the parameters that the learner's model has."""
    return {
        name: value
        for name, value in parameters.items()
        if name in inspect.signature(MODELS[learner]).parameters
    }
