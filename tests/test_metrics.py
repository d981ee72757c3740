"""Measures of topics: examples worked by hand, values of another package, bad input."""

import numpy as np
import pytest

from pyunlearn import AnchorTopicModel, CooccurrenceStatistics, TopicModel
from pyunlearn.datasets import make_separable
from pyunlearn.errors import InvalidInputError, InvalidParameterError
from pyunlearn.metrics import (
    align_topics,
    coherence,
    compare_n_topics,
    diversity,
    exclusivity,
    perplexity,
    stop_word_candidates,
)

# Words 0 and 1 always together, 2 never with them, 3 everywhere.
DOCUMENTS = np.array([[2, 1, 0, 1], [1, 3, 0, 1], [0, 0, 1, 1], [0, 0, 2, 1]])


def ranking(*topics, n=8):
    """Scores whose top words are the given ones, best first."""
    scores = np.zeros((len(topics), n))
    for row, words in zip(scores, topics, strict=True):
        row[list(words)] = range(len(words), 0, -1)
    return scores


@pytest.mark.parametrize(
    ("words", "expected"), [((0, 1), 1.0), ((0, 2), -1.0), ((3, 0), 0.0), ((0, 1, 2), -1 / 3)]
)
def test_npmi_by_hand(words, expected):
    assert coherence(ranking(words, n=4), DOCUMENTS)[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("words", "expected"),
    [((0, 1), np.log(3 / 2)), ((3, 0), np.log(3 / 4)), ((0, 3), np.log(3 / 2))],
)
def test_umass_by_hand(words, expected):
    found = coherence(ranking(words, n=4), DOCUMENTS, measure="umass")
    assert found[0] == pytest.approx(expected)


def test_two_words_that_are_everywhere_say_nothing_of_each_other():
    assert coherence(ranking((0, 1), n=2), np.ones((3, 2), int))[0] == 0.0


def test_coherence_equals_that_of_gensim():
    # gensim 4.4.0, CoherenceModel: c_npmi with a window longer than any document, and u_mass.
    rng = np.random.default_rng(7)
    X = rng.poisson(0.9, (60, 8))
    X[:, 4:] = np.maximum(X[:, 4:] - 1, 0) + X[:, :4] * (rng.random((60, 4)) < 0.5)
    topics = ranking((0, 1, 2, 3), (0, 4, 1, 5), (7, 3, 6, 2))
    npmi = [0.06630925238307994, 0.17963065733689845, 0.12733444734315083]
    np.testing.assert_allclose(coherence(topics, X), npmi, atol=1e-9)
    # Its u_mass has no + 1, which many copies of the corpus make small.
    umass = [-0.4525111502539747, -0.5104486683233784, -0.49777612860856174]
    copies = np.tile(X, (500, 1))
    np.testing.assert_allclose(coherence(topics, copies, measure="umass"), umass, atol=1e-3)


def test_coherence_in_the_statistics_takes_pairs_of_tokens():
    statistics = CooccurrenceStatistics(4).add(DOCUMENTS)
    K = statistics.to_csr().toarray() / statistics.word_mass.sum()
    p, p_0, p_3 = K[0, 3], K[0].sum(), K[3].sum()
    expected = np.log(p / (p_0 * p_3)) / -np.log(p)
    assert coherence(ranking((0, 3), n=4), statistics)[0] == pytest.approx(expected)


def test_topics_without_a_pair_of_words_have_no_coherence():
    topics = np.array([[0.0, 1.0, 0.0, 0.0], [0.0] * 4])
    assert np.isnan(coherence(topics, DOCUMENTS)).all()
    assert np.isnan(coherence(topics, DOCUMENTS, measure="umass")).all()


def test_diversity_counts_different_top_words():
    assert diversity(ranking((0, 1), (2, 3)), 2) == 1.0
    assert diversity(ranking((0, 1), (1, 0)), 2) == 0.5
    assert np.isnan(diversity(np.zeros((2, 3))))


def test_exclusivity_is_the_share_of_the_topic():
    topics = np.array([[3.0, 1.0, 0.0], [1.0, 0.0, 2.0]])
    np.testing.assert_allclose(exclusivity(topics, 1), [0.75, 1.0])
    np.testing.assert_allclose(exclusivity(topics, 2), [0.875, 0.625])


