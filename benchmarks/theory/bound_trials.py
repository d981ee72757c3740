"""Is the sensitivity bound ever violated? Random corpora, random and aimed removals.

    python -m benchmarks.theory.bound_trials [--quick]

Exit status 1 if any trial exceeds its bound.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks import removals
from benchmarks.theory.output import arguments, figure, print_table, save


def main() -> int:
    options = arguments(__doc__)
    seeds = range(options.seed, options.seed + (210 if options.quick else 6000))
    groups = defaultdict(list)
    for seed in seeds:
        for trial in removals.run(seed):
            groups[trial.aim, trial.recovery].append(trial)
    rows = []
    for (aim, recovery), trials in sorted(groups.items()):
        told = [t for t in trials if t.informative]
        ratios = [t.change / t.bound for t in told] or [0.0]
        rows.append(
            (
                aim,
                recovery,
                len(trials),
                len(told),
                sum(not t.holds for t in trials),
                float(np.median(ratios)),
                float(max(ratios)),
            )
        )
    print_table(
        ("aim", "recovery", "trials", "informative", "violated", "median of bound", "largest"), rows
    )
    everything = [trial for trials in groups.values() for trial in trials]
    violated = sum(not trial.holds for trial in everything)
    print(f"{len(everything)} trials, {violated} violations")
    draw(groups, options.out)
    return int(violated > 0)


def draw(groups, folder: Path) -> None:
    made, (axis,) = figure(1, 5.6, 4.2)
    for aim in removals.AIMS:
        told = [t for t in groups[aim, "simplex"] if t.informative]
        axis.loglog([t.bound for t in told], [t.change for t in told], ".", ms=3, label=aim)
    ends = np.array(axis.get_xlim())
    axis.loglog(ends, ends, "k-", lw=1)
    axis.text(0.15, 0.2, "change = bound", rotation=27, rotation_mode="anchor", fontsize=8)
    axis.set_xlabel("bound on |A_F - A_S| for the removal")
    axis.set_ylabel("measured |A_F - A_S|")
    axis.legend(title="removal of", fontsize=7, markerscale=3)
    save(made, folder, "bound_trials.png")


if __name__ == "__main__":
    raise SystemExit(main())
