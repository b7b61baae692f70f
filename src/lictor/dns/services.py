"""Instances to records: addresses, aliases and SRV records with the addresses of their targets.

Source: the reference (conformance, dns-service, dns-health and dns-query). Pure but for what `Follower` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from lictor.dns.found import NO_DATA, Found, Group
from lictor.dns.instances import Place, fits, place, weight
from lictor.dns.names import address_name, node_name, wire_length
from lictor.dns.records import CNAME, SRV, Name, Record, address, meta_text, pointing, srv, txt
from lictor.dns.settings import Zone
from lictor.state.views import HealthEntry
from lictor.types.catalog import Node

_LONG_TARGET = 440
"""A question and an SRV target that are longer together would not leave room for an answer in 512 bytes."""


class Follower(Protocol):
    """Who looks host names up."""

    def follow(self, host: Name, ttl: int) -> list[Record]:
        """The addresses and aliases that a host name leads to, with that TTL."""
        ...

    def choose(self, hosts: Sequence[Name]) -> Name:
        """One of several names, by chance."""
        ...


class Wanted(msgspec.Struct, frozen=True):
    """What instances are looked up for: the name asked for, the type, the TTL and the datacenter to answer with."""

    name: Name
    rtype: int
    ttl: int
    datacenter: str


def instance_records(entries: Iterable[HealthEntry], wanted: Wanted, zone: Zone, follower: Follower) -> Found:
    """The records of some instances, in their order."""
    if wanted.rtype == SRV:
        groups = _srv_groups(entries, wanted, zone, follower)
        return Found(groups=groups) if groups else NO_DATA
    places = [place(entry, wanted.rtype, wanted.name) for entry in entries]
    packed = dict.fromkeys(p.packed for p in places if p is not None and p.packed and fits(wanted.rtype, p.packed))
    if packed:
        groups = [Group((address(wanted.name, wanted.ttl, each),)) for each in packed]
        return Found(groups=groups, limit=zone.config.a_record_limit)
    hosts = list(dict.fromkeys(p.host for p in places if p is not None and p.host))
    if not hosts:
        return NO_DATA
    # An alias stands alone: only one, and only where no instance has an address.
    host = follower.choose(hosts)
    alias = pointing(CNAME, wanted.name, wanted.ttl, host)
    return Found(groups=[Group((alias, *follower.follow(host, wanted.ttl)))])


def node_meta(node: Node, owner: Name | None, ttl: int) -> list[Record]:
    """A node's metadata as TXT records."""
    if owner is None or not node.meta:
        return []
    return [txt(owner, ttl, meta_text(key, value)) for key, value in node.meta.items()]


def _srv_groups(entries: Iterable[HealthEntry], wanted: Wanted, zone: Zone, follower: Follower) -> list[Group]:
    groups: dict[tuple[str, bytes, Name, int], Group] = {}
    for entry in entries:
        where = place(entry, SRV, wanted.name)
        if where is None:
            continue
        key = (entry.node.node, where.packed, where.host, entry.service.port)
        if key in groups:
            continue
        own_name = node_name(entry.node.node, wanted.datacenter, zone.domain)
        if where.packed:
            target = _target(where, own_name, wanted, zone)
            extra = [address(target, wanted.ttl, where.packed)]
        else:
            target, extra = where.host, follower.follow(where.host, wanted.ttl)
        if zone.config.enable_additional_node_meta_txt:
            extra += node_meta(entry.node, own_name, wanted.ttl)
        record = srv(wanted.name, wanted.ttl, weight(entry), entry.service.port, target)
        groups[key] = Group((record,), extra)
    return list(groups.values())


def _target(where: Place, own_name: Name | None, wanted: Wanted, zone: Zone) -> Name:
    """The name of an address: the node's where it has a usable one, else the address spelled as a name."""
    if where.by_node and own_name and wire_length(own_name) + wire_length(wanted.name) <= _LONG_TARGET:
        return own_name
    return address_name(where.packed, wanted.datacenter, zone.domain)
