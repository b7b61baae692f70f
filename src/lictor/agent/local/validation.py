"""What is wrong with the definition of a service or a check, in the reference's words. Pure.

Source: conformance, agent-service and agent-check; the reference's documentation of both kinds of definitions.
"""

from __future__ import annotations

import re

from lictor import limits
from lictor.agent.local.settings import LocalSettings, Source
from lictor.errors import BadRequest, Refused
from lictor.types.catalog import CONNECT_PROXY, SERVICE_KINDS, STATUSES, TYPICAL
from lictor.types.definitions import CheckSpec, ServiceSpec, WeightsSpec
from lictor.types.validate import ip_version, is_any_address, meta_error

_LABEL = re.compile(r"[a-zA-Z0-9-]{1,63}\Z")

SERVICE_STATUS = "Status for checks must 'passing', 'warning', 'critical'"
CHECK_STATUS = "Bad check status"


def service_checks(spec: ServiceSpec) -> list[CheckSpec]:
    """The checks of a service's definition; an empty `Check` is none."""
    first = [] if spec.check is None or spec.check == CheckSpec() else [spec.check]
    return [*first, *spec.checks]


def validate_service(spec: ServiceSpec, settings: LocalSettings, source: Source) -> None:
    """Raises BadRequest (400) or Refused (500) with the first thing that the reference minds."""
    if not spec.name:
        raise BadRequest("Missing service name")
    if is_any_address(spec.address):
        raise BadRequest("Invalid service address")
    if spec.weights is not None and (reason := _weights_error(spec.weights)):
        raise BadRequest(f"Invalid Weights: {reason}")
    if reason := meta_error(spec.meta):
        raise BadRequest(f"Invalid Service Meta: {reason}")
    if reasons := service_reasons(spec):
        noun = "error" if len(reasons) == 1 else "errors"
        listed = "".join(f"\t* {reason}\n" for reason in reasons)
        raise BadRequest(f"{len(reasons)} {noun} occurred:\n{listed}\n")
    for name, text in (("ID", spec.id), ("Name", spec.name), *(("Tags", tag) for tag in spec.tags)):
        _bounded(name, text)
    _validate_checks(service_checks(spec), "Invalid check", settings, source)
    sidecar = spec.connect.sidecar_service if spec.connect else None
    if sidecar is not None:
        _validate_checks(service_checks(sidecar), "Invalid check in sidecar_service", settings, source)
    for name, version in (("lan_ipv4", 4), ("wan_ipv4", 4), ("lan_ipv6", 6), ("wan_ipv6", 6)):
        tagged = spec.tagged_addresses.get(name)
        if tagged is not None and ip_version(tagged.address) != version:
            raise Refused(f'Service tagged address "{name}" must be a valid ipv{version} address')


def dns_warnings(spec: ServiceSpec) -> list[str]:
    """What of a service cannot be asked for through DNS: a name or tag that is no DNS label."""
    labels = [("service", spec.name), *(("tag", tag) for tag in spec.tags)]
    return [
        f'{what} "{label}" cannot be found through DNS: only letters, digits and dashes can, at most 63 of them'
        for what, label in labels
        if not _LABEL.match(label)
    ]


def service_reasons(spec: ServiceSpec) -> list[str]:
    """Everything about a service's kind, proxy and sidecar that cannot be."""
    reasons = []
    if spec.kind not in SERVICE_KINDS:
        reasons.append(f'Invalid service kind: "{spec.kind}"')
    if spec.socket_path and (spec.port or spec.address):
        reasons.append("A service cannot have both a SocketPath and an Address or Port")
    proxy = spec.proxy
    if spec.kind == CONNECT_PROXY:
        if proxy is None or not proxy.destination_service_name.strip():
            reasons.append("Proxy.DestinationServiceName must be non-empty for Connect proxy services")
        elif proxy.destination_service_name == "*":
            reasons.append("Proxy.DestinationServiceName must not be a wildcard for Connect proxy services")
        if not spec.port and not spec.socket_path:
            reasons.append("Port or SocketPath must be set for a Connect proxy")
        if spec.connect is not None and spec.connect.native:
            reasons.append("A Proxy cannot also be Connect Native, only typical services")
    elif spec.kind in SERVICE_KINDS and spec.kind != TYPICAL:
        if not spec.port and spec.kind != "ingress-gateway":
            reasons.append(f"Port must be non-zero for a {spec.kind}")
        if proxy is not None and proxy.destination_service_name:
            reasons.append(f"The Proxy.DestinationServiceName configuration is invalid for a {spec.kind}")
    return reasons + _sidecar_reasons(spec)


