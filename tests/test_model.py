"""The estimator: what its attributes mean, and that every way in gives the same model."""

import numpy as np
import pytest
from hard_corpora import assert_same_model
from models import LEARNERS, new_model
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from pyunlearn import CooccurrenceStatistics, TopicModel, load
from pyunlearn.errors import (
    FewerTopicsWarning,
    InvalidInputError,
    InvalidParameterError,
    StaleModelError,
)
from pyunlearn.metrics import perplexity

COUNTS = np.random.default_rng(0).poisson(0.6, (80, 15))


def fitted(**parameters):
    return new_model(**{"n_topics": 4, "word_min_df": 2} | parameters).fit(COUNTS)


@pytest.mark.parametrize(
    "train",
    [
        lambda model: model.fit(sparse.csc_array(COUNTS)),
        lambda model: model.fit(COUNTS.tolist()),
        lambda model: model.fit(COUNTS.astype(np.float32), lengths=COUNTS.sum(axis=1)),
        lambda model: model.fit(COUNTS[::2]).fit(COUNTS),
        lambda model: model.partial_fit(COUNTS[:30]).partial_fit(COUNTS[30:]),
        lambda model: model.fit(COUNTS[:30]).partial_fit(COUNTS[:29:-1]),
        lambda model: model.fit_statistics(
            CooccurrenceStatistics(15, 20, "token", contexts=2).add(COUNTS)
        ),
        lambda model: clone(model).fit(COUNTS),
        lambda model: model.set_params(n_jobs=7).fit(COUNTS),
    ],
)
def test_every_way_in_gives_the_same_model(train):
    assert_same_model(train(TopicModel(n_topics=4, core_min_df=2)), fitted())


def test_probabilities_are_probabilities():
    model = fitted()
    np.testing.assert_allclose(model.components_.sum(axis=1), 1.0)
    np.testing.assert_allclose(model.word_topic_.sum(axis=1), 1.0)
    np.testing.assert_allclose(model.topic_proportions_.sum(), 1.0)
    np.testing.assert_allclose(model.word_frequencies_.sum(), 1.0)
    assert model.components_.shape == (4, 15)
    assert model.n_features_in_ == 15


def test_attributes_obey_the_rule_of_bayes():
    model = fitted(learner="anchor")
    joint = model.components_.T * model.topic_proportions_
    np.testing.assert_allclose(joint, model.word_frequencies_[:, None] * model.word_topic_)
    mass = model.statistics_.word_mass
    np.testing.assert_allclose(model.word_frequencies_, mass / mass.sum())


def test_topic_correlation_explains_cooccurrence_best():
    model = fitted()
    K = model.statistics_.to_csr().toarray()
    A, Q = model.components_.T, K / K.sum()
    inverse = np.linalg.pinv(A)
    np.testing.assert_allclose(model.topic_correlation_, inverse @ Q @ inverse.T, atol=1e-10)
    np.testing.assert_allclose(model.topic_correlation_, model.topic_correlation_.T)


def test_transform_gives_proportions_of_any_storage():
    model = fitted()
    theta = model.transform(COUNTS)
    np.testing.assert_allclose(theta.sum(axis=1), 1.0)
    assert (theta >= 0).all()
    assert (model.transform(sparse.coo_array(COUNTS)) == theta).all()
    assert (model.set_params(n_jobs=3).transform(COUNTS) == theta).all()


def test_transform_is_linear_when_asked():
    model = fitted()
    np.testing.assert_allclose(
        model.set_params(transform_method="linear").transform(COUNTS), COUNTS @ model.components_.T
    )


def test_documents_without_a_known_word_get_the_corpus_proportions():
    counts = np.hstack([COUNTS, np.zeros((80, 1), int)])
    counts[0, 15] = 3  # a word that min_df masks
    model = TopicModel(n_topics=4, core_min_df=2, min_df=2).fit(counts)
    theta = model.transform(np.eye(16, dtype=int)[[15]] * [[2], [0]])
    np.testing.assert_allclose(theta, [model.topic_proportions_] * 2)


def test_top_words_are_the_most_probable():
    model = fitted()
    for topic, words in enumerate(model.top_words(n_words=5)):
        probabilities = model.components_[topic]
        assert (probabilities[words] >= np.sort(probabilities)[-5:][::-1] - 1e-15).all()
    names = [f"w{i}" for i in range(15)]
    expected = [[names[i] for i in words] for words in model.top_words()]
    assert model.top_words(names) == expected


