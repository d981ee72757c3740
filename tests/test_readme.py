"""What the README and the documents show is what happens."""

import json
import re
import shlex
from pathlib import Path

import pytest

from pyunlearn import cli

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md")))]


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_python_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in blocks(page, "python"):
        exec(compile(block, page, "exec"), {})


def test_commands_run_in_the_order_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["cat", "dog", "horse", "mouse", "river", "lake", "saw", "hammer", "nail", "bread"]
    with Path("corpus.jsonl").open("w") as corpus:
        for d in range(60):
            text = " ".join(words[d * step % len(words)] for step in range(1, 5 + d % 3))
            corpus.write(json.dumps({"id": f"post-{d}", "text": text}) + "\n")
    with Path("labels.jsonl").open("w") as labels:
        for d in range(20, 60):
            pet = {"id": f"post-{d}", "text": "", "pet": "yes" if d % 5 < 2 else "no"}
            labels.write(json.dumps(pet) + "\n")
    [block] = blocks("README.md", "sh")
    for line in block.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "pyunlearn"
        assert cli.main(arguments) == 0, (line, capsys.readouterr().err)


@pytest.mark.parametrize("page", PAGES)
def test_files_a_page_points_to_exist(page):
    folder = (ROOT / page).parent
    targets = re.findall(r"\]\(([^)#:]+)\)", text_of(page))
    assert [target for target in targets if not (folder / target).exists()] == []
