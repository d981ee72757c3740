"""Certificates say what was done, and what they commit to can be checked while it is current."""

import copy
import dataclasses
import json
import pickle
import warnings

import numpy as np
import pytest

from pyunlearn import AnchorTopicModel, Certificate, LinearHeadClassifier, Store, TopicModel
from pyunlearn._digest import content_digest
from pyunlearn.certificates import HeadCertificate, ReleaseCertificate
from pyunlearn.errors import CorruptStateError, InvalidInputError, NoisyReleaseWarning
from pyunlearn.privacy import release, release_head

COUNTS = np.random.default_rng(0).poisson(0.8, (40, 10))


@pytest.fixture
def certificate():
    return TopicModel(n_topics=3).fit(COUNTS).forget(COUNTS[:4])


def test_a_certificate_is_confirmed_until_the_next_change():
    model = TopicModel(n_topics=3).fit(COUNTS)
    certificate = model.forget(COUNTS[:4])
    assert model.confirms(certificate)
    assert not model.confirms(dataclasses.replace(certificate, commitment="0" * 64))
    assert not model.confirms(certificate.public())
    model.partial_fit(COUNTS[:4]).partial_fit(COUNTS[4:6], refresh="later")
    assert not model.confirms(certificate)
    waiting = model.forget(COUNTS[4:6], refresh="later")
    assert model.confirms(waiting)
    refreshed = model.refresh()
    assert model.confirms(refreshed)
    assert not model.confirms(waiting)
    # The same state again: its old certificates stay noise.
    model.forget(COUNTS[:4])
    assert not model.confirms(certificate)


def test_a_certificate_of_a_head_is_confirmed_until_the_next_change():
    labels = COUNTS[:, 0] > 1
    head = LinearHeadClassifier(TopicModel(n_topics=3).fit(COUNTS)).fit(COUNTS, labels)
    certificate = head.forget(COUNTS[:2], labels[:2])
    assert head.confirms(certificate)
    assert not head.confirms(certificate.public())
    head.partial_fit(COUNTS[:2], labels[:2])
    assert not head.confirms(certificate)
    corrected = head.relabel(COUNTS[2:4], labels[2:4], labels[2:4])
    assert not head.confirms(certificate)
    assert head.confirms(corrected)
    for twin in (copy.deepcopy(head), pickle.loads(pickle.dumps(head))):  # noqa: S301
        assert twin.digest() == head.digest()
        assert not twin.confirms(corrected)
    assert not head.fit(COUNTS, labels).confirms(corrected)


@pytest.mark.parametrize("given", [None, "", {}, 7, object()])
def test_only_certificates_of_deletions_are_confirmed(given, tmp_path):
    labels = COUNTS[:, 0] > 1
    model = TopicModel(n_topics=3).fit(COUNTS)
    head = LinearHeadClassifier(model).fit(COUNTS, labels)
    with Store.open(tmp_path) as store:
        for one in (model, head, store):
            with pytest.raises(InvalidInputError, match="confirms takes the certificate"):
                one.confirms(given)


def test_two_certificates_of_one_state_tell_nothing_of_it():
    commitments = {
        TopicModel(n_topics=3).fit(COUNTS).forget(COUNTS[:4]).commitment for _ in range(3)
    }
    assert len(commitments) == 3


def test_no_independent_copy_confirms_a_certificate():
    model = TopicModel(n_topics=3).fit(COUNTS)
    certificate = model.forget(COUNTS[:4])
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301
        assert twin.digest() == model.digest()
        assert not twin.confirms(certificate)


def test_exact_deletion_claims_zero_and_says_what_it_covers(certificate):
    assert (certificate.mode, certificate.epsilon, certificate.delta) == ("exact", 0.0, 0.0)
    assert (certificate.n_documents_removed, certificate.n_documents_left) == (4, 36)
    assert certificate.parameters["n_topics"] == 3
    assert "every byte is equal" in certificate.comparator
    assert "copies" in certificate.not_covered


def test_json_round_trip(certificate):
    text = certificate.to_json()
    assert "\n" not in text
    assert Certificate.from_json(text) == certificate
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_certificates_are_frozen(certificate):
    with pytest.raises(dataclasses.FrozenInstanceError):
        certificate.mode = "newton"


def test_certificates_hold_no_document(certificate):
    values = json.loads(certificate.to_json())
    flat = [*values.values(), *values["parameters"].values()]
    assert not [value for value in flat if isinstance(value, list) and value]
    assert len(certificate.to_json()) < 3000


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.update(format="pyunlearn-certificate-0"),
        lambda values: values.update(extra=1),
        lambda values: values.pop("commitment"),
        lambda values: values.clear(),
    ],
)
def test_other_certificates_are_refused(certificate, change):
    values = json.loads(certificate.to_json())
    change(values)
    with pytest.raises(CorruptStateError, match="certificate"):
        Certificate.from_json(json.dumps(values))


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null"])
def test_text_that_is_no_certificate_is_refused(text):
    with pytest.raises(CorruptStateError, match="not a certificate"):
        Certificate.from_json(text)


ARRAYS = {"a": np.arange(6.0), "b": np.arange(3, dtype=np.int32)}


