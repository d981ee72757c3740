"""Parameters: equal settings have one plain form; what is no setting is a typed error."""

import json
from fractions import Fraction

import numpy as np
import pytest

from pyunlearn import _params as check
from pyunlearn import _threads as threads
from pyunlearn.errors import InvalidParameterError

INTEGERS = [3, np.int64(3), np.int32(3), np.uint8(3), np.longlong(3)]
REALS = [0.5, np.float64(0.5), np.float32(0.5), np.float16(0.5), np.longdouble(0.5), Fraction(1, 2)]
HUGE = 10**5000  # Python refuses to write it


def plain(value):
    return type(value) in (bool, int, float, str) and json.loads(json.dumps(value)) == value


@pytest.mark.parametrize("value", INTEGERS, ids=lambda value: type(value).__name__)
def test_integers_become_int(value):
    for found in (check.check_integer("n", value, 1), check.check_min_df("n", value)):
        assert found == 3
        assert type(found) is int
    assert type(check.check_n_jobs(value)) is int
    assert type(check.check_positive("x", value)) is float


@pytest.mark.parametrize("value", REALS, ids=lambda value: type(value).__name__)
def test_reals_become_float(value):
    for found in (
        check.check_positive("x", value),
        check.check_between("x", value, 0.0, 1.0),
        check.check_min_df("x", value),
    ):
        assert found == 0.5
        assert type(found) is float


@pytest.mark.parametrize("value", [True, False, np.True_, np.False_])
def test_booleans_become_bool(value):
    assert check.check_bool("x", value) is bool(value)


def test_strings_become_str():
    assert plain(check.check_choice("x", np.str_("a"), ("a", "b")))


def test_negative_numbers_of_threads_count_from_all():
    every = check.check_n_jobs(None)
    assert every == threads.processors()
    assert check.check_n_jobs(-1) == every
    assert check.check_n_jobs(np.int64(-2)) == max(1, every - 1)
    assert check.check_n_jobs(-(10**6)) == 1


CHECKS = {
    "integer": lambda value: check.check_integer("x", value, 1, 10),
    "positive": lambda value: check.check_positive("x", value),
    "between": lambda value: check.check_between("x", value, 0.0, 1.0),
    "bool": lambda value: check.check_bool("x", value),
    "choice": lambda value: check.check_choice("x", value, ("a", "b")),
    "min_df": lambda value: check.check_min_df("x", value),
    "n_jobs": lambda value: check.check_n_jobs(value),
}
NEVER = ["c", b"a", "1", [1], (1,), {}, np.array(1), np.array([1]), 1j, np.nan, object()]
FAR = [-HUGE, -1e300, np.float64(-np.inf), np.longdouble(np.inf), [0] * 1000]


@pytest.mark.parametrize("value", [*NEVER, *FAR], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("name", CHECKS)
def test_what_is_no_setting_is_refused_in_a_short_message(name, value):
    with pytest.raises(InvalidParameterError) as caught:
        CHECKS[name](value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("name", sorted(set(CHECKS) - {"min_df"}))
def test_a_number_that_no_float_holds_is_refused(name):
    with pytest.raises(InvalidParameterError):
        CHECKS[name](HUGE)


@pytest.mark.parametrize("value", [True, False, np.True_, np.False_])
@pytest.mark.parametrize("name", sorted(set(CHECKS) - {"bool"}))
def test_booleans_are_no_numbers(name, value):
    with pytest.raises(InvalidParameterError):
        CHECKS[name](value)


@pytest.mark.parametrize("value", [0, 1, "True", None, np.int64(1)])
def test_numbers_are_no_booleans(value):
    with pytest.raises(InvalidParameterError, match="True or False"):
        check.check_bool("x", value)


# ---- processors ---------------------------------------------------------------------------


def written(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def quota(tmp_path, groups):
    (tmp_path / "cgroup").write_text(groups)
    return threads.cgroup_processors(tmp_path / "fs", tmp_path / "cgroup")


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("200000 100000\n", 2),
        ("150000 100000", 2),
        ("1000 100000", 1),
        ("max 100000", None),
        ("", None),
        ("200000 0", None),
        ("lots of them", None),
    ],
)
def test_quota_of_version_2(tmp_path, limit, expected):
    written(tmp_path / "fs", cpu__max=limit)
    assert quota(tmp_path, "0::/\n") == expected


def test_the_smallest_quota_of_the_groups_above_counts(tmp_path):
    written(tmp_path / "fs" / "a", cpu__max="300000 100000")
    written(tmp_path / "fs" / "a" / "b", cpu__max="900000 100000")
    assert quota(tmp_path, "0::/a/b\n") == 3
    # Inside a container the path may be that of the outside.
    written(tmp_path / "fs", cpu__max="200000 100000")
    assert quota(tmp_path, "0::/elsewhere/a\n") == 2
    assert quota(tmp_path, "0::/../../a\n") == 2


@pytest.mark.parametrize("tree", ["cpu,cpuacct", "cpu"])
def test_quota_of_version_1(tmp_path, tree):
    written(tmp_path / "fs" / tree / "a", cpu__cfs_quota_us="250000", cpu__cfs_period_us="100000")
    written(tmp_path / "fs" / tree, cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    assert quota(tmp_path, "5:memory:/a\n4:cpu,cpuacct:/a\n0::/\n") == 3
    assert quota(tmp_path, "4:cpu,cpuacct:/\n") is None
    assert quota(tmp_path, "4:cpuset:/a\n") is None


def test_no_control_groups_no_quota(tmp_path):
    assert threads.cgroup_processors(tmp_path, tmp_path / "none") is None
    assert threads.cgroup_processors(tmp_path, tmp_path) is None
    assert quota(tmp_path, "") is None
    assert quota(tmp_path, "nonsense\n") is None


def test_the_default_is_the_least_of_all_limits(monkeypatch):
    monkeypatch.setattr("pyunlearn._core.parallel.effective_num_threads", lambda: 60)
    monkeypatch.setattr(threads, "_affinity", lambda: 50)
    monkeypatch.setattr(threads, "_quota", lambda: 40)
    assert check.check_n_jobs(None) == 40
    monkeypatch.setattr(threads, "_quota", lambda: None)
    assert check.check_n_jobs(-1) == 50
    monkeypatch.setattr(threads, "_affinity", lambda: 70)
    assert check.check_n_jobs(-2) == 59
