"""`Settings`: every key that configuration text may set, and `RuntimeConfig`: what the agent runs on once all is built.

Keys keep the reference's names, so that `config.dns_config.only_passing` is what a user wrote. A RuntimeConfig has
the same keys, checked, with templates expanded and what was left open decided, and beside them what follows from them.
Source: the reference's documentation of its agent configuration, version 1.10.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lictor import limits as bounds
from lictor.agent.config.sections import (
    OFF,
    ACLConfig,
    Addresses,
    AutoEncrypt,
    Autopilot,
    ConfigEntries,
    Connect,
    DNSConfig,
    HTTPConfig,
    LimitsConfig,
    Performance,
    Ports,
    Seconds,
    Section,
    StoreConfig,
    StringMap,
    Strings,
    Telemetry,
    UIConfig,
    UnixSockets,
)
from lictor.types.definitions import CheckSpec, ServiceSpec


class Settings(Section, frozen=True, kw_only=True):
    """The keys of configuration files, with the reference's defaults. None means that the default depends on others."""

    # who this agent is
    node_name: str = ""
    node_id: str = ""
    node_meta: StringMap = msgspec.field(default_factory=dict)
    datacenter: str = "dc1"
    primary_datacenter: str = ""
    server: bool = False
    bootstrap: bool = False
    bootstrap_expect: int = 0
    data_dir: str = ""
    store: StoreConfig = StoreConfig()

    # where it listens and is found
    bind_addr: str = "0.0.0.0"
    client_addr: str = "127.0.0.1"
    addresses: Addresses = Addresses()
    ports: Ports = Ports()
    advertise_addr: str = ""
    advertise_addr_ipv4: str = ""
    advertise_addr_ipv6: str = ""
    advertise_addr_wan: str = ""
    advertise_addr_wan_ipv4: str = ""
    advertise_addr_wan_ipv6: str = ""
    tagged_addresses: StringMap = msgspec.field(default_factory=dict)
    translate_wan_addrs: bool = False
    serf_lan: str = ""
    serf_wan: str = ""
    serf_lan_allowed_cidrs: Strings = ()
    serf_wan_allowed_cidrs: Strings = ()
    unix_sockets: UnixSockets = UnixSockets()

    # DNS and HTTP
    domain: str = "consul."
    alt_domain: str = ""
    recursors: Strings = ()
    dns_config: DNSConfig = DNSConfig()
    http_config: HTTPConfig = HTTPConfig()
    ui_config: UIConfig = UIConfig()
    limits: LimitsConfig = LimitsConfig()
    default_query_time: Seconds = bounds.WAIT_DEFAULT_SECONDS
    max_query_time: Seconds = bounds.WAIT_MAX_SECONDS
    discovery_max_stale: Seconds = 0.0
    session_ttl_min: Seconds = 0.0
    enable_debug: bool = False
    disable_http_unprintable_char_filter: bool = False
    disable_coordinates: bool = False

    # checks and anti-entropy
    enable_script_checks: bool = False
    enable_local_script_checks: bool | None = None
    enable_agent_tls_for_checks: bool = False
    check_output_max_size: int = bounds.CHECK_OUTPUT_BYTES
    check_update_interval: Seconds = 300.0
    check_deregister_interval_min: Seconds = 60.0
    check_reap_interval: Seconds = 30.0
    discard_check_output: bool = False
    ae_interval: Seconds = 60.0
    watches: tuple[dict[str, Any], ...] = ()

    # joining and leaving
    start_join: Strings = ()
    start_join_wan: Strings = ()
    retry_join: Strings = ()
    retry_join_wan: Strings = ()
    retry_interval: Seconds = 30.0
    retry_interval_wan: Seconds = 30.0
    retry_max: int = 0
    retry_max_wan: int = 0
    rejoin_after_leave: bool = False
    reconnect_timeout: Seconds = 0.0
    member_ttl: Seconds = 10.0
    reconnect_timeout_wan: Seconds = 0.0
    advertise_reconnect_timeout: Seconds = 0.0
    leave_on_terminate: bool | None = None
    skip_leave_on_interrupt: bool | None = None
    primary_gateways: Strings = ()
    primary_gateways_interval: Seconds = 30.0

    # security and the mesh
    acl: ACLConfig = ACLConfig()
    auto_config: dict[str, Any] = msgspec.field(default_factory=dict)
    auto_encrypt: AutoEncrypt = AutoEncrypt()
    connect: Connect = Connect()
    config_entries: ConfigEntries = ConfigEntries()
    enable_central_service_config: bool = True
    ca_file: str = ""
    ca_path: str = ""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""
    tls_min_version: str = "tls12"
    tls_cipher_suites: str = ""
    verify_incoming: bool = False
    verify_incoming_rpc: bool = False
    verify_incoming_https: bool = False
    verify_outgoing: bool = False
    verify_server_hostname: bool = False

    # the process
    log_level: str = "INFO"
    log_json: bool = False
    log_file: str = ""
    log_rotate_bytes: int = 0
    log_rotate_duration: Seconds = 0.0
    log_rotate_max_files: int = 0
    enable_syslog: bool = False
    syslog_facility: str = "LOCAL0"
    pid_file: str = ""
    disable_host_node_id: bool = True
    disable_remote_exec: bool = True
    telemetry: Telemetry = Telemetry()
    performance: Performance = Performance()
    autopilot: Autopilot = Autopilot()


class Address(msgspec.Struct, frozen=True):
    """Where one listener stands: `host` and `port`, or the `path` of a unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"unix://{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Listeners(msgspec.Struct, frozen=True, kw_only=True):
    """Every address that the agent listens on. Empty or None: that interface is off."""

    http: tuple[Address, ...] = ()
    https: tuple[Address, ...] = ()
    dns: tuple[Address, ...] = ()
    grpc: tuple[Address, ...] = ()
    server: Address | None = None
    serf_lan: Address | None = None
    serf_wan: Address | None = None


class RuntimeConfig(Settings, frozen=True, kw_only=True):
    """A configuration that is checked and complete.

    `datacenter`s are in lower case, `node_name` and the advertised addresses are filled in, switched-off ports read
    `OFF`, `tagged_addresses` holds what the node registers, `store.kind` is decided (empty on a client agent).
    """

    enable_local_script_checks: bool
    leave_on_terminate: bool
    skip_leave_on_interrupt: bool
    dev_mode: bool = False
    listen: Listeners = Listeners()
    services: tuple[ServiceSpec, ...] = ()
    checks: tuple[CheckSpec, ...] = ()

    def __repr__(self) -> str:
        # Definitions and sections may hold tokens; `sanitise` shows the rest.
        return f"RuntimeConfig(node_name={self.node_name!r}, datacenter={self.datacenter!r}, server={self.server})"

    def limits_in_force(self) -> bounds.Limits:
        """The bounds that servers and the API enforce.

        A transaction may be as large as one value may be, whatever `txn_max_req_len` says (as in the reference).
        """
        given, standard = self.limits, bounds.Limits()
        return bounds.Limits(
            kv_value_bytes=given.kv_max_value_size,
            txn_body_bytes=max(given.txn_max_req_len, given.kv_max_value_size),
            txn_ops=given.txn_max_ops or standard.txn_ops,
            body_bytes=given.http_max_body_bytes or standard.body_bytes,
            watches=given.http_max_watches or standard.watches,
            session_ttl_min_seconds=self.session_ttl_min or standard.session_ttl_min_seconds,
        )


__all__ = ["OFF", "Address", "Listeners", "RuntimeConfig", "Settings"]
