"""How the statuses of local checks change: idempotent, outputs held back, time since critical, aliases that follow.

Source: the reference's agent: a change of nothing but the output is told to the catalog only after half to one and a
half times `check_update_interval`; a change of the status at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from logging import INFO, WARNING

import msgspec

from lictor.agent.checks import Outcome, alias_outcome, cut
from lictor.agent.local.rows import CheckRow, Rows
from lictor.agent.local.settings import LocalSettings
from lictor.runtime.clock import Clock, Entropy
from lictor.runtime.log import get_logger
from lictor.types.catalog import CRITICAL, PASSING, Check

log = get_logger("agent.local")

Unwatch = Callable[[], None]
NodeSeen = Callable[[Sequence[Check], Collection[str]], None]
"""Called with all checks of a node and the IDs of its services, whenever they change."""
WatchNode = Callable[[str, NodeSeen], Unwatch]
"""Tells a `NodeSeen` of another node, now and whenever it changes, until the returned function is called."""


class Statuses:
    """Changes the statuses in `rows`. `changed` is called when the catalog should hear of something."""

    def __init__(
        self,
        rows: Rows,
        settings: LocalSettings,
        clock: Clock,
        entropy: Entropy,
        changed: Callable[[], None],
        watch_node: WatchNode | None,
    ) -> None:
        self._rows, self.settings, self._clock, self._entropy = rows, settings, clock, entropy
        self._changed = changed
        self._watch_node = watch_node
        self._followers: dict[str, set[str]] = {}
        self._watches: dict[str, Unwatch] = {}

    def update(self, check_id: str, status: str, output: str) -> None:
        """A check has this status and output now. One that is not there (any more) is no error."""
        row = self._rows.checks.get(check_id)
        if row is not None and self._apply(row, Outcome(status, output)):
            self.follow(row.check.service_id)

    def follow(self, service_id: str) -> None:
        """Brings the aliases of a service up to date (those of every service for the empty ID), and their aliases."""
        pending, seen = [service_id], set[str]()
        while pending:
            service_id = pending.pop()
            for alias_id in self._followers_of(service_id):
                row = self._rows.checks.get(alias_id)
                if row is None or alias_id in seen:
                    continue
                if self._apply(row, self._alias(row)):
                    seen.add(alias_id)
                    pending.append(row.check.service_id)

    def begin_alias(self, row: CheckRow) -> None:
        """An alias check was registered: it follows from now on, and takes its first status."""
        spec, check_id = row.spec, row.check.check_id
        assert spec is not None
        node = spec.alias_node
        if not node or node.lower() == self.settings.node_name.lower():
            self._followers.setdefault(spec.alias_service, set()).add(check_id)
            if self._apply(row, self._alias(row)):
                self.follow(row.check.service_id)
        elif self._watch_node is None:
            self.update(
                check_id, CRITICAL, "Failure checking aliased node or service: other nodes cannot be seen from here"
            )
        else:
            self._watches[check_id] = self._watch_node(
                node, lambda checks, services: self._saw(check_id, checks, services)
            )

    def end_alias(self, row: CheckRow) -> None:
        """An alias check is gone or replaced."""
        check_id = row.check.check_id
        if (unwatch := self._watches.pop(check_id, None)) is not None:
            unwatch()
        if row.spec is not None:
            followers = self._followers.get(row.spec.alias_service, set())
            followers.discard(check_id)
            if not followers:
                self._followers.pop(row.spec.alias_service, None)

    def release_held(self) -> None:
        """Has outputs told to the catalog whose time has come."""
        due = self._rows.held.pop(self._clock.monotonic())
        self._rows.release(due)
        self._rows.unsynced.checks.update(due)

    def next_held(self) -> float | None:
        """When the next output is due that is held back (monotonic)."""
        return self._rows.held.next()

    def _followers_of(self, service_id: str) -> list[str]:
        """The aliases that a change of a service's checks concerns; the node's checks concern all."""
        if service_id:
            return list(self._followers.get(service_id, ()))
        return [alias_id for followers in self._followers.values() for alias_id in followers]

    def _alias(self, row: CheckRow) -> Outcome:
        assert row.spec is not None
        service_id = row.spec.alias_service
        rows = [*self._rows.checks_of(service_id), *(self._rows.checks_of("") if service_id else ())]
        exists = service_id in self._rows.services
        own_id = row.check.check_id
        return self._cut(
            alias_outcome(service_id, row.spec.alias_node, [r.check for r in rows], exists=exists, own_id=own_id)
        )

    def _saw(self, check_id: str, checks: Sequence[Check], services: Collection[str]) -> None:
        """Another node changed that an alias follows."""
        row = self._rows.checks.get(check_id)
        if row is None or row.spec is None:
            return
        service_id, node = row.spec.alias_service, row.spec.alias_node
        outcome = alias_outcome(service_id, node, checks, exists=service_id in services, own_id="")
        self.update(check_id, *self._cut(outcome))

    def _cut(self, outcome: Outcome) -> Outcome:
        return Outcome(outcome.status, cut(outcome.output, self.settings.check_output_max_size))

    def _apply(self, row: CheckRow, outcome: Outcome) -> bool:
        """Gives a check its status; True when the status changed (aliases show outputs only of what they follow)."""
        now, settings = self._clock.monotonic(), self.settings
        status = outcome.status
        output = "" if settings.discard_check_output else outcome.output
        if status != CRITICAL:
            row.critical_since = None
        elif row.critical_since is None:
            row.critical_since = now
        check = row.check
        if (check.status, check.output) == (status, output):
            return False
        row.check = msgspec.structs.replace(check, status=status, output=output)
        interval = settings.check_update_interval
        if check.status != status:
            log.log(INFO if status == PASSING else WARNING, "check %s is now %s", check.check_id, status)
        elif interval > 0:
            if row.held_until is None:
                self._rows.hold(row, now + interval / 2 + self._entropy.jitter(interval))
                self._changed()
            return False
        self._rows.unsynced.checks.add(check.check_id)
        self._changed()
        return check.status != status
