"""Files that are consistent in themselves and yet no model: each ends in one typed error."""

import json
import warnings

import crafted
import numpy as np
import pytest
from hard_corpora import assert_same_model

from pyunlearn import AnchorTopicModel, TopicModel, load
from pyunlearn.errors import CorruptStateError, InvalidParameterError, NoisyReleaseWarning
from pyunlearn.privacy import release

N_WORDS = 12
COUNTS = np.random.default_rng(0).poisson(0.7, (40, N_WORDS))
COUNTS[:, 11] = 0  # a word without documents
# So many that rare words have no columns: core words are in 20 of them, columns are of 15.
SHARES = np.array([5, 10, 13, 17, 18, 19, 30, 60, 150, 300, 500, 0]) / 1100
MANY = np.random.default_rng(1).poisson(SHARES, (1100, N_WORDS))
NAMES = [f"word{i}" for i in range(N_WORDS)]


def factor_model():
    return TopicModel(n_topics=4, core_min_df=2, vocabulary=NAMES).fit(COUNTS)


def anchor_model():
    return AnchorTopicModel(n_topics=4, anchor_min_df=2, min_df=15).fit(COUNTS)


def newton_model():
    model = AnchorTopicModel(n_topics=3, anchor_min_df=2).fit(COUNTS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoisyReleaseWarning)
        release(
            model, 1.0, 1e-6, capacity=3, sensitivity=0.1, correlation=False, mode="newton", seed=0
        )
    model.forget(COUNTS[:1], mode="newton")
    return model


def contexts_model():
    return TopicModel(n_topics=2).fit(MANY)


MODELS = {
    "factor": factor_model,
    "anchor": anchor_model,
    "newton": newton_model,
    "contexts": contexts_model,
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for name, model in MODELS.items():
        model().save(folder / name)
    return folder


def refused(path, content):
    """The message of the error that a file ends in; never that a digest is wrong."""
    path.write_bytes(content)
    with pytest.raises(CorruptStateError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "digest" not in message, "only a digest refused it, and whoever wrote it can write that"
    assert len(message) < 500
    return message


@pytest.mark.parametrize("name", MODELS)
def test_what_was_not_changed_is_read(files, name, tmp_path):
    content = crafted.packed(*crafted.unpacked(files / name))
    (tmp_path / "model").write_bytes(content)
    assert_same_model(load(tmp_path / "model"), load(files / name))
    load(tmp_path / "model").save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (files / name).read_bytes()


# ---- arrays -------------------------------------------------------------------------------


def dense(arrays):
    K = np.zeros((N_WORDS, N_WORDS), np.int64)
    for row in range(N_WORDS):
        part = slice(arrays["indptr"][row], arrays["indptr"][row + 1])
        K[row, arrays["indices"][part]] = arrays["values"][part]
    return K


def with_pairs(arrays, K):
    """Statistics of other sums, with the masses that belong to them."""
    rows, columns = np.nonzero(K)
    arrays["indptr"] = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=len(K)))))
    arrays["indices"], arrays["values"] = columns.astype(np.int32), K[rows, columns]
    arrays["word_mass"] = K.sum(axis=1)


def pairs(change):
    """A change of K as a whole."""

    def made(header, arrays):
        K = dense(arrays)
        changed = change(K)
        with_pairs(arrays, K if changed is None else changed)

    return made


def put(name, place, value):
    """One entry of an array."""

    def made(header, arrays):
        arrays[name][place] = value

    return made


def replaced(name, change):
    """An array put in the place of another."""

    def made(header, arrays):
        arrays[name] = np.asarray(change(arrays[name]))

    return made


def told(**values):
    """Other values in the header."""
    return lambda header, arrays: header.update(values)


def setting(**values):
    return lambda header, arrays: header["settings"].update(values)


def budget(**values):
    return lambda header, arrays: header["budget"].update(values)


def constant(**values):
    return lambda header, arrays: header["budget"]["constants"].update(values)


def dropped(name):
    return lambda header, arrays: (arrays if name in arrays else header).pop(name)


def one_more_frequent(header, arrays):
    arrays["document_frequency"][0] = header["n_documents"] + 1


def reversed_row(header, arrays):
    for name in ("indices", "values"):
        arrays[name][:3] = arrays[name][:3][::-1].copy()