def test_names_of_a_data_frame_are_kept():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(COUNTS, columns=[f"w{i}" for i in range(15)])
    model = TopicModel(n_topics=4, core_min_df=2).fit(frame)
    assert_same_model(model, fitted())
    assert model.top_words()[0][0].startswith("w")


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_topics": 3},
        {"word_min_df": 3},
        {"min_df": 2},
        {"learner": "anchor", "solver": "eg", "max_iter": 10**5},
        {"learner": "anchor", "anchor_cleanup": True},
        {"scale_bits": 39},
        {"weighting": "document"},
        {"learner": "anchor"},
        {"background": 0.3},
        {"n_updates": 21},
    ],
)
def test_parameters_that_change_topics_are_part_of_the_digest(parameters):
    assert fitted(**parameters).digest() != fitted().digest()


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_jobs": 5},
        {"weighting": "token"},
        {"vocabulary": [f"w{i}" for i in range(15)]},
        {"transform_method": "linear"},
        {"transform_tol": 1e-3},
        {"transform_max_iter": 7},
        {"learner": "anchor", "tol": 1e-4},
        {"learner": "anchor", "max_iter": 10},
    ],
)
def test_parameters_that_change_no_topic_are_not_part_of_the_digest(parameters):
    learner = parameters.get("learner", "factor")
    assert fitted(**parameters).digest() == fitted(learner=learner).digest()


def test_the_tolerance_is_part_of_the_digest_where_it_matters():
    eg = {"learner": "anchor", "solver": "eg", "max_iter": 10**5}
    assert fitted(**eg).digest() != fitted(**eg, tol=1e-5).digest()


@pytest.mark.parametrize(
    "use", ["transform", "forget", "digest", "save", "top_words", "components_", "representatives_"]
)
def test_an_unfitted_model_says_so(use, tmp_path):
    arguments = {"transform": [COUNTS], "forget": [COUNTS], "save": [tmp_path / "model"]}
    with pytest.raises((NotFittedError, AttributeError), match="not fitted"):
        getattr(TopicModel(), use)(*arguments.get(use, []))
    assert not hasattr(TopicModel(), "components_")


def test_words_that_did_not_converge_are_reported():
    with pytest.warns(ConvergenceWarning, match=r"of 15 words did not reach the tolerance"):
        fitted(learner="anchor", solver="eg", max_iter=1, tol=1e-12)


def test_fewer_topics_are_reported_and_never_refused():
    model = fitted()
    with pytest.warns(FewerTopicsWarning, match="1 documents remain"):
        model.forget(COUNTS[1:])
    assert model.n_topics_ < 4


