"""The estimator: what its attributes mean, and that every way in gives the same model."""

import numpy as np
import pytest
from corpora import assert_same_model
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from pyunlearn import AnchorTopicModel, CooccurrenceStatistics, FewerTopicsWarning

COUNTS = np.random.default_rng(0).poisson(0.6, (80, 15))


def fitted(**parameters):
    return AnchorTopicModel(**{"n_topics": 4, "anchor_min_df": 2} | parameters).fit(COUNTS)


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
            CooccurrenceStatistics(15, weighting="token").add(COUNTS)
        ),
        lambda model: clone(model).fit(COUNTS),
        lambda model: model.set_params(n_jobs=7).fit(COUNTS),
    ],
)
def test_every_way_in_gives_the_same_model(train):
    assert_same_model(train(AnchorTopicModel(n_topics=4, anchor_min_df=2)), fitted())


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
        model.transform(COUNTS, method="linear"), COUNTS @ model.components_.T
    )


def test_documents_without_a_known_word_get_the_corpus_proportions():
    counts = np.hstack([COUNTS, np.zeros((80, 1), int)])
    counts[0, 15] = 3  # a word that min_df masks
    model = AnchorTopicModel(n_topics=4, anchor_min_df=2, min_df=2).fit(counts)
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
    model = AnchorTopicModel(n_topics=4, anchor_min_df=2).fit(frame)
    assert_same_model(model, fitted())
    assert model.top_words()[0][0].startswith("w")


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_topics": 3},
        {"anchor_min_df": 3},
        {"min_df": 2},
        {"learner": "anchor", "solver": "eg", "max_iter": 10**5},
        {"learner": "anchor", "anchor_cleanup": True},
        {"tol": 1e-5},
        {"max_iter": 1000},
        {"scale_bits": 39},
        {"weighting": "document"},
        {"learner": "anchor"},
        {"background": 0.3},
        {"n_updates": 21},
    ],
)
def test_every_parameter_is_part_of_the_digest(parameters):
    assert fitted(**parameters).digest() != fitted().digest()


def test_threads_are_not_part_of_the_digest():
    assert fitted(n_jobs=1).digest() == fitted(n_jobs=5).digest()


@pytest.mark.parametrize(
    "use", ["transform", "unlearn", "digest", "save", "top_words", "components_", "anchors_"]
)
def test_an_unfitted_model_says_so(use, tmp_path):
    arguments = {"transform": [COUNTS], "unlearn": [COUNTS], "save": [tmp_path / "model"]}
    with pytest.raises((NotFittedError, AttributeError), match="not fitted"):
        getattr(AnchorTopicModel(), use)(*arguments.get(use, []))
    assert not hasattr(AnchorTopicModel(), "components_")


def test_words_that_did_not_converge_are_reported():
    with pytest.warns(ConvergenceWarning, match=r"of 15 words did not reach the tolerance"):
        fitted(learner="anchor", solver="eg", max_iter=1, tol=1e-12)


def test_fewer_topics_are_reported_and_never_refused():
    model = fitted()
    with pytest.warns(FewerTopicsWarning, match="1 documents remain"):
        model.unlearn(COUNTS[1:])
    assert model.n_topics_ < 4


def interrupted(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize("method", ["unlearn", "partial_fit"])
def test_an_interrupted_update_changes_nothing(method, monkeypatch):
    model = fitted()
    for module in ("model", "deletion"):
        monkeypatch.setattr(f"pyunlearn.{module}.relearn", interrupted)
    with pytest.raises(KeyboardInterrupt):
        getattr(model, method)(COUNTS[:7])
    assert_same_model(model, fitted())


def test_a_model_takes_its_statistics_over_and_a_copy_stays():
    stats = CooccurrenceStatistics(15).add(COUNTS)
    model = AnchorTopicModel(n_topics=4, anchor_min_df=2).fit_statistics(stats.copy())
    before = stats.digest()
    model.unlearn(COUNTS[:5])
    assert stats.digest() == before
