"""Local services and their health as /v1/agent/service* and /v1/agent/health/service/* show them. Pure.

Source: conformance, agent-service and agent-health.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from lictor.types.catalog import (
    CRITICAL,
    MAINTENANCE,
    NODE_MAINTENANCE,
    PASSING,
    SERVICE_MAINTENANCE_PREFIX,
    TYPICAL,
    WARNING,
    Check,
    Connect,
    Proxy,
    Service,
    ServiceAddress,
    Weights,
)
from lictor.types.gojson import Wire, always, always_list, encode_hook

if TYPE_CHECKING:
    from lictor.agent.local.state import LocalState

HTTP_STATUS = {PASSING: 200, WARNING: 429, CRITICAL: 503, MAINTENANCE: 503}

_hashed = msgspec.json.Encoder(enc_hook=encode_hook, order="deterministic")


class AgentService(Wire, frozen=True, kw_only=True):
    """A local service as /v1/agent/service/:id shows it. `content_hash` changes with anything of its definition."""

    kind: str = ""
    id: str = always("")
    service: str = always("")
    tags: list[str] = always_list()
    meta: dict[str, str] = always({})
    port: int = always(0)
    address: str = always("")
    socket_path: str = ""
    tagged_addresses: dict[str, ServiceAddress] = msgspec.field(default_factory=dict)
    weights: Weights = always(Weights())
    enable_tag_override: bool = always(False)
    proxy: Proxy | None = None
    connect: Connect | None = None
    content_hash: str = ""
    datacenter: str = always("")


class NoDefinition(Wire, frozen=True, kw_only=True):
    """An empty check definition as local health writes it: every field, with its zero."""

    http: str = always("")
    header: None = always(None)
    method: str = always("")
    body: str = always("")
    tls_server_name: str = always("")
    tls_skip_verify: bool = always(False)
    tcp: str = always("")
    grpc: str = always("")
    grpc_use_tls: bool = always(False)
    interval: str = always("0s")
    timeout: str = always("0s")
    deregister_critical_service_after: str = always("0s")


class ServiceCheck(Wire, frozen=True, kw_only=True):
    """A check as local health shows it: no type and no times."""

    node: str = always("")
    check_id: str = always("")
    name: str = always("")
    status: str = always("")
    notes: str = always("")
    output: str = always("")
    service_id: str = always("")
    service_name: str = always("")
    service_tags: list[str] | None = always(None)
    type: str = always("")
    definition: NoDefinition = always(NoDefinition())
    create_index: int = always(0)
    modify_index: int = always(0)


class ServiceHealth(Wire, frozen=True, kw_only=True):
    """A local service with its checks and the worst of their statuses. Without a service both are null."""

    aggregated_status: str = always(CRITICAL)
    service: AgentService | None = always(None)
    checks: list[ServiceCheck] | None = always(None)


def agent_service(service: Service, datacenter: str) -> AgentService:
    """A local service as the agent's API shows it, with its content hash."""
    shown = AgentService(
        kind=service.kind,
        id=service.id,
        service=service.service,
        tags=service.tags,
        meta=service.meta or {},
        port=service.port,
        address=service.address,
        socket_path=service.socket_path,
        tagged_addresses=service.tagged_addresses,
        weights=service.weights,
        enable_tag_override=service.enable_tag_override,
        proxy=service.proxy if service.kind != TYPICAL else None,
        connect=service.connect if service.connect.native else None,
        datacenter=datacenter,
    )
    return msgspec.structs.replace(
        shown, content_hash=hashlib.blake2b(_hashed.encode(shown), digest_size=8).hexdigest()
    )


def aggregated(checks: list[Check]) -> str:
    """The worst of some checks, where maintenance is the worst of all; passing when there are none."""
    worst = PASSING
    for check in checks:
        if check.check_id == NODE_MAINTENANCE or check.check_id.startswith(SERVICE_MAINTENANCE_PREFIX):
            return MAINTENANCE
        if check.status == CRITICAL or (check.status == WARNING and worst == PASSING):
            worst = check.status
    return worst


def health_of_id(state: LocalState, service_id: str) -> tuple[int, str, Any]:
    """A service's health by its ID: HTTP status, the text form, the JSON form."""
    service = state.service(service_id)
    if service is None:
        return 404, f"ServiceId {service_id} not found", ServiceHealth()
    health = _health(state, service)
    return HTTP_STATUS[health.aggregated_status], health.aggregated_status, health


def health_of_name(state: LocalState, name: str) -> tuple[int, str, Any]:
    """The health of all instances of a service; the worst decides about HTTP status and text."""
    found = [_health(state, service) for service in state.services().values() if service.service == name]
    if not found:
        return 404, f"ServiceName {name} Not Found", found
    worst = max(found, key=lambda health: HTTP_STATUS[health.aggregated_status]).aggregated_status
    return HTTP_STATUS[worst], worst, found


def _health(state: LocalState, service: Service) -> ServiceHealth:
    checks = state.checks_counting_for(service.id)
    return ServiceHealth(
        aggregated_status=aggregated(checks),
        service=agent_service(service, state.settings.datacenter),
        checks=[_service_check(check) for check in checks],
    )


def _service_check(check: Check) -> ServiceCheck:
    return ServiceCheck(
        node=check.node,
        check_id=check.check_id,
        name=check.name,
        status=check.status,
        notes=check.notes,
        output=check.output,
        service_id=check.service_id,
        service_name=check.service_name,
        service_tags=check.service_tags or None,
    )
