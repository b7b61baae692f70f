"""The rows of the local state and their indexes: what is registered, and what the catalog has not heard of yet.

Tables only: nothing here decides when a row changes, and nothing here knows a clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from lictor.agent.checks.schedule import Schedule
from lictor.agent.local.settings import Source
from lictor.types.catalog import Check, Service
from lictor.types.definitions import CheckSpec


@dataclass(slots=True, eq=False)
class ServiceRow:
    """A service of this agent. `sidecar_of` is the ID of the service whose definition brought it along."""

    service: Service
    token: str = ""
    source: Source = Source.API
    sidecar_of: str = ""


@dataclass(slots=True, eq=False)
class CheckRow:
    """A check of this agent. `spec` says how it is run; maintenance has none. `with_service`: its service's definition
    brought it along.

    Times are monotonic seconds: since when it is critical, and until when a change of nothing but its output is held
    back. A service whose check is critical for longer than `reap_after` seconds (0: ever) is deregistered.
    """

    check: Check
    spec: CheckSpec | None
    token: str = ""
    source: Source = Source.API
    with_service: bool = False
    reap_after: float = 0.0
    critical_since: float | None = None
    held_until: float | None = None

    def overdue(self, now: float) -> bool:
        """Whether its service has had a critical check for longer than it may."""
        if not self.check.service_id or self.reap_after <= 0 or self.critical_since is None:
            return False
        return now - self.critical_since > self.reap_after


class Gone(NamedTuple):
    """What is left of a row that the catalog may still have: whose it was, and who may take it away."""

    service_id: str
    token: str


@dataclass(slots=True)
class Unsynced:
    """What the catalog has to be told."""

    node: bool = True
    services: set[str] = field(default_factory=set)
    checks: set[str] = field(default_factory=set)
    gone_services: dict[str, Gone] = field(default_factory=dict)
    gone_checks: dict[str, Gone] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.node or self.services or self.checks or self.gone_services or self.gone_checks)


class Rows:
    """Services and checks by ID; every change through these methods is noted in `unsynced`."""

    def __init__(self) -> None:
        self.services: dict[str, ServiceRow] = {}
        self.checks: dict[str, CheckRow] = {}
        self.unsynced = Unsynced()
        self.held = Schedule()
        """When the outputs are due that are held back, by check ID."""
        self._checks_of: dict[str, dict[str, CheckRow]] = {}

    def put_service(self, row: ServiceRow) -> None:
        """Adds or replaces a service."""
        service_id = row.service.id
        self.services[service_id] = row
        self.unsynced.services.add(service_id)
        self.unsynced.gone_services.pop(service_id, None)

    def drop_service(self, service_id: str) -> ServiceRow:
        """Removes a service that is there. Its checks are the caller's to remove."""
        row = self.services.pop(service_id)
        self.unsynced.services.discard(service_id)
        self.unsynced.gone_services[service_id] = Gone(service_id, row.token)
        return row

    def put_check(self, row: CheckRow) -> None:
        """Adds or replaces a check."""
        check_id = row.check.check_id
        old = self.checks.get(check_id)
        if old is not None:
            self._unindex(old)
        self.checks[check_id] = row
        self._checks_of.setdefault(row.check.service_id, {})[check_id] = row
        self.unsynced.checks.add(check_id)
        self.unsynced.gone_checks.pop(check_id, None)
        self.held.drop(check_id)

    def drop_check(self, check_id: str) -> CheckRow:
        """Removes a check that is there."""
        row = self.checks.pop(check_id)
        self._unindex(row)
        self.unsynced.checks.discard(check_id)
        self.unsynced.gone_checks[check_id] = Gone(row.check.service_id, row.token)
        self.held.drop(check_id)
        return row

    def checks_of(self, service_id: str) -> list[CheckRow]:
        """The checks of a service, or of the node for the empty ID, in the order of their registration."""
        return list(self._checks_of.get(service_id, {}).values())

    def hold(self, row: CheckRow, until: float) -> None:
        """Holds a check's output back from the catalog until then."""
        row.held_until = until
        self.held.set(row.check.check_id, until)

    def release(self, check_ids: Iterable[str]) -> None:
        """Holds nothing of these checks back any more."""
        for check_id in check_ids:
            self.held.drop(check_id)
            if (row := self.checks.get(check_id)) is not None:
                row.held_until = None

    def _unindex(self, row: CheckRow) -> None:
        siblings = self._checks_of.get(row.check.service_id, {})
        siblings.pop(row.check.check_id, None)
        if not siblings:
            self._checks_of.pop(row.check.service_id, None)
