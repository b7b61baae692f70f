"""Nodes, services and checks as the catalog keeps and serves them.

Source of the field names and of what is left out when empty: the reference's answers (conformance, catalog-*,
health-*). These records are immutable; the index fields are filled in by the state when a record is applied.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from lictor.types.duration import Duration
from lictor.types.gojson import Wire, always, always_list

PASSING, WARNING, CRITICAL, MAINTENANCE = "passing", "warning", "critical", "maintenance"
STATUSES = (PASSING, WARNING, CRITICAL)
ANY_STATUS = "any"

SERF_HEALTH = "serfHealth"
NODE_MAINTENANCE = "_node_maintenance"
SERVICE_MAINTENANCE_PREFIX = "_service_maintenance:"

TYPICAL, CONNECT_PROXY, MESH_GATEWAY = "", "connect-proxy", "mesh-gateway"
TERMINATING_GATEWAY, INGRESS_GATEWAY = "terminating-gateway", "ingress-gateway"
SERVICE_KINDS = (TYPICAL, CONNECT_PROXY, MESH_GATEWAY, TERMINATING_GATEWAY, INGRESS_GATEWAY)


class Record(Wire, frozen=True, kw_only=True):
    """What lies in the store: created and last changed at these revisions (0 until applied)."""

    create_index: int = always(0)
    modify_index: int = always(0)


class Node(Record, frozen=True, kw_only=True):
    """A machine (or anything with an address) in the catalog. `id` is a UUID or empty."""

    id: str = always("")
    node: str = always("")
    address: str = always("")
    datacenter: str = always("")
    tagged_addresses: dict[str, str] | None = always(None)
    meta: dict[str, str] | None = always(None)


class ServiceAddress(Wire, frozen=True, kw_only=True):
    """One of a service's tagged addresses."""

    address: str = always("")
    port: int = always(0)


class Weights(Wire, frozen=True, kw_only=True):
    """A service's DNS SRV weights by its health."""

    passing: int = always(1)
    warning: int = always(1)


class MeshGateway(Wire, frozen=True, kw_only=True):
    mode: str = ""


class ExposePath(Wire, frozen=True, kw_only=True):
    listener_port: int = 0
    path: str = ""
    local_path_port: int = 0
    protocol: str = ""
    parsed_from_check: bool = False


class Expose(Wire, frozen=True, kw_only=True):
    checks: bool = False
    paths: list[ExposePath] = msgspec.field(default_factory=list)


class TransparentProxy(Wire, frozen=True, kw_only=True):
    outbound_listener_port: int = 0
    dialed_directly: bool = False


class Upstream(Wire, frozen=True, kw_only=True):
    """A destination that a proxy makes available to its service on a local port."""

    destination_type: str = always("service")
    destination_namespace: str = ""
    destination_name: str = always("")
    datacenter: str = always("")
    local_bind_address: str = ""
    local_bind_port: int = 0
    local_bind_socket_path: str = ""
    local_bind_socket_mode: str = ""
    config: dict[str, Any] = msgspec.field(default_factory=dict)
    mesh_gateway: MeshGateway = msgspec.field(default_factory=MeshGateway)


class Proxy(Wire, frozen=True, kw_only=True):
    """What a connect-proxy service proxies for, and how."""

    destination_service_name: str = ""
    destination_service_id: str = ""
    local_service_address: str = ""
    local_service_port: int = 0
    local_service_socket_path: str = ""
    mode: str = always("")
    transparent_proxy: TransparentProxy | None = None
    config: dict[str, Any] = msgspec.field(default_factory=dict)
    upstreams: list[Upstream] = msgspec.field(default_factory=list)
    mesh_gateway: MeshGateway = msgspec.field(default_factory=MeshGateway)
    expose: Expose = msgspec.field(default_factory=Expose)


class Connect(Wire, frozen=True, kw_only=True):
    """Mesh settings in the service itself. `sidecar_service` never reaches the catalog: the agent expands it."""

    native: bool = False


class Service(Record, frozen=True, kw_only=True):
    """An instance of a service. Which node it is on is part of its place in the store, not of the record."""

    kind: str = ""
    id: str = always("")
    service: str = always("")
    tags: list[str] = always_list()
    address: str = always("")
    tagged_addresses: dict[str, ServiceAddress] = msgspec.field(default_factory=dict)
    meta: dict[str, str] | None = always(None)
    port: int = always(0)
    socket_path: str = ""
    weights: Weights = msgspec.field(default_factory=lambda: DEFAULT_WEIGHTS)
    enable_tag_override: bool = always(False)
    proxy: Proxy = msgspec.field(default_factory=lambda: NO_PROXY)
    connect: Connect = msgspec.field(default_factory=lambda: NO_CONNECT)


class CheckDefinition(Wire, frozen=True, kw_only=True):
    """How a check in the catalog is run, for external monitors that run it; agents' own checks leave it empty."""

    http: str = ""
    tls_server_name: str = ""
    tls_skip_verify: bool = False
    header: dict[str, list[str]] = msgspec.field(default_factory=dict)
    method: str = ""
    body: str = ""
    tcp: str = ""
    udp: str = ""
    h2ping: str = ""
    grpc: str = ""
    grpc_use_tls: bool = False
    interval: Duration | None = None
    output_max_size: int = 0
    timeout: Duration | None = None
    deregister_critical_service_after: Duration | None = None
    script_args: list[str] = msgspec.field(default_factory=list)
    alias_node: str = ""
    alias_service: str = ""
    ttl: Duration | None = None

    @property
    def kind(self) -> str:
        """The kind of check that this describes; empty when it describes none."""
        return next((kind for kind in ("ttl", "http", "tcp", "udp", "grpc", "h2ping") if getattr(self, kind)), "")


class Check(Record, frozen=True, kw_only=True):
    """A health check of a node, or of one of its services when `service_id` is set."""

    filter_hidden: ClassVar[frozenset[str]] = frozenset({"Definition"})

    node: str = always("")
    check_id: str = always("")
    name: str = always("")
    status: str = always(CRITICAL)
    notes: str = always("")
    output: str = always("")
    service_id: str = always("")
    service_name: str = always("")
    service_tags: list[str] | None = always_list()
    type: str = always("")
    interval: str = always("")
    timeout: str = always("")
    exposed_port: int = always(0)
    definition: CheckDefinition = msgspec.field(default_factory=lambda: NO_DEFINITION)


DEFAULT_WEIGHTS: Weights = Weights()
NO_PROXY: Proxy = Proxy()
NO_CONNECT: Connect = Connect()
NO_DEFINITION: CheckDefinition = CheckDefinition()
