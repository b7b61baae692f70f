"""Where a client agent's anti-entropy writes to: the servers' catalog over their HTTP API (the syncer's `Catalog`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from lictor.agent.remote.servers import RemoteResponse, Servers
from lictor.errors import LictorError, NotFound, PermissionDenied, Refused, Unavailable
from lictor.types.catalog import Check, Node, Service
from lictor.types.gojson import Wire, decode_hook, encode
from lictor.types.requests import DeregisterRequest, registration


class _NodeServices(Wire, frozen=True, kw_only=True):
    node: Node
    services: list[Service] | None = None


class RemoteCatalog:
    """The servers' catalog as one agent sees it."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._nodes = 1

    async def register(
        self, node: Node, service: Service | None, checks: Sequence[Check], *, skip_node_update: bool, token: str
    ) -> None:
        """One commit: the node (unless skipped), the service, the checks."""
        body = registration(node, service, checks, skip_node_update=skip_node_update)
        await self._put("/v1/catalog/register", body, token)

    async def deregister_service(self, node: str, service_id: str, token: str) -> None:
        """Takes a service away with its checks."""
        await self._put("/v1/catalog/deregister", DeregisterRequest(node=node, service_id=service_id), token)

    async def deregister_check(self, node: str, check_id: str, token: str) -> None:
        """Takes a check away."""
        await self._put("/v1/catalog/deregister", DeregisterRequest(node=node, check_id=check_id), token)

    async def node_services(self, node: str) -> tuple[Node | None, dict[str, Service]]:
        """The node and its services by id."""
        body = await self._get(f"/v1/catalog/node-services/{quote(node, safe='')}")
        found = msgspec.json.decode(body, type=_NodeServices | None, dec_hook=decode_hook)
        if found is None:
            return None, {}
        return found.node, {row.id: row for row in found.services or ()}

    async def node_checks(self, node: str) -> dict[str, Check]:
        """The node's checks by id."""
        body = await self._get(f"/v1/health/node/{quote(node, safe='')}")
        return {row.check_id: row for row in msgspec.json.decode(body, type=list[Check], dec_hook=decode_hook)}

    def cluster_size(self) -> int:
        """How many nodes there are, as last heard."""
        return self._nodes

    def resized(self, nodes: int) -> None:
        """Takes up how many nodes there are."""
        self._nodes = max(1, nodes)

    async def _put(self, path: str, body: Any, token: str) -> None:
        headers = {"content-type": "application/json", **({"x-consul-token": token} if token else {})}
        _raise(await self._servers.send("PUT", path, headers=headers, body=encode(body)))

    async def _get(self, path: str) -> bytes:
        response = await self._servers.send("GET", path)
        _raise(response)
        return response.body


def _raise(response: RemoteResponse) -> None:
    """Raises what a server's answer means, unless it is well."""
    if response.status < 300:
        return
    kinds: dict[int, type[LictorError]] = {403: PermissionDenied, 404: NotFound, 500: Refused}
    raise kinds.get(response.status, Unavailable)(response.body.decode(errors="replace")[:512])
