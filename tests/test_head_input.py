"""Heads and index from a user's seat: what is passed in is understood, or refused with a reason."""

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from models import new_model
from sklearn.model_selection import GridSearchCV, cross_val_score
from tasks import KINDS, base, corpus, new_head, targets

from pyunlearn import (
    LinearHeadClassifier,
    LinearHeadRegressor,
    TopicModel,
    TopicRetriever,
)
from pyunlearn._documents import Documents, check_documents
from pyunlearn.errors import (
    DuplicateDocumentError,
    FewerClassesWarning,
    InvalidInputError,
    InvalidParameterError,
    NotInModelError,
    StaleHeadError,
    StaleHeadWarning,
    StatisticsOverflowError,
)
from pyunlearn.heads._task_statistics import OuterProducts, TaskStatistics
from pyunlearn.privacy import head_capacity

COUNTS, LABELS = corpus()
NAMES = np.array(["news", "sport", "a longer name"])[LABELS]
COLUMNS = [f"w{column}" for column in range(24)]
FRAME = pd.DataFrame(COUNTS, columns=COLUMNS)
PARAMETERS = {"n_topics": 3, "core_min_df": 2, "n_jobs": 1}


# ---- labels ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "plain"),
    [
        (np.array([np.str_(name) for name in NAMES], object), NAMES),
        (np.array([np.int64(label) for label in LABELS], object), LABELS),
        (pd.Series(NAMES), NAMES),
        (pd.Series(NAMES, dtype="category"), NAMES),
        (pd.Series(LABELS, dtype="Int64"), LABELS),
        (pd.Series(LABELS == 1, dtype="boolean"), LABELS == 1),
        (LABELS.astype(np.uint64), LABELS),
        (np.where(LABELS == 0, -0.0, LABELS), LABELS.astype(float)),
    ],
    ids=["str_", "int64", "Series", "category", "Int64", "boolean", "uint64", "negative zero"],
)
def test_equal_labels_give_equal_heads_however_they_come(y, plain):
    head = LinearHeadClassifier(base(COUNTS), alpha=1e-2).fit(COUNTS, y)
    twin = LinearHeadClassifier(base(COUNTS), alpha=1e-2).fit(COUNTS, plain)
    assert head.classes_.dtype == twin.classes_.dtype
    assert head.digest() == twin.digest()
    assert head.score(COUNTS, y) == twin.score(COUNTS, plain)
    head.forget(COUNTS[:3], plain[:3])


@pytest.mark.parametrize(
    "y",
    [
        np.array([np.nan, *NAMES[1:]], object),
        pd.Series([None, *NAMES[1:]]),
        pd.Series([pd.NA, *LABELS[1:]], dtype="Int64"),
        np.where(LABELS == 0, np.nan, 1.0),
        [float("nan"), *NAMES[1:].tolist()],
        [None, *NAMES[1:].tolist()],
    ],
    ids=["object", "Series", "Int64", "float", "list", "list with None"],
)
def test_missing_labels_are_called_missing(y):
    with pytest.raises(InvalidInputError, match="NaN"):
        LinearHeadClassifier(base(COUNTS)).fit(COUNTS, y)


@pytest.mark.parametrize("first", [1, True, 2.0])
def test_labels_of_several_kinds_in_a_list_are_refused(first):
    with pytest.raises(InvalidInputError, match="labels must be all strings"):
        LinearHeadClassifier(base(COUNTS)).fit(COUNTS, [first, *NAMES[1:].tolist()])


def test_labels_in_a_list_are_those_of_an_array():
    for y in (NAMES, LABELS, LABELS == 1):
        heads = [
            LinearHeadClassifier(base(COUNTS), alpha=1e-2).fit(COUNTS, one)
            for one in (y, y.tolist())
        ]
        assert heads[0].digest() == heads[1].digest()


