"""What every learner has: settings, topics, and the path that an update took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from pyunlearn._canonical import Canonical, canonical
from pyunlearn._cooccurrence.contexts import ALL
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._digest import PartHashes
from pyunlearn._learners import from_outside as outside
from pyunlearn._linalg import column_sums

__all__ = ["Settings", "Topics", "UpdatePath", "topic_correlation"]

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

# Words that are hashed together: few change in a small deletion.
HASH_BLOCK = 16


@dataclass(frozen=True, eq=False)
class Settings(Canonical):
    """What a learner may be told. Each learner has a class of its own, with its settings alone.

    Equal settings are of one type with values of one type: 1 document is not a share of 1.0.
    """

    learner: ClassVar[str]
    weighting: ClassVar[str]  # of documents, that the learner does best with

    n_topics: int
    min_df: int

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    @classmethod
    def checked(cls, **settings: Any) -> Self:
        """Settings after validation; raises InvalidParameterError."""
        raise NotImplementedError

    @classmethod
    def completed(cls, given: Mapping[str, Any]) -> Self:
        """Settings after validation; those that are not given have their defaults."""
        return cls.checked(**{one.name: given.get(one.name, one.default) for one in fields(cls)})

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of all settings."""
        return tuple(one.name for one in fields(cls))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for files and certificates."""
        return asdict(self)

    def deciding(self) -> dict[str, Any]:
        """The values that topics depend on, for digests."""
        return self.as_dict()

    def same_topics_as(self, other: Settings) -> bool:
        """Whether both lead to the same topics of the same statistics."""
        return type(self) is type(other) and repr(self.deciding()) == repr(other.deciding())

    def contexts(self) -> str | int | float:
        """The contexts of statistics that the learner does with."""
        return ALL

    def word_threshold(self, n_documents: int) -> int:
        """Documents that must hold a word for it to decide topics."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Topics:
    """What was learned: r' <= n_topics topics over n words. Arrays are not to be written to."""

    settings: Settings
    mass: NDArray[np.int64]  # (n,), row sums of K over the kept columns, 0 where not kept
    word_topic: F64  # (n, r'), p(topic | word); 0 for words without mass
    _derived: ClassVar[tuple[str, ...]] = ("hashes",)
    # SHA-256 by blocks of words, filled by `row_hashes`.
    hashes: PartHashes | None = field(default=None, kw_only=True)

    def __getstate__(self) -> dict[str, Any]:
        """What pickle, joblib and copy keep: not what is derived, and filled when it is used."""
        return canonical(
            {name: value for name, value in vars(self).items() if name not in self._derived}
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays that a saved model needs, by name."""
        raise NotImplementedError

    @classmethod
    def from_arrays(cls, settings: Any, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `arrays` gave; CorruptStateError for arrays that cannot be topics."""
        raise NotImplementedError

    def _check_common(self, n_topics: int, filled: NDArray[np.bool_]) -> None:
        """The arrays of every learner; `filled`: which words have topics."""
        n = self.mass.size
        outside.check_mass(self.mass, n)
        most = self.settings.n_topics
        outside.require(n_topics <= most, "n_topics", f"{n_topics} topics, asked for were {most}")
        outside.check_distributions("word_topic", self.word_topic, (n, n_topics), filled)

    def refuse_other(self, statistics: CooccurrenceStatistics, num_threads: int) -> None:
        """Raise CorruptStateError where the topics are surely not of these statistics.

        What a few passes over the arrays can tell; only `learn` tells whether they are.
        """
        raise NotImplementedError

    def digested(self) -> dict[str, NDArray[Any]]:
        """The arrays that a digest covers besides the rows of words."""
        raise NotImplementedError

    def hashed_rows(self) -> NDArray[Any]:
        """What a digest covers of each word, (n, ...)."""
        return self.word_topic

    @property
    def representatives(self) -> NDArray[np.int32]:
        """One word a topic, (r',)."""
        raise NotImplementedError

    @property
    def n_unconverged(self) -> int:
        """Words for which a solver stopped short of its tolerance."""
        return 0

    def too_few(self, statistics: CooccurrenceStatistics) -> str:
        """Why there are fewer topics than asked for, and what to do."""
        raise NotImplementedError

    def _way_out(self, statistics: CooccurrenceStatistics, most: int, threshold: str) -> str:
        """What to try where too few words decide topics, with values that suffice for that."""
        ways = ["more documents"] + [f"n_topics={most}"] * (most > 0)
        wanted = self.settings.n_topics
        held = np.sort(statistics.document_frequency[self.mass > 0])[::-1]
        enough = int(held[wanted - 1]) if len(held) >= wanted else 0
        if 0 < enough < self.settings.word_threshold(statistics.n_documents):
            ways.append(f"{threshold}={enough}")
        return f"Try {', or '.join(ways)}"

    def explained_mass(self) -> F64:
        """Mass of each word that topics explain, (n,), in units of K."""
        return self.mass.astype(np.float64)

    def joint(self) -> F64:
        """p(word, topic), (n, r')."""
        return self.word_frequencies()[:, None] * self.word_topic

    @property
    def n_topics(self) -> int:
        """Topics found, r'."""
        return int(self.word_topic.shape[1])

    @property
    def words(self) -> NDArray[np.int32]:
        """The words that have a row in the model."""
        return np.flatnonzero(self.mass).astype(np.int32)

    @property
    def total_mass(self) -> float:
        """Sum of the masses, exact but for the last rounding: it may not fit int64."""
        return float(sum(self.mass.tolist()))

    def word_frequencies(self) -> F64:
        """p(word) by word mass, (n,); 0 for words that are left out."""
        mass = self.mass.astype(np.float64)
        total = self.total_mass
        return mass / total if total > 0 else mass

    def proportions(self) -> F64:
        """p(topic), (r',)."""
        return column_sums(self.joint())

    def word_distributions(self) -> F64:
        """p(word | topic), (r', n)."""
        joint = self.joint()
        share = column_sums(joint)
        return (joint / np.where(share > 0, share, 1.0)).T

    def best_words(self, n_words: int) -> list[list[tuple[int, float]]]:
        """The most probable words of each topic, best first: columns and p(word | topic) > 0."""
        A = self.word_distributions()
        best = np.argsort(-A, axis=1, kind="stable")[:, :n_words]
        return [
            [(int(word), float(row[word])) for word in words if row[word] > 0]
            for row, words in zip(A, best, strict=True)
        ]

    def row_hashes(self, num_threads: int) -> bytes:
        """SHA-256 of each block of HASH_BLOCK words, one after the other."""
        rows = self.hashed_rows()
        hashes = self.hashes or PartHashes(-(-len(rows) // HASH_BLOCK))
        object.__setattr__(self, "hashes", hashes)
        little = rows.astype(rows.dtype.newbyteorder("<"), copy=False)
        return hashes.combined(
            lambda blocks: (
                little[at : at + HASH_BLOCK].data for at in (blocks * HASH_BLOCK).tolist()
            ),
            num_threads,
        )


@dataclass
class UpdatePath:
    """How an update reached its result; for information, not part of any digest."""

    kind: str = "incremental"  # or "full": learned again from the statistics
    touched_words: int = 0  # words whose row of Qbar changed
    touched_anchors: int = 0  # anchors among them
    reselected_from: int | None = None  # first pivot that was chosen again, None if all stood
    columns_formed: int = 0  # columns of B formed over all words
    words_solved: int = 0  # simplex problems solved
    seconds: dict[str, float] = field(default_factory=dict)


def topic_correlation(topics: Topics, statistics: CooccurrenceStatistics) -> F64:
    """R = A^+ Q (A^+)^T, symmetric, (r', r'); by LAPACK, so no digest may depend on it."""
    kept = topics.words
    kept = kept[np.isin(kept, statistics.context_words)]
    inverse = np.linalg.pinv(topics.word_distributions().T[kept])
    if not topics.n_topics:
        return np.zeros((0, 0))
    K = statistics.to_csr()[kept][:, kept]
    half = np.vstack([(K[a : a + 512] @ inverse.T) for a in range(0, len(kept), 512)] or [[]])
    R = inverse @ half / max(topics.total_mass, 1.0)
    return np.asarray((R + R.T) / 2.0)
