"""A deletion from a TopicModel, beside LDA fitted again: `python -m benchmarks.quality.deletion`.

Random documents are deleted one at a time, each added again before the next; LDA (tomotopy, 200
iterations) has to be fitted again on the rest. Then the same deletions when the corpus is there
many times over, which changes m and nothing else: a million documents over ten thousand.
"""

import argparse
import statistics
from collections.abc import Iterator

from benchmarks.clock import median_seconds
from benchmarks.deletion import copies, delete_and_restore, flatness, random_documents
from benchmarks.quality.sides import tomotopy
from benchmarks.quality.splits import CORPORA
from benchmarks.report import Row, machine, print_rows
from pyunlearn import TopicModel

ITERATIONS = 200
SIZES = (10_000, 1_000_000)


def deletion_rows(
    X, n_topics: int, documents: int, fits: int, sizes: tuple[int, int]
) -> Iterator[Row]:
    """Deletion, both fits, their ratio; deletion from the corpus in copies, `sizes` documents."""
    model = TopicModel(n_topics).fit(X)
    chosen = random_documents(X, documents)
    delete_and_restore(model, chosen[0])
    one = statistics.median(delete_and_restore(model, x).seconds for x in chosen)
    lda = tomotopy(ITERATIONS)
    ours = median_seconds(lambda: TopicModel(n_topics).fit(X[1:]), fits)
    theirs = median_seconds(lambda: lda(X[1:], n_topics, 1), fits)
    yield Row("delete one document", one, "s", note=f"median of {len(chosen)}")
    yield Row("fit", ours, "s", note=f"median of {fits}")
    yield Row(f"fit of LDA, {ITERATIONS} iterations", theirs, "s")
    yield Row("fit of LDA over deletion", theirs / one, "times", 10, False)
    few, many = (copies(model, max(1, round(m / X.shape[0]))) for m in sizes)
    note = f"m = {many.statistics_.n_documents:,} over {few.statistics_.n_documents:,}"
    words = [len(each.topics_.core) for each in (many, few)]
    note += f"; words that decide topics {words[0]:,} over {words[1]:,}"
    yield Row("deletion from copies", flatness(few, many, chosen[:5]), "times", 1.15, note=note)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpora", nargs="+", choices=CORPORA)
    parser.add_argument("--topics", type=int, default=50)
    parser.add_argument("--documents", type=int, default=20, help="how many are deleted")
    parser.add_argument("--fits", type=int, default=3, help="runs of each fit")
    given = parser.parse_args()
    print(machine())
    for name in given.corpora or ("20 newsgroups", "R52", "News"):
        X = CORPORA[name]().train
        title = f"{name}: {X.shape[0]:,} documents, {X.shape[1]:,} words, {given.topics} topics"
        print_rows(title, deletion_rows(X, given.topics, given.documents, given.fits, SIZES))


if __name__ == "__main__":
    main()
