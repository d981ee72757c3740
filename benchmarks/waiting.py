"""Where people wait, beside another version: `python -m benchmarks.waiting --other PYTHON`.

20 newsgroups, from the command line, from a store that is open and from a model in memory. PYTHON
has the other version installed; without it this version is measured alone. Both are run in turn, in
processes of their own; numbers are medians. LDA of tomotopy is measured in the same run where it is
installed. `--quick` takes a part of the documents, where no number means anything.
"""

import argparse
import importlib.util
import json
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from benchmarks import corpora
from benchmarks.report import machine
from benchmarks.versions import Line, Version, header, in_turn, this_version

TOPICS = "50"
RULES = ["--min-df", "10", "--stop-words", "english", "--token-pattern", r"(?u)\b[a-z][a-z]+\b"]
ITERATIONS = 200  # of LDA


def command(version: Version, *arguments: str) -> float:
    return version.seconds("-m", "pyunlearn", *arguments)


def write_posts(path: Path, documents: int | None, times: int = 1) -> list[str]:
    """The corpus as JSONL, `times` over; the ids of its documents."""
    texts = [text for _, text in corpora.labelled_texts("20newsgroups-train")][:documents]
    ids = [f"post-{copy}-{number:05}" for copy in range(times) for number in range(len(texts))]
    with path.open("w", encoding="utf-8") as file:
        for number, one in enumerate(ids):
            file.write(json.dumps({"id": one, "text": texts[number % len(texts)]}) + "\n")
    return ids


def start_lines(versions: Sequence[Version], runs: int) -> Iterator[Line]:
    """Imports, above what a Python takes that imports nothing."""
    bare = in_turn(versions, runs, lambda version: [version.seconds("-c", "pass")])
    for what, arguments, aim in (
        ("import pyunlearn, above bare Python", ("-c", "import pyunlearn"), 0.35),
        (
            "  and a model",
            ("-c", "from pyunlearn import AnchorTopicModel"),
            None,
        ),
        ("pyunlearn --help, above bare Python", ("-m", "pyunlearn", "--help"), 0.15),
    ):
        whole = in_turn(versions, runs, lambda version, given=arguments: [version.seconds(*given)])
        above = [one - least for one, least in zip(whole, bare, strict=True)]
        yield Line(what, above, "s", aim, note=f"bare Python {bare[-1]:.3f} s")


class Stores:
    """A store of each version, from the same corpus, and ids that are still in it."""

    def __init__(self, folder: Path, versions: Sequence[Version], corpus: Path, ids: list[str]):
        self.folder, self.versions, self.corpus = folder, versions, corpus
        chosen = np.random.default_rng(0).permutation(len(ids))
        self.left = {version.name: [ids[number] for number in chosen] for version in versions}

    def directory(self, version: Version) -> str:
        return str(self.folder / f"{self.corpus.stem}-{version.name}")

    def take(self, version: Version, count: int) -> list[str]:
        """Ids of documents that are going to be deleted."""
        return [self.left[version.name].pop() for _ in range(count)]

    def fit(self, version: Version) -> float:
        to = ["--store", self.directory(version)]
        return command(version, "fit", str(self.corpus), *to, "--topics", TOPICS, *RULES)

    def forget(self, version: Version) -> float:
        to = ["--store", self.directory(version)]
        return command(version, "forget", *self.take(version, 1), *to)

    def forget_while_open(self, version: Version, count: int) -> list[float]:
        seconds: list[float] = version.job(
            "store", self.directory(version), *self.take(version, 1 + count)
        )
        return seconds

    def megabytes(self, version: Version) -> float:
        return (Path(self.directory(version)) / "store.sqlite").stat().st_size / 1e6


def store_lines(stores: Stores, runs: int, deletions: int) -> Iterator[Line]:
    """Commands as whole processes, and deletions from a store that stays open."""
    versions = stores.versions
    fit = in_turn(versions, 1, lambda version: [stores.fit(version)])
    sizes = [stores.megabytes(version) for version in versions]
    yield Line("pyunlearn fit, whole process", fit, "s", note="one run")
    yield Line("  size of the store", sizes, "MB")
    forget = in_turn(versions, runs, lambda version: [stores.forget(version)])
    yield Line("pyunlearn forget, one document, whole process", forget, "s", 0.4)
    over = [one / whole for one, whole in zip(forget, fit, strict=True)]
    yield Line("  over pyunlearn fit", over, "", 1 / 20)
    opened = in_turn(versions, 2, lambda version: stores.forget_while_open(version, deletions))
    yield Line("store.forget, one document, store open", opened, "s", 0.15)


def flat_lines(few: Stores, many: Stores, deletions: int, times: int) -> Iterator[Line]:
    """The store of many times the documents over that of few."""
    versions = many.versions
    fit = in_turn(versions, 1, lambda version: [many.fit(version)])
    yield Line(f"pyunlearn fit, {times} times the documents", fit, "s", note="one run")
    opened = [
        in_turn(versions, 2, lambda version, one=one: one.forget_while_open(version, deletions))
        for one in (few, many)
    ]
    yield Line(f"store.forget, {times} times the documents", opened[1], "s", 0.15)
    over = [b / a for a, b in zip(*opened, strict=True)]
    yield Line("  over that of the documents once", over, "", 1.15)


