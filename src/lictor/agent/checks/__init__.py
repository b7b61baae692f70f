"""Health checks that an agent runs itself: every kind, their schedule and their thresholds.

`CheckScheduler` watches checks and reports what becomes of them; `alias_outcome` is the rule of checks that follow
others. What is pure (schedule, thresholds, alias, outcome) does no I/O and knows no clock.
"""

from __future__ import annotations

from lictor.agent.checks.alias import alias_outcome
from lictor.agent.checks.kit import CheckKit, CheckTLS
from lictor.agent.checks.outcome import Outcome, cut
from lictor.agent.checks.scheduler import CheckScheduler

__all__ = ["CheckKit", "CheckScheduler", "CheckTLS", "Outcome", "alias_outcome", "cut"]
