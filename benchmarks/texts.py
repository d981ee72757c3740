"""From text to stored bags of words: `python -m benchmarks.texts`.

The training texts of 20 newsgroups, by the rules of a default store without common English words.
"""

import json
import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from sklearn.feature_extraction.text import CountVectorizer

from benchmarks import corpora
from benchmarks.clock import median_seconds
from benchmarks.report import Row, machine, print_rows
from pyunlearn import Store, TextRules
from pyunlearn.records import JsonlReader
from pyunlearn.text import TextCounter

RUNS = 3
GROUP = 500
RULES = TextRules(stop_words="english")
COUNTER = TextCounter(RULES)


def write_corpus(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for number, (_, text) in enumerate(corpora.labelled_texts("20newsgroups-train")):
            file.write(json.dumps({"id": f"post-{number:05}", "text": text}) + "\n")


def groups(path: Path) -> Iterator[list[str]]:
    texts = (record.text for record in JsonlReader(path))
    while group := list(islice(texts, GROUP)):
        yield group


def cut(group: list[str]) -> tuple[object, ...]:
    """What a worker process would send back."""
    return tuple(COUNTER.count(group))


def used(results: Iterable[object]) -> None:
    for _ in results:
        pass


def peers(path: Path) -> dict[str, Callable[[], None]]:
    analyze = CountVectorizer(stop_words="english").build_analyzer()

    def with_a_worker() -> None:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            used(pool.imap(cut, groups(path)))

    return {
        "reading the records": lambda: used(groups(path)),
        "and cutting, analyzer of CountVectorizer and Counter": lambda: used(
            Counter(analyze(text)) for group in groups(path) for text in group
        ),
        "and cutting, TextCounter": lambda: used(map(cut, groups(path))),
        "the same, cut in a process of its own": with_a_worker,
    }


def stored(path: Path) -> None:
    with tempfile.TemporaryDirectory() as directory, Store.open(directory, rules=RULES) as store:
        store.add(JsonlReader(path))


def text_rows(path: Path) -> Iterator[Row]:
    for what, job in peers(path).items():
        yield Row(what, median_seconds(job, RUNS), "s")
    yield Row("Store.add, all of it", median_seconds(lambda: stored(path), RUNS), "s")


def main() -> None:
    print(machine())
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "corpus.jsonl"
        write_corpus(path)
        title = f"{path.stat().st_size / 1e6:.1f} MB of text, median of {RUNS}"
        print_rows(title, text_rows(path))


if __name__ == "__main__":
    main()
