"""A server agent's way to the catalog for its own rows: commands on its own server, no network between."""

from __future__ import annotations

from collections.abc import Sequence

from lictor.server.commands import catalog as commands
from lictor.server.server import Server
from lictor.types.catalog import Check, Node, Service
from lictor.types.requests import DeregisterRequest, registration


class OwnCatalog:
    """What the `Syncer` writes to and compares with (its `Catalog`)."""

    def __init__(self, server: Server, datacenter: str) -> None:
        self._server = server
        self._datacenter = datacenter

    async def register(
        self, node: Node, service: Service | None, checks: Sequence[Check], *, skip_node_update: bool, token: str
    ) -> None:
        """One commit: the node (unless skipped), the service, the checks."""
        request = registration(node, service, checks, skip_node_update=skip_node_update)
        checked = commands.checked(request, self._datacenter)
        await self._server.write(lambda tx: commands.register(tx, checked))

    async def deregister_service(self, node: str, service_id: str, token: str) -> None:
        """Removes one of this node's services with its checks."""
        request = DeregisterRequest(node=node, service_id=service_id)
        await self._server.write(lambda tx: commands.deregister(tx, request))

    async def deregister_check(self, node: str, check_id: str, token: str) -> None:
        """Removes one of this node's checks."""
        request = DeregisterRequest(node=node, check_id=check_id)
        await self._server.write(lambda tx: commands.deregister(tx, request))

    async def node_services(self, node: str) -> tuple[Node | None, dict[str, Service]]:
        """The node and its services by id, as the catalog has them."""
        await self._server.barrier()
        catalog = self._server.state.catalog
        return catalog.nodes.get(node), {row.id: row for row in catalog.services.of_node(node)}

    async def node_checks(self, node: str) -> dict[str, Check]:
        """The node's checks by id, as the catalog has them."""
        await self._server.barrier()
        return {row.check_id: row for row in self._server.state.catalog.checks.of_node(node)}

    def cluster_size(self) -> int:
        """How many nodes there are."""
        return len(self._server.state.catalog.nodes)
