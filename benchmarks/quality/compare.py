"""Quality of topics, one table: `python -m benchmarks.quality.compare [--quick]`.

Every fit has a process of its own, so that its peak of memory is its own. All topics are measured
alike: NPMI of the top 10 words by the documents of the test split and of the training split,
diversity of the top 25, perplexity of test documents by document completion, accuracy of one
logistic head on fold-in proportions. Peers' own settings are their defaults, seeds 1, 2, 3.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from benchmarks.fold_in import fold_in
from benchmarks.quality.sides import QUICK, SIDES, distributions
from benchmarks.quality.splits import CORPORA, Split
from pyunlearn._documents import check_documents
from pyunlearn._fold_in import every_second_token
from pyunlearn.metrics import coherence, diversity

HEADER = (
    "| corpus | r | learner | NPMI test | NPMI train | diversity | accuracy | perplexity | "
    "fit, s | peak MB |\n|---|---|---|---|---|---|---|---|---|---|"
)
BACKGROUND = 0.1  # weight of the corpus frequencies in perplexity, for everyone
STEPS = 100  # of fold-in, for everyone
MEASURED = [name for name in CORPORA if "validation" not in name]


def completion(split: Split, topics: np.ndarray) -> float:
    """Perplexity as `pyunlearn.metrics.perplexity`, for the topics of anybody."""
    shown, hidden = every_second_token(check_documents(split.test))
    frequency = np.asarray(split.train.sum(axis=0), float).ravel()
    frequency /= frequency.sum()
    theta, total = fold_in(shown, topics, STEPS), 0.0
    for first in range(0, hidden.shape[0], 512):
        block = hidden[first : first + 512].tocoo()
        mixture = (theta[first : first + 512] @ topics)[block.row, block.col]
        probability = (1 - BACKGROUND) * mixture + BACKGROUND * frequency[block.col]
        total += float(block.data @ np.log(probability))
    return float(np.exp(-total / hidden.sum()))


def accuracy(split: Split, topics: np.ndarray) -> float | None:
    if split.train_labels is None:
        return None
    head = LogisticRegression(C=10, max_iter=500)
    head.fit(fold_in(split.train, topics, STEPS), split.train_labels)
    return float(head.score(fold_in(split.test, topics, STEPS), split.test_labels))


def measure(split: Split, topics: np.ndarray) -> dict[str, float | None]:
    return {
        "test": float(np.nanmean(coherence(topics, split.test))),
        "train": float(np.nanmean(coherence(topics, split.train))),
        "diversity": diversity(topics),
        "accuracy": accuracy(split, topics),
        "perplexity": completion(split, topics),
    }


def one(corpus: str, n_topics: int, side: str, seed: int, out: Path) -> None:
    """Fit, time and then measure one learner; in a process of its own."""
    split = CORPORA[corpus]()
    start = time.perf_counter()
    topics = SIDES[side][0](split.train, n_topics, seed)
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    topics = distributions(topics)
    found = {name: value for name, value in measure(split, topics).items() if value is not None}
    np.savez(out, topics=topics, seconds=seconds, memory=memory, **found)


def fitted(
    corpus: str, n_topics: int, side: str, seed: int, keep: Path | None
) -> dict[str, np.ndarray]:
    """Topics, measures and costs, from the folder of kept fits where they are there."""
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        name = re.sub(r"[^a-z0-9]+", "-", f"{corpus} {n_topics} {side} {seed}".lower())
        out = folder / f"{name}.npz"
        if not out.exists():
            folder.mkdir(parents=True, exist_ok=True)
            half = folder / f"{name}.unfinished.npz"
            command = [sys.executable, "-m", "benchmarks.quality.compare", "--one"]
            wanted = json.dumps([corpus, n_topics, side, seed, str(half)])
            subprocess.run([*command, wanted], check=True, stderr=subprocess.DEVNULL)
            half.rename(out)
        with np.load(out) as stored:
            return dict(stored)


def row(corpus: str, n_topics: int, side: str, runs: list[dict]) -> str:
    def mean(name: str, form: str) -> str:
        values = [run[name] for run in runs if name in run]
        return format(float(np.mean(values)), form) if values else "-"

    return (
        f"| {corpus} | {n_topics} | {side} | {mean('test', '.3f')} | {mean('train', '.3f')} | "
        f"{mean('diversity', '.2f')} | {mean('accuracy', '.3f')} | {mean('perplexity', ',.0f')} | "
        f"{mean('seconds', '.1f')} | {mean('memory', ',.0f')} |"
    )


def words(split: Split, topics: np.ndarray, n_topics: int = 10) -> str:
    """Top words of the first topics, for a reader to judge."""
    return "\n".join("    " + top_words(topic, split.vocabulary) for topic in topics[:n_topics])


def top_words(topic: np.ndarray, vocabulary: np.ndarray, count: int = 10) -> str:
    return " ".join(vocabulary[np.argsort(-topic, kind="stable")[:count]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed, the quicker peers")
    parser.add_argument("--corpora", nargs="+", default=MEASURED, choices=CORPORA)
    parser.add_argument("--topics", nargs="+", type=int, default=[20, 50, 100])
    parser.add_argument("--sides", nargs="+", choices=list(SIDES), help="default: all")
    parser.add_argument("--seeds", type=int, help="seeds of random peers, default 3")
    parser.add_argument("--keep", type=Path, help="folder of finished fits, to go on with")
    parser.add_argument("--words", action="store_true", help="print top words after each row")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        *wanted, out = json.loads(arguments.one)
        one(*wanted, Path(out))
        return
    sides = arguments.sides or (QUICK if arguments.quick else list(SIDES))
    print(HEADER, flush=True)
    jobs = [(c, r, side) for c in arguments.corpora for r in arguments.topics for side in sides]
    for corpus, n_topics, side in tqdm(jobs, disable=not sys.stderr.isatty()):
        seeds = range(1, 1 + min(arguments.seeds or 3, 1 if arguments.quick else SIDES[side][1]))
        runs = [fitted(corpus, n_topics, side, seed, arguments.keep) for seed in seeds]
        print(row(corpus, n_topics, side, runs), flush=True)
        if arguments.words:
            print(words(CORPORA[corpus](), runs[-1]["topics"]), flush=True)


if __name__ == "__main__":
    main()
