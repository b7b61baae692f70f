"""The agent's own truth: the services and checks registered with it.

`LocalState` takes definitions from the API and from the configuration, has their checks run, keeps what the API gave
on disk, and notes what the catalog has to hear of. It never talks to the catalog itself (`sync` does).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec

from lictor.agent.checks import CheckScheduler, cut
from lictor.agent.local import loading
from lictor.agent.local.files import DefinitionFiles, KeptState
from lictor.agent.local.health import agent_service
from lictor.agent.local.records import check_record, maintenance_record, service_record
from lictor.agent.local.registry import Registry
from lictor.agent.local.rows import CheckRow, Rows, ServiceRow
from lictor.agent.local.settings import LocalSettings, Source
from lictor.agent.local.sidecar import free_port, sidecar_id, sidecar_spec
from lictor.agent.local.statuses import Statuses, WatchNode
from lictor.agent.local.validation import dns_warnings, service_checks, validate_check, validate_service
from lictor.errors import BadRequest, NotFound, Refused
from lictor.runtime.clock import Clock, Entropy
from lictor.runtime.log import get_logger
from lictor.types.catalog import STATUSES, Check, Node, Service
from lictor.types.definitions import CheckSpec, ServiceSpec

log = get_logger("agent.local")


class LocalState:
    """Everything is synchronous and belongs to the event loop's thread, save `saved` and `wait_for_change`.

    Registrations are valid at once; await `saved` (and the syncer's `flush`) before telling a client so.
    """

    def __init__(
        self,
        settings: LocalSettings,
        node: Node,
        clock: Clock,
        entropy: Entropy,
        scheduler: CheckScheduler,
        *,
        files: DefinitionFiles | None = None,
        watch_node: WatchNode | None = None,
    ) -> None:
        """`files` keeps what the API registers (None: nothing is kept); `watch_node` is for aliases of other nodes."""
        self.settings = settings
        self.node = node
        self.files = files
        self.rows = Rows()
        self.changed: Callable[[], None] = lambda: None
        """Called whenever the catalog should hear of something; the syncer sets it."""
        self.clock = clock
        self._scheduler = scheduler
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self.statuses = Statuses(self.rows, settings, clock, entropy, lambda: self.changed(), watch_node)
        self.registry = Registry(self.rows, settings, scheduler, self.statuses, files, self._touched)
        scheduler.report = self.statuses.update

    # What is registered

    def service(self, service_id: str) -> Service | None:
        """The service of that ID."""
        row = self.rows.services.get(service_id)
        return row.service if row else None

    def services(self) -> Mapping[str, Service]:
        """All services by ID."""
        return {service_id: row.service for service_id, row in self.rows.services.items()}

    def check(self, check_id: str) -> Check | None:
        """The check of that ID."""
        row = self.rows.checks.get(check_id)
        return row.check if row else None

    def checks(self) -> Mapping[str, Check]:
        """All checks by ID: what /v1/agent/checks answers."""
        return {check_id: row.check for check_id, row in self.rows.checks.items()}

    def checks_counting_for(self, service_id: str) -> list[Check]:
        """The checks that decide about a service: its own and the node's."""
        return [row.check for row in (*self.rows.checks_of(service_id), *self.rows.checks_of(""))]

    async def wait_for_change(self, service_id: str, content_hash: str, seconds: float) -> None:
        """Returns once the service's content hash differs from `content_hash`, it is gone, or time is up."""
        event = asyncio.Event()
        self._waiting.setdefault(service_id, set()).add(event)
        try:
            async with asyncio.timeout(seconds):
                while (service := self.service(service_id)) is not None:
                    if agent_service(service, self.settings.datacenter).content_hash != content_hash:
                        return
                    event.clear()
                    await event.wait()
        except TimeoutError:
            return
        finally:
            self._waiting[service_id].discard(event)
            if not self._waiting[service_id]:
                del self._waiting[service_id]

    async def saved(self) -> None:
        """Returns when every definition changed so far lies on disk. Raises Unavailable when the disk fails."""
        if self.files is not None:
            await self.files.saved()

    # Registration

    def load(self, services: Sequence[ServiceSpec], checks: Sequence[CheckSpec]) -> list[str]:
        """At start: the configuration's definitions, then those kept on disk. Returns what was set aside, for the log.

        Raises ConfigError naming the definition that cannot be.
        """
        return loading.load(self, services, checks)

    def reload(self, services: Sequence[ServiceSpec], checks: Sequence[CheckSpec]) -> list[str]:
        """The configuration's definitions anew: those gone are deregistered, those unchanged go on undisturbed.

        Returns what the log should say. Raises ConfigError, and nothing is changed.
        """
        return loading.reload(self, services, checks)

    def register_service(
        self, spec: ServiceSpec, *, source: Source = Source.API, token: str = "", replace_checks: bool = False
    ) -> None:
        """Adds or replaces a service, its checks and its sidecar. Checks that it had keep their status.

        Those that the definition does not name stay unless `replace_checks`. Raises BadRequest (400) or Refused (500)
        with the reference's text, and nothing is changed.
        """
        validate_service(spec, self.settings, source)
        sidecar = sidecar_spec(spec, self._sidecar_port(spec))
        if sidecar is not None:
            validate_service(sidecar, self.settings, source)
        if (spec.id or spec.name) not in self.rows.services:
            for warning in dns_warnings(spec):
                log.warning("%s", warning)
        row = ServiceRow(service_record(spec), spec.token or token, source)
        self.registry.put_service(row, service_checks(spec), replace_checks)
        if sidecar is not None:
            row = ServiceRow(service_record(sidecar), sidecar.token or token, source, row.service.id)
            self.registry.put_service(row, service_checks(sidecar), replace_checks)

    def deregister_service(self, service_id: str) -> bool:
        """Removes a service with its checks and its sidecar. False when there is none (no error for a client)."""
        row = self.rows.services.get(service_id)
        if row is not None:
            self.registry.drop_service(row)
        return row is not None

    def register_check(self, spec: CheckSpec, *, source: Source = Source.API, token: str = "") -> None:
        """Adds or replaces a check of the node or of a service. One that was there keeps its status.

        Raises BadRequest (400) or Refused (500) with the reference's text, and nothing is changed.
        """
        validate_check(spec, self.settings, source)
        service = self.service(spec.service_id) if spec.service_id else None
        if spec.service_id and service is None:
            raise Refused(f'ServiceID "{spec.service_id}" does not exist')
        record = check_record(self.settings.node_name, service, spec, source)
        self.registry.put_check(CheckRow(record, spec, spec.token or token, source))
        self.changed()

    def deregister_check(self, check_id: str) -> bool:
        """Removes a check. False when there is none (no error for a client)."""
        row = self.rows.checks.get(check_id)
        if row is not None:
            self.registry.drop_check(row)
            self.statuses.follow(row.check.service_id)
            self.changed()
        return row is not None

    # Statuses

    def update_ttl(self, check_id: str, status: str, output: str) -> None:
        """What a TTL check's owner says of it; its time begins anew.

        Raises BadRequest for another status, Refused for a check that has no TTL, with the reference's texts.
        """
        if status not in STATUSES:
            raise BadRequest(f"Invalid check status: '{status}'")
        row = self.rows.checks.get(check_id)
        if row is None or row.spec is None or not row.spec.ttl:
            raise Refused(f'CheckID "{check_id}" does not have associated TTL')
        allowed = self.settings.check_output_max_size
        output = cut(output, min(row.spec.output_max_size or allowed, allowed))
        self.statuses.update(check_id, status, output)
        self._scheduler.renew(check_id, output)
        if self.files is not None:
            expires = self.clock.time() + row.spec.ttl.seconds
            self.files.keep_state(KeptState(check_id=check_id, status=status, output=output, expires=expires))

    def set_service_maintenance(self, service_id: str, enable: bool, reason: str = "", token: str = "") -> None:
        """Puts a service into maintenance or takes it out. Raises NotFound with the reference's text."""
        service = self.service(service_id)
        if service is None:
            raise NotFound(f'No service registered with ID "{service_id}"')
        self._set_maintenance(maintenance_record(self.settings.node_name, service, reason), enable, token)

    def set_node_maintenance(self, enable: bool, reason: str = "", token: str = "") -> None:
        """Puts the node, and with it all its services, into maintenance or takes it out."""
        self._set_maintenance(maintenance_record(self.settings.node_name, None, reason), enable, token)

    def reap(self) -> list[str]:
        """Deregisters services with a check that has been critical for too long. Returns their IDs."""
        now = self.clock.monotonic()
        overdue = {row.check.service_id: row.check.check_id for row in self.rows.checks.values() if row.overdue(now)}
        for service_id, check_id in overdue.items():
            log.info("service %s is deregistered: its check %s has been critical for too long", service_id, check_id)
            self.deregister_service(service_id)
        return list(overdue)

    # When the agent's own settings change

    def configure(self, settings: LocalSettings) -> None:
        """Takes up new settings at a reload. What is registered already stays as it is."""
        self.settings = self.statuses.settings = self.registry.settings = settings

    def set_node(self, node: Node) -> None:
        """This agent's node, after its addresses or its metadata changed."""
        if node != self.node:
            self.node = node
            self.rows.unsynced.node = True
            self.changed()

    # For the syncer

    def adopt_tags(self, service_id: str, tags: Sequence[str]) -> None:
        """The catalog's tags of a service with `enable_tag_override`, which are the truth for it."""
        row = self.rows.services.get(service_id)
        if row is not None:
            row.service = msgspec.structs.replace(row.service, tags=list(tags))
            self._wake(service_id)

    # Inner workings

    def _set_maintenance(self, record: Check, enable: bool, token: str) -> None:
        if not enable:
            self.deregister_check(record.check_id)
        elif record.check_id not in self.rows.checks:
            self.registry.put_check(CheckRow(record, None, token, Source.API))
            self.changed()

    def _sidecar_port(self, spec: ServiceSpec) -> int:
        """A port for a sidecar that names none: the one it has, else the lowest that is free; 0 when none is needed."""
        given = spec.connect.sidecar_service if spec.connect else None
        if given is None or given.port:
            return 0
        lowest, highest = self.settings.sidecar_min_port, self.settings.sidecar_max_port
        own = self.service(sidecar_id(spec.id or spec.name))
        if own is not None and lowest <= own.port <= highest:
            return own.port
        return free_port({row.service.port for row in self.rows.services.values()}, lowest, highest)

    def _touched(self, service_id: str) -> None:
        self._wake(service_id)
        self.changed()

    def _wake(self, service_id: str) -> None:
        for event in self._waiting.get(service_id, ()):
            event.set()