@pytest.mark.parametrize(
    "other",
    [
        {"a": ARRAYS["a"].reshape(2, 3), "b": ARRAYS["b"]},
        {"a": ARRAYS["a"].astype(np.float32), "b": ARRAYS["b"]},
        {"a": -ARRAYS["a"], "b": ARRAYS["b"]},
        {"a": ARRAYS["a"]},
        {"b": ARRAYS["a"], "a": ARRAYS["b"]},
    ],
)
def test_digests_tell_arrays_apart(other):
    assert content_digest({}, ARRAYS) != content_digest({}, other)


def test_digests_do_not_depend_on_layout_or_byte_order():
    matrix = np.arange(6.0).reshape(2, 3)
    expected = content_digest({"h": 1}, {"m": matrix})
    for same in (np.asfortranarray(matrix), matrix.astype(">f8"), np.repeat(matrix, 2, 1)[:, ::2]):
        assert content_digest({"h": 1}, {"m": same}) == expected
    assert content_digest({"h": 2}, {"m": matrix}) != expected


def every_certificate():
    model = AnchorTopicModel(n_topics=3, anchor_min_df=2).fit(COUNTS)
    labels = COUNTS[:, 0] > 1
    head = LinearHeadClassifier(model).fit(COUNTS, labels)
    yield head.forget(COUNTS[:2], labels[:2])
    yield release_head(head, 1.0, 1e-6).certificate
    claim = {"capacity": 1, "sensitivity": 0.1, "correlation": False, "seed": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoisyReleaseWarning)
        yield release(model, 1.0, 1e-6, **claim).certificate
    yield model.forget(COUNTS[:2])
    yield model.refresh()


def test_every_certificate_comes_back_from_its_text():
    for one in every_certificate():
        kind = type(one)
        assert kind.from_json(one.to_json()) == one
        assert kind.from_json(one.public().to_json()) == one.public()
        for name, value in kind.PRIVATE.items():
            assert getattr(one.public(), name) == value
        for other in {Certificate, HeadCertificate, ReleaseCertificate} - {kind}:
            with pytest.raises(CorruptStateError):
                other.from_json(one.to_json())


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 10**5, '{"a": 1}', "1" * 5000])
def test_what_is_no_certificate_is_refused(text):
    with pytest.raises(CorruptStateError, match="not a certificate"):
        Certificate.from_json(text)


def numbers_replaced(value, by):
    """A value of JSON with each number in turn replaced."""
    if isinstance(value, dict):
        for name, one in value.items():
            for other in numbers_replaced(one, by):
                yield {**value, name: other}
    elif isinstance(value, list):
        for at, one in enumerate(value):
            for other in numbers_replaced(one, by):
                yield [*value[:at], other, *value[at + 1 :]]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield by


def refused(kind, text):
    with pytest.raises(CorruptStateError, match="certificate") as caught:
        kind.from_json(text)
    assert len(str(caught.value)) < 300


def test_no_number_of_a_certificate_is_negative_or_infinite():
    for one in every_certificate():
        values = json.loads(one.to_json())
        for number in (-1, -1e-9, float("nan"), float("inf")):
            for changed in numbers_replaced(values, number):
                refused(type(one), json.dumps(changed))


def test_a_value_of_another_type_is_refused():
    for one in every_certificate():
        values = json.loads(one.to_json())
        for name, value in values.items():
            for other in (True, "text", 3, 0.5, [], {}):
                same = type(other) is type(value) or (other == 3 and isinstance(value, float))
                if not same and value is not None:
                    refused(type(one), json.dumps({**values, name: other}))


@pytest.mark.parametrize(
    ("field", "value"),
    [("released", [1]), ("released", [["a"]]), ("sigma", {"a": "b"}), ("sigma", {"a": True})],
)
def test_a_part_of_another_type_is_refused(field, value):
    one = next(one for one in every_certificate() if isinstance(one, ReleaseCertificate))
    refused(ReleaseCertificate, json.dumps({**json.loads(one.to_json()), field: value}))


def within(text, more):
    """Text of a certificate with more among its parameters."""
    return text.replace('"parameters": {', '"parameters": {' + more, 1)


CRAFTED = {
    "nested deeply": lambda text: text.replace(
        '"parameters": {', '"parameters": {"a": ' + "[" * 10**5, 1
    ),
    "nested": lambda text: text.replace(
        '"parameters": {', f'"parameters": {{"a": {"[" * 99 + "]" * 99}, ', 1
    ),
    "a number of 5,000 digits": lambda text: within(text, '"a": ' + "1" * 5000 + ", "),
    "a key twice": lambda text: text.replace("{", '{"mode": "exact", ', 1),
    "a key twice within": lambda text: text.replace(
        '"parameters": {', '"parameters": {"a": 1, "a": 2, ', 1
    ),
    "a number beyond all": lambda text: text.replace('"epsilon": 0.0', '"epsilon": 1e400', 1),
    "a long format": lambda text: text.replace("pyunlearn-certificate", "x" * 10**5, 1),
    "bytes that are no text": lambda text: text.encode() + b"\xff",
}


@pytest.mark.parametrize("change", CRAFTED.values(), ids=CRAFTED)
def test_a_crafted_certificate_is_refused(certificate, change):
    text = certificate.to_json()
    assert change(text) != text
    refused(Certificate, change(text))
