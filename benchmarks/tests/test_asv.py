"""The asv command itself finds every benchmark, and runs one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1]
HERE = f"existing:{sys.executable}"

pytest.importorskip("asv", reason="asv is of the extra [bench]")


@pytest.fixture
def asv(tmp_path):
    """The command, with a home of its own for what it writes about the machine."""

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "asv", "--config", FOLDER / "asv.conf.json", *arguments],
            capture_output=True,
            text=True,
            env=os.environ | {"HOME": str(tmp_path)},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_asv_finds_the_benchmarks(asv):
    assert "No problems found" in asv("check", "--environment", HERE)


def test_asv_runs_a_benchmark(asv):
    asv("machine", "--yes")
    one = r"bench_fit\.Fit\.time_fit\(1000, 'factor'\)"
    # Of what is installed, not of a commit: nothing is written to .asv.
    said = asv("run", "--quick", "--environment", HERE, "--bench", one)
    assert "bench_fit.Fit.time_fit" in said
    assert "failed" not in said
