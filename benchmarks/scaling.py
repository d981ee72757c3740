"""Is a fit linear in the number of documents? `python -m benchmarks.scaling`.

Synthetic documents of 50 tokens, 5,000 words, 20 topics, all in one matrix. Counting is linear in
the documents; learning the topics is not their matter and is shown apart.
"""

import argparse
from collections.abc import Iterator

from benchmarks import corpora
from benchmarks.clock import kernel_seconds, seconds_of
from benchmarks.report import Row, machine, print_rows
from pyunlearn import AnchorTopicModel

WORDS, TOPICS, LENGTH = 5000, 20, 50


def scaling_rows(sizes: list[int], runs: int) -> Iterator[Row]:
    best = {}
    for m in sizes:
        X = corpora.stream(m, WORDS, TOPICS, LENGTH)
        seconds = []
        for _ in range(runs):
            with kernel_seconds() as spent:
                seconds.append(
                    (
                        seconds_of(lambda X=X: AnchorTopicModel(n_topics=TOPICS).fit(X)),
                        dict(spent),
                    )
                )
        best[m], kernels = min(seconds, key=lambda one: one[0])
        learning = sum(kernels[name] for name in ("gram_column", "gram_rows", "active_set"))
        note = f"{m * LENGTH / best[m] / 1e6:.2f} M tokens/s; topics {learning:.2f} s of it"
        yield Row(f"fit of {m:,} documents", best[m], "s", note=note)
    small, large = sizes[0], sizes[-1]
    growth = best[large] / best[small] / (large / small)
    yield Row(f"time a token, m = {large:,} over {small:,}", growth, "times", 1.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=3, help="the best of them counts")
    given = parser.parse_args()
    print(machine())
    print_rows(
        f"Synthetic: {LENGTH} tokens a document, {WORDS:,} words, {TOPICS} topics",
        scaling_rows(sorted(given.sizes), given.runs),
    )


if __name__ == "__main__":
    main()
