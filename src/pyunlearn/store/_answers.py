"""What a store answers, as frozen records, and what it says while it works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# Called with a stage, what is done of it and its total (0 when not known).
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Topic:
    """One topic.

    Attributes
    ----------
    number : int
        0, 1, 2, ... in the order of the learner.
    proportion : float
        p(topic).
    representative : str
        Word that is frequent in it and found in few others; with anchor words, its anchor.
    words : list of str
        The most probable words, best first.
    """

    number: int
    proportion: float
    representative: str
    words: list[str]


@dataclass(frozen=True)
class Found:
    """A document that a search found.

    Attributes
    ----------
    id : str
        Of the document.
    score : float
        Similarity of its topics with those of the query, from 0 to 1.
    """

    id: str
    score: float


@dataclass(frozen=True)
class HeadInfo:
    """A head of a store.

    Attributes
    ----------
    field : str
        Whose labels it was trained on.
    parameters : Mapping
        Of the head.
    classes : list
        Labels, ascending; empty for a regression.
    n_documents : int
        Task documents.
    digest : str
        SHA-256 of the head.
    """

    field: str
    parameters: Mapping[str, Any]
    classes: list[Any]
    n_documents: int
    digest: str


@dataclass(frozen=True)
class StoreInfo:
    """What a store holds.

    Attributes
    ----------
    path : str
        Its directory.
    version : int
        Version of the file's schema.
    n_bytes : int
        Size of the file.
    n_documents : int
        Documents.
    n_words : int
        Different words that documents hold.
    n_columns : int
        Of them, words that the rules choose for the dictionary.
    n_topics : int or None
        Topics learned; None before `fit`, and while they wait for a refresh.
    n_waiting : int
        Documents forgotten since the topics were learned, which wait for a refresh.
    keeps_text : bool
        Whether texts are kept beside the word counts.
    text_rules, parameters : Mapping
        How texts are counted, and what the learner was told; empty before they are fixed.
    digest : str or None
        Of the model over its words (`Store.digest`), as it is stored; `verify` computes it from
        the documents. None before `fit`, and while topics wait for a refresh.
    n_ledger_entries, n_certificates : int
        Requests, and deletions and corrections among them.
    dependents : tuple of str
        Heads as "head FIELD", and "index" when there is one.
    """

    path: str
    version: int
    n_bytes: int
    n_documents: int
    n_words: int
    n_columns: int
    n_topics: int | None
    n_waiting: int
    keeps_text: bool
    text_rules: Mapping[str, Any]
    parameters: Mapping[str, Any]
    digest: str | None
    n_ledger_entries: int
    n_certificates: int
    dependents: tuple[str, ...]


@dataclass(frozen=True)
class Verification:
    """What `Store.verify` compared.

    Attributes
    ----------
    ok : bool
        Nothing differed.
    problems : tuple of str
        What differed.
    n_documents : int
        Documents that were counted again.
    statistics_stored, statistics_recounted : str or None
        Digests of the statistics: computed from the stored bytes (None when they cannot be read),
        and counted from the documents (None when those cannot be read).
    model_stored, model_relearned : str or None
        Digests of the model: from the stored bytes, and learned from the recounted statistics.
    n_ledger_entries : int
        Entries of the ledger, all checked.
    dependents : tuple of str
        Heads ("head FIELD") that were trained again, and "index" when it was built again.
    """

    ok: bool
    problems: tuple[str, ...]
    n_documents: int
    statistics_stored: str | None
    statistics_recounted: str | None
    model_stored: str | None
    model_relearned: str | None
    n_ledger_entries: int
    dependents: tuple[str, ...]