@pytest.mark.parametrize(
    "y",
    [
        10**400 * np.ones(80, object),
        [[1, 2], [3]] * 40,
        [["a", "b"]] * 80,
        {"a": 1},
        "news",
        b"news",
        7,
    ],
    ids=["huge", "ragged", "nested", "mapping", "string", "bytes", "number"],
)
def test_odd_targets_are_refused_with_a_typed_error(y):
    for head in (LinearHeadClassifier(base(COUNTS)), LinearHeadRegressor(base(COUNTS))):
        with pytest.raises(InvalidInputError):
            head.fit(COUNTS, y)


def test_labels_that_numpy_would_cut_are_refused():
    with pytest.raises(InvalidInputError, match="NUL"):
        LinearHeadClassifier(base(COUNTS)).fit(COUNTS, ["a", "a\0"] * 40)


ODD_WEIGHTS = {
    "too few": np.ones(3),
    "strings": ["1"] * 80,
    "complex": np.ones(80) * 1j,
    "None": [None] * 80,
    "huge": [10**400] * 80,
    "two columns": np.ones((80, 2)),
    "scalar": 2.0,
    "ragged": [[1.0], [1.0, 2.0]] * 40,
    "masked": np.ma.masked_array(np.ones(80), np.arange(80) == 0),
    "all NaN": np.full(80, np.nan),
    "one NaN": [np.nan] + [1.0] * 79,
    "infinite": [np.inf] + [1.0] * 79,
    "zeros": np.zeros(80),
    "sum of zero": [1.0, -1.0] * 40,
    "sum of infinity": np.full(80, 1e308),
}


@pytest.mark.parametrize("kind", ODD_WEIGHTS)
def test_weights_of_a_score_that_do_not_fit_are_refused(kind):
    for head in (LinearHeadClassifier(base(COUNTS)), LinearHeadRegressor(base(COUNTS))):
        head.fit(COUNTS, LABELS)
        with pytest.raises(InvalidInputError, match="sample_weight"):
            head.score(COUNTS, LABELS, sample_weight=ODD_WEIGHTS[kind])


def test_a_weight_counts_a_document_as_often():
    often = np.arange(80) % 3
    for head in (LinearHeadClassifier(base(COUNTS)), LinearHeadRegressor(base(COUNTS))):
        head.fit(COUNTS, LABELS)
        repeated = head.score(np.repeat(COUNTS, often, axis=0), np.repeat(LABELS, often))
        assert head.score(COUNTS, LABELS, sample_weight=often) == pytest.approx(repeated)


def test_masked_targets_are_missing():
    masked = np.ma.masked_array(LABELS, LABELS == 0)
    with pytest.raises(InvalidInputError, match="missing"):
        LinearHeadClassifier(base(COUNTS)).fit(COUNTS, masked)
    with pytest.raises(InvalidInputError, match="missing"):
        LinearHeadRegressor(base(COUNTS)).fit(COUNTS, masked)


@pytest.mark.parametrize(
    "y",
    [[str(label) for label in LABELS], LABELS.astype("datetime64[D]"), LABELS * 1j, [None] * 60],
    ids=["strings", "dates", "complex", "None"],
)
def test_a_regression_takes_numbers_only(y):
    with pytest.raises(InvalidInputError, match="must be numbers"):
        LinearHeadRegressor(base(COUNTS)).fit(COUNTS, y)


def test_targets_that_integer_sums_round_away_are_refused():
    y = COUNTS[:, 0] * 1e-9
    with pytest.raises(InvalidInputError, match="multiply the targets"):
        LinearHeadRegressor(base(COUNTS)).fit(COUNTS, y)
    head = LinearHeadRegressor(base(COUNTS), features="proportions")
    assert head.fit(COUNTS, y).score(COUNTS, y) > 0
    LinearHeadRegressor(base(COUNTS)).fit(COUNTS, 0 * y)


def test_a_refused_correction_puts_large_targets_back():
    X = np.zeros((2, 24), np.int64)
    X[:, 0] = 1
    head = LinearHeadRegressor(base(COUNTS)).fit(X, [5e8, -5e8])
    head.partial_fit(X, [5e8, -5e8])
    before = head.digest()
    with pytest.raises(StatisticsOverflowError):
        head.relabel(X, [5e8, 5e8], [9e8, 9e8])
    assert head.digest() == before
    assert head.task_.n_documents == 4


