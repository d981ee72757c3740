"""Time of one deletion by the number of documents: `python -m benchmarks.deletion_by_m`.

Both learners, on the stream of asv_suite/bench_deletion.py: 1,000 words, 20 topics, 50 tokens a
document. Draws deletion-by-m.png and prints the numbers. From 10,000 documents on K is full: what
is left is m.
"""

import statistics

from benchmarks import corpora
from benchmarks.asv_suite.bench_deletion import LEARNERS, N_TOPICS, N_WORDS, SIZES
from benchmarks.deletion import delete_and_restore, random_documents
from benchmarks.large import grown
from benchmarks.report import machine
from benchmarks.theory.output import arguments, figure, print_table, save

WARM_UP, DELETIONS = 10, 50
NAMES = {"factor": "TopicModel", "anchor": "AnchorTopicModel"}


def milliseconds(learner: str, sizes: list[int], deletions: int) -> list[float]:
    """Median of deletions, each added again, at each size.

    A document is deleted at all sizes in turn, so that what else the machine does falls on all.
    """
    first = next(corpora.blocks(corpora.BLOCK, N_WORDS, N_TOPICS))
    models = [model for model, _, _ in grown(sizes, N_WORDS, N_TOPICS, learner)]
    taken = [
        [delete_and_restore(model, document).seconds for model in models]
        for document in random_documents(first, WARM_UP + deletions)
    ]
    return [1000 * statistics.median(one) for one in zip(*taken[WARM_UP:], strict=True)]


def main() -> None:
    options = arguments(__doc__.splitlines()[0])
    sizes, deletions = (SIZES[:2], 3) if options.quick else (SIZES, DELETIONS)
    found = {learner: milliseconds(learner, sizes, deletions) for learner in LEARNERS}
    print(f"{machine()}\n\nOne deletion, median of {deletions}, milliseconds\n")
    header = ("documents m", *(NAMES[learner] for learner in LEARNERS))
    print_table(header, list(zip((f"{m:,}" for m in sizes), *found.values(), strict=True)))
    made, (axis,) = figure(1, 5.0, 3.6)
    for learner, style in zip(LEARNERS, ("C1s-", "C0o-"), strict=True):
        axis.semilogx(sizes, found[learner], style, label=NAMES[learner])
    axis.set_ylim(bottom=0)
    axis.set_xlabel("documents in the model")
    axis.set_ylabel("time of one deletion, ms (median)")
    axis.set_title(f"{N_WORDS:,} words, {N_TOPICS} topics, 50 tokens a document", fontsize=8)
    axis.legend()
    save(made, options.out, "deletion-by-m.png")


if __name__ == "__main__":
    main()
