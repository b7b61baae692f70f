"""What to tell the catalog so that it holds what this agent does, and what it has been told. Pure.

Source: the reference's anti-entropy. The agent is right about its services and checks, save the tags of services with
`enable_tag_override`; the catalog's `consul` service and `serfHealth` check on this node are the servers' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from lictor.agent.local.rows import CheckRow, Gone, Rows, Unsynced
from lictor.types.catalog import SERF_HEALTH, Check, Node, Service

SERVERS_SERVICE = "consul"


class Register(NamedTuple):
    """One commit: the node if `with_node`, a service, checks. `token` is what they were registered with."""

    service: Service | None = None
    checks: tuple[Check, ...] = ()
    token: str = ""
    with_node: bool = False


class DeregisterService(NamedTuple):
    """Takes a service away, and with it every check of it that the catalog has."""

    service_id: str
    token: str = ""


class DeregisterCheck(NamedTuple):
    """Takes a check away."""

    check_id: str
    token: str = ""


Operation = Register | DeregisterService | DeregisterCheck


class Difference(NamedTuple):
    """What differs from the catalog, and the tags that the agent takes over from there, by service ID."""

    unsynced: Unsynced
    adopted: dict[str, list[str]]


def plan(
    rows: Rows,
    node: Node,
    remote_node: Node | None,
    remote_services: Mapping[str, Service],
    remote_checks: Mapping[str, Check],
    now: float,
) -> list[Operation]:
    """The operations that make the catalog's rows of this node equal to `rows`; `now` is monotonic."""
    return operations(rows, compare(rows, node, remote_node, remote_services, remote_checks, now).unsynced)


def compare(
    rows: Rows,
    node: Node,
    remote_node: Node | None,
    remote_services: Mapping[str, Service],
    remote_checks: Mapping[str, Check],
    now: float,
) -> Difference:
    """What the catalog has of this node against what the agent has."""
    unsynced, adopted = Unsynced(node=remote_node is None or _bare(remote_node) != _bare(node)), dict[str, list[str]]()
    for service_id, row in rows.services.items():
        theirs, ours = remote_services.get(service_id), row.service
        if theirs is not None and ours.enable_tag_override and list(ours.tags) != list(theirs.tags):
            adopted[service_id] = list(theirs.tags)
            ours = msgspec.structs.replace(ours, tags=theirs.tags)
        if theirs is None or _bare_service(theirs) != _bare_service(ours):
            unsynced.services.add(service_id)
    for check_id, check in rows.checks.items():
        seen = remote_checks.get(check_id)
        if seen is None or _differs(check, seen, now):
            unsynced.checks.add(check_id)
    known = rows.unsynced
    for service_id in remote_services:
        if service_id not in rows.services and service_id != SERVERS_SERVICE:
            unsynced.gone_services[service_id] = known.gone_services.get(service_id, Gone(service_id, ""))
    for check_id, seen in remote_checks.items():
        if check_id not in rows.checks and check_id != SERF_HEALTH:
            token = known.gone_checks[check_id].token if check_id in known.gone_checks else ""
            unsynced.gone_checks[check_id] = Gone(seen.service_id, token)
    return Difference(unsynced, adopted)


def operations(rows: Rows, unsynced: Unsynced) -> list[Operation]:
    """What tells the catalog all that it has not heard of: the node first, then what is there, then what is gone.

    A service and its checks go together where one token covers them. What is new comes before what is gone, so that a
    service under a new ID is never missing in between.
    """
    found: list[Operation] = [Register(with_node=True)] if unsynced.node else []
    checks: dict[tuple[str, str], list[Check]] = {}
    for check_id in sorted(unsynced.checks):
        row = rows.checks[check_id]
        checks.setdefault((row.check.service_id, row.token), []).append(row.check)
    for service_id in sorted(unsynced.services):
        service = rows.services[service_id]
        together = checks.pop((service_id, service.token), [])
        found.append(Register(service.service, tuple(together), service.token))
    found += [Register(None, tuple(group), token) for (_, token), group in checks.items()]
    found += [DeregisterService(service_id, gone.token) for service_id, gone in sorted(unsynced.gone_services.items())]
    found += [
        DeregisterCheck(check_id, gone.token)
        for check_id, gone in sorted(unsynced.gone_checks.items())
        if gone.service_id not in unsynced.gone_services
    ]
    return found


def told(rows: Rows, operation: Operation) -> None:
    """Takes an operation as done."""
    unsynced = rows.unsynced
    if isinstance(operation, DeregisterService):
        service_id = operation.service_id
        unsynced.gone_services.pop(service_id, None)
        for check_id in [check_id for check_id, gone in unsynced.gone_checks.items() if gone.service_id == service_id]:
            del unsynced.gone_checks[check_id]
    elif isinstance(operation, DeregisterCheck):
        unsynced.gone_checks.pop(operation.check_id, None)
    else:
        unsynced.node &= not operation.with_node
        if operation.service is not None:
            unsynced.services.discard(operation.service.id)
        checks = [check.check_id for check in operation.checks]
        unsynced.checks.difference_update(checks)
        rows.release(checks)


def untold(rows: Rows, operation: Operation) -> None:
    """Takes back that an operation was done, save for rows that came or went meanwhile and are noted anyway."""
    unsynced = rows.unsynced
    if isinstance(operation, DeregisterService):
        if operation.service_id not in rows.services:
            unsynced.gone_services[operation.service_id] = Gone(operation.service_id, operation.token)
    elif isinstance(operation, DeregisterCheck):
        if operation.check_id not in rows.checks:
            unsynced.gone_checks[operation.check_id] = Gone("", operation.token)
    else:
        unsynced.node |= operation.with_node
        if operation.service is not None and operation.service.id in rows.services:
            unsynced.services.add(operation.service.id)
        unsynced.checks.update(check.check_id for check in operation.checks if check.check_id in rows.checks)


def _differs(row: CheckRow, theirs: Check, now: float) -> bool:
    """Whether the catalog's check is another. Its service's name and tags are the catalog's to fill in."""
    ours = row.check
    held = row.held_until is not None and now < row.held_until
    return _bare_check(ours, held) != _bare_check(theirs, held)


def _bare_check(check: Check, held: bool) -> Check:
    return msgspec.structs.replace(
        check,
        node="",
        service_name="",
        service_tags=[],
        output="" if held else check.output,
        create_index=0,
        modify_index=0,
    )


def _bare_service(service: Service) -> Service:
    return msgspec.structs.replace(
        service, tags=list(service.tags), meta=service.meta or {}, create_index=0, modify_index=0
    )


def _bare(node: Node) -> Node:
    return msgspec.structs.replace(
        node,
        node=node.node.lower(),
        tagged_addresses=node.tagged_addresses or {},
        meta=node.meta or {},
        create_index=0,
        modify_index=0,
    )
