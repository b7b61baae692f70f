"""Questions to records: what the catalog says of a name of ours, of an address, of the zone.

A `Lookup` lives for one question. It notes the cells it read, and the host names that only a recursor can look up; made
again with what the recursors said, it gives the whole answer. Source of every rule: the reference (conformance, dns-*).
No packets, no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import TypeVar

import msgspec

from lictor import limits
from lictor.dns import names
from lictor.dns.found import NO_SUCH_NAME, Found, Group
from lictor.dns.instances import fits, healthy, node_address
from lictor.dns.records import AAAA, ANY, CNAME, NS, PTR, TXT, A, Name, Record, address, pointing, soa
from lictor.dns.services import Wanted, instance_records, node_meta
from lictor.dns.settings import Zone
from lictor.dns.source import Source
from lictor.state.answer import Answer
from lictor.state.cells import Cell
from lictor.types.catalog import Node
from lictor.types.duration import Duration

CATALOG_SERVICE = "consul"
"""The service whose instances are the servers."""
NAMESERVERS = 3

T = TypeVar("T")

_NODE_TYPES = frozenset((A, AAAA, ANY, TXT))
_FOLLOWED_TYPES = frozenset((A, AAAA, CNAME))


class Lookup:
    """One question's way through the catalog.

    `client` is the address that prepared queries are executed for; `edns` says that long answers are welcome;
    `resolved` is what recursors said of the names (in lower case) that an earlier round found `missing`.
    """

    def __init__(
        self,
        zone: Zone,
        source: Source,
        random: Random,
        client: str,
        edns: bool,
        resolved: Mapping[Name, Sequence[Record]] | None = None,
    ) -> None:
        self._zone, self._source, self._random = zone, source, random
        self._client, self._edns, self._resolved = client, edns, resolved
        self._depth = limits.DNS_CNAME_DEPTH
        self._followed: dict[Name, list[Record]] = {}
        self.cells: list[Cell] = []
        self.missing: dict[Name, None] = {}
        self.lasting = True
        """The same answer holds for everybody until one of the cells moves."""

    def find(self, name: Name, labels: Name, rtype: int) -> Found:
        """What is known of a name of ours; `labels` are those before the domain, in lower case."""
        asked = names.parse(labels, rtype)
        if isinstance(asked, names.NodeQuestion):
            return self._node(asked, name, rtype)
        if isinstance(asked, names.ServiceQuestion):
            return self._service(asked, name, rtype)
        if isinstance(asked, names.QueryQuestion):
            return self._query(asked, name, rtype)
        if asked is None:
            return NO_SUCH_NAME
        if asked.packed is None:
            return Found()
        return Found(groups=[Group((address(labels + self._zone.domain, self._zone.node_ttl, asked.packed),))])

    def reverse(self, name: Name) -> Found | None:
        """The node, else the service, that has the address of a reverse name; None where nothing has it."""
        packed = names.reverse_address(names.folded(name))
        if packed is None:
            return None
        zone = self._zone
        node = self._source.node_at(packed)
        self.cells += node.cells
        if node.value is not None:
            target = names.node_name(node.value, zone.datacenter, zone.domain)
        else:
            service = self._source.service_at(packed)
            self.cells += service.cells
            target = names.service_name(service.value, zone.datacenter, zone.domain) if service.value else None
        return Found(groups=[Group((pointing(PTR, name, 0, target),))]) if target is not None else None

    def nameservers(self) -> Found:
        """The zone's NS records with their addresses. Servers whose names are no host names are left out."""
        zone, groups = self._zone, []
        for entry in self._read(self._source.service(CATALOG_SERVICE, "", names.SERVICE), []):
            node = entry.node
            fqdn = names.node_name(node.node.lower(), node.datacenter or zone.datacenter, zone.domain)
            if fqdn is not None and names.is_host_name(node.node) and healthy([entry], zone.config.only_passing):
                record = pointing(NS, zone.domain, zone.node_ttl, fqdn)
                groups.append(Group((record,), self._node_records(node, fqdn, ANY)))
        return Found(groups=groups, shuffle=True, limit=NAMESERVERS)

    def soa(self, serial: int) -> Record:
        """The zone's SOA record."""
        numbers = self._zone.config.soa
        order = (numbers.refresh, numbers.retry, numbers.expire, numbers.min_ttl)
        return soa(self._zone.domain, numbers.min_ttl, serial, order)

    def follow(self, host: Name, ttl: int) -> list[Record]:
        """The addresses and aliases that a service's host name leads to."""
        found = [record._replace(ttl=ttl) for record in self._resolve(host) if record.rtype in _FOLLOWED_TYPES]
        return found if self._edns else found[: limits.DNS_RECORDS_FOLLOWED]

    def choose(self, hosts: Sequence[Name]) -> Name:
        """One of several host names: in a second round the one of the first, else any."""
        self.lasting &= len(hosts) == 1
        known = [host for host in hosts if names.folded(host) in (self._resolved or {})]
        return self._random.choice(known or hosts)

    def _read(self, answer: Answer[T] | None, default: T) -> T:
        if answer is None:
            return default
        self.cells += answer.cells
        return answer.value

    def _node(self, asked: names.NodeQuestion, name: Name, rtype: int) -> Found:
        if rtype not in _NODE_TYPES:
            return Found()
        node = self._read(self._source.node(asked.name, asked.datacenter), None)
        if node is None:
            return NO_SUCH_NAME
        records = self._node_records(node, name, rtype) if rtype != TXT else []
        if rtype in (TXT, ANY):
            return Found(groups=[Group(records + node_meta(node, name, self._zone.node_ttl))])
        wanted = self._zone.config.enable_additional_node_meta_txt
        return Found(groups=[Group(records, node_meta(node, name, self._zone.node_ttl) if wanted else ())])

    def _node_records(self, node: Node, name: Name, rtype: int) -> list[Record]:
        """A node's address, or the alias that it is with what that leads to."""
        text, ttl = node_address(node, rtype), self._zone.node_ttl
        packed = names.parse_ip(text)
        if packed is not None:
            return [address(name, ttl, packed)] if fits(rtype, packed) else []
        host = names.to_name(text)
        return [pointing(CNAME, name, ttl, host), *self._resolve(host)] if host else []

    def _service(self, asked: names.ServiceQuestion, name: Name, rtype: int) -> Found:
        rows = self._read(self._source.service(asked.name, asked.datacenter, asked.reach), [])
        entries = healthy(rows, self._zone.config.only_passing, asked.tag)
        if not entries:
            return NO_SUCH_NAME
        wanted = Wanted(name, rtype, self._zone.service_ttl(asked.name), asked.datacenter or self._zone.datacenter)
        return msgspec.structs.replace(instance_records(entries, wanted, self._zone, self), shuffle=True)

    def _query(self, asked: names.QueryQuestion, name: Name, rtype: int) -> Found:
        result = self._read(self._source.query(asked.name, asked.datacenter, self._client), None)
        self.lasting &= result is None or not result.for_client
        if result is None or not result.nodes:
            return NO_SUCH_NAME
        ttl = _query_ttl(result.ttl) if result.ttl else self._zone.service_ttl(result.service)
        wanted = Wanted(name, rtype, ttl, result.datacenter or self._zone.datacenter)
        found = instance_records(result.nodes, wanted, self._zone, self)
        return msgspec.structs.replace(found, shuffle=not result.in_order, subnet_only=True)

    def _resolve(self, host: Name) -> list[Record]:
        """What a host name leads to: from the catalog if it is ours, else from the recursors."""
        low = names.folded(host)
        known = self._followed.get(low)
        if known is None:
            if len(self._followed) >= limits.DNS_NAMES_FOLLOWED or self._depth < 1:
                return []
            labels = self._zone.trimmed(low)
            known = self._followed[low] = self._resolve_ours(host, labels) if labels else self._resolve_outside(low)
        return known

    def _resolve_ours(self, host: Name, labels: Name) -> list[Record]:
        self._depth -= 1
        try:
            return self.find(host, labels, ANY).records()[0]
        finally:
            self._depth += 1

    def _resolve_outside(self, host: Name) -> list[Record]:
        if not self._zone.recursors:
            return []
        self.lasting = False
        if self._resolved is None:
            self.missing[host] = None
            return []
        return list(self._resolved.get(host, ()))


def _query_ttl(text: str) -> int:
    try:
        return int(Duration.parse(text).seconds)
    except ValueError:
        return 0
