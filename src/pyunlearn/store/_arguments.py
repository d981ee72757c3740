"""What requests are given, as plain values: ids, labels and texts; NumPy's are as good."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np

from pyunlearn.errors import DuplicateDocumentError, InvalidInputError, RecordError
from pyunlearn.records import label_text


def checked_ids(given: Any) -> list[str]:
    """Ids from one id, or an iterable of them; InvalidInputError for anything else."""
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if isinstance(given, str | Integral):
        return [checked_id(given)]
    if isinstance(given, bytes) or not isinstance(given, Iterable):
        raise InvalidInputError(f"expected ids, got a value of type {type(given).__name__}")
    ids = [checked_id(one) for one in given]
    if not ids:
        raise InvalidInputError("there are no ids to forget")
    return ids


def checked_id(given: Any) -> str:
    """An id: a string, or an integer, which becomes its decimal string."""
    if isinstance(given, str):
        return _unicode(given, "an id")
    if isinstance(given, Integral) and not isinstance(given, bool):
        return str(int(given))
    raise InvalidInputError(
        f"an id is a string or an integer, not a value of type {type(given).__name__}"
    )


def checked_field(given: Any) -> str:
    """The name of a field of labels."""
    if not isinstance(given, str) or not given:
        raise InvalidInputError("a field is a string that is not empty")
    return _unicode(given, "the name of a field")


def checked_labels(given: Any) -> dict[str, Any]:
    """Labels by id, from a mapping."""
    if not hasattr(given, "items"):
        raise InvalidInputError(
            f"labels are a mapping from ids to labels, not a value of type {type(given).__name__}"
        )
    labels: dict[str, Any] = {}
    for key, value in given.items():
        identifier = checked_id(key)
        if identifier in labels:
            raise DuplicateDocumentError(f"id {identifier!r} has two labels")
        labels[identifier] = _unicode(value, "a label") if isinstance(value, str) else plain(value)
    return labels


def plain(value: Any) -> Any:
    """A NumPy scalar as Python's own, which JSON can hold; other values as they are."""
    return value.item() if isinstance(value, np.generic) else value


def checked_targets(given: Any, n_texts: int) -> list[str]:
    """The label of each text, as the store keeps labels."""
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise InvalidInputError("expected labels, one for each text")
    try:
        targets = [label_text(plain(one), "label", f"text {at}") for at, one in enumerate(given)]
    except RecordError as error:
        raise InvalidInputError(str(error)) from None
    if len(targets) != n_texts:
        raise InvalidInputError(f"there are {n_texts} texts and {len(targets)} labels")
    return targets


def checked_texts(given: Any) -> list[str]:
    """Texts, at least one."""
    texts = [] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise InvalidInputError("expected texts, at least one, each a string")
    return texts


def checked_names(given: Any) -> list[str]:
    """Names to take out of a document, each once, without white space at its ends."""
    names = [given] if isinstance(given, str) else given
    if isinstance(names, bytes) or not isinstance(names, Iterable):
        raise InvalidInputError("redact takes names, as strings")
    names = list(names)
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise InvalidInputError("redact takes names, at least one, as strings that are not blank")
    return list(dict.fromkeys(name.strip() for name in names))


def _unicode(text: str, what: str) -> str:
    """A string of Python's own type, which SQLite can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInputError(f"{what} holds half of a surrogate pair") from None
    return str(text)
