"""Plans for the catalog: register and deregister nodes, services and checks, in the reference's order and words.

Writing what is there already changes nothing. A check that turns critical and a row that goes end the sessions that
stand on them, in the same commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from lictor.errors import Refused
from lictor.server.commands import sessions
from lictor.server.transaction import Tx
from lictor.state.tables import NUL, Table
from lictor.types.catalog import (
    CONNECT_PROXY,
    CRITICAL,
    DEFAULT_WEIGHTS,
    SERF_HEALTH,
    SERVICE_KINDS,
    Check,
    Node,
    Record,
    Service,
)
from lictor.types.requests import DeregisterRequest, RegisterRequest
from lictor.types.validate import is_any_address, uuid_error

R = TypeVar("R", bound=Record)


def checked(request: RegisterRequest, datacenter: str) -> RegisterRequest:
    """A registration with its defaults filled in. Raises Refused with the reference's reason."""
    if reason := node_reason(request.node, request.id):
        raise Refused(reason)
    if not request.address and not request.skip_node_update:
        raise Refused("Must provide address if SkipNodeUpdate is not set")
    if request.datacenter and request.datacenter != datacenter:
        raise Refused("No path to datacenter")
    service = request.service
    if service is not None:
        if reason := service_reason(service):
            raise Refused(reason)
        if not service.id and service.service:
            service = msgspec.structs.replace(service, id=service.service)
    checks = [*(request.checks or []), *([request.check] if request.check else [])]
    return msgspec.structs.replace(
        request,
        datacenter=datacenter,
        service=service,
        check=None,
        checks=[_with_ids(check, request.node) for check in checks],
    )


def register(tx: Tx, request: RegisterRequest) -> None:
    """Writes what a checked registration holds: the node, then its service, then its checks."""
    with _inserting("node"):
        node = _ensure_node(tx, request)
    if request.service is not None:
        with _inserting("service"):
            ensure_service(tx, node.node, request.service)
    for check in request.checks or []:
        if check.node.lower() != node.node.lower():
            raise Refused(f'check node "{check.node}" does not match node "{node.node}"')
        with _inserting("check"):
            ensure_check(tx, check)


def deregister(tx: Tx, request: DeregisterRequest) -> None:
    """Removes a service, a check, or a whole node. What is not there is no error."""
    if not request.node:
        raise Refused("Must provide node")
    if request.service_id:
        delete_service(tx, request.node, request.service_id)
    elif request.check_id:
        delete_check(tx, request.node, request.check_id)
    else:
        delete_node(tx, request.node)


def ensure_node(tx: Tx, node: Node) -> Node:
    """Puts a node if it differs; a known id under another name renames its node."""
    catalog = tx.state.catalog
    low = node.node.lower()
    old = tx.get(catalog.nodes, node.node)
    if node.id:
        if old is not None and old.id and old.id.lower() != node.id.lower() and not _failed(tx, old):
            raise Refused(
                f'Error while renaming Node ID: "{node.id}": Node name {node.node} is '
                f"reserved by node {old.id} with name {old.node} ({old.address})"
            )
        former = catalog.nodes.by_id.get(node.id.lower())
        if former is not None and former != low and (row := tx.get(catalog.nodes, former)) is not None:
            delete_node(tx, row.node)
    elif old is not None and old.id:
        node = msgspec.structs.replace(node, id=old.id)
    return _put_if_changed(tx, node, old, catalog.nodes, node.node)


def ensure_service(tx: Tx, node: str, service: Service) -> Service:
    """Puts an instance if it differs. The name on its checks follows it."""
    catalog = tx.state.catalog
    if tx.get(catalog.nodes, node) is None:
        raise Refused("Missing node registration")
    old = tx.get(catalog.services, node, service.id)
    if service.weights.passing < 1 or service.weights.warning < 0:
        service = msgspec.structs.replace(service, weights=DEFAULT_WEIGHTS)
    put: Service = _put_if_changed(tx, service, old, catalog.services, node, service.id)
    if old is not None and (old.service != service.service or list(old.tags) != list(service.tags)):
        for check in _service_checks(tx, node, service.id):
            tx.put(
                catalog.checks,
                msgspec.structs.replace(check, service_name=service.service, service_tags=service.tags),
                node,
                check.check_id,
            )
    return put


