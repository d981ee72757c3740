"""Bad input: a typed error that says what and where, and nothing changed."""

import warnings

import numpy as np
import pytest
from hard_corpora import assert_same_model
from models import new_model
from scipy import sparse

from pyunlearn import AnchorTopicModel, CooccurrenceStatistics, TopicModel
from pyunlearn.errors import (
    DocumentTooLongError,
    FewerTopicsWarning,
    InvalidInputError,
    InvalidParameterError,
    NotInModelError,
    PyUnlearnError,
    StatisticsOverflowError,
    TooFewAnchorsError,
)

N_WORDS = 8
TRAINED = np.random.default_rng(0).poisson(1.0, (30, N_WORDS))


@pytest.fixture
def model():
    return TopicModel(n_topics=3, core_min_df=2).fit(TRAINED)


def with_value(value, row=1, dtype=np.float64):
    X = np.ones((3, N_WORDS), dtype)
    X[row, 2] = value
    return X


def ragged_lengths(*lengths):
    return np.array(lengths)


BAD_COUNTS = {
    "negative": (with_value(-1), "row 1"),
    "negative integer": (with_value(-1, dtype=np.int64), "row 1"),
    "fractional": (with_value(0.5), "row 1 has a fractional count"),
    "tf-idf": (np.full((3, N_WORDS), 0.1), "pass word counts"),
    "nan": (with_value(np.nan), "row 1"),
    "infinite": (with_value(np.inf), "row 1"),
    "minus infinity": (with_value(-np.inf), "row 1"),
    "overflowing": (with_value(2**31), "row 1 has a count above 2147483647"),
    "overflowing float": (with_value(1e300), "row 1 has a count above"),
    "overflowing unsigned": (with_value(2**63, dtype=np.uint64), "row 1 has a count above"),
    "complex": (np.ones((3, N_WORDS), complex), "real numbers"),
    "text": ([["a"] * N_WORDS], "real numbers"),
    "objects": (np.full((3, N_WORDS), object()), "real numbers"),
    "missing": (np.full((3, N_WORDS), None), "NaN"),
    "too few columns": (np.ones((3, N_WORDS - 1)), f"{N_WORDS - 1}"),
    "too many columns": (np.ones((3, N_WORDS + 1)), f"{N_WORDS + 1}"),
    "no documents": (np.ones((0, N_WORDS)), "no documents|0 sample"),
    "no words": (np.ones((3, 0)), "0 feature|0 columns"),
    "one dimension": (np.ones(N_WORDS), "2 dimensions"),
    "three dimensions": (np.ones((2, 2, N_WORDS)), "2 dimensions"),
    "a number": (3, "2 dimensions"),
    "none": (None, "2 dimensions"),
}
EVERY_BAD_COUNT = pytest.mark.parametrize(("X", "message"), BAD_COUNTS.values(), ids=BAD_COUNTS)
METHODS = pytest.mark.parametrize("method", ["partial_fit", "forget", "transform"])


@EVERY_BAD_COUNT
@METHODS
def test_bad_counts_change_no_model(model, method, X, message):
    before = model.digest()
    with pytest.raises(InvalidInputError, match=message):
        getattr(model, method)(X)
    assert model.digest() == before
    assert_same_model(model, TopicModel(n_topics=3, core_min_df=2).fit(TRAINED))


@EVERY_BAD_COUNT
@pytest.mark.parametrize("method", ["add", "remove"])
def test_bad_counts_change_no_statistics(method, X, message):
    stats = CooccurrenceStatistics(N_WORDS).add(TRAINED)
    before = stats.digest()
    with pytest.raises(InvalidInputError, match=message):
        getattr(stats, method)(X)
    assert stats.digest() == before


