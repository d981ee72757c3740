"""What a fitted model can tell of its topics, and whether they are those of its statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from pyunlearn import _params as check
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._digest import content_digest
from pyunlearn._learners.anchor import TopicParameters
from pyunlearn._linalg import column_sums
from pyunlearn.errors import InvalidInputError, StaleModelError

__all__ = ["FittedTopics"]

FORMAT = "pyunlearn-model-1"


class FittedTopics:
    """The part of `AnchorTopicModel` that reads what was learned."""

    n_features_in_: int
    statistics_: CooccurrenceStatistics
    parameters_: TopicParameters
    _learned_version: int  # of the statistics when the topics were learned

    def is_stale(self) -> bool:
        """Whether the statistics changed since the topics were learned: see `refresh`."""
        check_is_fitted(self, "parameters_")
        statistics: CooccurrenceStatistics | None = self.__dict__.get("statistics_")
        return statistics is not None and statistics.version != self._learned_version

    def refuse_stale(self) -> None:
        """Raise StaleModelError while the topics wait for `refresh`."""
        if self.is_stale():
            raise StaleModelError(
                "the statistics have changed since these topics were learned; call refresh() first"
            )

    def take_as_learned(self) -> None:
        """Declare the topics to be those of the statistics as they are now. For `pyunlearn.io`."""
        self._learned_version = self.statistics_.version

    def top_words(self, vocabulary: Any = None, n_words: int = 10) -> list[list[Any]]:
        """The most probable words of each topic, best first.

        Parameters
        ----------
        vocabulary : sequence of str, length n_features_in_, optional
            Words by column; default the feature names of `fit`, else column numbers.
        n_words : int, default=10
            Words a topic.

        Returns
        -------
        list of lists
            One a topic.

        Raises
        ------
        InvalidInputError
            A vocabulary of another length.
        """
        check_is_fitted(self, "parameters_")
        check.check_integer("n_words", n_words, 1)
        if vocabulary is None:
            vocabulary = getattr(self, "feature_names_in_", range(self.n_features_in_))
        if len(vocabulary) != self.n_features_in_:
            raise InvalidInputError(
                f"vocabulary has {len(vocabulary)} words, the model {self.n_features_in_}"
            )
        best = np.argsort(-self.components_, axis=1, kind="stable")[:, :n_words]
        return [
            [vocabulary[int(i)] for i in row if self.components_[topic, i] > 0]
            for topic, row in enumerate(best)
        ]

    def digest(self) -> str:
        """SHA-256 of parameters, statistics and topics, hexadecimal.

        Equal for every history of additions and deletions that ends with the same documents, and
        for any number of threads, SIMD width or (solver "active-set") C library.
        """
        check_is_fitted(self, "parameters_")
        learned, num_threads = self._learned(), check.check_n_jobs(self.statistics_.n_jobs)
        hashes = np.frombuffer(learned.word_topic_hashes(num_threads), np.uint8)
        return content_digest(
            {**self._header(), "format": FORMAT, "statistics": self.statistics_.digest()},
            {"anchors": learned.anchors, "word_topic_hashes": hashes, "topical": learned.topical},
        )

    @property
    def n_topics_(self) -> int:
        """Topics found."""
        return self._learned().n_topics

    @property
    def _n_features_out(self) -> int:
        return self.n_topics_

    @property
    def anchors_(self) -> NDArray[np.int32]:
        """Anchor words as columns, in the order of selection, (n_topics_,)."""
        return self._learned().anchors

    @property
    def word_topic_(self) -> NDArray[np.float64]:
        """p(topic | word), (n_words, n_topics_)."""
        return self._learned().word_topic

    @property
    def word_frequencies_(self) -> NDArray[np.float64]:
        """p(word) by word mass, (n_words,); 0 for words that are left out."""
        return self._learned().word_frequencies()

    @property
    def topic_proportions_(self) -> NDArray[np.float64]:
        """p(topic) = sum_i p(word i) p(topic | word i), (n_topics_,)."""
        return column_sums(self._learned().joint())

    @property
    def components_(self) -> NDArray[np.float64]:
        """p(word | topic) = p(word) p(topic | word) / p(topic), (n_topics_, n_words)."""
        return self._learned().word_distributions()

    @property
    def topic_correlation_(self) -> NDArray[np.float64]:
        """R = A^+ Q (A^+)^T, symmetric, (n_topics_, n_topics_), computed when asked for.

        Q is K / sum(K) over the words of the model; A^+ is the pseudo-inverse of
        p(word | topic) (Arora et al. 2013).
        """
        learned = self._learned()
        kept = learned.words
        inverse = np.linalg.pinv(self.components_.T[kept])
        K = self.statistics_.to_csr()[kept][:, kept]
        if not learned.n_topics:
            return np.zeros((0, 0))
        half = np.vstack([(K[a : a + 512] @ inverse.T) for a in range(0, len(kept), 512)] or [[]])
        R = inverse @ half / max(learned.total_mass, 1.0)
        return np.asarray((R + R.T) / 2.0)

    def _learned(self) -> TopicParameters:
        # An AttributeError, so that hasattr() says False before fit.
        if "parameters_" not in self.__dict__:
            raise AttributeError("the model is not fitted")
        self.refuse_stale()
        learned: TopicParameters = self.__dict__["parameters_"]
        return learned

    def _header(self) -> dict[str, Any]:
        return {
            **self.parameters_.settings.as_dict(),
            "scale_bits": self.statistics_.scale_bits,
            "weighting": self.statistics_.weighting,
        }

    def _changed_words(self) -> NDArray[np.int32]:
        """Words whose statistics changed since the topics were learned, by whatever call."""
        return self.statistics_.changed_since(self._learned_version)
