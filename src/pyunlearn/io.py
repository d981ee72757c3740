"""`load`: read a saved model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from pyunlearn._columns import names_of_columns
from pyunlearn._cooccurrence.arrays import (
    STATISTICS,
    Arrays,
    refuse_impossible,
    statistics_from_arrays,
)
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._estimator import BaseTopicModel
from pyunlearn._files import DAMAGED, read_file
from pyunlearn._learners import LEARNERS, topics_from_arrays
from pyunlearn._learners.topics import Topics
from pyunlearn._model import OF_STATISTICS
from pyunlearn._params import check_bool, check_choice, check_n_jobs
from pyunlearn.anchor_topic_model import AnchorTopicModel
from pyunlearn.errors import CorruptStateError, PyUnlearnError
from pyunlearn.privacy import Budget
from pyunlearn.topic_model import TopicModel

__all__ = ["MODELS", "estimator", "load"]

MODELS: dict[str, type[TopicModel] | type[AnchorTopicModel]] = {
    model._settings_type.learner: model for model in (TopicModel, AnchorTopicModel)
}
# Of the header of a file.
FIELDS = (
    "format",
    "learner",
    "settings",
    "scale_bits",
    "weighting",
    "contexts",
    "keeps_all_columns",
    "n_documents",
    "digest",
    "feature_names",
    "vocabulary_given",
    "transform",
)
TRANSFORM = ("method", "tol", "max_iter")  # without the prefix of the parameters


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
        The file is truncated, was edited, or is of another format; or it holds what no model can
        have. Whether its topics are those of its statistics is not found out, see
        docs/statistics-format.md.
    InvalidParameterError
        `n_jobs` is no number of threads.
    FileNotFoundError, IsADirectoryError
        There is no such file.
    """
    check_n_jobs(n_jobs)
    header, arrays = read_file(Path(path))
    try:
        model = _read_model(header, arrays, n_jobs)
        digest = model.digest()
    except (KeyError, TypeError, ValueError, AttributeError, PyUnlearnError) as error:
        raise CorruptStateError(f"{path}: not a complete saved model ({error})") from None
    if digest != header["digest"]:
        raise CorruptStateError(f"{path}: {DAMAGED}")
    return model


def _read_model(header: dict[str, Any], arrays: Arrays, n_jobs: int | None) -> BaseTopicModel:
    """The model; CorruptStateError and other errors for what is no model."""
    learner = check_choice("learner", header.get("learner"), tuple(MODELS))
    may_have_budget = issubclass(MODELS[learner], AnchorTopicModel)
    _require_fields("header", header, FIELDS, ("budget",) if may_have_budget else ())
    counted = {name: arrays.pop(name) for name in STATISTICS if name in arrays}
    statistics = statistics_from_arrays(
        counted,
        header["n_documents"],
        header["scale_bits"],
        header["weighting"],
        header["contexts"],
        n_jobs,
        keeps_all=check_bool("keeps_all_columns", header["keeps_all_columns"]),
    )
    refuse_impossible(statistics)
    if statistics.keeps_all_columns != header["keeps_all_columns"]:
        raise CorruptStateError("keeps_all_columns: all contexts have columns")
    kind = LEARNERS[learner].settings
    _require_fields("settings", header["settings"], kind.names())
    settings = kind.checked(**header["settings"])
    if repr(settings) != repr(kind(**header["settings"])):
        raise CorruptStateError("settings: not written as `save` does")
    learned = {name.removeprefix("learned."): array for name, array in arrays.items()}
    topics = topics_from_arrays(settings, learned)
    topics.refuse_other(statistics, check_n_jobs(n_jobs))
    model = estimator(topics, statistics, n_jobs)
    _name_columns(model, header["feature_names"], header["vocabulary_given"])
    _require_fields("transform", header["transform"], TRANSFORM)
    for name in TRANSFORM:
        setattr(model, f"transform_{name}", header["transform"][name])
    model._transform_parameters()
    if "budget" in header:
        model.budget_ = Budget.from_dict(header["budget"])
        if model.budget_.constants.n_words != statistics.n_words:
            raise CorruptStateError("constants: n_words is another")
    return model


def _require_fields(
    name: str, values: Any, needed: tuple[str, ...], allowed: tuple[str, ...] = ()
) -> None:
    if not isinstance(values, dict):
        raise CorruptStateError(f"{name}: not an object")
    missing, more = set(needed) - set(values), set(values) - {*needed, *allowed}
    if missing or more:
        raise CorruptStateError(
            f"{name}: missing are {sorted(missing)}, unknown are {str(sorted(more))[:100]}"
        )


def _name_columns(model: BaseTopicModel, names: Any, given: Any) -> None:
    """Take over the names of columns; of a data frame they need not differ."""
    check_bool("vocabulary_given", given)
    if names is None and not given:
        return
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise CorruptStateError("feature_names: not strings")
    if len(names) != model.n_features_in_:
        raise CorruptStateError(f"feature_names: {len(names)} for {model.n_features_in_} columns")
    if given:
        names_of_columns(names, len(names))
        model.vocabulary = names
    model.feature_names_in_ = np.array(names, dtype=object)


def estimator(
    topics: Topics, statistics: CooccurrenceStatistics | None, n_jobs: int | None
) -> BaseTopicModel:
    """An estimator over topics; without their statistics it can be used, and not changed."""
    settings = topics.settings
    model = MODELS[settings.learner](**settings.as_dict(), n_jobs=n_jobs)
    model.take_topics(topics)
    if statistics is not None:
        for name in OF_STATISTICS[1:]:
            setattr(model, name, getattr(statistics, name))
        model.statistics_ = statistics
        model.take_as_learned()
    return model
