"""Anti-entropy: what to tell the catalog so that it holds what this agent does. (Interface first; bodies follow.)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lictor.types.catalog import Check, Node, Service


class Catalog(Protocol):
    """The servers' catalog, as far as one agent writes to it. Errors are LictorErrors; NotFound means "not there"."""

    async def register(self, node: Node, service: Service | None, checks: Sequence[Check], *, skip_node_update: bool,
                       token: str) -> None:
        """One commit: the node (unless skipped), the service, the checks."""

    async def deregister_service(self, node: str, service_id: str, token: str) -> None: ...

    async def deregister_check(self, node: str, check_id: str, token: str) -> None: ...

    async def node_services(self, node: str) -> tuple[Node | None, dict[str, Service]]:
        """The node and its services by ID, from a server that is up to date."""

    async def node_checks(self, node: str) -> dict[str, Check]: ...

    def cluster_size(self) -> int:
        """How many nodes there are; a full sync becomes rarer as they grow."""


class Syncer:
    """`Syncer(local, catalog, clock, entropy)`; the agent runs `run()` as one task."""

    async def run(self) -> None:
        """Full syncs at jittered intervals, partial ones on change, with back-off; until cancelled."""
        raise NotImplementedError

    async def flush(self, seconds: float) -> bool:
        """Pushes what has changed now; the API awaits it after every registration. False: it goes on in the background."""
        raise NotImplementedError

    def trigger_full(self) -> None:
        """A full sync soon: the servers changed or came back."""
        raise NotImplementedError
