"""The overviews behind the web UI: a node with all that is on it, a service with what its instances have in common.

Pure functions over records. Source of every field: the reference's answers (conformance, operator).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lictor.state import State
from lictor.state.views import HealthEntry, raw_check, raw_service
from lictor.types.catalog import CONNECT_PROXY, CRITICAL, PASSING, WARNING, Check, Node, Service
from lictor.types.gateways import GatewayService
from lictor.types.gojson import Wire, always, always_list

_TRANSPARENT = "transparent"
_SOURCE = "external-source"


class NodeInfo(Wire, frozen=True, kw_only=True):
    """A node with its services and checks."""

    id: str
    node: str
    address: str
    tagged_addresses: dict[str, str] | None = always(None)
    meta: dict[str, str] | None = always(None)
    services: list[Service] = always_list()
    checks: list[Check] = always_list()


class GatewayConfig(Wire, frozen=True, kw_only=True):
    associated_service_count: int = 0
    addresses: list[str] | None = None


class ServiceSummary(Wire, frozen=True, kw_only=True):
    """A service: how many instances it has, where, and how their checks are, each counted once a node."""

    kind: str = ""
    name: str
    datacenter: str = always("")
    tags: list[str] | None = always(None)
    nodes: list[str] | None = always(None)
    external_sources: list[str] | None = always(None)
    instance_count: int = always(0)
    checks_passing: int = always(0)
    checks_warning: int = always(0)
    checks_critical: int = always(0)
    gateway_config: GatewayConfig = always(GatewayConfig())
    transparent_proxy: bool = always(False)
    connect_native: bool = always(False)


class ServiceListing(ServiceSummary, frozen=True, kw_only=True):
    """The same in the list of all services."""

    connected_with_proxy: bool = always(False)
    connected_with_gateway: bool = always(False)


def node_info(state: State, node: Node) -> NodeInfo:
    """A node's overview."""
    return NodeInfo(
        id=node.id,
        node=node.node,
        address=node.address,
        tagged_addresses=node.tagged_addresses,
        meta=node.meta,
        services=[raw_service(row) for row in state.catalog.services.of_node(node.node)],
        checks=[raw_check(row) for row in state.catalog.checks.of_node(node.node)],
    )


class Gathered:
    """What is known of one service while instances are counted."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kind = self.datacenter = ""
        self.instances = 0
        self.native = self.has_proxy = False
        self.modes: set[str] = set()
        self.nodes: set[str] = set()
        self.tags: set[str] = set()
        self.sources: dict[str, None] = {}
        self.checks: dict[tuple[str, str], str] = {}
        self.addresses: dict[str, None] = {}

    def add(self, row: HealthEntry) -> None:
        """Counts one instance in."""
        service = row.service
        self.kind, self.datacenter = service.kind, row.node.datacenter
        self.instances += 1
        self.native |= service.connect.native
        self.nodes.add(row.node.node)
        self.tags.update(service.tags)
        if source := (service.meta or {}).get(_SOURCE):
            self.sources[source] = None
        self.add_checks(row)

    def add_proxy(self, row: HealthEntry) -> None:
        """Counts in an instance of the service's proxy: its checks count for the service too."""
        self.has_proxy = True
        self.modes.add(row.service.proxy.mode)
        self.add_checks(row)

    def add_checks(self, row: HealthEntry) -> None:
        for check in row.checks:
            self.checks[check.node, check.check_id] = check.status

    def fields(self) -> dict[str, Any]:
        """The fields of a summary."""
        statuses = list(self.checks.values())
        return {
            "kind": self.kind,
            "name": self.name,
            "datacenter": self.datacenter,
            "tags": sorted(self.tags) or None,
            "nodes": sorted(self.nodes) or None,
            "external_sources": list(self.sources) or None,
            "instance_count": self.instances,
            "checks_passing": statuses.count(PASSING),
            "checks_warning": statuses.count(WARNING),
            "checks_critical": statuses.count(CRITICAL),
            "transparent_proxy": self.modes == {_TRANSPARENT},
            "connect_native": self.native,
        }


def gather(rows: Iterable[HealthEntry]) -> dict[str, Gathered]:
    """What is known of the services of some instances, and of those that they are proxies for, by name."""
    found: dict[str, Gathered] = {}
    for row in rows:
        service = row.service
        found.setdefault(service.service, Gathered(service.service)).add(row)
        if service.kind == CONNECT_PROXY:
            name = service.proxy.destination_service_name
            found.setdefault(name, Gathered(name)).add_proxy(row)
    return found


def listing(found: dict[str, Gathered], bound: Iterable[GatewayService]) -> list[ServiceListing]:
    """The list of services by name. `bound` are the services of all gateways."""
    gateways: dict[str, list[str]] = {}
    linked: dict[str, int] = {}
    for row in bound:
        gateways.setdefault(row.service.name, []).append(row.gateway.name)
        linked[row.gateway.name] = linked.get(row.gateway.name, 0) + 1
    return [
        ServiceListing(
            **found[name].fields(),
            gateway_config=GatewayConfig(associated_service_count=linked.get(name, 0)),
            connected_with_proxy=found[name].has_proxy,
            connected_with_gateway=found[name].instances > 0 and any(g in found for g in gateways.get(name, ())),
        )
        for name in sorted(found)
    ]


def behind_gateway(
    bound: Iterable[GatewayService], rows_of: Callable[[str], list[HealthEntry]], suffixes: list[str]
) -> list[ServiceSummary]:
    """The services of one gateway by name, with the addresses that an ingress gateway has them under."""
    found: dict[str, Gathered] = {}
    for row in bound:
        name = row.service.name
        gathered = gather(rows_of(name)).get(name) or Gathered(name)
        gathered = found.setdefault(name, gathered)
        hosts = row.hosts or [f"{name}.ingress.{suffix}" for suffix in suffixes]
        if row.port:
            gathered.addresses.update(dict.fromkeys(f"{host.rstrip('.')}:{row.port}" for host in hosts))
    return [
        ServiceSummary(
            **found[name].fields(), gateway_config=GatewayConfig(addresses=list(found[name].addresses) or None)
        )
        for name in sorted(found)
    ]
