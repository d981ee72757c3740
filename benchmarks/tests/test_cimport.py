"""The shipped .pxd files are a contract: other projects can compile against them."""

import importlib.util
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pyunlearn

MODULE = """
# cython: language_level=3
from pyunlearn._core._exp cimport exponential
from pyunlearn._core._lanes cimport lane_dot, lane_sum
from pyunlearn._core._openmp cimport omp_get_num_procs
from pyunlearn._core._status cimport OK

def dot(const double[::1] x, const double[::1] y):
    return lane_dot(&x[0], &y[0], x.shape[0])

def total(const double[::1] x):
    return lane_sum(&x[0], x.shape[0])

def exponentials(const double[::1] x, double[::1] out):
    cdef Py_ssize_t i
    for i in range(x.shape[0]):
        out[i] = exponential(x[i])

def shims():
    return OK, omp_get_num_procs()
"""
SETUP = """
import sys
from Cython.Build import cythonize
from setuptools import Extension, setup

flags = [] if sys.platform == "win32" else ["-O3", "-ffp-contract=off"]
module = Extension("third_party", ["third_party.pyx"], extra_compile_args=flags)
setup(name="third_party", ext_modules=cythonize([module], include_path=[{include!r}]))
"""


@pytest.fixture(scope="module")
def third_party(tmp_path_factory):
    folder = tmp_path_factory.mktemp("third_party")
    (folder / "third_party.pyx").write_text(MODULE)
    include = str(Path(pyunlearn.__file__).parents[1])
    (folder / "setup.py").write_text(SETUP.format(include=include))
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    [path] = [p for p in folder.iterdir() if p.suffix in (".so", ".pyd")]
    spec = importlib.util.spec_from_file_location("third_party", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lanes(terms):
    """Sum in 8 lanes (term t goes to lane t % 8), combined in the fixed tree."""
    lane = [0.0] * 8
    for t, term in enumerate(terms):
        lane[t % 8] += float(term)
    a, b, c, d, e, f, g, h = lane
    return ((a + e) + (c + g)) + ((b + f) + (d + h))


def bits(value):
    return struct.pack("<d", value)


@pytest.mark.parametrize("n", [1, 7, 8, 9, 64, 1001])
def test_compiled_lanes_have_the_bits_of_the_specification(third_party, n):
    rng = np.random.default_rng(n)
    x, y = rng.standard_normal((2, n)) * 10.0 ** rng.integers(-9, 9, n)
    assert bits(third_party.dot(x, y)) == bits(lanes(x * y))
    assert bits(third_party.total(x)) == bits(lanes(x))


def test_the_compiled_exponential_is_the_right_one(third_party):
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-708, 709, 100_000), [0.0, -0.0, -5e-324, -708.0, 709.0]])
    out, nothing = np.empty_like(x), np.ones(3)
    third_party.exponentials(x, out)
    np.testing.assert_allclose(out, np.exp(x), rtol=7e-16)
    third_party.exponentials(np.array([np.nextafter(-708.0, -709.0), -1e300, -np.inf]), nothing)
    assert nothing.tolist() == [0.0, 0.0, 0.0]
    third_party.exponentials(np.array([np.nan]), nothing[:1])
    assert np.isnan(nothing[0])


def test_the_status_enum_and_the_openmp_shim_can_be_cimported(third_party):
    status, processors = third_party.shims()
    assert status == 0
    assert processors >= 1
