"""Saved statistics and models: one safetensors file, no pickle, checked by digest on the way in."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from pyunlearn._cooccurrence.arrays import Arrays, statistics_arrays, statistics_from_arrays
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._digest import content_digest
from pyunlearn._learners.anchor import TopicParameters
from pyunlearn.errors import CorruptStateError, PyUnlearnError
from pyunlearn.privacy import Budget

if TYPE_CHECKING:
    from pyunlearn.model import AnchorTopicModel

__all__ = ["Arrays", "load", "save_model", "statistics_from_arrays"]

DAMAGED = (
    "the content does not have the digest that was saved with it; the file was damaged or edited"
)
LEARNED = (
    "keep",
    "mass",
    "norms",
    "anchors",
    "pivots",
    "gram",
    "candidates",
    "factor",
    "word_topic",
    "converged",
    "topical",
)


def save_model(model: AnchorTopicModel, path: str | os.PathLike[str]) -> None:
    """Write a fitted model; equal models give equal files."""
    header = {
        "format": "pyunlearn-model-1",
        # Without n_jobs: a property of the machine, not of the model.
        "parameters": {
            **model.parameters_.settings.as_dict(),
            "scale_bits": model.statistics_.scale_bits,
            "weighting": model.statistics_.weighting,
        },
        "n_documents": model.statistics_.n_documents,
        "digest": model.digest(),
        "feature_names": [str(name) for name in getattr(model, "feature_names_in_", [])],
    }
    if hasattr(model, "budget_"):
        header["budget"] = model.budget_.as_dict()
    learned = {f"learned.{name}": getattr(model.parameters_, name) for name in LEARNED}
    _write(Path(path), header, {**statistics_arrays(model.statistics_), **learned})


def load(path: str | os.PathLike[str], *, n_jobs: int | None = None) -> AnchorTopicModel:
    """Read a model that `AnchorTopicModel.save` wrote.

    Raises
    ------
    CorruptStateError
        The file is truncated, was edited, or is of another format.
    FileNotFoundError
        There is no such file.
    """
    header, arrays = _read(Path(path))
    try:
        parameters = header["parameters"]
        statistics = statistics_from_arrays(
            arrays,
            int(header["n_documents"]),
            parameters["scale_bits"],
            parameters["weighting"],
            n_jobs,
        )
        learned = {name: arrays[f"learned.{name}"] for name in LEARNED}
        model = assembled_model(parameters, statistics, learned, n_jobs)
        if header["feature_names"]:
            model.feature_names_in_ = np.array(header["feature_names"], dtype=object)
        if "budget" in header:
            model.budget_ = Budget.from_dict(header["budget"])
        digest = model.digest()
    except (KeyError, TypeError, ValueError, AttributeError, PyUnlearnError) as error:
        raise CorruptStateError(f"{path}: not a complete saved model ({error})") from None
    if digest != header["digest"]:
        raise CorruptStateError(f"{path}: {DAMAGED}")
    return model


def assembled_model(
    parameters: dict[str, Any],
    statistics: CooccurrenceStatistics | None,
    learned: Arrays,
    n_jobs: int | None,
) -> AnchorTopicModel:
    """A fitted model from its parts; without statistics it can be used, but not changed."""
    from pyunlearn.model import AnchorTopicModel

    model = AnchorTopicModel(**parameters, n_jobs=n_jobs)
    model.n_features_in_ = len(learned["mass"])
    if statistics is not None:
        model.statistics_ = statistics
    model.parameters_ = TopicParameters(
        model._settings(),
        **learned,  # type: ignore[arg-type]
    )
    if statistics is not None:
        model.take_as_learned()
    return model


def _write(path: Path, header: dict[str, Any], arrays: Arrays) -> None:
    ordered = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    # The model's digest covers what the model says; this one every array that updates start from.
    whole = {**header, "content": content_digest(header, ordered)}
    # One metadata key: safetensors does not promise an order of several.
    metadata = {"pyunlearn": json.dumps(whole, sort_keys=True)}
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        save_file(ordered, scratch, metadata=metadata)
        os.replace(scratch, path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def _read(path: Path) -> tuple[dict[str, Any], Arrays]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            header = json.loads(metadata["pyunlearn"])
            if header["format"] != "pyunlearn-model-1":
                raise CorruptStateError(
                    f"{path}: format {header['format']!r}; this version reads 'pyunlearn-model-1'"
                )
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        content = header.pop("content")
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CorruptStateError(f"{path}: not a saved model, or truncated ({error})") from None
    if content != content_digest(header, arrays):
        raise CorruptStateError(f"{path}: {DAMAGED}")
    return header, arrays