@pytest.mark.parametrize("storage", [sparse.csr_array, sparse.csc_array, sparse.coo_array])
@pytest.mark.parametrize("value", [-1.0, 0.5, np.nan, np.inf, 2.0**31])
def test_bad_counts_are_found_in_every_storage(model, storage, value):
    before = model.digest()
    with pytest.raises(InvalidInputError, match=r"row 1|Negative|NaN"):
        model.partial_fit(storage(with_value(value)))
    assert model.digest() == before


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint32, np.int64])
def test_a_count_that_is_one_too_large_is_refused_in_every_dtype(dtype):
    X = np.array([[1, 2**31, 0]], dtype)
    for storage in (np.array, sparse.csr_array, sparse.csc_array, sparse.coo_array):
        with pytest.raises(InvalidInputError, match="row 0 has a count above"):
            CooccurrenceStatistics(3).add(storage(X))
    with pytest.raises(InvalidInputError, match="lengths must be at most"):
        CooccurrenceStatistics(3).add(X // 2**31, X[0, 1:2])


def test_bad_counts_do_not_cancel_out():
    data, rows, columns = np.array([3.0, -2.0]), np.array([0, 0]), np.array([1, 1])
    for X in (
        sparse.coo_array((data, (rows, columns)), shape=(1, N_WORDS)),
        sparse.csr_array((data, columns, np.array([0, 2])), shape=(1, N_WORDS)),
        sparse.coo_array((data / 4, (rows, columns)), shape=(1, N_WORDS)),
    ):
        with pytest.raises(InvalidInputError):
            CooccurrenceStatistics(N_WORDS).add(X)


def test_duplicates_that_sum_beyond_a_count_are_refused():
    X = sparse.csr_array(
        (np.array([2**31 - 1, 2**31 - 1]), np.array([1, 1]), np.array([0, 2])), shape=(1, N_WORDS)
    )
    for storage in (X, X.tocoo(), X.tocsc()):
        with pytest.raises(InvalidInputError, match="row 0 has a count above"):
            CooccurrenceStatistics(N_WORDS).add(storage)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([8, 8], "shape"),
        ([[8, 8, 8]], "shape"),
        ([8, 7, 8], "row 1 has length 7"),
        ([8, -1, 8], "row 1 has length -1"),
        ([8, 8.5, 8], "integers"),
        ([8, np.nan, 8], "integers"),
        (["8", "8", "8"], "integers"),
        ([8, 2**40, 8], "at most"),
    ],
)
@pytest.mark.parametrize("method", ["partial_fit", "forget"])
def test_bad_lengths_change_nothing(model, method, lengths, message):
    before = model.digest()
    with pytest.raises(InvalidInputError, match=message):
        getattr(model, method)(np.ones((3, N_WORDS), int), lengths=lengths)
    assert model.digest() == before


# ---- documents of every length ------------------------------------------------------------


def test_empty_documents_are_counted_and_removed_again(model):
    before, empty = model.digest(), np.zeros((4, N_WORDS), int)
    model.partial_fit(empty)
    assert model.statistics_.n_documents == 34
    model.forget(empty)
    assert model.digest() == before


def test_a_document_of_one_token_has_no_pairs(model):
    K = model.statistics_.to_csr()
    model.partial_fit(np.eye(N_WORDS, dtype=int)[:1])
    assert (model.statistics_.to_csr() != K).nnz == 0
    assert model.statistics_.document_frequency[0] == (TRAINED[:, 0] > 0).sum() + 1


def test_a_corpus_of_empty_documents_has_no_topics():
    with pytest.raises(TooFewAnchorsError, match="n_topics=1, but 0 words"):
        TopicModel(n_topics=1).fit(np.zeros((5, N_WORDS), int))
    with pytest.warns(FewerTopicsWarning):
        model = TopicModel(n_topics=1).partial_fit(np.zeros((5, N_WORDS), int))
    assert model.n_topics_ == 0


