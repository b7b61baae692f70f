from __future__ import annotations

from lictor.agent.checks.outcome import Outcome
from lictor.agent.checks.thresholds import Thresholds

UP, DOWN, SLOW = Outcome("passing", "up"), Outcome("critical", "down"), Outcome("warning", "slow")


def test_without_thresholds_every_result_counts() -> None:
    thresholds = Thresholds()
    assert [thresholds.feed(result) for result in (UP, DOWN, SLOW, DOWN)] == [UP, DOWN, SLOW, DOWN]


def test_critical_only_after_failures_in_a_row() -> None:
    thresholds = Thresholds(critical=3)
    assert [thresholds.feed(DOWN) for _ in range(2)] == [None, None]
    assert thresholds.feed(UP) == UP
    assert [thresholds.feed(DOWN) for _ in range(4)] == [None, None, DOWN, DOWN]


def test_a_warning_before_it_is_critical() -> None:
    thresholds = Thresholds(warning=2, critical=4)
    assert [thresholds.feed(DOWN) for _ in range(4)] == [
        None,
        Outcome("warning", "down"),
        Outcome("warning", "down"),
        DOWN,
    ]


def test_passing_only_after_successes_in_a_row_and_a_warning_is_one() -> None:
    thresholds = Thresholds(passing=3)
    assert [thresholds.feed(result) for result in (UP, SLOW, DOWN, UP, SLOW, UP)] == [None, None, DOWN, None, None, UP]
