"""Plans for membership: an agent attaches, leaves, is found dead, is reaped.

The node's row and its `serfHealth` check go along in the same commit, so that catalog and membership never disagree.
"""

from __future__ import annotations

import msgspec

from lictor.errors import Conflict, Refused
from lictor.server.commands import catalog
from lictor.server.transaction import Tx
from lictor.types.catalog import CRITICAL, PASSING, SERF_HEALTH, Check, Node, Service
from lictor.types.member import Member, MemberAlive

SERVER_SERVICE = "consul"
"""The service whose instances are the servers."""
HEALTH_NAME = "Serf Health Status"
ALIVE_OUTPUT = "Agent alive and reachable"
DEAD_OUTPUT = "Agent not live or unreachable"


def attach(tx: Tx, member: Member, ttl: float, now: float) -> int:
    """Takes a member in under a new lease (a placeholder until the commit). An agent that attaches again renews all.

    Raises Conflict when another living agent has the name.
    """
    members = tx.state.members
    if not member.name or not member.address:
        raise Refused("a member needs a name and an address")
    old = tx.get(members.table, member.name)
    alive = tx.get(members.alive, member.name)
    if old is not None and alive is not None and old.id != member.id:
        raise Conflict(f"node name {member.name} is in use by a living agent with id {old.id} at {old.address}")
    if old is not None and _same(old, member):
        member = old
    else:
        member = tx.put(members.table, msgspec.structs.replace(member, left=False, since=now), member.name)
    if alive is not None:
        tx.end_lease(alive.lease)
    lease = tx.grant(ttl)
    tx.put(members.alive, MemberAlive(name=member.name, id=member.id), member.name, lease=lease)
    _show(tx, member)
    return lease


def restate(tx: Tx, name: str) -> None:
    """Makes a catalog whose content was replaced say what is true of a node with an agent."""
    members = tx.state.members
    member = tx.get(members.table, name)
    if member is None or member.left:
        catalog.delete_node(tx, name)
    elif tx.get(members.alive, name) is not None:
        _show(tx, member)
    elif tx.get(tx.state.catalog.nodes, name) is not None:
        _set_health(tx, name, CRITICAL, DEAD_OUTPUT)


def leave(tx: Tx, name: str, now: float) -> None:
    """A member goes of its own accord: its node leaves the catalog."""
    members = tx.state.members
    member = tx.get(members.table, name)
    if member is None or member.left:
        return
    tx.put(members.table, msgspec.structs.replace(member, left=True, since=now), name)
    alive = tx.get(members.alive, name)
    if alive is not None:
        tx.delete(members.alive, name)
        tx.end_lease(alive.lease)
    catalog.delete_node(tx, name)


def mark_dead(tx: Tx, name: str, now: float) -> None:
    """A member whose sign of life has vanished: its node turns critical, unless it came back in the meantime."""
    members = tx.state.members
    member = tx.get(members.table, name)
    if member is None or member.left or tx.get(members.alive, name) is not None:
        return
    health = tx.get(tx.state.catalog.checks, name, SERF_HEALTH)
    if health is not None and health.status == CRITICAL:
        return
    tx.put(members.table, msgspec.structs.replace(member, since=now), name)
    if tx.get(tx.state.catalog.nodes, name) is not None:
        _set_health(tx, name, CRITICAL, DEAD_OUTPUT)


def reap(tx: Tx, name: str) -> None:
    """Forgets a member that is dead or gone for good, and its node."""
    members = tx.state.members
    member = tx.get(members.table, name)
    if member is None or tx.get(members.alive, name) is not None:
        return
    tx.delete(members.table, name)
    if not member.left:
        catalog.delete_node(tx, name)


def _show(tx: Tx, member: Member) -> None:
    """What the catalog says of a member that lives."""
    node = catalog.ensure_node(tx, _node(member))
    _set_health(tx, node.node, PASSING, ALIVE_OUTPUT)
    if member.server:
        service = Service(
            id=SERVER_SERVICE, service=SERVER_SERVICE, port=member.server_port, meta={"version": member.version}
        )
        catalog.ensure_service(tx, node.node, service)


def _node(member: Member) -> Node:
    return Node(
        id=member.id,
        node=member.name,
        address=member.address,
        datacenter=member.datacenter,
        tagged_addresses=member.tagged_addresses,
        meta=member.meta,
    )


def _set_health(tx: Tx, node: str, status: str, output: str) -> None:
    catalog.ensure_check(tx, Check(node=node, check_id=SERF_HEALTH, name=HEALTH_NAME, status=status, output=output))


def _same(old: Member, new: Member) -> bool:
    kept = {"left": old.left, "since": old.since, "create_index": old.create_index, "modify_index": old.modify_index}
    return not old.left and msgspec.structs.replace(new, **kept) == old
