"""Definitions of services and checks from configuration: fitted members to Structs, and what is wrong with them.

`service_problem` and `check_problem` hold for definitions from anywhere, the HTTP API included; their texts are the
reference's. What depends on what else is registered (a check's service, say) is not asked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from lictor.errors import ConfigError
from lictor.types.catalog import CONNECT_PROXY, MESH_GATEWAY, SERVICE_KINDS, STATUSES
from lictor.types.definitions import CheckSpec, ServiceSpec, WeightsSpec
from lictor.types.gojson import decode_hook
from lictor.types.validate import is_any_address, meta_error

_WEIGHT_MAX = 65_535
_PORT_MAX = 65_535
_Spec = TypeVar("_Spec", ServiceSpec, CheckSpec)


def services(fitted: Iterable[dict[str, Any]]) -> tuple[ServiceSpec, ...]:
    """Service definitions from members that the decoder fitted. Raises ConfigError naming the service."""
    found = _convert(fitted, ServiceSpec)
    for spec in found:
        if problem := service_problem(spec):
            raise ConfigError(f'service "{spec.name or spec.id}": {problem}')
    return found


def checks(fitted: Iterable[dict[str, Any]]) -> tuple[CheckSpec, ...]:
    """Check definitions, likewise. Raises ConfigError naming the check."""
    found = _convert(fitted, CheckSpec)
    for spec in found:
        name = spec.id or spec.check_id or spec.name
        if problem := check_problem(spec) or ("" if name else "Missing check name"):
            raise ConfigError(f'check "{name}": {problem}')
    return found


def _convert(fitted: Iterable[dict[str, Any]], kind: type[_Spec]) -> tuple[_Spec, ...]:
    return tuple(msgspec.convert(members, kind, dec_hook=decode_hook) for members in fitted)


def repeated(specs: Sequence[ServiceSpec] | Sequence[CheckSpec]) -> list[str]:
    """Identifiers that stand more than once; the last definition counts, which is seldom meant."""
    seen: set[str] = set()
    again: list[str] = []
    for spec in specs:
        name = spec.id or spec.name
        if name in seen:
            again.append(name)
        seen.add(name)
    return again


def check_problem(spec: CheckSpec) -> str:
    """Why a check cannot be run as it is defined; empty when it can."""
    interval = spec.interval.ns if spec.interval else 0
    ttl = spec.ttl.ns if spec.ttl else 0
    alias = bool(spec.alias_node or spec.alias_service)
    runs = bool(spec.script_args or spec.http or spec.tcp or spec.udp or spec.grpc or spec.h2ping or spec.os_service)
    if interval > 0 and ttl > 0:
        return "Interval and TTL cannot both be specified"
    if runs and interval <= 0:
        return "Interval must be > 0 for Script, HTTP, H2PING, or TCP checks"
    if runs and alias:
        return "Interval cannot be set for Alias checks"
    if alias and ttl > 0:
        return "TTL must be not be set for Alias checks"
    if not runs and not alias and ttl <= 0:
        return "TTL must be > 0 for TTL checks"
    if spec.output_max_size < 0:
        return "MaxOutputMaxSize must be positive"
    if 0 < spec.failures_before_critical < spec.failures_before_warning:
        return "FailuresBeforeWarning can't be higher than FailuresBeforeCritical"
    if spec.status and spec.status not in STATUSES:
        return "Status for checks must 'passing', 'warning', 'critical'"
    return ""


def weights_problem(weights: WeightsSpec) -> str:
    """Why a service's DNS weights are refused; empty when they are fine."""
    if weights.passing < 1:
        return "Passing must be greater than 0"
    if weights.warning < 0:
        return "Warning must be greater or equal than 0"
    if max(weights.passing, weights.warning) > _WEIGHT_MAX:
        return "DNS Weight must be between 0 and 65535"
    return ""


def service_problem(spec: ServiceSpec) -> str:
    """Why a service cannot be registered as it is defined; empty when it can."""
    if not spec.name:
        return "Missing service name"
    if is_any_address(spec.address):
        return "Invalid service address"
    if not 0 <= spec.port <= _PORT_MAX:
        return f"Invalid service port {spec.port}"
    if spec.kind not in SERVICE_KINDS:
        return f'Invalid service kind "{spec.kind}"'
    if spec.weights and (problem := weights_problem(spec.weights)):
        return f"Invalid Weights: {problem}"
    # Mesh gateways may carry the one reserved key by which datacenters find each other.
    if problem := meta_error(spec.meta, reserved=spec.kind != MESH_GATEWAY):
        return f"Invalid Service Meta: {problem}"
    for check in [*spec.checks, *([spec.check] if spec.check else [])]:
        if problem := check_problem(check):
            return problem if problem.startswith("Status") else f"Invalid check: {problem}"
    return _mesh_problem(spec)


def _mesh_problem(spec: ServiceSpec) -> str:
    """Why what a service says of the mesh is refused."""
    if spec.kind == CONNECT_PROXY:
        if not spec.proxy or not spec.proxy.destination_service_name.strip():
            return "Proxy.DestinationServiceName must be non-empty for Connect proxy services"
        if spec.proxy.destination_service_name == "*":
            return "Proxy.DestinationServiceName must not be a wildcard for Connect proxy services"
        if not spec.port and not spec.socket_path:
            return "Port or SocketPath must be set for a Connect proxy"
        if spec.connect and spec.connect.native:
            return "A Proxy cannot also be Connect Native, only typical services"
    sidecar = spec.connect.sidecar_service if spec.connect else None
    if sidecar is None:
        return ""
    if spec.kind == CONNECT_PROXY:
        return "A Proxy cannot also have a SidecarService"
    if sidecar.id:
        return "A SidecarService cannot specify an ID as this is managed by the agent"
    if sidecar.connect and sidecar.connect.sidecar_service:
        return "A SidecarService cannot have a nested SidecarService"
    return ""