def twice_in_a_row(header, arrays):
    arrays["indices"][1] = arrays["indices"][0]


def without_column(place):
    """Rows that are canonical, at the columns that are left."""

    def made(header, arrays):
        there = np.arange(len(arrays["columns"])) != place
        entries = there[arrays["indices"]]
        arrays["indptr"] = np.concatenate(([0], np.cumsum(entries)))[arrays["indptr"]]
        number = (np.cumsum(there) - 1).astype(np.int32)
        arrays["indices"] = number[arrays["indices"][entries]]
        arrays["values"], arrays["columns"] = arrays["values"][entries], arrays["columns"][there]

    return made


def set_pair(i, j, value):
    def change(K):
        K[i, j] = value

    return pairs(change)


def lonely(K):
    K[0, 1:], K[1:, 0] = 0, 0
    K[0, 0] = 0


def anchor_replaced(header, arrays):
    anchors = arrays["learned.anchors"]
    anchors[0] = np.setdiff1d(np.arange(N_WORDS - 1), anchors)[0]


def gram_of_another(header, arrays):
    other = np.setdiff1d(np.arange(N_WORDS - 1), arrays["learned.anchors"])[0]
    arrays["learned.gram"][other] *= 0.999


FLOATS = (np.nan, np.inf, -np.inf, -1e-9, 1e300)
OF_STATISTICS = ("indptr", "indices", "values", "columns", "word_mass", "document_frequency")
COLUMNS = {
    "a column of a context left out": (without_column(5), "a context"),
    "kept columns in another order": (replaced("columns", lambda one: one[::-1]), "in order"),
    "a kept column twice": (put("columns", 0, 5), "in order"),
    "a kept column below 0": (put("columns", 0, -1), "in order"),
    "a kept column beyond the words": (put("columns", -1, N_WORDS), "in order"),
    "a kept column far beyond": (put("columns", -1, 2**31 - 1), "in order"),
    "two kept columns too few": (replaced("columns", lambda one: one[:-2]), "row"),
    "no kept columns": (replaced("columns", lambda one: one[:0]), "row 0"),
    "a kept column too many": (
        replaced("columns", lambda one: np.append(one, np.int32(N_WORDS))),
        "in order",
    ),
}
STATISTICS = {
    "columns descend": (reversed_row, "row 0"),
    "a column twice": (twice_in_a_row, "row 0"),
    "a column beyond the words": (put("indices", 10, N_WORDS), "row 0"),
    "a column far beyond": (put("indices", -1, 2**31 - 1), "row"),
    "a negative column": (put("indices", 0, -1), "row 0"),
    "an entry of 0": (put("values", 3, 0), "row 0"),
    "a negative entry": (put("values", 3, -1), "row 0"),
    "an entry of 2^62": (put("values", 3, 2**62), "row 0"),
    "a sum of 2^63": (replaced("values", lambda values: np.full_like(values, 2**60)), "row 0"),
    "another value on one side": (set_pair(0, 1, 10), "not symmetric"),
    "no value on one side": (set_pair(5, 2, 0), "not symmetric"),
    "no value on the other side": (set_pair(2, 5, 0), "not symmetric"),
    "an empty row": (pairs(lambda K: np.vstack([0 * K[:1], K[1:]])), "not symmetric"),
    "an empty last column": (pairs(lambda K: np.hstack([K[:, :10], 0 * K[:, 10:]])), "symmetric"),
    "an odd diagonal": (pairs(lambda K: K - np.diag(np.arange(N_WORDS) == 3)), "diagonal"),
    "more mass than documents": (pairs(lambda K: K * 2**15), "mass"),
    "other masses": (put("word_mass", 0, 5), "masses"),
    "negative masses": (replaced("word_mass", np.negative), "masses"),
    "a word in no document": (put("document_frequency", 0, 0), "documents"),
    "a negative number of documents": (put("document_frequency", 11, -1), "documents"),
    "a word in more documents than there are": (one_more_frequent, "documents"),
    "no words at all": (
        lambda header, arrays: arrays.update(
            {name: array[:0] for name, array in arrays.items() if not name.startswith("learned.")},
            indptr=np.zeros(1, np.int64),
        ),
        "n_words|mass|keep",
    ),
    "no indptr": (replaced("indptr", lambda one: one[:0]), "types or dimensions"),
    "indptr from 1": (put("indptr", 0, 1), "fill"),
    "indptr goes down": (put("indptr", 3, 2**62), "fill"),
    "indptr below 0": (put("indptr", 3, -(2**63)), "fill"),
    "indptr beyond the file": (put("indptr", -1, 2**40), "fill"),
    "fewer values": (replaced("values", lambda one: one[:-1]), "fill"),
    "fewer words in indptr": (replaced("indptr", lambda one: one[[*range(9), -1]]), ""),
    **{
        f"{name} {form}": (replaced(name, change), "type|masses|documents|columns")
        for name in OF_STATISTICS
        for form, change in {
            "of floats": lambda one: one.astype(np.float64),
            "unsigned": lambda one: one.astype(np.uint64),
            "of bytes": lambda one: one.astype(np.int8),
            "in two dimensions": lambda one: one[:, None],
            "of no dimension": lambda one: one[0],
        }.items()
    },
    **{f"without {name}": (dropped(name), name) for name in OF_STATISTICS},
    **COLUMNS,
    "one array more": (lambda header, arrays: arrays.update(more=np.zeros(3)), "more"),
}