def ensure_check(tx: Tx, check: Check) -> Check:
    """Puts a check if it differs, with its service's name and tags; critical ends the sessions that stand on it."""
    catalog = tx.state.catalog
    if not check.status:
        check = msgspec.structs.replace(check, status=CRITICAL)
    node = tx.get(catalog.nodes, check.node)
    if node is None:
        raise Refused("Missing node registration")
    if check.service_id:
        service = tx.get(catalog.services, check.node, check.service_id)
        if service is None:
            raise Refused(f'Missing service registration on node "{check.node}"')
        check = msgspec.structs.replace(check, service_name=service.service, service_tags=service.tags)
    else:
        check = msgspec.structs.replace(check, service_name="", service_tags=[])
    old = tx.get(catalog.checks, check.node, check.check_id)
    if check.status == CRITICAL:
        sessions.end_for_check(tx, check.node, check.check_id)
    put: Check = _put_if_changed(
        tx, msgspec.structs.replace(check, node=node.node), old, catalog.checks, check.node, check.check_id
    )
    return put


def delete_node(tx: Tx, node: str) -> None:
    """Removes a node with its services, checks, coordinate and sessions."""
    catalog, low = tx.state.catalog, node.lower()
    sessions.end_for_node(tx, node)
    for check in tx.scan(catalog.checks, low + NUL):
        delete_check(tx, node, check.check_id)
    for service in tx.scan(catalog.services, low + NUL):
        tx.delete(catalog.services, node, service.id)
    tx.delete(tx.state.coordinates, node)
    tx.delete(catalog.nodes, node)


def delete_service(tx: Tx, node: str, service_id: str) -> None:
    """Removes an instance with its checks."""
    for check in _service_checks(tx, node, service_id):
        delete_check(tx, node, check.check_id)
    tx.delete(tx.state.catalog.services, node, service_id)


def delete_check(tx: Tx, node: str, check_id: str) -> None:
    """Removes a check and ends the sessions that stand on it."""
    if tx.get(tx.state.catalog.checks, node, check_id) is not None:
        sessions.end_for_check(tx, node, check_id)
        tx.delete(tx.state.catalog.checks, node, check_id)


def node_reason(name: str, node_id: str) -> str:
    """Why a node cannot be; empty when it can."""
    if not name:
        return "Must provide node"
    if NUL in name:
        return "Bad node name: it holds a NUL character"
    if node_id and (reason := uuid_error(node_id)):
        return f"Bad node ID: {reason}"
    return ""


def service_reason(service: Service) -> str:
    """Every reason why a service cannot be, numbered as by the reference; empty when it can."""
    reasons = []
    if service.kind not in SERVICE_KINDS:
        reasons.append(f"Invalid service kind: {service.kind!r}")
    if service.kind == CONNECT_PROXY:
        if not service.proxy.destination_service_name:
            reasons.append("Proxy.DestinationServiceName must be non-empty for Connect proxy services")
        if not service.port and not service.socket_path:
            reasons.append("Port or SocketPath must be set for a Connect proxy")
        if service.connect.native:
            reasons.append("A Proxy cannot also be Connect Native, only typical services")
    if reasons:
        noun = "error" if len(reasons) == 1 else "errors"
        return f"{len(reasons)} {noun} occurred:\n" + "".join(f"\t* {reason}\n" for reason in reasons) + "\n"
    if service.id and not service.service:
        return "Must provide service name with ID"
    if is_any_address(service.address):
        return "Invalid service address"
    return ""


@contextmanager
def _inserting(what: str) -> Iterator[None]:
    """Says in a refusal's text which part of a registration was refused."""
    try:
        yield
    except Refused as error:
        raise Refused(f"failed inserting {what}: {error}") from None


def _ensure_node(tx: Tx, request: RegisterRequest) -> Node:
    old = tx.get(tx.state.catalog.nodes, request.node)
    if request.skip_node_update and old is not None:
        return old
    return ensure_node(
        tx,
        Node(
            id=request.id,
            node=request.node,
            address=request.address,
            datacenter=request.datacenter,
            tagged_addresses=request.tagged_addresses,
            meta=request.node_meta,
        ),
    )


def _put_if_changed(tx: Tx, new: R, old: R | None, table: Table[R], *parts: str) -> R:
    if old is not None:
        same = msgspec.structs.replace(new, create_index=old.create_index, modify_index=old.modify_index)
        if same == old:
            return old
    return tx.put(table, new, *parts)


def _with_ids(check: Check, node: str) -> Check:
    """A check with what may be left out: its id, its node, its status, and its type where the definition tells it."""
    return msgspec.structs.replace(
        check,
        check_id=check.check_id or check.name,
        node=check.node or node,
        status=check.status or CRITICAL,
        type=check.type or check.definition.kind,
    )


def _service_checks(tx: Tx, node: str, service_id: str) -> list[Check]:
    return [
        c for c in tx.scan(tx.state.catalog.checks, node.lower() + NUL) if c.service_id.lower() == service_id.lower()
    ]


def _failed(tx: Tx, node: Node) -> bool:
    """True when a node's agent is known to be dead, so that its name may be taken over."""
    health = tx.get(tx.state.catalog.checks, node.node, SERF_HEALTH)
    return health is not None and health.status == CRITICAL
