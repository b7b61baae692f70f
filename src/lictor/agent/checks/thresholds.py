"""When a check's result becomes its status: only after so many successes or failures in a row. Pure.

Source: success_before_passing, failures_before_warning and failures_before_critical of the reference's checks. A
warning counts as a success; a result that reaches no threshold leaves status and output as they are.
"""

from __future__ import annotations

from lictor.agent.checks.outcome import Outcome
from lictor.types.catalog import CRITICAL, WARNING


class Thresholds:
    """Counts the results of one check. Thresholds of 0 and 1 both mean "at once"."""

    __slots__ = ("_failures", "_successes", "critical", "passing", "warning")

    def __init__(self, passing: int = 0, warning: int = 0, critical: int = 0) -> None:
        self.passing = passing
        self.critical = critical
        self.warning = warning or critical
        self._successes = self._failures = 0

    def feed(self, outcome: Outcome) -> Outcome | None:
        """What the check's status becomes after this result; None when it stays what it is."""
        if outcome.status != CRITICAL:
            self._successes += 1
            self._failures = 0
            return outcome if self._successes >= self.passing else None
        self._failures += 1
        self._successes = 0
        if self._failures >= self.critical:
            return outcome
        if self._failures >= self.warning:
            return Outcome(WARNING, outcome.output)
        return None