TOPICS = {
    "factor": {
        "a word of negative mass": (put("learned.mass", 0, -1), "mass"),
        "other masses of the model": (put("learned.mass", 0, 10), "mass"),
        "a word of no mass in the model": (put("learned.mass", 0, 0), "mass"),
        **{
            f"a weight of {value}": (put("learned.weights", (0, 1), value), "weights")
            for value in (np.nan, np.inf, -np.inf, -1e-9, 2.0**97)
        },
        "a weight of a word without mass": (put("learned.weights", (11, 0), 1.0), "weights"),
        "no weights": (replaced("learned.weights", lambda one: 0 * one), "weights"),
        "a topic of no word": (put("learned.weights", (slice(None), 1), 0.0), "weights"),
        "a core word that is none": (put("learned.core", -1, 11), "core"),
        "a core word left out": (replaced("learned.core", lambda one: one[1:]), "core"),
        "a core word beyond the words": (put("learned.core", -1, N_WORDS), "core"),
        "a core word below 0": (put("learned.core", 0, -1), "core"),
        "a core word twice": (put("learned.core", 0, 1), "core"),
        "core words in another order": (replaced("learned.core", lambda one: one[::-1]), "core"),
        "no core words": (replaced("learned.core", lambda one: one[:0]), "weights"),
        "more topics than asked for": (setting(n_topics=3), "weights"),
    },
    "anchor": {
        "a word kept that is rare": (put("learned.keep", 11, 1), "keep"),
        "keep of 2": (replaced("learned.keep", lambda one: 2 * one), "keep"),
        "another norm": (replaced("learned.norms", lambda one: np.nextafter(one, 2)), "norms"),
        **{f"a norm of {value}": (put("learned.norms", 0, value), "norms") for value in FLOATS},
        **{f"gram of {value}": (put("learned.gram", (0, 0), value), "gram") for value in FLOATS},
        "gram of a word left out": (put("learned.gram", (11, 0), 1e-3), "gram"),
        "gram beyond its norms": (replaced("learned.gram", lambda one: 10 * one), "gram"),
        "an anchor twice": (
            replaced("learned.anchors", lambda one: np.full_like(one, one[0])),
            "anchors",
        ),
        "an anchor below 0": (put("learned.anchors", 0, -1), "anchors"),
        "an anchor beyond the words": (put("learned.anchors", 0, N_WORDS), "anchors"),
        "an anchor left out": (put("learned.anchors", 0, 11), "anchors"),
        "anchors in another order": (replaced("learned.anchors", lambda one: one[::-1]), "gram"),
        "converged of 2": (replaced("learned.converged", lambda one: 2 * one), "converged"),
        "candidates in another order": (
            replaced("learned.candidates", lambda one: one[::-1]),
            "candidates",
        ),
        "a candidate left out": (replaced("learned.candidates", lambda one: one[1:]), "factor"),
        "a candidate beyond the words": (put("learned.candidates", -1, N_WORDS), "candidates"),
        **{
            f"a pivot of {value}": (put("learned.pivots", 0, value), "pivots")
            for value in (*FLOATS, 0.0)
        },
        **{
            f"a factor of {value}": (put("learned.factor", (0, 0), value), "factor")
            for value in (*FLOATS[:3], 1e300, 0.5)
        },
        "p(topic | word) that is no distribution": (
            replaced("learned.word_topic", lambda one: 2 * one),
            "word_topic",
        ),
        "a word without topics": (put("learned.word_topic", 0, 0.0), "word_topic"),
        "topics of a word without mass": (put("learned.word_topic", (11, 0), 1.0), "word_topic"),
        "a Newton step that was none": (replaced("learned.newton", lambda one: one | True), ""),
        "newton of bytes": (replaced("learned.newton", lambda one: one.astype(np.uint8)), "newton"),
        "newton of two": (replaced("learned.newton", lambda one: np.repeat(one, 2)), "newton"),
        "more topics than asked for": (setting(n_topics=3), "n_topics"),
    },
    "newton": {
        "no Newton step": (replaced("learned.newton", lambda one: one & False), ""),
        "candidates of a Newton step": (
            replaced("learned.candidates", lambda one: np.arange(3, dtype=np.int32)),
            "candidates",
        ),
        "an anchor beyond the words": (put("learned.anchors", 0, N_WORDS), "anchors"),
        "an anchor without mass": (put("learned.anchors", 0, 11), "anchors"),
        "another anchor": (anchor_replaced, "gram"),
        "a little less gram": (gram_of_another, "gram"),
        "gram of NaN": (put("learned.gram", (0, 0), np.nan), "gram"),
    },
    "contexts": {
        **COLUMNS,
        "a topic of no core word": (
            lambda header, arrays: put("learned.weights", (arrays["learned.core"], 1), 0.0)(
                header, arrays
            ),
            "weights",
        ),
        "another kept column": (put("columns", 0, 1), "not symmetric"),
        "contexts in all documents": (told(contexts="all"), "a context"),
        "contexts without columns": (told(contexts=1), "a context"),
        "core words that are no contexts": (told(contexts=300), "contexts"),
        "all columns are kept": (told(keeps_all_columns=True), "a context"),
        "more documents of a word without a column": (put("document_frequency", 0, 40), "context"),
        "less mass than a row": (replaced("word_mass", lambda one: one - 1), "masses"),
        "another value on one side": (
            lambda header, arrays: put("values", arrays["indptr"][10], 2)(header, arrays),
            "not symmetric",
        ),
        "so many documents that fewer words are core": (told(n_documents=2000), "core"),
    },
}

