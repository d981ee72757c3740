"""Corpora that are large in one way: `python -m benchmarks.large words|stream|pages`.

words: a vocabulary of a million words, by Zipf's law, and a million documents of 50 tokens.
stream: up to ten million synthetic documents that are added as they come; is a deletion as fast?
pages: a store of manual pages, of which no word is too rare; its size over that of the text.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from benchmarks import corpora
from benchmarks.clock import seconds_of
from benchmarks.deletion import delete_and_restore, flatness, random_documents
from benchmarks.jobs import TOGETHER
from benchmarks.memory import peak_of, status
from benchmarks.report import Row, machine, print_rows
from benchmarks.versions import Line, Version, header, this_version
from pyunlearn import AnchorTopicModel, TopicModel
from pyunlearn.io import MODELS

GIB = 2**30


def word_rows(m: int, n: int, n_topics: int, deletions: int, learner: str) -> Iterator[Row]:
    """Fit and deletions over a large vocabulary, with the peak of this process in each."""
    X = corpora.zipf(m, n, n_topics)
    model = MODELS[learner](n_topics)
    yield Row("words that occur", float((X.sum(axis=0) > 0).sum()), note=f"{X.nnz:,} counts")
    yield Row("process before the fit, counts included", status("VmRSS") / GIB, "GiB")
    seconds, peak = most_bytes(lambda: model.fit(X))
    yield Row("fit", seconds, "s")
    yield Row("  peak of the process", peak / GIB, "GiB", 8)
    held = model.statistics_.nbytes / GIB
    yield Row("  statistics", held, "GiB", note=f"{len(model.statistics_.rows.columns):,} columns")
    documents = random_documents(X, deletions + 1)
    taken: list[float] = []
    _, peak = most_bytes(lambda: taken.extend(deletion_seconds(model, documents)))
    yield Row("forget one document", statistics.median(taken[1:]), "s", note=f"of {deletions}")
    yield Row("  peak of the process", peak / GIB, "GiB", 8)


def most_bytes(job) -> tuple[float, int]:
    """Seconds of a job, and the most bytes that the process held in it, those before included."""
    before = status("VmRSS")
    seconds, above = peak_of(lambda: seconds_of(job))
    return seconds, before + above


def deletion_seconds(
    model: TopicModel | AnchorTopicModel, documents: Sequence[corpora.sp.csr_array]
) -> list[float]:
    return [delete_and_restore(model, document).seconds for document in documents]


def grown(
    sizes: Sequence[int], n: int, n_topics: int, learner: str
) -> Iterator[tuple[TopicModel | AnchorTopicModel, float, float]]:
    """A model of the first documents of the stream, by size, and seconds of adding and learning.

    The first thousand come alone: of so few, the columns of all words are kept.
    """
    kind, blocks = MODELS[learner], corpora.blocks(max(sizes), n, n_topics)
    first = next(blocks)
    fitted = kind(n_topics)
    adding = seconds_of(lambda: fitted.fit(first))
    total = fitted.statistics_.copy()
    while True:
        if total.n_documents in sizes:
            model, kept = kind(n_topics), total.copy()
            yield (
                model,
                adding,
                seconds_of(lambda model=model, kept=kept: model.fit_statistics(kept)),
            )
        group = list(islice(blocks, blocks_until(total.n_documents, sizes)))
        if not group:
            return
        adding += seconds_of(partial(total.add, corpora.joined(group)))


def blocks_until(m: int, sizes: Sequence[int]) -> int:
    """How many blocks to take at once, so that no size is passed over."""
    left = min((size - m for size in sizes if size > m), default=0)
    return min(TOGETHER, -(-left // corpora.BLOCK))


def stream_rows(
    sizes: Sequence[int], n: int, n_topics: int, deletions: int, learner: str
) -> Iterator[Row]:
    """Fit and deletion by the number of documents, and whether the deletion depends on it."""
    chosen = random_documents(next(corpora.blocks(corpora.BLOCK, n, n_topics)), deletions)
    first = model = None
    for model, adding, learning in grown(sorted(sizes), n, n_topics, learner):
        m = model.statistics_.n_documents
        note = f"{adding:.1f} s adding, {learning:.2f} s learning"
        yield Row(f"fit of {m:,} documents", adding + learning, "s", note=note)
        taken = deletion_seconds(model, [chosen[0], *chosen])[1:]
        aim = 15 if learner == "factor" and m == 10**6 else None
        note = f"median of {len(taken)}"
        yield Row("  forget one document", 1000 * statistics.median(taken), "ms", aim, note=note)
        first = first or model
    if first is not model:
        title = f"deletion, m = {max(sizes):,} over {min(sizes):,}"
        yield Row(title, flatness(first, model, chosen), "times", 1.15, note="in turn")


def other_stream_rows(
    other: Version, sizes: Sequence[int], n: int, n_topics: int, deletions: int, learner: str
) -> Iterator[Row]:
    """The same of another version; its deletions are few where they are as slow as a fit."""
    for m in sizes:
        found = other.job("stream", m, n, n_topics, learner, min(deletions, 5))
        yield Row(f"{other.name}: fit of {m:,} documents", found["fit"], "s")
        median = 1000 * statistics.median(found["forget"])
        note = f"median of {len(found['forget'])}"
        yield Row(f"{other.name}:   forget one document", median, "ms", note=note)


def write_pages(path: Path, folder: Path, megabytes: float) -> tuple[int, str]:
    """Manual pages as JSONL, until there are enough: bytes of text, and the id of one of them."""
    size, names = 0, []
    with path.open("w", encoding="utf-8") as file:
        for name, text in corpora.manual_pages(folder):
            if size >= 1e6 * megabytes:
                break
            file.write(json.dumps({"id": name, "text": text}) + "\n")
            size += len(text.encode())
            names.append(name)
    if not names:
        raise SystemExit(f"there are no manual pages (*.gz) in {folder}")
    return size, names[len(names) // 2]


def page_lines(
    versions: Sequence[Version], folder: Path, megabytes: float, n_topics: int
) -> Iterator[Line]:
    """A store with every word of the pages."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "pages.jsonl"
        size, one = write_pages(path, folder, megabytes)
        seconds: dict[str, list[float]] = {"fit": [], "forget": []}
        stored = []
        for version in versions:
            to = ["--store", str(Path(place) / version.name)]
            fit = [*to, "--topics", str(n_topics), "--min-df", "1"]
            seconds["fit"].append(version.seconds("-m", "pyunlearn", "fit", str(path), *fit))
            stored.append((Path(place) / version.name / "store.sqlite").stat().st_size)
            seconds["forget"].append(version.seconds("-m", "pyunlearn", "forget", one, *to))
    text = [size / 1e6] * len(versions)
    yield Line("text", text, "MB")
    yield Line("  store", [one / 1e6 for one in stored], "MB")
    yield Line("  store over text", [one / size for one in stored], "", 10)
    for what, taken in seconds.items():
        yield Line(f"  pyunlearn {what}, whole process", taken, "s")


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = whole.add_subparsers(dest="part", required=True)
    words = parts.add_parser("words", help="a vocabulary of a million words")
    words.add_argument("--documents", type=int, default=10**6)
    words.add_argument("--words", type=int, default=10**6)
    stream = parts.add_parser("stream", help="ten million documents")
    stream.add_argument("--sizes", type=int, nargs="+", default=[10**5, 10**6, 10**7])
    stream.add_argument("--words", type=int, default=5000)
    for part in (words, stream):
        part.add_argument("--deletions", type=int, default=20)
        part.add_argument("--learner", choices=sorted(MODELS), default="factor")
    pages = parts.add_parser("pages", help="a store of manual pages")
    pages.add_argument("--folder", type=Path, default=Path("/usr/share/man"))
    pages.add_argument("--megabytes", type=float, nargs="+", default=[1, 25], help="of text")
    for part in (stream, pages):
        part.add_argument("--other", metavar="PYTHON", help="Python with another version")
    for part in (words, stream, pages):
        part.add_argument("--topics", type=int, default=20)
    return whole