def test_a_head_that_is_fitted_to_another_task_keeps_nothing_of_the_first():
    head = LinearHeadClassifier(base(COUNTS), loss="squared").fit(COUNTS, NAMES)
    head.set_params(loss="logistic").fit(COUNTS, LABELS == 1)
    once = LinearHeadClassifier(base(COUNTS)).fit(COUNTS, LABELS == 1)
    assert head.digest() == once.digest()
    assert head.classes_.tolist() == [False, True]


def test_a_head_does_not_pass_to_another_base_without_a_fit():
    head = LinearHeadClassifier(base(COUNTS), alpha=1e-2).fit(COUNTS, NAMES)
    other, before = base(COUNTS[10:]), head.digest()
    head.set_params(model=other)
    for call in (head.refresh, lambda: head.forget(COUNTS[:2], NAMES[:2])):
        with pytest.raises(InvalidParameterError, match="another base"):
            call()
    assert head.digest() == before
    twin = LinearHeadClassifier(other, alpha=1e-2).fit(COUNTS, NAMES)
    assert head.fit(COUNTS, NAMES).digest() == twin.digest()


def test_a_capacity_is_asked_of_a_head_that_is_up_to_date():
    model = base(COUNTS)
    head = LinearHeadClassifier(model, features="linear").fit(COUNTS, LABELS == 1)
    model.forget(COUNTS[:2])
    with pytest.raises(StaleHeadError, match="refresh"):
        head_capacity(head, 1.0, 1e-6)
    with pytest.raises(InvalidParameterError, match="threshold"):
        head_capacity(head, 1.0, 1e-6, threshold=2.0)


def test_what_a_stale_head_asks_for_names_the_refresh_of_its_base():
    model = base(COUNTS)
    head = LinearHeadClassifier(model, alpha=1e-2).fit(COUNTS, NAMES)
    model.forget(COUNTS[:2], refresh="later")
    with pytest.raises(StaleHeadError, match=r"refresh\(\) and then head\.refresh"):
        head.predict(COUNTS)
    with pytest.raises(InvalidParameterError, match="on_stale"):
        head.set_params(on_stale="Raise").predict(COUNTS)


def test_ids_that_an_index_cannot_take_are_refused():
    index = TopicRetriever(base(COUNTS)).fit(COUNTS)
    for ids, why in (
        (None, "list of ids"),
        ([2**63], "int64"),
        ([True], "all integers"),
        ([np.True_], "all integers"),
        (b"ab", "all integers"),
        ([1.0], "all integers"),
        ([[1], [2]], "all integers"),
        ([1, "a"], "all integers"),
    ):
        with pytest.raises(InvalidInputError, match=why):
            index.forget(ids)
    for ids in ({"a", "b"}, ["a", "b\0"], "ab", ["a"]):
        with pytest.raises(InvalidInputError):
            TopicRetriever(index.model_).fit(COUNTS[:2], ids)


@pytest.mark.parametrize(
    ("ids", "plain"),
    [
        ([np.str_("a"), "bc"], ["a", "bc"]),
        (np.array(["a", "bc"]), ["a", "bc"]),
        (np.array(["a", "bc"], object), ["a", "bc"]),
        (pd.Series(["a", "bc"]), ["a", "bc"]),
        ([np.int64(3), np.uint8(7)], [3, 7]),
        (np.array([3, 7], np.uint16), [3, 7]),
        (iter([3, 7]), [3, 7]),
    ],
    ids=str,
)
def test_equal_ids_give_equal_indexes_however_they_come(ids, plain):
    model = base(COUNTS)
    index = TopicRetriever(model).fit(COUNTS[:2], ids)
    assert index.digest() == TopicRetriever(model).fit(COUNTS[:2], plain).digest()
    assert index.similar(index.ids_[0])[0].tolist() == [[plain[1]]]
    assert index.forget(index.ids_[0]).ids_.tolist() == plain[1:]


