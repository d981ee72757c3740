"""What the README and the documents show is what happens."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pyunlearn import cli

ROOT = Path(__file__).parents[1]

if not (ROOT / "README.md").is_file():
    pytest.skip("needs the source tree", allow_module_level=True)

PAGES = ["README.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md")))]


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE)


def programs(page):
    """Python blocks with the output that stands behind them, None where none does."""
    found = re.findall(
        r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", text_of(page), re.DOTALL | re.MULTILINE
    )
    return [(code, output or None) for code, output in found]


# The reader of statistics-format.md takes a file: test_formats.py.
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if blocks(page, "python") and page != "docs/statistics-format.md"],
)
def test_python_examples_run_and_print_what_is_shown(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for code, output in programs(page):
        for _ in range(2 if page == "README.md" else 1):  # what the first run left is no obstacle
            exec(compile(code, page, "exec"), {})
            printed = capsys.readouterr().out
            assert output is None or printed == output


def test_commands_run_in_the_order_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    [block] = blocks("README.md", "sh")
    first, *lines = block.splitlines()
    program, *arguments, _, corpus = shlex.split(first)
    assert (program, first.count(" > ")) == ("python", 1)
    with open(corpus, "wb") as file:
        subprocess.run([sys.executable, *arguments], stdout=file, check=True)
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "pyunlearn"
        assert cli.main(arguments) == 0, (line, capsys.readouterr().err)


@pytest.mark.parametrize("page", PAGES)
def test_files_a_page_points_to_exist(page):
    folder = (ROOT / page).parent
    targets = re.findall(r"\]\(([^)#:]+)\)", text_of(page))
    assert [target for target in targets if not (folder / target).exists()] == []