OWN_ARRAYS = {
    "factor": ("mass", "core", "weights"),
    "anchor": (
        "mass",
        "word_topic",
        "keep",
        "norms",
        "anchors",
        "gram",
        "converged",
        "candidates",
        "pivots",
        "factor",
    ),
}
FORMS = {
    "of no dimension": lambda one: one.ravel()[0],
    "in three dimensions": lambda one: one[..., None, None],
    "with one row more": lambda one: np.concatenate([one, one[:1]]),
    "empty": lambda one: one[:0],
    "of other numbers": lambda one: one.astype(np.float32 if one.dtype == np.float64 else np.int8),
    "of 16 bits": lambda one: np.zeros(one.shape, np.float16),
}  # fmt: skip
for learner, names in OWN_ARRAYS.items():
    for one in names:
        name = f"learned.{one}"
        TOPICS[learner] |= {
            f"{name} {form}": (replaced(name, change), "") for form, change in FORMS.items()
        }
        TOPICS[learner][f"without {name}"] = (dropped(name), f"missing: {one}")
        TOPICS[learner][f"{name} of another shape"] = (
            replaced(name, lambda one: one.reshape(1, -1)), "",
        )  # fmt: skip

# ---- header -------------------------------------------------------------------------------

HEADER = {
    **{
        f"{value!r:.20} documents": (told(n_documents=value), "n_documents|documents")
        for value in (True, -1, 39.0, "40", None, 2**62, 10**30, 10**400, [40], {})
    },
    "fewer documents than a word has": (told(n_documents=3), "documents"),
    **{
        f"scale_bits of {value!r:.20}": (told(scale_bits=value), "scale_bits|mass")
        for value in (0, 1, 62, 10**30, True, 40.0, "40", None, [40])
    },
    **{
        f"weighting {value!r}": (told(weighting=value), "weighting")
        for value in ("words", None, 1, ["token"])
    },
    **{
        f"contexts {value!r:.20}": (told(contexts=value), "contexts|core|keep")
        for value in ("some", "", None, True, 0, -1, 1.5, -0.1, [3], {}, 10**30, 10**400)
    },
    **{
        f"keeps_all_columns {value!r}": (told(keeps_all_columns=value), "keeps_all_columns")
        for value in (1, None, "yes", [])
    },
    **{f"learner {value!r}": (told(learner=value), "learner")
       for value in ("lda", None, 1, ["factor"], {})},
    "no learner": (dropped("learner"), "learner"),
    "one field more": (told(more=1), "more"),
    **{f"without {name}": (dropped(name), name)
       for name in ("settings", "scale_bits", "contexts", "keeps_all_columns", "n_documents",
                    "feature_names", "vocabulary_given")},
    "settings in a list": (told(settings=[]), "settings"),
    "no settings": (told(settings={}), "settings"),
    "settings of a text": (told(settings="settings"), "settings"),
    **{
        f"{name} among the settings": (setting(**{name: value}), "settings")
        for name, value in {
            "n_jobs": 3, "vocabulary": NAMES, "transform_method": "em", "learner": "anchor",
            "scale_bits": 40, "weighting": "token", "more": 1, "": 1, "newton": True,
        }.items()
    },
    "a setting is missing": (lambda header, arrays: header["settings"].pop("min_df"), "settings"),
    **{
        f"{name} of {value!r:.20}": (setting(**{name: value}), f"{name}|settings|mass")
        for name in ("n_topics", "min_df")
        for value in (0, -1, 10**30, True, 4.0, "4", None, [4], {})
    },
    "words left out that are not": (setting(min_df=10**9), "keep|mass"),
    **{
        f"names: {why}": (told(feature_names=names), "names")
        for why, names in {
            "integers": list(range(N_WORDS)), "too few": NAMES[1:], "too many": [*NAMES, "more"],
            "none": [], "one string": "wordwordword", "an object": dict.fromkeys(NAMES),
            "lists": [[name] for name in NAMES], "null among them": [*NAMES[1:], None],
            "a number": 12, "false": False,
        }.items()
    },
    **{
        f"vocabulary_given {value!r}": (told(vocabulary_given=value), "vocabulary_given")
        for value in (1, None, "yes", [])
    },
    **{
        f"transform {value!r}": (told(transform=value), "transform")
        for value in (
            None,
            {},
            {"method": "vb", "tol": 1e-6, "max_iter": 5},
            {"method": "em", "tol": -1.0, "max_iter": 5},
            {"method": "em", "tol": 1e-6, "max_iter": True},
            {"method": "em", "tol": 1e-6, "max_iter": 5, "more": 1},
        )
    },
    "a vocabulary without names": (told(vocabulary_given=True, feature_names=None), "names"),
    "a word twice": (
        told(vocabulary_given=True, feature_names=["word"] * N_WORDS), "twice",
    ),
    "one format more": (told(format="pyunlearn-model-99"), "format"),
    **{f"format {value!r:.20}": (told(format=value), "format")
       for value in (None, 1, 10**4000, [[]], {}, "x" * 10**5)},
}  # fmt: skip