def test_an_id_that_is_there_already_is_named_plainly():
    index = TopicRetriever(base(COUNTS)).fit(COUNTS[:2], ["a", "b"])
    with pytest.raises(DuplicateDocumentError, match="id 'a' is in the index"):
        index.add(COUNTS[:1], np.array(["a"]))
    with pytest.raises(DuplicateDocumentError, match="id 'c' stands in the request twice"):
        index.add(COUNTS[:2], np.array(["c", "c"]))


def test_an_index_is_ranked_by_heads_and_labels_only():
    index = TopicRetriever(base(COUNTS)).fit(COUNTS)
    head = LinearHeadClassifier(index.model_, alpha=1e-2).fit(COUNTS, NAMES)
    for other, label in (("head", None), (TopicModel(), None), (head, [1]), (head, None)):
        with pytest.raises(InvalidParameterError):
            index.rank(other, label)
    with pytest.raises(InvalidParameterError, match="must be a class"):
        index.rank(head, np.array(["news", "sport"]))
    assert (index.rank(head, np.str_("news"))[0] == index.rank(head, "news")[0]).all()


def test_labels_that_int64_cannot_hold_are_refused():
    with pytest.raises(InvalidInputError, match="int64"):
        LinearHeadClassifier(base(COUNTS)).fit(COUNTS, LABELS.astype(np.uint64) + np.uint64(2**63))


def test_the_only_class_is_named_plainly():
    with pytest.raises(InvalidInputError, match=r"1 class \(0\)"):
        LinearHeadClassifier(base(COUNTS)).fit(COUNTS, np.zeros(80, int))


def test_a_batch_of_many_classes_is_forgotten_without_a_warning():
    y = np.arange(80) % 40
    head = LinearHeadClassifier(base(COUNTS), alpha=0.1).fit(COUNTS, y)
    head.forget(COUNTS[:30], y[:30])
    assert head.task_.n_documents == 50


# ---- columns ---------------------------------------------------------------------------------


@pytest.mark.parametrize("other", [FRAME[COLUMNS[::-1]], FRAME.rename(columns={"w3": "x"})])
def test_columns_with_other_names_than_the_base_are_refused(other):
    model = new_model(**PARAMETERS).fit(FRAME)
    for task, y in ((LinearHeadClassifier(model), LABELS), (TopicRetriever(model), None)):
        with pytest.raises(InvalidInputError, match="names"):
            task.fit(other, y)
        assert not hasattr(task, "n_features_in_")
        task.fit(FRAME, y)
        with pytest.raises(InvalidInputError):
            task.add(other, range(80, 160)) if hasattr(task, "add") else task.predict(other)


@pytest.mark.parametrize("kind", KINDS)
def test_a_base_fitted_to_other_columns_asks_for_fit(kind):
    head = new_head(kind, base(COUNTS)).fit(COUNTS, targets(kind, LABELS))
    before = head.digest()
    head.model_.fit(COUNTS[:, :10])
    y = targets(kind, LABELS)
    for change in (
        head.refresh,
        lambda: head.forget(COUNTS[:1], y[:1]),
        lambda: head.partial_fit(COUNTS[:1], y[:1]),
        lambda: head.relabel(COUNTS[:1], y[:1], y[1:2]),
    ):
        with pytest.raises(InvalidInputError, match="fit"):
            change()
    assert head.digest() == before


def test_an_index_whose_base_was_fitted_to_other_columns_asks_for_fit():
    index = TopicRetriever(base(COUNTS)).fit(COUNTS)
    index.model_.fit(COUNTS[:, :10])
    with pytest.raises(InvalidInputError, match="fit"):
        index.refresh()


# ---- a stale base ----------------------------------------------------------------------------


