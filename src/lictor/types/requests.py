"""Bodies of the catalog's write endpoints."""

from __future__ import annotations

from collections.abc import Sequence

from lictor.types.catalog import Check, Node, Service
from lictor.types.gojson import Wire


class RegisterRequest(Wire, frozen=True, kw_only=True):
    """The body of /v1/catalog/register."""

    id: str = ""
    node: str = ""
    address: str = ""
    datacenter: str = ""
    tagged_addresses: dict[str, str] | None = None
    node_meta: dict[str, str] | None = None
    service: Service | None = None
    check: Check | None = None
    checks: list[Check] | None = None
    skip_node_update: bool = False
    namespace: str = ""


class DeregisterRequest(Wire, frozen=True, kw_only=True):
    """The body of /v1/catalog/deregister."""

    node: str = ""
    service_id: str = ""
    check_id: str = ""
    datacenter: str = ""
    namespace: str = ""


def registration(
    node: Node, service: Service | None, checks: Sequence[Check], *, skip_node_update: bool
) -> RegisterRequest:
    """What registers a node, with one of its services and checks or without, in one commit."""
    return RegisterRequest(
        id=node.id,
        node=node.node,
        address=node.address,
        tagged_addresses=node.tagged_addresses,
        node_meta=node.meta,
        service=service,
        checks=list(checks),
        skip_node_update=skip_node_update,
    )