OWN_SETTINGS = {
    "factor": {
        "core_min_df": (0, -1, 1.5, "2", True, [2], 10**30, 10**9, 0.5),
        "background": (-1, 3, "x", None, True, [], 1, 10**400),
        "n_updates": (0, 10**9, 1.5, True, None),
    },
    "anchor": {
        "anchor_min_df": (0, -1, 1.5, "2", True, None, [2], 10**30, 10**9),
        "solver": ("lbfgs", None, 1, ["eg"], {}),
        "anchor_cleanup": (0, None, "no", 2.0),
        "tol": (0, -1.0, "x", None, True, 1, 10**400),
        "max_iter": (0, 10**12, 1.5, True, None),
    },
}

ONLY = {
    "factor": {
        "a budget": (told(budget={}), "budget"),
        "another learner": (told(learner="anchor"), "settings"),
    },
    "anchor": {
        "another learner": (told(learner="factor"), "settings"),
        "not all columns": (told(keeps_all_columns=False), "keeps_all_columns"),
        "fewer contexts": (told(contexts=22), "keep"),
        **{f"a budget of {value!r}": (told(budget=value), "budget|capacity")
           for value in (None, [], {}, 1, "text", {"constants": {}})},
    },
    "newton": {
        **{
            f"budget: {name} of {value!r:.20}": (budget(**{name: value}), name)
            for name, values in {
                "epsilon": (0, -1.0, "1", None, True, 10**400),
                "delta": (0, 1.0, 2.0, -1.0, None),
                "capacity": (0, -1, 2.5, True, 10**30, None),
                "used": (-1, 4, 1.0, True, None),
                "mu_released": (-1.0, "x", None, True),
                "n_releases": (-1, 1.5, True, None),
                "mechanism": ("laplace", None, 1, "classical"),
                "constants": (None, [], {}, 1),
            }.items()
            for value in values
        },
        "budget: one field more": (budget(more=1), "fields"),
        **{
            f"constants: {name} of {value!r:.20}": (constant(**{name: value}), name)
            for name, values in {
                "n_words": (0, 13, True, 12.0, 10**30, None),
                "n_topics": (0, -1, True, 3.0, None, 10**30),
                "recovery": ("guess", None, 1),
                "total_mass": (-1.0, "x", None, True, 10**400),
                "gram_max": (-1.0, None),
                "word_share": (-1.0, None, 3),
                "declared": (1, None, "yes"),
            }.items()
            for value in values
        },
        "constants: one field more": (constant(more=1), "fields"),
    },
    "contexts": {},
}  # fmt: skip


