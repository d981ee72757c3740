"""Size of a store, and time of its commands, beside another version of the library.

    python tools/store_price.py CORPUS.jsonl OTHER/.venv/bin/python [--min-df 5 --runs 3]

The other Python has that version installed. Both run the same commands in turn on stores of their
own, process start included; printed are medians in seconds, bytes, and their ratio (this over the
other). `make demo` leaves a corpus: .cache/posts.jsonl.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def run(python: str, *arguments: str) -> float:
    """Seconds of one command."""
    start = time.perf_counter()
    subprocess.run(
        [python, "-m", "pyunlearn", *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tempfile.gettempdir(),
    )
    return time.perf_counter() - start


def measured(python: str, corpus: str, ids: list[str], min_df: str) -> dict[str, float]:
    """What one version takes, with a new store."""
    with tempfile.TemporaryDirectory() as directory:
        store = ["--store", str(Path(directory) / "store")]
        file = Path(directory) / "store" / "store.sqlite"
        fit = ["--topics", "20", "--min-df", min_df, "--stop-words", "english"]
        found = {"fit": run(python, "fit", corpus, *store, *fit)}
        found["bytes"] = float(file.stat().st_size)
        each = [run(python, "forget", one, *store) for one in ids]
        found["forget one document"] = statistics.median(each)
        found["verify"] = run(python, "verify", *store)
        found["compact"] = run(python, "compact", *store)
        return found


def main() -> None:
    """Run both in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", help="JSONL with id and text")
    parser.add_argument("python", help="Python of the other version")
    parser.add_argument("--min-df", default="5")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    corpus = str(Path(options.corpus).resolve())
    with open(corpus, encoding="utf-8") as lines:
        ids = [str(json.loads(line)["id"]) for _, line in zip(range(400), lines, strict=False)]
    ids = ids[::80]
    runs: list[tuple[dict[str, float], dict[str, float]]] = []
    for _ in range(options.runs):
        here = measured(sys.executable, corpus, ids, options.min_df)
        there = measured(str(Path(options.python).absolute()), corpus, ids, options.min_df)
        runs.append((here, there))
    print(f"{'':24}{'this':>14}{'the other':>14}{'ratio':>8}")
    for name in runs[0][0]:
        this, other = (statistics.median(one[side][name] for one in runs) for side in (0, 1))
        print(f"{name:24}{this:14,.2f}{other:14,.2f}{this / other:8.2f}")


if __name__ == "__main__":
    main()
