"""What the tests of local state share: a clock that stands still, a state in memory, and a catalog to sync to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from lictor.agent.checks import CheckKit, CheckScheduler, Outcome
from lictor.agent.local import DefinitionFiles, LocalSettings, LocalState, WatchNode
from lictor.errors import LictorError
from lictor.runtime.clock import Entropy
from lictor.types.catalog import Check, Node, Service
from lictor.types.definitions import ALIASES, CheckSpec, ServiceSpec
from lictor.types.gojson import convert

NODE = Node(id="adf4238a-882b-9ddc-4a9d-5b6758e4159e", node="node1", address="127.0.0.1", datacenter="dc1")


class StillClock:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now + 1_000_000


class Catalog:
    """A catalog that holds one node, keeps a log of what it was told, and fails when asked to."""

    def __init__(self) -> None:
        self.node: Node | None = None
        self.services: dict[str, Service] = {}
        self.checks: dict[str, Check] = {}
        self.calls: list[str] = []
        self.errors: dict[str, LictorError] = {}
        self.gate: asyncio.Event | None = None
        self.size = 1

    async def register(
        self, node: Node, service: Service | None, checks: Sequence[Check], *, skip_node_update: bool, token: str
    ) -> None:
        names = [*([] if skip_node_update else ["node"]), *([service.id] if service else [])]
        await self._called("register " + " ".join(names + [check.check_id for check in checks]), token)
        if not skip_node_update:
            self.node = node
        if service is not None:
            self.services[service.id] = service
        for check in checks:
            self.checks[check.check_id] = check

    async def deregister_service(self, node: str, service_id: str, token: str) -> None:
        await self._called(f"deregister service {service_id}", token)
        self.services.pop(service_id, None)
        self.checks = {check_id: check for check_id, check in self.checks.items() if check.service_id != service_id}

    async def deregister_check(self, node: str, check_id: str, token: str) -> None:
        await self._called(f"deregister check {check_id}", token)
        self.checks.pop(check_id, None)

    async def node_services(self, node: str) -> tuple[Node | None, dict[str, Service]]:
        await self._called("read", "")
        return self.node, dict(self.services)

    async def node_checks(self, node: str) -> dict[str, Check]:
        return dict(self.checks)

    def cluster_size(self) -> int:
        return self.size

    async def _called(self, what: str, token: str) -> None:
        self.calls.append(f"{what} as {token}" if token else what)
        if self.gate is not None:
            await self.gate.wait()
        for word, error in self.errors.items():
            if word in what:
                raise error


async def unrun(spec: CheckSpec, kit: CheckKit) -> Outcome:
    raise AssertionError("no check is run in these tests")


def make_state(
    clock: StillClock, *, files: DefinitionFiles | None = None, watch_node: WatchNode | None = None, **settings: Any
) -> LocalState:
    given = {"node_name": "node1", "enable_local_script_checks": True, "enable_remote_script_checks": True, **settings}
    entropy = Entropy(1)
    scheduler = CheckScheduler(clock, entropy, CheckKit(), runner=unrun)
    return LocalState(LocalSettings(**given), NODE, clock, entropy, scheduler, files=files, watch_node=watch_node)


def service(**fields: Any) -> ServiceSpec:
    """A service's definition from JSON names in any case, as the API reads it."""
    return convert(fields, ServiceSpec, ALIASES)


def check(**fields: Any) -> CheckSpec:
    """A check's definition, likewise."""
    return convert(fields, CheckSpec, ALIASES)
