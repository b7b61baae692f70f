"""Services and checks as agents are told of them (API bodies and configuration files), and what is wrong with them.

Source: the bodies of /v1/agent/service/register and /v1/agent/check/register. `ALIASES` holds the snake_case and other
spellings that the reference takes beside its JSON names.
"""

from __future__ import annotations

import msgspec

from lictor.types.catalog import Proxy, ServiceAddress
from lictor.types.duration import Duration
from lictor.types.gojson import Wire

ALIASES = {
    "script": "ScriptArgs",
    "args": "ScriptArgs",
    "script_args": "ScriptArgs",
    "check_id": "CheckID",
    "docker_container_id": "DockerContainerID",
    "enable_tag_override": "EnableTagOverride",
    "tagged_addresses": "TaggedAddresses",
    "service_id": "ServiceID",
    "tls_server_name": "TLSServerName",
    "tls_skip_verify": "TLSSkipVerify",
    "sidecar_service": "SidecarService",
    "deregister_critical_service_after": "DeregisterCriticalServiceAfter",
    "output_max_size": "OutputMaxSize",
    "grpc_use_tls": "GRPCUseTLS",
    "alias_node": "AliasNode",
    "alias_service": "AliasService",
    "success_before_passing": "SuccessBeforePassing",
    "failures_before_critical": "FailuresBeforeCritical",
    "failures_before_warning": "FailuresBeforeWarning",
    "socket_path": "SocketPath",
    "checkid": "CheckID",
}


class CheckSpec(Wire, frozen=True, kw_only=True):
    """One check of an agent.

    Which field is set decides its kind: TTL, HTTP, TCP, UDP, gRPC, H2PING, script, docker, OS service or alias.
    """

    check_id: str = ""
    id: str = ""
    name: str = ""
    notes: str = ""
    status: str = ""
    service_id: str = ""
    token: str = ""
    script_args: list[str] = msgspec.field(default_factory=list)
    http: str = ""
    h2ping: str = ""
    h2ping_use_tls: bool = True
    header: dict[str, list[str]] = msgspec.field(default_factory=dict)
    method: str = ""
    body: str = ""
    disable_redirects: bool = False
    tcp: str = ""
    tcp_use_tls: bool = False
    udp: str = ""
    os_service: str = ""
    interval: Duration | None = None
    docker_container_id: str = ""
    shell: str = ""
    grpc: str = ""
    grpc_use_tls: bool = False
    tls_server_name: str = ""
    tls_skip_verify: bool = False
    alias_node: str = ""
    alias_service: str = ""
    timeout: Duration | None = None
    ttl: Duration | None = None
    success_before_passing: int = 0
    failures_before_warning: int = 0
    failures_before_critical: int = 0
    deregister_critical_service_after: Duration | None = None
    output_max_size: int = 0
    proxy_http: str = ""
    proxy_grpc: str = ""
    namespace: str = ""

    @property
    def kind(self) -> str:
        """The check's kind as the reference's `Type` shows it; empty when no kind's field is set."""
        for name, present in (
            ("ttl", self.ttl),
            ("script", self.script_args and not self.docker_container_id),
            ("docker", self.docker_container_id),
            ("http", self.http),
            ("tcp", self.tcp),
            ("udp", self.udp),
            ("grpc", self.grpc),
            ("h2ping", self.h2ping),
            ("os_service", self.os_service),
            ("alias", self.alias_node or self.alias_service),
        ):
            if present:
                return name
        return ""


class WeightsSpec(Wire, frozen=True, kw_only=True):
    passing: int = 1
    warning: int = 1


class ConnectSpec(Wire, frozen=True, kw_only=True):
    """`connect { native | sidecar_service { ... } }` of a service definition."""

    native: bool = False
    sidecar_service: ServiceSpec | None = None


class ServiceSpec(Wire, frozen=True, kw_only=True):
    """One service of an agent, as registered."""

    kind: str = ""
    id: str = ""
    name: str = ""
    tags: list[str] = msgspec.field(default_factory=list)
    address: str = ""
    tagged_addresses: dict[str, ServiceAddress] = msgspec.field(default_factory=dict)
    socket_path: str = ""
    meta: dict[str, str] = msgspec.field(default_factory=dict)
    port: int = 0
    check: CheckSpec | None = None
    checks: list[CheckSpec] = msgspec.field(default_factory=list)
    weights: WeightsSpec | None = None
    token: str = ""
    enable_tag_override: bool = False
    proxy: Proxy | None = None
    connect: ConnectSpec | None = None
    namespace: str = ""
