"""The asv command itself finds every benchmark, and runs one."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1]


def asv(*arguments, home):
    return subprocess.run(
        [sys.executable, "-m", "asv", "--config", FOLDER / "asv.conf.json", *arguments],
        capture_output=True,
        text=True,
        env={"HOME": str(home), "PATH": str(Path(sys.executable).parent)},
    )


@pytest.fixture(autouse=True)
def _asv():
    pytest.importorskip("asv", reason="asv is of the extra [bench]")


def test_asv_finds_the_benchmarks(tmp_path):
    done = asv("check", "--environment", f"existing:{sys.executable}", home=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No problems found" in done.stdout
