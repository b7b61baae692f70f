"""The servers as the catalog knows them: the instances of the service that every server registers for itself."""

from __future__ import annotations

import msgspec

from lictor.acl.authorizer import require
from lictor.api.context import Context
from lictor.api.http import Request
from lictor.api.options import check_datacenter, read_options

SERVICE = "consul"


class Server(msgspec.Struct, frozen=True):
    """A server: its node's id and name, where other servers reach it, and whether it leads."""

    id: str
    name: str
    address: str
    leader: bool


def servers(context: Context) -> list[Server]:
    """Every server, by node."""
    leader = context.server.leader_address
    rows = []
    for node, service in context.state.catalog.instances(SERVICE).value:
        host = f"[{node.address}]" if ":" in node.address else node.address
        address = f"{host}:{service.port}"
        rows.append(Server(node.id, node.node, address, address == leader))
    return rows


def allow_look(context: Context, request: Request) -> None:
    """Raises what a request that only looks at the servers is refused for."""
    read_options(request)
    check_datacenter(request, context.config.datacenter)
    require(request.authorizer, "operator", "", "read")
