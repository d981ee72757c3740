"""Kernels built for other processors, and without OpenMP, give the same digests."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "compare_builds.py"


def compare_builds():
    spec = importlib.util.spec_from_file_location("compare_builds", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules["compare_builds"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not TOOL.exists() or os.name == "nt", reason="needs the source tree and cc")
def test_the_shipped_build_the_widest_and_the_plainest_agree_for_any_number_of_threads():
    pytest.importorskip("Cython")
    tool = compare_builds()
    possible = {build.name: build for build in tool.possible_builds()}
    if len(possible) < 4:
        pytest.skip("this processor has one instruction set to build for")
    widest = list(possible)[-1]
    found = tool.compare([possible[name] for name in ("shipped", "sse2-one-thread", widest)])
    assert len(found) == 6
    for model, digests in found.items():
        assert len(digests) == 12
        assert len(set(digests.values())) == 1, f"{model}: {digests}"