def validate_check(spec: CheckSpec, settings: LocalSettings, source: Source) -> None:
    """Raises BadRequest (400) or Refused (500) for a check that is registered by itself."""
    if not spec.name:
        raise BadRequest("Missing check name")
    for name, text in (("ID", spec.id or spec.check_id), ("Name", spec.name), ("ServiceID", spec.service_id)):
        _bounded(name, text)
    if spec.status and spec.status not in STATUSES:
        raise BadRequest(CHECK_STATUS)
    if reason := check_error(spec):
        raise BadRequest(f"Invalid check: {reason}")
    validate_script(spec, settings, source)


def check_error(spec: CheckSpec) -> str:
    """Why a definition is no check; empty when it is one."""
    interval, ttl = _seconds(spec.interval), _seconds(spec.ttl)
    runs = any((spec.script_args, spec.http, spec.tcp, spec.udp, spec.grpc, spec.h2ping, spec.os_service))
    alias = spec.alias_node or spec.alias_service
    checks = (
        (interval > 0 and ttl > 0, "Interval and TTL cannot both be specified"),
        (runs and interval <= 0, "Interval must be > 0 for Script, HTTP, H2PING, or TCP checks"),
        (runs and alias, "Interval cannot be set for Alias checks"),
        (alias and ttl > 0, "TTL must be not be set for Alias checks"),
        (not runs and not alias and ttl <= 0, "TTL must be > 0 for TTL checks"),
        (spec.docker_container_id and not spec.script_args, "Docker checks need Args"),
        (spec.output_max_size < 0, "MaxOutput must be positive"),
        (
            spec.failures_before_warning > spec.failures_before_critical,
            "FailuresBeforeWarning can't be higher than FailuresBeforeCritical",
        ),
    )
    return next((text for wrong, text in checks if wrong), "")


def validate_script(spec: CheckSpec, settings: LocalSettings, source: Source) -> None:
    """Raises Refused when scripts from there are not allowed to run here."""
    if not spec.script_args:
        return
    if source is Source.CONFIG and not settings.enable_local_script_checks:
        raise Refused(
            "Scripts are disabled on this agent; to enable, configure 'enable_script_checks' or "
            "'enable_local_script_checks' to true"
        )
    if source is Source.API and not settings.enable_remote_script_checks:
        raise Refused(
            "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true"
        )


def _validate_checks(specs: list[CheckSpec], prefix: str, settings: LocalSettings, source: Source) -> None:
    for spec in specs:
        if reason := check_error(spec):
            raise BadRequest(f"{prefix}: {reason}")
    for spec in specs:
        if spec.status and spec.status not in STATUSES:
            raise BadRequest(SERVICE_STATUS)
        _bounded("CheckID", spec.check_id or spec.id)
        _bounded("Check.Name", spec.name)
        validate_script(spec, settings, source)


def _sidecar_reasons(spec: ServiceSpec) -> list[str]:
    sidecar = spec.connect.sidecar_service if spec.connect else None
    if sidecar is None:
        return []
    reasons = []
    if spec.kind not in (TYPICAL, CONNECT_PROXY):
        reasons.append(f"A {spec.kind} cannot have a sidecar service defined")
    if sidecar.id:
        reasons.append("A SidecarService cannot specify an ID as this is managed by the agent")
    if sidecar.connect is not None and sidecar.connect.sidecar_service is not None:
        reasons.append("A SidecarService cannot have a nested SidecarService")
    return reasons


def _weights_error(weights: WeightsSpec) -> str:
    if weights.passing < 1:
        return "Passing must be greater than 0"
    if weights.warning < 0:
        return "Warning must be greater or equal than 0"
    if max(weights.passing, weights.warning) > 65_535:
        return "DNS Weight must be between 0 and 65535"
    return ""


def _bounded(name: str, text: str) -> None:
    if len(text.encode()) > limits.NAME_BYTES:
        raise BadRequest(f"{name} is too long (limit: {limits.NAME_BYTES} bytes)")


def _seconds(duration: object) -> float:
    return getattr(duration, "seconds", 0.0)