def ten_million_tokens():
    return np.full((1, N_WORDS), 10_000_000 // N_WORDS)


def test_a_document_of_ten_million_tokens_is_too_long_for_the_default_scale():
    model = TopicModel(n_topics=3, weighting="document").fit(TRAINED)
    before = model.digest()
    with pytest.raises(DocumentTooLongError, match=r"row 0 has 10000000 tokens.*scale_bits"):
        model.partial_fit(ten_million_tokens())
    with pytest.raises(DocumentTooLongError):
        model.forget(ten_million_tokens())
    assert model.digest() == before


def test_a_document_of_ten_million_tokens_fits_a_larger_scale():
    stats = CooccurrenceStatistics(N_WORDS, scale_bits=50).add(TRAINED)
    before = stats.digest()
    stats.add(ten_million_tokens())
    assert stats.digest() != before
    assert stats.remove(ten_million_tokens()).digest() == before


def test_the_longest_document_is_where_the_weight_is_one():
    longest = np.array([[2**20, 0]])
    stats = CooccurrenceStatistics(2, scale_bits=40).add(longest)
    assert stats.word_mass[0] == 2**20 * (2**20 - 1)
    with pytest.raises(DocumentTooLongError):
        stats.add(longest + 1)


# ---- overflow -----------------------------------------------------------------------------


def test_a_mass_that_would_overflow_is_refused_in_one_batch_and_over_many():
    X = np.ones((1, 2), int)  # a mass of 2^59 each
    stats = CooccurrenceStatistics(2, scale_bits=60)
    with pytest.raises(StatisticsOverflowError, match=r"word 0.*smaller scale_bits"):
        stats.add(np.repeat(X, 8, axis=0))
    for _ in range(7):
        stats.add(X)
    before = stats.digest()
    with pytest.raises(StatisticsOverflowError):
        stats.add(X)
    with pytest.raises(StatisticsOverflowError):
        stats.merge(stats.copy())
    assert stats.digest() == before
    assert stats.remove(np.repeat(X, 7, axis=0)).to_csr().nnz == 0


def test_token_weights_that_would_overflow_are_refused():
    stats = CooccurrenceStatistics(2, scale_bits=50, weighting="token")
    with pytest.raises(StatisticsOverflowError, match="weighting='token'"):
        stats.add(np.array([[4096, 1]]))


# ---- parameters ---------------------------------------------------------------------------


@pytest.mark.parametrize("n_topics", [0, -1, 4.0, True, np.True_, "3", None, np.float64(3), 2**31])
def test_a_number_of_topics_that_is_not_one(n_topics):
    with pytest.raises(InvalidParameterError, match="n_topics"):
        TopicModel(n_topics=n_topics).fit(TRAINED)


def test_one_topic_and_as_many_as_words():
    assert TopicModel(n_topics=1).fit(TRAINED).n_topics_ == 1
    model = AnchorTopicModel(n_topics=N_WORDS).fit(TRAINED)
    assert sorted(model.anchors_) == list(range(N_WORDS))
    np.testing.assert_allclose(model.word_topic_[model.anchors_], np.eye(N_WORDS), atol=1e-9)


@pytest.mark.parametrize("n_topics", [N_WORDS + 1, 10**9])
def test_more_topics_than_words(n_topics):
    with pytest.raises(TooFewAnchorsError, match=f"n_topics={n_topics}, but 8 words"):
        TopicModel(n_topics=n_topics).fit(TRAINED)


def test_more_topics_than_candidates():
    frequency = (TRAINED > 0).sum(axis=0)
    threshold = int(np.sort(frequency)[-2])
    able = int((frequency >= threshold).sum())
    with pytest.raises(TooFewAnchorsError, match=f"but {able} words"):
        TopicModel(n_topics=able + 1, core_min_df=threshold).fit(TRAINED)


def test_more_topics_than_independent_rows():
    # Four words with the same two neighbours: equal rows.
    X = np.hstack([np.eye(4, dtype=int), np.ones((4, 2), int)])
    assert AnchorTopicModel(n_topics=3).fit(X).n_topics_ == 3
    with pytest.raises(TooFewAnchorsError, match=r"6 words can be anchors .* and 3 of them are"):
        AnchorTopicModel(n_topics=4).fit(X)


@pytest.mark.parametrize(
    "parameters",
    [
        {"core_min_df": 0},
        {"core_min_df": 1.5},
        {"background": 2.5},
        {"n_updates": 0},
        {"anchor_min_df": 0},
        {"anchor_min_df": -0.1},
        {"anchor_min_df": 1.5},
        {"anchor_min_df": np.nan},
        {"anchor_min_df": True},
        {"min_df": 0},
        {"min_df": 0.5},
        {"solver": "sgd"},
        {"solver": None},
        {"anchor_cleanup": 1},
        {"tol": 0.0},
        {"tol": np.inf},
        {"tol": np.nan},
        {"max_iter": 0},
        {"scale_bits": 0},
        {"scale_bits": 62},
        {"scale_bits": 40.0},
        {"weighting": "tfidf"},
        {"n_jobs": 0},
        {"n_jobs": 1.5},
    ],
)
def test_parameters_outside_their_range(parameters, model):
    before = model.digest()
    name = next(iter(parameters))
    learner = "anchor" if hasattr(AnchorTopicModel(), name) else "factor"
    with pytest.raises(InvalidParameterError, match=name):
        new_model(**{"n_topics": 3, "learner": learner} | parameters).fit(TRAINED)
    if name in model.get_params() and name not in ("scale_bits", "weighting"):
        model.set_params(**parameters)
        for call in (model.partial_fit, model.forget):
            with pytest.raises(InvalidParameterError, match=name):
                call(TRAINED[:1])
        assert model.digest() == before


@pytest.mark.parametrize("arguments", [(-1,), (2.0,), (True,), (3, 0), (3, 62), (3, 40, "count")])
def test_statistics_refuse_bad_parameters(arguments):
    with pytest.raises(InvalidParameterError):
        CooccurrenceStatistics(*arguments)


def test_parameters_changed_after_fit_are_refused_until_learned_with(model):
    before = model.digest()
    model.set_params(n_topics=4)
    for call in (model.partial_fit, model.forget):
        with pytest.raises(InvalidParameterError, match="fit_statistics"):
            call(TRAINED[:1])
    assert model.digest() == before
    model.fit_statistics(model.statistics_)
    assert model.digest() == TopicModel(n_topics=4, core_min_df=2).fit(TRAINED).digest()


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("forget", {"mode": "approximate"}),
        ("forget", {"refresh": "never"}),
        ("partial_fit", {"refresh": "never"}),
    ],
)
def test_bad_arguments_change_nothing(model, method, arguments):
    before = model.digest()
    with pytest.raises(InvalidParameterError):
        getattr(model, method)(TRAINED[:1], **arguments)
    assert model.digest() == before


