"""An instance as DNS sees it: whether it is given out, with what weight, and which address stands for it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from lictor.dns.names import parse_ip, to_name
from lictor.dns.records import AAAA, ANY, SRV, TXT, A, Name
from lictor.state.views import HealthEntry, worst
from lictor.types.catalog import CRITICAL, PASSING, WARNING, Node

_V4, _V6 = "lan_ipv4", "lan_ipv6"


class Place(msgspec.Struct, frozen=True):
    """Where an instance is reached: an address (packed), or a host name where `packed` is empty.

    `by_node` says that the node's own name stands for the address.
    """

    packed: bytes = b""
    host: Name = ()
    by_node: bool = False


def healthy(entries: Iterable[HealthEntry], only_passing: bool, tag: str = "") -> list[HealthEntry]:
    """The instances to give out: none critical, with `only_passing` none that warn, with a tag those that have it."""
    return [
        entry
        for entry in entries
        if (not tag or any(own.lower() == tag for own in entry.service.tags))
        and all(check.status == PASSING or (check.status != CRITICAL and not only_passing) for check in entry.checks)
    ]


def weight(entry: HealthEntry) -> int:
    """The SRV weight that an instance's health gives it."""
    own = entry.service.service
    status = worst(check.status for check in entry.checks if check.service_name in ("", own))
    weights = entry.service.weights
    return {PASSING: weights.passing, WARNING: weights.warning}.get(status, 0)


def fits(rtype: int, packed: bytes) -> bool:
    """Whether an address of this family answers a question of this type."""
    return rtype in (SRV, ANY, TXT) or rtype == (A if len(packed) == 4 else AAAA)


def node_address(node: Node, rtype: int) -> str:
    """A node's address for this type of question: the tagged one of the family, else its main one."""
    return _chosen(node.tagged_addresses or {}, node.address, rtype)


def place(entry: HealthEntry, rtype: int, asked: Name) -> Place | None:
    """What stands for an instance in the answer to a question of this type about the name `asked`."""
    service, node = entry.service, entry.node
    tagged = {key: address.address for key, address in service.tagged_addresses.items()}
    own = _chosen(tagged, service.address, rtype)
    shared = node_address(node, rtype)
    node_packed = parse_ip(shared)
    if own:
        packed, host = parse_ip(own), to_name(own)
        if packed is not None:
            return Place(packed)
        if host == asked and node_packed is not None:  # it would lead back to itself
            return Place(node_packed, by_node=True)
        return Place(host=host) if host else None
    if node_packed is not None:
        return Place(node_packed, by_node=shared == node.address)
    host = to_name(shared)
    return Place(host=host) if host else None


def _chosen(tagged: Mapping[str, str], main: str, rtype: int) -> str:
    v6 = tagged.get(_V6, "") if rtype != A else ""
    v4 = tagged.get(_V4, "") if rtype != AAAA else ""
    return v6 or v4 or main
