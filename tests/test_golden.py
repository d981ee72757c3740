"""The bits of statistics, models, heads and indexes are those that are written down."""

import json

import golden
import pytest


@pytest.fixture(scope="module")
def found():
    return dict(golden.digests())


@pytest.mark.parametrize("name", json.loads(golden.FILE.read_text(encoding="utf-8")))
def test_digest(name, found):
    known = json.loads(golden.FILE.read_text(encoding="utf-8"))
    assert found[name] == known[name], "bits have changed; see the top of tests/golden.py"


def test_nothing_is_left_out(found):
    assert found.keys() == json.loads(golden.FILE.read_text(encoding="utf-8")).keys()
