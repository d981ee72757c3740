"""Topic proportions of documents for the topics of anybody, by the kernel that our model uses."""

import numpy as np

from pyunlearn._core import infer
from pyunlearn._documents import check_documents
from pyunlearn._fold_in import work_space


def fold_in(X, topics: np.ndarray, steps: int) -> np.ndarray:
    """EM with p(word | topic), (r, n), fixed: (m, r), rows of sum 1; 0 where no word is known."""
    documents = check_documents(X)
    r = len(topics)
    theta = np.full((documents.n_documents, r), 1.0 / r)
    infer.proportions(
        documents.start,
        documents.columns,
        documents.counts,
        np.ascontiguousarray(topics.T),
        1e-6,
        steps,
        work_space(documents, r, 2),
        theta,
        np.zeros(documents.n_documents, np.int32),
        2,
    )
    return theta / np.maximum(theta.sum(axis=1, keepdims=True), 1e-300)
