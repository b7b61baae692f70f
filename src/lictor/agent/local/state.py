"""The agent's own truth: the services and checks registered with it. (Interface first; bodies follow.)"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lictor.agent.local.settings import LocalSettings, Source
from lictor.types.catalog import Check, Node, Service
from lictor.types.definitions import CheckSpec, ServiceSpec


class LocalState:
    """Everything is synchronous and belongs to the event loop's thread, save `saved` and `wait_for_change`."""

    def __init__(
        self, settings: LocalSettings, node: Node, *, changed: Callable[[], None] | None = None,
    ) -> None:
        """Further arguments: clock, entropy, the CheckScheduler, the DefinitionFiles of data_dir (None: in memory)."""
        raise NotImplementedError

    def load(self, services: Sequence[ServiceSpec], checks: Sequence[CheckSpec]) -> list[str]:
        """At start: the configuration's definitions, then those kept on disk. Returns what was set aside, for the log.

        Raises ConfigError naming the definition that cannot be.
        """
        raise NotImplementedError

    def reload(self, services: Sequence[ServiceSpec], checks: Sequence[CheckSpec]) -> list[str]:
        """The configuration's definitions anew: those gone are deregistered, those unchanged go on undisturbed."""
        raise NotImplementedError

    def register_service(
        self, spec: ServiceSpec, *, source: Source = Source.API, token: str = "", replace_checks: bool = False,
    ) -> None:
        """Raises BadRequest (400) or Refused (500) with the reference's text. A sidecar is registered along."""
        raise NotImplementedError

    def deregister_service(self, service_id: str) -> bool:
        """Takes the service's checks and its sidecar along. False when there is no such service (200 as well)."""
        raise NotImplementedError

    def register_check(self, spec: CheckSpec, *, source: Source = Source.API, token: str = "") -> None:
        """Raises BadRequest or Refused with the reference's text."""
        raise NotImplementedError

    def deregister_check(self, check_id: str) -> bool:
        raise NotImplementedError

    def update_ttl(self, check_id: str, status: str, output: str) -> None:
        """pass, warn, fail, update. Raises BadRequest for another status, Refused for a check without a TTL."""
        raise NotImplementedError

    def set_service_maintenance(self, service_id: str, enable: bool, reason: str = "", token: str = "") -> None:
        """Raises NotFound with the reference's text."""
        raise NotImplementedError

    def set_node_maintenance(self, enable: bool, reason: str = "", token: str = "") -> None:
        raise NotImplementedError

    def service(self, service_id: str) -> Service | None:
        raise NotImplementedError

    def services(self) -> Mapping[str, Service]:
        """By service ID."""
        raise NotImplementedError

    def check(self, check_id: str) -> Check | None:
        raise NotImplementedError

    def checks(self) -> Mapping[str, Check]:
        """By check ID: what /v1/agent/checks answers."""
        raise NotImplementedError

    # health.py: agent_service(service, datacenter) -> AgentService (with ContentHash), health_of_id(state, id) and
    # health_of_name(state, name) -> (status code, text, JSON-able value)

    async def wait_for_change(self, service_id: str, content_hash: str, seconds: float) -> None:
        """Returns once the service's content hash differs from `content_hash`, it is gone, or time is up."""
        raise NotImplementedError

    async def saved(self) -> None:
        """Returns when every definition changed so far lies on disk; await it before answering a client."""
        raise NotImplementedError
