"""The sections of a configuration file: what stands inside `dns_config { ... }`, `ports { ... }` and their like.

A field is a key of the file, its type what the key takes and its default what the reference uses. Lengths of time are
float seconds here (`Seconds`), "10s" or whole nanoseconds in a file. Source: the reference's documentation of its agent
configuration, version 1.10. Nothing here validates beyond types.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

SECONDS = "seconds"
Seconds = Annotated[float, msgspec.Meta(extra={SECONDS: True})]

StringMap = dict[str, str]
Strings = tuple[str, ...]
OFF = -1
"""A port that is not served."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every section."""


class Addresses(Section, frozen=True, kw_only=True):
    """Where client interfaces listen instead of `client_addr`: addresses and `unix://` sockets, separated by spaces."""

    dns: str = ""
    http: str = ""
    https: str = ""
    grpc: str = ""


class Ports(Section, frozen=True, kw_only=True):
    """Ports; zero and below switch an interface off (and read `OFF` once built)."""

    dns: int = 8600
    http: int = 8500
    https: int = OFF
    grpc: int = OFF
    serf_lan: int = 8301
    serf_wan: int = 8302
    server: int = 8300
    proxy_min_port: int = 20000
    proxy_max_port: int = 20255
    sidecar_min_port: int = 21000
    sidecar_max_port: int = 21255
    expose_min_port: int = 21500
    expose_max_port: int = 21755


class SOA(Section, frozen=True, kw_only=True):
    """The numbers of the zone's SOA record, in whole seconds."""

    refresh: int = 3600
    retry: int = 600
    expire: int = 86400
    min_ttl: int = 0


class DNSConfig(Section, frozen=True, kw_only=True):
    """How DNS answers. `service_ttl` maps a service's name, a prefix with `*` behind it, or `*` to a TTL."""

    allow_stale: bool = True
    max_stale: Seconds = 87600 * 3600.0
    node_ttl: Seconds = 0.0
    service_ttl: dict[str, Seconds] = msgspec.field(default_factory=dict)
    enable_truncate: bool = False
    only_passing: bool = False
    recursor_timeout: Seconds = 2.0
    disable_compression: bool = False
    udp_answer_limit: int = 3
    a_record_limit: int = 0
    enable_additional_node_meta_txt: bool = True
    soa: SOA = SOA()
    use_cache: bool = False
    cache_max_age: Seconds = 0.0


class HTTPConfig(Section, frozen=True, kw_only=True):
    """The HTTP API: endpoints that are refused, networks that may write, headers added to each answer."""

    block_endpoints: Strings = ()
    allow_write_http_from: Strings = ()
    response_headers: StringMap = msgspec.field(default_factory=dict)
    use_cache: bool = True
    max_header_bytes: int = 0


class LimitsConfig(Section, frozen=True, kw_only=True):
    """Bounds on clients. `txn_max_ops`, `http_max_body_bytes` and `http_max_watches` are ours.

    `rpc_rate` is calls a second (-1: no bound). `http_max_conns_per_client` is 0, no bound, where the reference has
    200: ten thousand watchers of one machine are no mistake. Connections are bounded in all.
    """

    http_max_conns_per_client: int = 0
    https_handshake_timeout: Seconds = 5.0
    rpc_handshake_timeout: Seconds = 5.0
    rpc_rate: float = -1.0
    rpc_max_burst: int = 1000
    rpc_max_conns_per_client: int = 100
    kv_max_value_size: int = 512 * 1024
    txn_max_req_len: int = 512 * 1024
    txn_max_ops: int = 0
    http_max_body_bytes: int = 0
    http_max_watches: int = 0


class UnixSockets(Section, frozen=True, kw_only=True):
    """Owner and octal mode of the sockets named in `addresses`."""

    user: str = ""
    group: str = ""
    mode: str = ""


