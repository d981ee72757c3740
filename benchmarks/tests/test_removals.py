"""Random removals, also aimed ones: none exceeds the bound of docs/epsilon-delta.md."""

import pytest

from benchmarks import removals


@pytest.mark.parametrize("first", range(0, 84, 14))
def test_no_removal_changes_the_topics_by_more_than_the_bound(first):
    trials = [trial for seed in range(first, first + 14) for trial in removals.run(seed)]
    assert any(trial.informative for trial in trials)
    assert [trial for trial in trials if not trial.holds] == []
