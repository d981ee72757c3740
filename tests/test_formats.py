"""docs/statistics-format.md: an independent reader, which stands there, computes our digests."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from models import LEARNERS, new_model

PAGE = Path(__file__).parent.parent / "docs" / "statistics-format.md"


@pytest.fixture(scope="module")
def programs():
    if not PAGE.is_file():
        pytest.skip("needs the source tree")
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)


def test_the_program_makes_the_digest_of_statistics(programs):
    exec(compile(programs[0] + programs[1], str(PAGE), "exec"), {})


@pytest.mark.parametrize(
    "parameters",
    [
        *({"learner": learner} for learner in LEARNERS),
        {"learner": "factor", "core_min_df": 0.2, "vocabulary": [f"w{i}" for i in range(40)]},
        {"learner": "factor", "core_min_df": 30, "contexts": 28},
        {"learner": "anchor", "min_df": 3, "scale_bits": 30, "weighting": "token"},
        {"learner": "anchor", "contexts": 0.3},
        {"learner": "anchor", "solver": "eg", "tol": 1e-3},
    ],
    ids=str,
)
def test_the_program_reads_a_model(parameters, programs, tmp_path):
    counts = np.random.default_rng(0).poisson(0.4, (90, 40))
    model = new_model(5, **parameters).fit(counts)
    model.save(tmp_path / "model.safetensors")
    reader = programs[0] + programs[2]
    (tmp_path / "reader.py").write_text(reader, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, tmp_path / "reader.py", tmp_path / "model.safetensors"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == model.digest()
    assert "pyunlearn" not in re.findall(r"^(?:import|from) (\w+)", reader, re.M)