def model_lines(
    versions: Sequence[Version], counts: Path, runs: int, deletions: dict[str, int], refit: float
) -> Iterator[Line]:
    """Fit from counts and deletions in memory, of both learners; `refit`: seconds of LDA."""
    found: dict[str, dict[str, list[dict]]] = {}
    for learner, count in deletions.items():
        found[learner] = {version.name: [] for version in versions}
        for number in range(runs):
            for version in versions if number % 2 else reversed(versions):
                one = version.job("models", counts, learner, TOPICS, 3, count)
                found[learner][version.name].append(one)
    yield from factor_lines(versions, found["factor"], refit)
    yield from anchor_lines(versions, found["anchor"])


def median_of(runs: list[dict], what: str) -> float:
    return statistics.median(value for one in runs for value in one[what])


def factor_lines(versions: Sequence[Version], found: dict, refit: float) -> Iterator[Line]:
    fit = [median_of(found[version.name], "fit") for version in versions]
    yield Line("TopicModel.fit from counts", fit, "s", share=1 / 2)
    forget = [median_of(found[version.name], "forget") for version in versions]
    yield Line("TopicModel.forget, one document", forget, "s", share=1 / 6)
    if refit:
        over = [refit / one for one in forget]
        note = f"LDA {refit:.3g} s"
        yield Line("  refit of LDA over it", over, "", 100, at_most=False, note=note)
    yield Line("size of T", [found[v.name][0]["bytes"] / 2**20 for v in versions], "MiB", 180)


def anchor_lines(versions: Sequence[Version], found: dict) -> Iterator[Line]:
    fit = [median_of(found[version.name], "fit") for version in versions]
    yield Line("AnchorTopicModel.fit from counts", fit, "s")
    kinds: tuple[list[float], list[float]] = [], []
    for version in versions:
        pairs = [
            pair
            for run in found[version.name]
            for pair in zip(run["forget"], run["touches_anchor"], strict=True)
        ]
        plain = [1000 * seconds for seconds, touches in pairs if not touches]
        kinds[0].append(statistics.median(plain) if plain else float("nan"))
        kinds[1].append(statistics.median(1000 * seconds for seconds, _ in pairs))
    yield Line("AnchorTopicModel.forget, no anchor word touched", kinds[0], "ms", 5)
    yield Line("AnchorTopicModel.forget, median of all", kinds[1], "ms", 12)


def peak_lines(versions: Sequence[Version], counts: Path, lda: bool) -> Iterator[Line]:
    """Most memory of a process that fits from counts, libraries and counts included."""
    aim = None
    if lda:
        other = this_version().job("peak", counts, "tomotopy", TOPICS) / 1e6
        aim = 1.25 * other
    found = [version.job("peak", counts, "factor", TOPICS) / 1e6 for version in versions]
    note = f"LDA (tomotopy) {other:.0f} MB" if lda else ""
    yield Line("peak of the process, TopicModel.fit", found, "MB", aim, note=note)
    found = [version.job("peak", counts, "anchor", TOPICS) / 1e6 for version in versions]
    yield Line("peak of the process, AnchorTopicModel.fit", found, "MB")


def lines(versions: Sequence[Version], given: argparse.Namespace, folder: Path) -> Iterator[Line]:
    """The whole table, line by line."""
    X = corpora.newsgroups()[0]
    documents = 600 if given.quick else None
    counts, corpus = folder / "counts.npz", folder / "once.jsonl"
    sp.save_npz(counts, sp.csr_matrix(X[:documents]), compressed=False)
    yield from start_lines(versions, given.runs)
    once = Stores(folder, versions, corpus, write_posts(corpus, documents))
    yield from store_lines(once, given.runs, given.store_deletions)
    if given.times > 1:
        many = folder / "many.jsonl"
        copies = Stores(folder, versions, many, write_posts(many, documents, given.times))
        yield from flat_lines(once, copies, given.store_deletions, given.times)
    lda = importlib.util.find_spec("tomotopy") is not None
    iterations = 2 if given.quick else ITERATIONS
    refit = this_version().job("lda", counts, TOPICS, iterations) if lda else 0.0
    deletions = {"factor": given.deletions, "anchor": given.anchor_deletions}
    yield from model_lines(versions, counts, given.model_runs, deletions, refit)
    yield from peak_lines(versions, counts, lda)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--other", metavar="PYTHON", help="Python with the other version")
    parser.add_argument("--runs", type=int, default=5, help="of each command (default 5)")
    parser.add_argument("--model-runs", type=int, default=2, help="processes that fit (default 2)")
    parser.add_argument("--deletions", type=int, default=20, help="of TopicModel (default 20)")
    parser.add_argument("--anchor-deletions", type=int, default=200, help="default 200")
    parser.add_argument("--store-deletions", type=int, default=10, help="default 10")
    parser.add_argument("--times", type=int, default=10, help="copies in the larger store; 1: none")
    parser.add_argument("--quick", action="store_true", help="600 documents")
    given = parser.parse_args()
    versions = [this_version()]
    if given.other:
        versions.insert(0, Version("other", str(Path(given.other).absolute())))
    print(machine())
    for version in versions:
        found = version.job("library")
        print(f"{version.name}: pyunlearn {found['version']}, {found['folder']}")
    documents = "600 documents of it" if given.quick else "all documents"
    print(f"20 newsgroups, {documents}, {TOPICS} topics\n\n{header(versions)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for line in lines(versions, given, Path(folder)):
            print(replace(line, aim=None, share=None) if given.quick else line, flush=True)
    print(machine())


if __name__ == "__main__":
    main()