class Telemetry(Section, frozen=True, kw_only=True):
    """Metrics: where they are sent and which (`prefix_filter` entries begin with + or -)."""

    disable_hostname: bool = False
    dogstatsd_addr: str = ""
    dogstatsd_tags: Strings = ()
    filter_default: bool = True
    metrics_prefix: str = "consul"
    prefix_filter: Strings = ()
    prometheus_retention_time: Seconds = 0.0
    statsd_address: str = ""
    statsite_address: str = ""


class AddedHeader(Section, frozen=True, kw_only=True):
    name: str = ""
    value: str = ""


class MetricsProxy(Section, frozen=True, kw_only=True):
    """A metrics server that the UI reaches through the agent."""

    base_url: str = ""
    add_headers: tuple[AddedHeader, ...] = ()
    path_allowlist: Strings = ()


class UIConfig(Section, frozen=True, kw_only=True):
    enabled: bool = False
    dir: str = ""
    content_path: str = ""
    metrics_provider: str = ""
    metrics_provider_files: Strings = ()
    metrics_provider_options_json: str = ""
    metrics_proxy: MetricsProxy = MetricsProxy()
    dashboard_url_templates: StringMap = msgspec.field(default_factory=dict)


class Tokens(Section, frozen=True, kw_only=True):
    """Secrets that the agent uses; they are kept out of its printed form."""

    master: str = ""
    replication: str = ""
    agent_master: str = ""
    default: str = ""
    agent: str = ""

    def __repr__(self) -> str:
        given = [name for name in self.__struct_fields__ if getattr(self, name)]
        return f"Tokens({', '.join(f'{name}=hidden' for name in given)})"


class ACLConfig(Section, frozen=True, kw_only=True):
    enabled: bool = False
    enable_token_replication: bool = False
    policy_ttl: Seconds = 30.0
    role_ttl: Seconds = 0.0
    token_ttl: Seconds = 30.0
    down_policy: str = "extend-cache"
    default_policy: str = "allow"
    enable_key_list_policy: bool = False
    enable_token_persistence: bool = False
    tokens: Tokens = Tokens()


class Connect(Section, frozen=True, kw_only=True):
    """The mesh: whether it is on, and its certificate authority (`ca_config` is the provider's own)."""

    enabled: bool = False
    ca_provider: str = ""
    ca_config: dict[str, Any] = msgspec.field(default_factory=dict)
    enable_mesh_gateway_wan_federation: bool = False

    def __repr__(self) -> str:
        return f"Connect(enabled={self.enabled}, ca_provider={self.ca_provider!r}, ca_config=hidden)"


class AutoEncrypt(Section, frozen=True, kw_only=True):
    tls: bool = False
    dns_san: Strings = ()
    ip_san: Strings = ()
    allow_tls: bool = False


class Performance(Section, frozen=True, kw_only=True):
    leave_drain_time: Seconds = 5.0
    raft_multiplier: int = 5
    rpc_hold_timeout: Seconds = 7.0


class Autopilot(Section, frozen=True, kw_only=True):
    cleanup_dead_servers: bool = True
    last_contact_threshold: Seconds = 0.2
    max_trailing_logs: int = 250
    min_quorum: int = 0
    server_stabilization_time: Seconds = 10.0


class ConfigEntries(Section, frozen=True, kw_only=True):
    """Config entries written once, when a cluster is new. Each is kept as it was given."""

    bootstrap: tuple[dict[str, Any], ...] = ()


class StoreConfig(Section, frozen=True, kw_only=True):
    """Ours: where a server keeps its data.

    `kind` is sqlite, memory or etcd; empty is sqlite (memory with -dev). `path` is the SQLite file (empty: in
    data_dir). The rest is etcd's: `endpoints` of a cluster that exists (empty: this server runs a member), how to reach
    it, and the prefix of all keys; for a member of its own its ports, and how long forming the cluster may take.
    """

    kind: str = ""
    path: str = ""
    endpoints: Strings = ()
    prefix: str = ""
    username: str = ""
    password: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    client_port: int = 2379
    peer_port: int = 2380
    form_timeout: Seconds = 120.0

    def __repr__(self) -> str:
        return f"StoreConfig(kind={self.kind!r}, path={self.path!r}, endpoints={self.endpoints!r})"