def main() -> None:
    given = parser().parse_args()
    if given.part == "stream" and any(size % corpora.BLOCK for size in given.sizes):
        raise SystemExit(f"--sizes must be multiples of {corpora.BLOCK}")
    print(machine())
    versions = [this_version()]
    if getattr(given, "other", None):
        versions.insert(0, Version("other", str(Path(given.other).absolute())))
    if given.part == "words":
        title = f"Zipf: {given.documents:,} documents of 50 tokens, {given.words:,} words"
        sizes = (given.documents, given.words, given.topics, given.deletions, given.learner)
        print_rows(f"{title}, {given.topics} topics, {given.learner}", word_rows(*sizes))
    elif given.part == "stream":
        title = f"Synthetic stream: 50 tokens a document, {given.words:,} words"
        wanted = (given.sizes, given.words, given.topics, given.deletions, given.learner)
        print_rows(f"{title}, {given.topics} topics, {given.learner}", stream_rows(*wanted))
        for other in versions[:-1]:
            wanted = ([m for m in given.sizes if m <= 10**6], *wanted[1:])
            print_rows(f"The same, {other.python}", other_stream_rows(other, *wanted))
    else:
        print(f"Manual pages of {given.folder}, min_df 1\n\n{header(versions)}", flush=True)
        for megabytes in given.megabytes:
            for line in page_lines(versions, given.folder, megabytes, given.topics):
                print(line, flush=True)
    print(machine())


if __name__ == "__main__":
    main()