def test_top_words_refuses_a_vocabulary_of_another_length(model):
    with pytest.raises(InvalidParameterError, match="vocabulary has 3 words, but there are 8"):
        model.top_words(["a", "b", "c"])
    with pytest.raises(InvalidParameterError):
        model.top_words(n_words=0)


@pytest.mark.parametrize("X", [np.full((3, 5), -1), np.zeros((3, 5), int), np.full((3, 5), np.nan)])
def test_a_refused_fit_leaves_the_fitted_model(model, X):
    before = model.digest()
    with pytest.raises(PyUnlearnError):
        model.fit(X)
    assert model.digest() == before
    assert model.n_features_in_ == N_WORDS
    assert_same_model(model, TopicModel(n_topics=3, core_min_df=2).fit(TRAINED))
    model.forget(TRAINED[:1])


def test_a_refused_first_fit_leaves_the_estimator_unfitted():
    for method in ("fit", "partial_fit"):
        model = TopicModel(n_topics=2)
        with pytest.raises(InvalidInputError):
            getattr(model, method)(np.full((3, 5), -1))
        assert vars(model) == vars(TopicModel(n_topics=2))


def test_statistics_of_another_kind_are_refused():
    parameters = {"scale_bits": 40, "weighting": "document", "contexts": "all"}
    model = TopicModel(n_topics=3, **parameters).fit(TRAINED)
    before = model.digest()
    for options in ({"scale_bits": 30}, {"weighting": "token"}, {"contexts": 3}):
        with pytest.raises(InvalidParameterError, match=next(iter(options))):
            model.fit_statistics(CooccurrenceStatistics(N_WORDS, **options).add(TRAINED))
    with pytest.raises(TooFewAnchorsError):
        model.fit_statistics(CooccurrenceStatistics(N_WORDS))
    assert model.digest() == before


