"""The shapes that reads give out, put together from records: what /v1/catalog and /v1/health answer with."""

from __future__ import annotations

from typing import Any

import msgspec

from lictor.types.catalog import Check, Connect, Node, Proxy, Service, ServiceAddress, Weights
from lictor.types.gojson import Wire, always, always_list


class HealthEntry(Wire, frozen=True, kw_only=True):
    """One instance with its node and every check that counts for it (/v1/health/service)."""

    node: Node
    service: Service
    checks: list[Check] = always_list()

    def worst(self) -> str:
        """The instance's health: the worst of its checks (critical, warning, passing)."""
        return worst(check.status for check in self.checks)


class ServiceNode(Wire, frozen=True, kw_only=True):
    """One instance flattened together with its node (/v1/catalog/service)."""

    id: str
    node: str
    address: str
    datacenter: str
    tagged_addresses: dict[str, str] | None = always(None)
    node_meta: dict[str, str] | None = always(None)
    service_kind: str = always("")
    service_id: str
    service_name: str
    service_tags: list[str]
    service_address: str
    service_tagged_addresses: dict[str, ServiceAddress] = msgspec.field(default_factory=dict)
    service_weights: Weights
    service_meta: dict[str, str] = always({})
    service_port: int
    service_socket_path: str = always("")
    service_enable_tag_override: bool
    service_proxy: Proxy
    service_connect: Connect
    create_index: int
    modify_index: int


def service_node(node: Node, service: Service) -> ServiceNode:
    """A node and one of its instances as /v1/catalog/service shows them."""
    return ServiceNode(
        id=node.id,
        node=node.node,
        address=node.address,
        datacenter=node.datacenter,
        tagged_addresses=node.tagged_addresses,
        node_meta=node.meta,
        service_kind=service.kind,
        service_id=service.id,
        service_name=service.service,
        service_tags=service.tags,
        service_address=service.address,
        service_tagged_addresses=service.tagged_addresses,
        service_weights=service.weights,
        service_meta=service.meta or {},
        service_port=service.port,
        service_socket_path=service.socket_path,
        service_enable_tag_override=service.enable_tag_override,
        service_proxy=service.proxy,
        service_connect=service.connect,
        create_index=service.create_index,
        modify_index=service.modify_index,
    )


def raw_check(check: Check) -> Check:
    """A check as the reference shows it where it does not tidy up: null instead of no tags."""
    return check if check.service_tags else msgspec.structs.replace(check, service_tags=None)


def raw_service(service: Service) -> Service:
    """An instance in the same way."""
    return service if service.tags else msgspec.structs.replace(service, tags=None)


def raw_entry(entry: HealthEntry) -> HealthEntry:
    """An instance with its checks in the same way."""
    return HealthEntry(
        node=entry.node, service=raw_service(entry.service), checks=[raw_check(check) for check in entry.checks]
    )


def worst(statuses: Any) -> str:
    """The worst of some check statuses; passing when there are none."""
    found = "passing"
    for status in statuses:
        if status == "critical":
            return "critical"
        if status == "warning":
            found = "warning"
    return found