def all_kinds():
    """Every change that is made to a model, with what the error speaks of."""
    for learner in MODELS:
        tables = [TOPICS[learner], ONLY[learner]]
        if learner in OWN_SETTINGS:
            own = {
                f"{name} of {value!r:.20}": (
                    setting(**{name: value}),
                    f"{name}|settings|core|candidates",
                )
                for name, values in OWN_SETTINGS[learner].items()
                for value in values
            }
            tables += [STATISTICS, HEADER, own]
        for table in tables:
            for why, (change, message) in table.items():
                yield pytest.param(learner, change, message, id=f"{learner}: {why}")


@pytest.mark.parametrize(("name", "change", "message"), list(all_kinds()))
def test_crafted_content_is_refused(files, name, change, message, tmp_path):
    header, arrays = crafted.unpacked(files / name)
    change(header, arrays)
    found = refused(tmp_path / "model", crafted.packed(header, arrays))
    assert any(part in found for part in message.split("|")), found


@pytest.mark.parametrize("weight", [1e-45, 2.0**96])
def test_weights_of_any_size_make_numbers(files, weight, tmp_path):
    header, arrays = crafted.unpacked(files / "factor")
    live = arrays["word_mass"] > 0
    arrays["learned.weights"][live] = weight
    (tmp_path / "model").write_bytes(crafted.packed(header, arrays))
    model = load(tmp_path / "model")
    for array in (model.word_topic_, model.components_, model.topic_proportions_):
        assert np.isfinite(array).all()
    assert np.isfinite(model.transform(COUNTS)).all()
    twin = load(files / "factor")
    for one in (model, twin):
        one.forget(COUNTS[:3])
    assert_same_model(model, twin)


# ---- the file around them -----------------------------------------------------------------

HEADER_TEXTS = {
    "nothing": "",
    "no object": "[]",
    "null": "null",
    "a number of 5,000 digits": '{"format": ' + "1" * 5000 + "}",
    "NaN": '{"format": NaN}',
    "infinity": '{"format": -Infinity}',
    "a number beyond all": '{"format": 1e999}',
    "nested deeply": '{"format": ' + "[" * 10**5 + "]" * 10**5 + "}",
    "nested": '{"format": ' + "[" * 900 + "]" * 900 + "}",
    "objects nested": '{"a":' * 300 + "1" + "}" * 300,
    "half of a surrogate pair": '{"format": "\\ud800"}',
    "a control character": '{"format": "\0"}',
}


