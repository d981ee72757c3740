"""`load`: read a saved model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.arrays import statistics_from_arrays
from pyunlearn._estimator import BaseTopicModel
from pyunlearn._files import DAMAGED, read_file
from pyunlearn._learners import topics_from_arrays
from pyunlearn.anchor_topic_model import AnchorTopicModel
from pyunlearn.errors import CorruptStateError, PyUnlearnError
from pyunlearn.privacy import Budget
from pyunlearn.topic_model import TopicModel

__all__ = ["MODELS", "assembled_model", "load", "new_model"]

MODELS: dict[str, type[TopicModel] | type[AnchorTopicModel]] = {
    model._settings_type.learner: model for model in (TopicModel, AnchorTopicModel)
}


def load(path: str | os.PathLike[str], *, n_jobs: int | None = None) -> BaseTopicModel:
    """Read a model that `TopicModel.save` or `AnchorTopicModel.save` wrote.

    Parameters
    ----------
    path : str or path-like
        The file.
    n_jobs : int or None
        Threads of the model; no bit depends on it.

    Returns
    -------
    TopicModel or AnchorTopicModel
        With the parameters that the topics were learned with.

    Raises
    ------
    CorruptStateError
        The file is truncated, was edited, or is of another format.
    FileNotFoundError
        There is no such file.
    """
    header, arrays = read_file(Path(path))
    try:
        statistics = statistics_from_arrays(
            arrays, int(header["n_documents"]), header["scale_bits"], header["weighting"], n_jobs
        )
        learned = {
            name.removeprefix("learned."): array
            for name, array in arrays.items()
            if name.startswith("learned.")
        }
        parameters = {name: header[name] for name in ("learner", "scale_bits", "weighting")}
        model = assembled_model({**parameters, **header["settings"]}, learned, n_jobs)
        model.statistics_ = statistics
        model.take_as_learned()
        if header["feature_names"] is not None:
            model.feature_names_in_ = np.array(header["feature_names"], dtype=object)
            if header["vocabulary_given"]:
                model.vocabulary = header["feature_names"]
        for name, value in header["transform"].items():
            setattr(model, f"transform_{name}", value)
        model._transform_parameters()
        if "budget" in header:
            model.budget_ = Budget.from_dict(header["budget"])
        digest = model.digest()
    except (KeyError, TypeError, ValueError, AttributeError, PyUnlearnError) as error:
        raise CorruptStateError(f"{path}: not a complete saved model ({error})") from None
    if digest != header["digest"]:
        raise CorruptStateError(f"{path}: {DAMAGED}")
    return model


def new_model(parameters: Mapping[str, Any], n_jobs: int | None) -> BaseTopicModel:
    """A model with the parameters that `learned_with` gave, not fitted."""
    own = {name: value for name, value in parameters.items() if name != "learner"}
    return MODELS[parameters["learner"]](**own, n_jobs=n_jobs)


def assembled_model(
    parameters: Mapping[str, Any], learned: Mapping[str, NDArray[Any]], n_jobs: int | None
) -> BaseTopicModel:
    """A model from parameters and learned arrays; without statistics it cannot change."""
    model = new_model(parameters, n_jobs)
    topics = topics_from_arrays(model._settings(), learned)
    model.take_topics(topics)
    return model