def interrupted(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize("method", ["forget", "partial_fit"])
def test_an_interrupted_update_changes_nothing(method, monkeypatch):
    model = fitted()
    monkeypatch.setattr("pyunlearn._estimator.update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        getattr(model, method)(COUNTS[:7])
    assert_same_model(model, fitted())


def test_a_model_takes_its_statistics_over_and_a_copy_stays():
    stats = CooccurrenceStatistics(15).add(COUNTS)
    model = TopicModel(n_topics=4, core_min_df=2).fit_statistics(stats.copy())
    before = stats.digest()
    model.forget(COUNTS[:5])
    assert stats.digest() == before


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_model_knows_the_words_that_it_was_given(learner, tmp_path):
    words = [f"w{i}" for i in range(15)]
    model = fitted(learner=learner, vocabulary=np.array(words, dtype=object))
    assert model.feature_names_in_.tolist() == words
    assert model.top_words() == fitted(learner=learner).top_words(words)
    assert model.transform(sparse.csr_array(COUNTS)).shape == (80, 4)  # without a warning
    assert clone(model).fit(COUNTS).top_words() == model.top_words()
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert (type(loaded), loaded.top_words()) == (type(model), model.top_words())
    for one in (loaded, model):
        assert one.confirms(one.forget(COUNTS[:3]))
    assert loaded.digest() == model.digest()


@pytest.mark.parametrize(
    "vocabulary",
    [
        ["a"] * 15,
        [f"w{i}" for i in range(14)],
        list(range(15)),
        "abcdefghijklmno",
        {"a": 1},
        15,
        frozenset(f"w{i}" for i in range(15)),
        dict.fromkeys(f"w{i}" for i in range(15)).keys(),
        np.full((15, 1), "w", dtype=object),
    ],
)
def test_a_vocabulary_that_does_not_name_the_columns_is_refused(vocabulary):
    model = TopicModel(4, core_min_df=2, vocabulary=vocabulary)
    with pytest.raises(InvalidParameterError, match="vocabulary"):
        model.fit(COUNTS)
    assert vars(model) == vars(TopicModel(4, core_min_df=2, vocabulary=vocabulary))


def test_top_words_come_with_their_scores():
    model = fitted()
    for topic, pairs in enumerate(model.top_words(n_words=3, scores=True)):
        assert [word for word, _ in pairs] == model.top_words(n_words=3)[topic]
        assert [score for _, score in pairs] == [model.components_[topic, w] for w, _ in pairs]


@pytest.mark.parametrize(
    "vocabulary",
    [
        8,
        "abcdefghijklmno",
        b"abcdefghijklmno",
        ["a"] * 3,
        {f"w{i}": i for i in range(15)},
        {f"w{i}" for i in range(15)},
        {f"w{i}": i for i in range(15)}.keys(),
        np.zeros((15, 2)),
        (f"w{i}" for i in range(15)),
        list(range(15)),
    ],
)
def test_top_words_of_no_vocabulary_say_so(vocabulary):
    with pytest.raises(InvalidParameterError, match="vocabulary"):
        fitted().top_words(vocabulary)


@pytest.mark.parametrize("learner", LEARNERS)
def test_scores_are_log_probabilities_of_hidden_tokens(learner):
    model = fitted(learner=learner)
    assert model.perplexity(COUNTS) == pytest.approx(perplexity(model, COUNTS))
    assert model.score(COUNTS) == pytest.approx(-np.log(model.perplexity(COUNTS)))
    assert 1.0 < model.perplexity(COUNTS) < 30.0
    assert np.isnan(model.score(np.zeros((2, 15), int)))


def test_inverse_transform_mixes_the_topics():
    model = fitted()
    theta = model.transform(COUNTS)
    words = model.inverse_transform(theta)
    np.testing.assert_allclose(words, theta @ model.components_)
    np.testing.assert_allclose(words.sum(axis=1), 1.0)
    refused = [theta[:, :3], theta[0], np.full((1, 4), np.nan), [["a"] * 4], theta + 1j]
    refused += [theta.astype(str), sparse.csr_array(theta), [[10**400] * 4], None]
    for wrong in refused:
        with pytest.raises(InvalidInputError, match="theta"):
            model.inverse_transform(wrong)


def test_names_of_the_columns_that_come_out():
    model = fitted()
    assert model.get_feature_names_out().tolist() == ["topic0", "topic1", "topic2", "topic3"]
    for wrong in (["a"], 3, np.zeros((15, 2))):
        with pytest.raises(InvalidInputError, match="input_features"):
            model.get_feature_names_out(wrong)
    frame = model.set_output(transform="default").transform(COUNTS)
    assert frame.shape == (80, 4)


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize(
    "change", [{"n_topics": 3}, {"min_df": 2}, {"scale_bits": 39}, {"weighting": "other"}]
)
@pytest.mark.parametrize(
    "use",
    [
        lambda model: model.forget(COUNTS[:3]),
        lambda model: model.forget(COUNTS[:3], refresh="later"),
        lambda model: model.partial_fit(COUNTS[:3]),
        lambda model: model.partial_fit(COUNTS[:3], refresh="later"),
        lambda model: model.refresh(),
    ],
)
def test_parameters_set_after_fit_are_not_mixed_with_those_of_before(learner, change, use):
    model = fitted(learner=learner)
    before = model.digest()
    if "weighting" in change:
        change = {"weighting": {"token": "document"}.get(model.statistics_.weighting, "token")}
    given = {name: model.get_params()[name] for name in change}
    with pytest.raises(InvalidParameterError):
        use(model.set_params(**change))
    assert model.digest() == before
    assert_same_model(model.set_params(**given).partial_fit(COUNTS[:0:-1]), twice(learner))


def twice(learner):
    return fitted(learner=learner).partial_fit(COUNTS[1:])


@pytest.mark.parametrize("method", ["em", "linear"])
def test_transform_is_told_in_the_constructor(method):
    model = fitted(transform_method=method)
    assert fitted().set_params(transform_method=method).transform(COUNTS).tolist() == (
        model.transform(COUNTS).tolist()
    )
    rough = fitted(transform_max_iter=1).transform(COUNTS)
    assert not np.allclose(rough, fitted().transform(COUNTS))


@pytest.mark.parametrize(
    "wrong",
    [{"transform_method": "vb"}, {"transform_tol": 0.0}, {"transform_max_iter": 0}],
)
def test_parameters_of_transform_are_checked(wrong):
    with pytest.raises(InvalidParameterError, match=next(iter(wrong))):
        fitted(**wrong).transform(COUNTS)


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_share_of_all_is_not_one_document(learner):
    model = new_model(3, learner=learner, word_min_df=1).fit(COUNTS)
    name = {"factor": "core_min_df", "anchor": "anchor_min_df"}[learner]
    with pytest.raises(InvalidParameterError, match="changed after fit"):
        model.set_params(**{name: 1.0}).forget(COUNTS[:2])


def test_equal_numbers_have_equal_digests():
    assert fitted(background=-0.0).digest() == fitted(background=0.0).digest()


def test_a_vocabulary_that_is_set_after_fit_names_the_columns(tmp_path):
    words = [f"w{i}" for i in range(15)]
    model = fitted().set_params(vocabulary=words)
    assert model.top_words() == fitted().top_words(words)
    model.save(tmp_path / "model")
    assert load(tmp_path / "model").top_words() == model.top_words()
    other = model.set_params(vocabulary=words).fit(COUNTS).set_params(vocabulary=words[::-1])
    before = other.digest()
    for use in (
        lambda: other.top_words(),
        lambda: other.forget(COUNTS[:3]),
        lambda: other.partial_fit(COUNTS[:3]),
        lambda: other.save(tmp_path / "other"),
        lambda: other.get_feature_names_out(),
    ):
        with pytest.raises(InvalidParameterError, match="vocabulary"):
            use()
    assert other.digest() == before
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_saved_model_transforms_as_before(learner, tmp_path):
    given = {"transform_method": "linear", "transform_tol": 0.5, "transform_max_iter": 7}
    fitted(learner=learner, **given).save(tmp_path / "model")
    assert load(tmp_path / "model").get_params().items() >= given.items()


def test_a_setting_that_changes_no_topic_may_change_after_fit():
    model, other = (
        fitted(learner="anchor").set_params(tol=0.1, max_iter=3),
        fitted(learner="anchor"),
    )
    for one in (model, other):
        one.forget(COUNTS[:3])
    assert model.digest() == other.digest()
    eg = fitted(learner="anchor", solver="eg").set_params(tol=0.1)
    with pytest.raises(InvalidParameterError, match="changed after fit"):
        eg.forget(COUNTS[:3])


USES = [
    lambda model: model.transform(COUNTS),
    lambda model: model.inverse_transform(np.ones((1, 4))),
    lambda model: model.score(COUNTS),
    lambda model: model.perplexity(COUNTS),
    lambda model: model.top_words(),
    lambda model: model.get_feature_names_out(),
    lambda model: model.digest(),
    lambda model: model.save("/never written"),
]


@pytest.mark.parametrize("use", USES)
def test_what_has_no_topics_says_why(use):
    with pytest.raises(NotFittedError):
        use(TopicModel(4))
    waiting = TopicModel(4, core_min_df=2).partial_fit(COUNTS, refresh="later")
    with pytest.raises(StaleModelError, match="refresh"):
        use(waiting)
    assert not hasattr(TopicModel(4), "components_")
    with pytest.raises(StaleModelError):
        _ = waiting.components_
    waiting.refresh()
    assert_same_model(waiting, fitted())


def test_columns_of_a_frame_with_mixed_names_are_refused():
    frame = pytest.importorskip("pandas").DataFrame(COUNTS)
    frame.columns = [0, *(f"w{i}" for i in range(14))]
    with pytest.raises(InvalidInputError, match="names"):
        TopicModel(4, core_min_df=2).fit(frame)