@pytest.mark.parametrize("text", HEADER_TEXTS.values(), ids=HEADER_TEXTS)
def test_a_header_that_is_none_is_refused(text, tmp_path):
    refused(tmp_path / "model", crafted.container(text, {"a": np.zeros(1)}))


def test_a_key_that_stands_twice_is_refused(files, tmp_path):
    header, arrays = crafted.unpacked(files / "factor")
    text = crafted.packed(header, arrays).decode("latin-1")
    start = text.index("n_documents") - 2
    twice = json.dumps({"pyunlearn": "{}"})[1:-1]
    for changed in (
        text[8:start] + '\\"n_documents\\": 40, ' + text[start:],
        text[8:].replace('"__metadata__": {', '"__metadata__": {' + twice + ", ", 1),
    ):
        size = len(changed) - len(text) + 8 + int.from_bytes(text[:8].encode("latin-1"), "little")
        whole = size.to_bytes(8, "little") + changed.encode("latin-1")
        assert "twice" in refused(tmp_path / "model", whole)


def entry(dtype="F64", shape=(1,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


TABLES = {
    "beyond the file": {"a": entry(shape=[2], offsets=(0, 16))},
    "far beyond the file": {"a": entry(shape=[2**60], offsets=(0, 2**63))},
    "overlapping": {"a": entry(), "b": entry()},
    "a gap in front": {"a": entry(offsets=(8, 16))},
    "backwards": {"a": entry(offsets=(8, 0))},
    "below 0": {"a": entry(offsets=(-8, 0))},
    "less than its shape": {"a": entry(offsets=(0, 4))},
    "nothing of a huge shape": {"a": entry(), "b": entry(shape=[0, 2**62], offsets=(8, 8))},
    "nothing of a shape beyond 64 bits": {"a": entry(), "b": entry(shape=[0, 2**64])},
    "a product beyond 64 bits": {"a": entry(shape=[2**33, 2**33])},
    "a hundred dimensions": {"a": entry(shape=[1] * 100)},
    "a negative shape": {"a": entry(shape=[-1])},
    "a shape of floats": {"a": entry(shape=[1.0])},
    "no shape": {"a": {"dtype": "F64", "data_offsets": [0, 8]}},
    "an entry of text": {"a": "F64"},
    **{
        f"the type {name}": {"a": entry(name, shape)}
        for name, shape in {
            "BF16": [4], "F8_E4M3": [8], "F8_E5M2": [8], "F8_E8M0": [8], "F4": [16], "F16": [4],
            "C64": [1], "U64": [1], "I16": [4], "I8": [8], "f64": [1], "O": [1],
            "|O": [1], "": [1], "<f8": [1], "datetime64": [1],
        }.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_of_arrays_that_lies_is_refused(files, table, tmp_path):
    header, _ = crafted.unpacked(files / "factor")
    text = json.dumps({**header, "digest": "", "content": ""})
    refused(tmp_path / "model", crafted.container(text, {"a": np.zeros(1)}, table))


def test_other_metadata_is_refused(files, tmp_path):
    header, arrays = crafted.unpacked(files / "factor")
    text = json.dumps({**header, "digest": "", "content": ""})
    content = crafted.container(text, arrays, more="text")
    assert "metadata" in refused(tmp_path / "model", content)


@pytest.mark.parametrize("size", [0, 1, 7, 10**8, 2**31, 2**63 - 1, 2**64 - 1])
def test_a_length_that_lies_is_refused(size, tmp_path):
    refused(tmp_path / "model", size.to_bytes(8, "little") + b"{}" * 20)


@pytest.mark.parametrize("text", ["\ufeff{}", "{" * 10**5, '{"__metadata__": ' + "[" * 10**5, "[]"])
def test_a_table_that_is_none_is_refused(text, tmp_path):
    refused(tmp_path / "model", crafted.with_table(text, b""))


# ---- what is not the file's fault ---------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [0, 1.5, "all", True])
def test_threads_that_are_none_are_no_fault_of_the_file(files, n_jobs):
    with pytest.raises(InvalidParameterError, match="n_jobs"):
        load(files / "factor", n_jobs=n_jobs)


def test_a_directory_is_called_one(tmp_path):
    with pytest.raises(IsADirectoryError, match="a directory, not the file of a model"):
        load(tmp_path)
