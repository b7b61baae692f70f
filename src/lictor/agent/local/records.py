"""From a definition to the records that the catalog holds: defaults, names and the reference's quirks. Pure.

Source: conformance, agent-service, agent-check and agent-node: a check that is registered by itself shows its interval
and timeout, one that comes with a service does not, one of the configuration's `checks` does not show its type.
"""

from __future__ import annotations

from collections.abc import Sequence

from lictor.agent.local.settings import Source
from lictor.types.catalog import (
    CRITICAL,
    NODE_MAINTENANCE,
    SERVICE_MAINTENANCE_PREFIX,
    Check,
    Connect,
    Proxy,
    Service,
    ServiceAddress,
    Weights,
)
from lictor.types.definitions import CheckSpec, ServiceSpec
from lictor.types.duration import Duration
from lictor.types.validate import ip_version

NO_REASON = "Maintenance mode is enabled for this {}, but no reason was provided. This is a default message."


def service_record(spec: ServiceSpec) -> Service:
    """The catalog's record of a valid definition."""
    weights = Weights(passing=spec.weights.passing, warning=spec.weights.warning) if spec.weights else Weights()
    return Service(
        kind=spec.kind,
        id=spec.id or spec.name,
        service=spec.name,
        tags=list(spec.tags),
        address=spec.address,
        tagged_addresses=tagged_addresses(spec),
        meta=dict(spec.meta),
        port=spec.port,
        socket_path=spec.socket_path,
        weights=weights,
        enable_tag_override=spec.enable_tag_override,
        proxy=spec.proxy or Proxy(),
        connect=Connect(native=bool(spec.connect and spec.connect.native)),
    )


def tagged_addresses(spec: ServiceSpec) -> dict[str, ServiceAddress]:
    """Those of the definition, and the service's own address as its LAN and WAN address unless told otherwise."""
    tagged = dict(spec.tagged_addresses)
    if version := ip_version(spec.address):
        for network in ("lan", "wan"):
            tagged.setdefault(f"{network}_ipv{version}", ServiceAddress(address=spec.address, port=spec.port))
    return tagged


def service_check_records(node: str, service: Service, specs: Sequence[CheckSpec]) -> list[Check]:
    """The records of the checks that come with a service; those without an ID are named after it and numbered."""
    return [
        Check(
            node=node,
            check_id=spec.check_id or spec.id or _numbered(service.id, number, len(specs)),
            name=spec.name or f"Service '{service.service}' check",
            status=spec.status or CRITICAL,
            notes=spec.notes,
            service_id=service.id,
            service_name=service.service,
            service_tags=service.tags,
            type=spec.kind,
        )
        for number, spec in enumerate(specs, 1)
    ]


def check_record(node: str, service: Service | None, spec: CheckSpec, source: Source) -> Check:
    """The record of a check that is registered by itself, for the node or for a service."""
    return Check(
        node=node,
        check_id=spec.id or spec.check_id or spec.name,
        name=spec.name,
        status=spec.status or CRITICAL,
        notes=spec.notes,
        service_id=service.id if service else "",
        service_name=service.service if service else "",
        service_tags=service.tags if service else [],
        type="" if source is Source.CONFIG else spec.kind,
        interval=str(spec.interval or Duration()),
        timeout=str(spec.timeout or Duration()),
    )


def maintenance_record(node: str, service: Service | None, reason: str) -> Check:
    """The check that takes a service, or the whole node, out of the answers."""
    what = "service" if service else "node"
    return Check(
        node=node,
        check_id=SERVICE_MAINTENANCE_PREFIX + service.id if service else NODE_MAINTENANCE,
        name=f"{what.capitalize()} Maintenance Mode",
        status=CRITICAL,
        notes=reason or NO_REASON.format(what),
        service_id=service.id if service else "",
        service_name=service.service if service else "",
        service_tags=service.tags if service else [],
        type="maintenance",
    )


def _numbered(service_id: str, number: int, count: int) -> str:
    return f"service:{service_id}" if count == 1 else f"service:{service_id}:{number}"
