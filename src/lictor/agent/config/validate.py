"""What a configuration may not say, and what it had better not: the rules between settings. Pure.

Types are the decoder's and addresses are `listen`'s concern. Source: the reference's validation, its order and words.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

from lictor.agent.config.schema import RuntimeConfig
from lictor.errors import ConfigError
from lictor.types.validate import meta_error, uuid_error

_DATACENTER = re.compile(r"[a-z0-9_-]+\Z")
_CONTENT_PATH = re.compile(r"[A-Za-z0-9/_-]+\Z")
_VERSION_PATH = re.compile(r"/v\d+/\Z")
_NOT_DNS = re.compile(r"[^A-Za-z0-9-]")
_OCTAL = re.compile(r"0?[0-7]{3}\Z")
_DNS_LABEL = 63
_RAFT_MULTIPLIER_MAX = 10
_LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERR", "ERROR")
_CA_PROVIDERS = ("", "consul", "vault", "aws-pca")
_TLS_VERSIONS = ("", "tls10", "tls11", "tls12", "tls13")
_DNS_WORDS = ("service", "connect", "node", "query", "addr")
_STORES = ("", "sqlite", "memory", "etcd")
_POSITIVE = ("ae_interval", "check_reap_interval", "check_output_max_size")
_NOT_NEGATIVE = (
    "bootstrap_expect",
    "default_query_time",
    "max_query_time",
    "session_ttl_min",
    "check_update_interval",
    "check_deregister_interval_min",
    "retry_interval",
    "retry_interval_wan",
    "retry_max",
    "retry_max_wan",
    "reconnect_timeout",
    "advertise_reconnect_timeout",
    "log_rotate_bytes",
    "log_rotate_duration",
    "dns_config.udp_answer_limit",
    "dns_config.a_record_limit",
    "dns_config.max_stale",
    "dns_config.node_ttl",
    "dns_config.recursor_timeout",
    "dns_config.cache_max_age",
    "dns_config.soa.refresh",
    "dns_config.soa.retry",
    "dns_config.soa.expire",
    "dns_config.soa.min_ttl",
    "http_config.max_header_bytes",
    "limits.http_max_conns_per_client",
    "limits.kv_max_value_size",
    "limits.txn_max_req_len",
    "limits.txn_max_ops",
    "limits.http_max_body_bytes",
    "limits.http_max_watches",
    "performance.leave_drain_time",
    "autopilot.max_trailing_logs",
    "telemetry.prometheus_retention_time",
)


def validate(config: RuntimeConfig, is_file: Callable[[str], bool]) -> list[str]:
    """Raises ConfigError with the first rule that `config` breaks, naming the key; else gives warnings."""
    for rule in (_identity, _numbers, _bootstrap, _networks, _interfaces, _security, _mesh):
        for problem in rule(config):
            raise ConfigError(problem)
    if config.data_dir and not config.dev_mode and is_file(config.data_dir):
        raise ConfigError(f'data_dir "{config.data_dir}" is not a directory')
    return list(_warnings(config))


def _identity(config: RuntimeConfig) -> Iterator[str]:
    if not config.datacenter:
        yield "datacenter cannot be empty"
    for key, name in (("datacenter", config.datacenter), ("primary_datacenter", config.primary_datacenter)):
        if not _DATACENTER.match(name):
            yield f'{key} cannot be "{name}". Please use only [a-z0-9-_]'
    keeps_nothing = config.dev_mode or config.store.kind == "memory" or bool(config.store.endpoints)
    if not config.data_dir and not keeps_nothing:
        yield "data_dir cannot be empty"
    if not config.node_name:
        yield "node_name cannot be empty"
    if config.node_id and (problem := uuid_error(config.node_id)):
        yield f"node_id: {problem}"
    if problem := meta_error(config.node_meta):
        yield f"node_meta invalid: Node {problem}" if problem.startswith("meta") else f"node_meta invalid: {problem}"
    if config.alt_domain.partition(".")[0] in (*_DNS_WORDS, config.datacenter) and "." in config.alt_domain:
        yield f"alt_domain cannot start with {{{','.join(_DNS_WORDS)},{config.datacenter}}}"


def _numbers(config: RuntimeConfig) -> Iterator[str]:
    for key in _POSITIVE:
        if getattr(config, key) <= 0:
            hint = ", to discard check output use discard_check_output" if key == "check_output_max_size" else ""
            yield f"{key} must be positive{hint}"
    for path in _NOT_NEGATIVE:
        value: object = config
        for key in path.split("."):
            value = getattr(value, key)
        if isinstance(value, (int, float)) and value < 0:
            yield f"{path} cannot be {value:g}. Must be greater than or equal to zero"
    for name, ttl in config.dns_config.service_ttl.items():
        if ttl < 0:
            yield f'dns_config.service_ttl["{name}"] cannot be {ttl:g}. Must be greater than or equal to zero'
    multiplier = config.performance.raft_multiplier
    if not 1 <= multiplier <= _RAFT_MULTIPLIER_MAX:
        yield f"performance.raft_multiplier cannot be {multiplier}. Must be between 1 and {_RAFT_MULTIPLIER_MAX}"


def _bootstrap(config: RuntimeConfig) -> Iterator[str]:
    expect = config.bootstrap_expect
    if config.bootstrap and not config.server:
        yield "'bootstrap = true' requires 'server = true'"
    if expect > 0 and not config.server:
        yield "'bootstrap_expect > 0' requires 'server = true'"
    if expect > 0 and config.dev_mode:
        yield "'bootstrap_expect > 0' not allowed in dev mode"
    if expect > 0 and config.bootstrap:
        yield "'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive"
    if config.store.kind not in _STORES:
        yield f'store.kind cannot be "{config.store.kind}". Must be sqlite, memory or etcd'
    if config.store.kind in ("sqlite", "memory") and expect > 1:
        yield f'bootstrap_expect = {expect} needs store.kind = "etcd": {config.store.kind} serves one server'
    if config.store.endpoints and config.store.kind != "etcd":
        yield 'store.endpoints needs store.kind = "etcd"'


def _networks(config: RuntimeConfig) -> Iterator[str]:
    for key, networks in (
        ("http_config.allow_write_http_from", config.http_config.allow_write_http_from),
        ("serf_lan_allowed_cidrs", config.serf_lan_allowed_cidrs),
        ("serf_wan_allowed_cidrs", config.serf_wan_allowed_cidrs),
    ):
        for network in networks:
            try:
                ipaddress.ip_network(network.strip() if "/" in network else "", strict=False)
            except ValueError:
                yield f"{key}: invalid cidr: {network}"


def _interfaces(config: RuntimeConfig) -> Iterator[str]:
    ui = config.ui_config
    path = f"/{ui.content_path.strip('/')}/"
    if ui.content_path and not _CONTENT_PATH.match(path):
        yield f"ui-content-path can only contain alphanumeric, -, _, or /. received: {path}"
    if _VERSION_PATH.match(path):
        yield f"ui-content-path cannot have 'v[0-9]'. received: {path}"
    # Development mode enables the UI by itself, which is no contradiction to a directory of one's own.
    if ui.enabled and ui.dir and not config.dev_mode:
        yield "Both the ui_config.enabled and ui_config.dir were specified, please provide only one"
    if config.unix_sockets.mode and not _OCTAL.match(config.unix_sockets.mode):
        yield f'unix_sockets.mode cannot be "{config.unix_sockets.mode}". Must be octal, such as 0770'
    if config.log_level.upper() not in _LOG_LEVELS:
        yield f"Invalid log level: {config.log_level}. Valid log levels are: {' '.join(_LOG_LEVELS[:-1])}"
    for number, watch in enumerate(config.watches):
        if not isinstance(watch.get("type"), str):
            yield f"watches[{number}]: Watch type must be defined"


def _security(config: RuntimeConfig) -> Iterator[str]:
    acl = config.acl
    if acl.enabled:
        yield "acl.enabled: this version cannot enforce ACLs and does not start rather than allow everything"
    if acl.default_policy not in ("allow", "deny"):
        yield f'acl.default_policy cannot be "{acl.default_policy}". Must be allow or deny'
    if acl.down_policy not in ("allow", "deny", "extend-cache", "async-cache"):
        yield f'acl.down_policy cannot be "{acl.down_policy}". Must be allow, deny, extend-cache or async-cache'
    if config.tls_min_version not in _TLS_VERSIONS:
        yield f'tls_min_version cannot be "{config.tls_min_version}". Must be one of {" ".join(_TLS_VERSIONS[1:])}'
    if bool(config.cert_file) != bool(config.key_file):
        yield "cert_file and key_file must be given together"
    if (config.verify_incoming or config.verify_incoming_rpc) and not (config.ca_file or config.ca_path):
        yield "verify_incoming is set, and no CA certificate to verify with: give ca_file or ca_path"
    auto = config.auto_config
    authorization = auto.get("authorization")
    if auto.get("enabled") is True or (isinstance(authorization, dict) and authorization.get("enabled") is True):
        yield "auto_config is not supported: give agents their settings, or use auto_encrypt for certificates"
    if config.server and config.auto_encrypt.tls:
        yield "auto_encrypt.tls can only be used on a client."
    if not config.server and config.auto_encrypt.allow_tls:
        yield "auto_encrypt.allow_tls can only be used on a server."


def _mesh(config: RuntimeConfig) -> Iterator[str]:
    connect = config.connect
    if connect.ca_provider not in _CA_PROVIDERS:
        yield f"{connect.ca_provider} is not a valid CA provider"
    federation = "connect.enable_mesh_gateway_wan_federation"
    if connect.enable_mesh_gateway_wan_federation:
        if not connect.enabled:
            yield f"'{federation}=true' requires 'connect.enabled=true'"
        if not config.server:
            yield f"'{federation} = true' requires 'server = true'"
        if "/" in config.node_name:
            yield f"'{federation} = true' requires that 'node_name' not contain '/' characters"
        for key in ("start_join_wan", "retry_join_wan"):
            if getattr(config, key):
                yield f"'{key}' is incompatible with '{federation} = true'"
    if config.primary_gateways and not config.server:
        yield "'primary_gateways' requires 'server = true'"
    if config.primary_gateways and config.primary_datacenter == config.datacenter:
        yield "'primary_gateways' should only be configured in a secondary datacenter"
    for number, entry in enumerate(config.config_entries.bootstrap):
        kinds = [value for key, value in entry.items() if key.lower() == "kind"]
        if not kinds or not isinstance(kinds[0], str):
            yield f"config_entries.bootstrap[{number}]: Payload does not contain a kind/Kind key at the top level"


def _warnings(config: RuntimeConfig) -> Iterator[str]:
    expect = config.bootstrap_expect
    if _NOT_DNS.search(config.node_name):
        yield (
            f'Node name "{config.node_name}" will not be discoverable via DNS due to invalid characters.'
            " Valid characters include all alpha-numerics and dashes."
        )
    elif len(config.node_name) > _DNS_LABEL:
        yield (
            f'Node name "{config.node_name}" will not be discoverable via DNS due to it being too long.'
            f" Valid lengths are between 1 and {_DNS_LABEL} bytes."
        )
    if expect == 2:
        yield "bootstrap_expect = 2: A cluster with 2 servers will provide no failure tolerance."
    if expect > 2 and expect % 2 == 0:
        yield "bootstrap_expect is even number: an even number of servers does not achieve optimum fault tolerance."
    if config.bootstrap:
        yield "bootstrap = true: do not enable unless necessary"
    if expect > 1:
        yield f"bootstrap_expect > 0: expecting {expect} servers"
    if config.auto_encrypt.allow_tls and not (config.verify_incoming or config.verify_incoming_rpc):
        yield "auto_encrypt.allow_tls is on: turn on verify_incoming too once all agents have their certificates"
    for rule in config.telemetry.prefix_filter:
        if not rule:
            yield "Cannot have empty filter rule in prefix_filter"
        elif rule[0] not in "+-":
            yield f"Filter rule must begin with either '+' or '-': \"{rule}\""
    for address in config.auto_encrypt.ip_san:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            yield f'Cannot parse ip "{address}" from AutoEncrypt.IPSAN'
    if not config.server and config.store.kind:
        yield "store has no effect on a client agent: only servers keep data"