@pytest.mark.parametrize("n_topics", [2, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_a_stale_head_that_warns_scores_as_before(kind, n_topics):
    head = new_head(kind, base(COUNTS), on_stale="warn").fit(COUNTS, targets(kind, LABELS))
    before = (head.predict(COUNTS), head.coef_, head.intercept_)
    head.model_.set_params(n_topics=n_topics).fit(COUNTS)
    with pytest.warns(StaleHeadWarning):
        after = (head.predict(COUNTS), head.coef_, head.intercept_)
    for one, other in zip(before, after, strict=True):
        assert (one == other).all()


@pytest.mark.parametrize("n_topics", [2, 4])
def test_a_stale_index_that_warns_finds_as_before(n_topics):
    index = TopicRetriever(base(COUNTS), on_stale="warn").fit(COUNTS)
    before = index.query(COUNTS[:5])
    index.model_.set_params(n_topics=n_topics).fit(COUNTS)
    with pytest.warns(StaleHeadWarning):
        after = index.query(COUNTS[:5])
    assert (before[0] == after[0]).all()
    assert (before[1] == after[1]).all()


# ---- parameters of the base ------------------------------------------------------------------


def test_a_search_over_parameters_of_a_fitted_base_is_refused():
    model = base(COUNTS)
    search = GridSearchCV(LinearHeadClassifier(model), {"model__n_topics": [2, 3]}, cv=2)
    with pytest.raises(InvalidParameterError, match="unfitted"):
        search.fit(COUNTS, LABELS)
    assert model.n_topics == 3


def test_a_search_over_parameters_of_an_unfitted_base_fits_each():
    head = LinearHeadClassifier(new_model(**PARAMETERS))
    search = GridSearchCV(head, {"model__n_topics": [2, 4]}, cv=2).fit(COUNTS, LABELS)
    best = search.best_estimator_
    assert best.model_.n_topics_ == search.best_params_["model__n_topics"]


# ---- parameters that are set after fit --------------------------------------------------------

OTHER = {
    "logistic": [{"alpha": 1.0}, {"features": "linear"}, {"loss": "squared"}, {"tol": 1e-3}],
    "squared": [{"alpha": 1.0}, {"features": "linear"}, {"loss": "logistic"}],
    "regression": [{"alpha": 1.0}, {"features": "proportions"}],
}


@pytest.mark.parametrize(
    ("name", "other"),
    [(name, other) for name, others in OTHER.items() for other in others],
    ids=str,
)
def test_what_is_set_after_fit_is_not_mixed_with_what_was_learned(name, other):
    kind = {
        "logistic": ("logistic", "word-topic", "classification"),
        "squared": ("squared", "word-topic", "classification"),
        "regression": ("squared", "word-topic", "regression"),
    }[name]
    y = targets(kind, LABELS)
    head = new_head(kind, base(COUNTS)).fit(COUNTS, y)
    reading = ["predict", "decision_function", "predict_proba"]
    reading = [name for name in reading if hasattr(head, name)]
    before = [getattr(head, name)(COUNTS) for name in reading]
    seen = (head.score(COUNTS, y), head.digest(), head.coef_.tolist())
    kept = {name: getattr(head, name) for name in other}
    head.set_params(**other)
    assert [name for name in reading if not hasattr(head, name)] == []
    for name, found in zip(reading, before, strict=True):
        assert (getattr(head, name)(COUNTS) == found).all()
    for change in (
        head.refresh,
        lambda: head.partial_fit(COUNTS, y),
        lambda: head.forget(COUNTS[:2], y[:2]),
        lambda: head.relabel(COUNTS[:2], y[:2], y[2:4]),
    ):
        with pytest.raises(InvalidParameterError, match="call fit again"):
            change()
    assert (head.score(COUNTS, y), head.digest(), head.coef_.tolist()) == seen
    head.set_params(**kept).refresh()
    assert head.digest() == seen[1]
    once = new_head(kind, head.model_).set_params(**other).fit(COUNTS, y)
    assert head.set_params(**other).fit(COUNTS, y).digest() == once.digest() != seen[1]


def test_a_squared_head_that_is_set_to_logistic_has_no_probabilities_before_fit():
    head = LinearHeadClassifier(base(COUNTS), loss="squared").fit(COUNTS, NAMES)
    assert not hasattr(head.set_params(loss="logistic"), "predict_proba")
    assert hasattr(head.fit(COUNTS, NAMES), "predict_proba")


def test_what_decides_nothing_is_in_no_digest():
    squared = [
        LinearHeadClassifier(base(COUNTS), loss="squared", **more).fit(COUNTS, NAMES)
        for more in ({}, {"tol": 1e-3, "max_iter": 7, "residual_budget": 0.1, "n_jobs": 1})
    ]
    assert squared[0].digest() == squared[1].digest()
    before = squared[0].digest()
    squared[0].set_params(tol=1e-2, max_iter=3).refresh()
    assert squared[0].digest() == before
    logistic = [
        LinearHeadClassifier(base(COUNTS), alpha=1e-2, tol=tol).fit(COUNTS, NAMES).digest()
        for tol in (1e-6, 1e-10)
    ]
    assert logistic[0] != logistic[1]


def test_an_index_does_not_pass_to_another_base_without_a_fit():
    index = TopicRetriever(base(COUNTS)).fit(COUNTS)
    found, before = index.query(COUNTS[:3]), index.digest()
    index.set_params(model=base(COUNTS[10:]))
    for call in (index.refresh, lambda: index.add(COUNTS[:1], [99])):
        with pytest.raises(InvalidParameterError, match="another base"):
            call()
    assert index.digest() == before
    assert (index.query(COUNTS[:3])[0] == found[0]).all()
    index.forget([0])
    twin = TopicRetriever(index.model).fit(COUNTS)
    assert index.fit(COUNTS).digest() == twin.digest() != before


# ---- memory that others own --------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_a_head_and_an_index_out_of_read_only_memory_are_like_any_other(kind, tmp_path):
    y = targets(kind, LABELS)
    head = new_head(kind, base(COUNTS)).fit(COUNTS, y)
    both = (head, TopicRetriever(head.model_).fit(COUNTS))
    joblib.dump(both, tmp_path / "both")
    changed = []
    for one, index in (both, joblib.load(tmp_path / "both", mmap_mode="r")):
        found = [one.digest(), one.predict(COUNTS).tolist(), index.digest()]
        found.append(index.query(COUNTS[:3])[0].tolist())
        one.model_.forget(COUNTS[:5])
        one.refresh()
        found += [one.digest(), index.refresh().digest()]
        one.forget(COUNTS[:3], y[:3])
        one.relabel(COUNTS[3:5], y[3:5], y[5:7])
        one.partial_fit(COUNTS[:4], y[:4])
        index.forget([4, 5]).add(COUNTS[:2], [98, 99])
        changed.append([*found, one.digest(), index.digest()])
    assert changed[0] == changed[1]


def test_heads_are_cross_validated_on_arrays_that_workers_share():
    # joblib shares arrays of more than max_nbytes, a megabyte if not told, as read-only maps.
    X, model = sp.csr_array(COUNTS), base(COUNTS)
    for kind in KINDS:
        head, y = new_head(kind, model), targets(kind, LABELS)
        with joblib.parallel_config("loky", max_nbytes=1):
            shared = cross_val_score(head, X, y, cv=2, n_jobs=2, error_score="raise")
        assert shared.tolist() == cross_val_score(head, X, y, cv=2).tolist()


# ---- task statistics -------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e12, 1e300, 1.7e308])
def test_numbers_that_no_sum_can_hold_are_refused_before_anything_is_computed(size):
    head = LinearHeadRegressor(base(COUNTS))
    with pytest.raises(StatisticsOverflowError):
        head.fit(COUNTS, np.full(80, size))
    head.fit(COUNTS, LABELS)
    before = head.digest()
    with pytest.raises(NotInModelError):
        head.forget(COUNTS[:1], [size])
    assert head.digest() == before


def test_sums_that_would_wrap_around_are_refused_before_they_are_formed():
    # 2^23 documents of one token weigh 2^63.
    m = 2**23
    ones = np.ones(m, np.int64)
    many = Documents(np.arange(m + 1), np.zeros(m, np.int32), ones.astype(np.int32), ones, 24)
    few = check_documents(COUNTS)
    for outputs, y in ((None, ones), (1, np.zeros((m, 1)))):
        task = TaskStatistics(24, outputs)
        task.add(few, y[: len(COUNTS)])
        before = task.digest()
        with pytest.raises(StatisticsOverflowError, match="too many task documents"):
            task.add(many, y)
        with pytest.raises(NotInModelError):
            task.remove(many, y)
        assert task.digest() == before


def test_outer_products_can_be_copied():
    pairs = OuterProducts(24, n_jobs=1)
    pairs.add(COUNTS)
    twin = pairs.copy()
    assert type(twin) is OuterProducts
    assert twin.digest() == pairs.digest()
    twin.remove(COUNTS[:9])
    assert twin.add(COUNTS[:9]).digest() == pairs.digest()
    assert pairs.remove(COUNTS).n_documents < twin.n_documents == len(COUNTS)


def test_the_last_documents_do_not_leave_with_other_numbers():
    head = LinearHeadRegressor(base(COUNTS))
    head.fit(COUNTS[:5], LABELS[:5])
    with pytest.raises(NotInModelError):
        head.forget(COUNTS[:5], LABELS[:5] + 1.0)
    head.forget(COUNTS[:5], LABELS[:5])
    assert not head.task_.targets.by_word.any()


def test_an_empty_document_does_not_take_the_class_of_another():
    X = np.vstack([COUNTS[:10], np.zeros((1, 24), int)])
    y = np.array(["a"] * 4 + ["b"] * 5 + ["only one", "a"])
    head = LinearHeadClassifier(base(COUNTS), loss="squared").fit(X, y)
    with pytest.raises(NotInModelError):
        head.forget(X[10:], ["only one"])
    head.forget(X[10:], ["a"])
    assert head.classes_.tolist() == ["a", "b", "only one"]


@pytest.mark.parametrize("loss", ["logistic", "squared"])
def test_the_width_of_a_name_leaves_with_it(loss):
    head = LinearHeadClassifier(base(COUNTS), loss=loss).fit(COUNTS, NAMES)
    longest = NAMES == "a longer name"
    head.forget(COUNTS[longest], NAMES[longest])
    assert head.classes_.dtype == "<U5"
    assert head.task_.classes.dtype == "<U5"
    index = TopicRetriever(head.model_).fit(COUNTS[:2], ids=["a", "longer"])
    assert index.forget(["longer"]).ids_.dtype == "<U1"
    assert index.forget(["a"]).ids_.dtype == "<U1"


# ---- ranking ---------------------------------------------------------------------------------


def test_a_head_with_one_class_left_ranks_by_it():
    index = TopicRetriever(base(COUNTS)).fit(COUNTS)
    head = LinearHeadClassifier(index.model_).fit(COUNTS, LABELS % 2)
    with pytest.warns(FewerClassesWarning):
        head.forget(COUNTS[LABELS % 2 == 1], (LABELS % 2)[LABELS % 2 == 1])
    assert index.rank(head, label=0, n=3)[0].shape == (3,)
    with pytest.raises(InvalidParameterError):
        index.rank(head, label=1)


def test_a_base_that_is_fitted_with_the_head_has_its_columns():
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.6, (60, 12))
    labels = rng.integers(0, 2, 60)
    words = [f"w{i}" for i in range(12)]
    frame = pd.DataFrame(counts, columns=words)
    named = LinearHeadClassifier(TopicModel(3, core_min_df=2)).fit(frame, labels)
    assert named.model_.feature_names_in_.tolist() == words
    named.forget(frame[:3], labels[:3])
    other = LinearHeadClassifier(TopicModel(3, core_min_df=2, vocabulary=words[::-1]))
    with pytest.raises(InvalidInputError, match="names"):
        other.fit(frame, labels)
    assert not hasattr(other, "n_features_in_")