def test_alignment_finds_a_permutation():
    topics = np.random.default_rng(0).dirichlet(np.full(30, 0.1), 6)
    order = np.array([3, 1, 5, 0, 2, 4])
    found = align_topics(topics, topics[order])
    assert (order[found.after] == found.before).all()
    np.testing.assert_allclose(found.overlap, 1.0)


def test_alignment_of_different_numbers_pairs_the_smaller_one():
    topics = np.eye(4)
    found = align_topics(topics, topics[2:])
    assert (found.before.tolist(), found.after.tolist()) == ([2, 3], [0, 1])
    assert len(align_topics(topics, np.zeros((0, 4))).before) == 0


def test_perplexity_of_one_topic_is_that_of_word_frequencies():
    X = np.random.default_rng(0).poisson(1.0, (50, 6))
    X[:, 0] += 1
    model = AnchorTopicModel(1).fit(X)
    even = np.zeros_like(X)
    for row, counts in enumerate(X):
        tokens = np.repeat(np.arange(6), counts)
        np.add.at(even[row], tokens[::2], 1)
    hidden = (X - even).sum(axis=0)
    expected = np.exp(-(hidden @ np.log(model.word_frequencies_)) / hidden.sum())
    assert perplexity(model, X) == pytest.approx(expected)


def test_perplexity_is_lower_with_the_topics_of_the_documents():
    corpus = make_separable(2000, 100, 5, n_anchor=5, concentration=0.2)
    train, test = corpus.X[:1500], corpus.X[1500:]
    topics = [TopicModel(r).fit(train) for r in (1, 5)]
    assert perplexity(topics[1], test) < 0.9 * perplexity(topics[0], test)


def test_perplexity_without_a_token_to_predict_is_nan():
    model = TopicModel(1).fit(np.ones((5, 3), int))
    assert np.isnan(perplexity(model, np.eye(3, dtype=int)))


def test_words_that_go_with_everything_are_stop_word_candidates():
    corpus = make_separable(2000, 60, 4, n_anchor=5, p=0.1, concentration=0.1)
    everywhere = np.random.default_rng(0).poisson(3.0, (2000, 1))
    X = np.hstack([everywhere, corpus.X.toarray()])
    statistics = CooccurrenceStatistics(61).add(X)
    assert stop_word_candidates(statistics, 5)[0] == 0
    assert len(stop_word_candidates(statistics, 5)) == 5
    assert len(stop_word_candidates(CooccurrenceStatistics(4))) == 0


def test_several_numbers_of_topics_are_measured_from_one_count():
    corpus = make_separable(1500, 80, 5, n_anchor=5, concentration=0.2)
    statistics = CooccurrenceStatistics(80).add(corpus.X)
    before = statistics.digest()
    rows = compare_n_topics(statistics, [2, 5])
    assert [row.n_topics for row in rows] == [2, 5]
    assert rows[1].npmi > rows[0].npmi
    assert statistics.digest() == before


@pytest.mark.parametrize("topics", [[1.0, 2.0], [[np.nan, 1.0]], [[-1.0, 1.0]]])
def test_scores_that_are_no_scores_are_refused(topics):
    with pytest.raises(InvalidInputError):
        diversity(topics)


def test_references_that_do_not_fit_are_refused():
    topics = ranking((0, 1))
    with pytest.raises(InvalidInputError):
        coherence(topics, DOCUMENTS)
    with pytest.raises(InvalidInputError):
        coherence(topics, CooccurrenceStatistics(4))
    with pytest.raises(InvalidParameterError):
        coherence(topics, CooccurrenceStatistics(8), measure="umass")
    with pytest.raises(InvalidInputError):
        align_topics(topics, np.ones((1, 4)))


def test_perplexity_minds_the_names_of_columns():
    pandas = pytest.importorskip("pandas")
    counts = np.random.default_rng(0).poisson(1.0, (40, 8))
    frame = pandas.DataFrame(counts, columns=list("abcdefgh"))
    model = TopicModel(2, core_min_df=1).fit(frame)
    assert perplexity(model, frame) > 1
    with pytest.raises(InvalidInputError, match="feature names"):
        perplexity(model, frame[frame.columns[::-1]])


def test_no_topics_have_no_diversity():
    assert np.isnan(diversity(np.zeros((0, 5))))
