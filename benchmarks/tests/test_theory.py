"""The experiments behind docs/epsilon-delta.md run, and find nothing that the claims forbid."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (ROOT / "benchmarks/theory").glob("[a-z]*.py"))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "output"])
def test_short_experiments_find_no_violation(name, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("sys.argv", [name, "--quick", "--out", str(tmp_path)])
    assert not importlib.import_module(f"benchmarks.theory.{name}").main()
    assert capsys.readouterr().out.count("|") > 10
    assert (tmp_path / f"{name}.png").stat().st_size < 100_000


def test_every_experiment_is_made_and_shown():
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    shown = (ROOT / "docs/epsilon-delta.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert name == "output" or (name in made and f"figures/{name}.png" in shown)
