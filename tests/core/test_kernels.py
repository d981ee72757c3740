"""What every kernel file has in common: inputs are const, and no compiler may change its bits."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pyunlearn
from pyunlearn._core import anchors

KERNELS = sorted((Path(pyunlearn.__file__).parents[1] / "_core").glob("*.pyx"))
EVERY_KERNEL = pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
needs_sources = pytest.mark.skipif(not KERNELS, reason="needs the source tree")
# Work space, and what is brought along in place.
WORK = {"position", "mark", "accumulator", "filled", "work", "support", "blocked", "slots"}
WORK |= {"places", "entries"}
IN_PLACE = {"residual", "weights"}


@needs_sources
@EVERY_KERNEL
def test_a_memoryview_is_const_unless_it_is_written_to(path):
    # A buffer that is not const refuses read-only arrays, as those that joblib maps.
    view = r"(const )?\b(?:double|float|u?int32_t|int64_t|uint8_t)\[[:, 1]+\] (\w+)"
    found = re.findall(view, path.read_text())
    assert found or path.stem == "parallel"
    written = {name for const, name in found if not const}
    assert {name for name in written if not name.endswith("_out")} <= WORK | IN_PLACE
    assert not [name for const, name in found if const and name.endswith("_out")]


@needs_sources
@EVERY_KERNEL
def test_no_kernel_compiles_with_flags_that_change_bits(path):
    assert "\ncimport pyunlearn._core._portable\n" in path.read_text()


def sum_of(start, values):
    """A row sum by a kernel."""
    columns, one = np.zeros(len(values), np.int32), np.ones(1, np.uint8)
    mass, length = np.zeros(1, np.int64), np.array([len(values)])
    anchors.kept_mass(start, length, columns, np.array(values), one, columns[:1], mass, 1)
    return int(mass[0])


@pytest.mark.skipif(os.environ.get("PYUNLEARN_DEBUG") != "1", reason="kernels without checks")
def test_a_debug_build_notices_what_is_out_of_bounds_or_overflows():
    assert sum_of(np.zeros(1, np.int64), [2**61, 2**61]) == 2**62
    with pytest.raises(IndexError):
        sum_of(np.zeros(0, np.int64), [1])
    code = "import numpy; from core.test_kernels import sum_of"
    code += "; sum_of(numpy.zeros(1, numpy.int64), [2**62, 2**62])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=False
    )
    assert found.returncode < 0, found.stderr