# ---- deletions that cannot be ---------------------------------------------------------------


NEVER_ADDED = {
    "more copies": np.repeat(TRAINED[:1], 31, axis=0),
    "twice in one request": np.vstack([TRAINED, TRAINED[:1]]),
    "a pair that never met": np.eye(N_WORDS, dtype=int)[:1] * 900,
    "more empty documents than there are": np.zeros((31, N_WORDS), int),
}


@pytest.mark.parametrize("X", NEVER_ADDED.values(), ids=NEVER_ADDED)
def test_documents_never_added_are_not_removed(model, X):
    before = model.digest()
    with pytest.raises(NotInModelError):
        model.forget(X)
    assert model.digest() == before
    assert_same_model(model, TopicModel(n_topics=3, core_min_df=2).fit(TRAINED))


def test_a_document_is_removed_as_often_as_it_was_added_and_not_again():
    document = np.array([[2, 1, 0, 0, 0, 0, 0, 3]])
    others = TRAINED * (np.arange(N_WORDS) != 7)
    stats = CooccurrenceStatistics(N_WORDS).add(others).add(document).add(document)
    stats.remove(document).remove(document)
    with pytest.raises(NotInModelError, match="column 7, which row 0 is"):
        stats.remove(document)
    assert stats.digest() == CooccurrenceStatistics(N_WORDS).add(others).digest()


def test_a_refused_removal_names_the_column_and_the_first_row_that_has_it():
    held, other = np.eye(N_WORDS, dtype=int)[[2, 5]] * 2
    stats = CooccurrenceStatistics(N_WORDS).add([held, held])
    with pytest.raises(NotInModelError, match="at column 5, which row 1 is the first to have"):
        stats.remove([held, other])
    assert stats.digest() == CooccurrenceStatistics(N_WORDS).add([held, held]).digest()


def test_other_lengths_than_were_given_are_refused():
    document = np.array([[1, 1, 0, 0, 0, 0, 0, 0]])
    stats = CooccurrenceStatistics(N_WORDS).add(document, lengths=[5])
    before = stats.digest()
    for lengths in (None, [4], [6]):
        with pytest.raises(NotInModelError):
            stats.remove(document, lengths)
    assert stats.digest() == before
    assert stats.remove(document, [5]).n_documents == 0


def test_an_empty_model_has_nothing_to_remove(model):
    with pytest.warns(FewerTopicsWarning, match="0 documents remain"):
        model.forget(TRAINED)
    before = model.digest()
    with pytest.raises(NotInModelError):
        model.forget(TRAINED[:1])
    with pytest.raises(ValueError, match="no topics left"):
        model.transform(TRAINED[:1])
    assert model.digest() == before


def test_words_that_never_occur_have_no_topics():
    X = np.insert(TRAINED, [0, 4, N_WORDS], 0, axis=1)
    model = TopicModel(n_topics=3, core_min_df=2).fit(X)
    unused = [0, 5, N_WORDS + 2]
    assert not model.word_topic_[unused].any()
    assert not model.components_[:, unused].any()
    assert not set(unused) & set(model.representatives_)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        proportions = model.transform(np.eye(N_WORDS + 3, dtype=int)[unused])
    np.testing.assert_allclose(proportions, np.tile(model.topic_proportions_, (3, 1)))
