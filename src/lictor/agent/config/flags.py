"""The agent's command line: from arguments to settings under the names that files use. Pure; `-help` is the CLI's.

Flags are read as Go's flag package reads them: one dash or two, `-flag=value` or `-flag value`, a boolean alone or with
`=value`; the first argument that is no flag ends them. Source: the reference's documentation of `consul agent`, 1.10.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from lictor.errors import ConfigError
from lictor.types.duration import Duration

BOOL, INT, STRING, DURATION, LIST, MAP = "bool", "int", "string", "duration", "list", "map"
_TRUE, _FALSE = {"1", "t", "T", "TRUE", "true", "True"}, {"0", "f", "F", "FALSE", "false", "False"}
_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9][0-9]*)\Z")
_NUMBER_CHARACTERS = 24


class Flag(NamedTuple):
    """One flag: the kind of its value, the setting it gives (empty for those about reading itself), and its help."""

    name: str
    kind: str
    key: str
    help: str


FLAGS = (
    Flag("advertise", STRING, "advertise_addr", "Address that others reach this agent at."),
    Flag("advertise-wan", STRING, "advertise_addr_wan", "Address that agents of other datacenters reach this one at."),
    Flag("allow-write-http-from", LIST, "http_config.allow_write_http_from", "Network (CIDR) that may write; repeat."),
    Flag("alt-domain", STRING, "alt_domain", "Second domain that DNS answers for."),
    Flag("bind", STRING, "bind_addr", "Address for traffic between agents."),
    Flag("bootstrap", BOOL, "bootstrap", "Lets this server begin a cluster alone."),
    Flag("bootstrap-expect", INT, "bootstrap_expect", "Number of servers that begin a cluster together."),
    Flag("check_output_max_size", INT, "check_output_max_size", "Bytes of a check's output that are kept."),
    Flag("client", STRING, "client_addr", "Address for clients: HTTP, HTTPS, DNS and gRPC."),
    Flag("config-dir", LIST, "", "Directory whose .json and .hcl files are read by name; repeat."),
    Flag("config-file", LIST, "", "Configuration file, JSON or HCL by its ending; repeat."),
    Flag("config-format", STRING, "", "Format of all configuration files whatever their ending: hcl or json."),
    Flag("data-dir", STRING, "data_dir", "Directory that holds this agent's state."),
    Flag("datacenter", STRING, "datacenter", "Datacenter of this agent."),
    Flag("default-query-time", DURATION, "default_query_time", "How long a blocking query waits unless it says."),
    Flag("dev", BOOL, "", "Development mode: a server in memory, on this machine only."),
    Flag("disable-host-node-id", BOOL, "disable_host_node_id", "Makes a random node ID rather than the machine's."),
    Flag("disable-keyring-file", BOOL, "disable_keyring_file", "Accepted; there is no keyring."),
    Flag("dns-port", INT, "ports.dns", "Port of DNS."),
    Flag("domain", STRING, "domain", "Domain that DNS answers for."),
    Flag("enable-local-script-checks", BOOL, "enable_local_script_checks", "Runs script checks from files."),
    Flag("enable-script-checks", BOOL, "enable_script_checks", "Runs script checks, also those registered by API."),
    Flag("encrypt", STRING, "encrypt", "Accepted; agents do not gossip."),
    Flag("grpc-port", INT, "ports.grpc", "Port of gRPC (xDS)."),
    Flag("hcl", LIST, "", "Piece of configuration in HCL; repeat."),
    Flag("http-port", INT, "ports.http", "Port of the HTTP API."),
    Flag("https-port", INT, "ports.https", "Port of the HTTPS API."),
    Flag("join", LIST, "start_join", "Agent to join when starting; repeat."),
    Flag("join-wan", LIST, "start_join_wan", "Server of another datacenter to join when starting; repeat."),
    Flag("log-file", STRING, "log_file", "File that logs are written to as well."),
    Flag("log-json", BOOL, "log_json", "Logs in JSON."),
    Flag("log-level", STRING, "log_level", "Least level that is logged: trace, debug, info, warn or error."),
    Flag("log-rotate-bytes", INT, "log_rotate_bytes", "Size at which a new log file begins."),
    Flag("log-rotate-duration", DURATION, "log_rotate_duration", "Time after which a new log file begins."),
    Flag("log-rotate-max-files", INT, "log_rotate_max_files", "Number of older log files that are kept."),
    Flag("max-query-time", DURATION, "max_query_time", "How long a blocking query may wait."),
    Flag("node", STRING, "node_name", "Name of this node, unique in its datacenter."),
    Flag("node-id", STRING, "node_id", "UUID of this node."),
    Flag("node-meta", MAP, "node_meta", "key:value kept with this node; repeat."),
    Flag("non-voting-server", BOOL, "non_voting_server", "Accepted; Enterprise only in the reference."),
    Flag("pid-file", STRING, "pid_file", "File that the process ID is written to."),
    Flag("primary-gateway", LIST, "primary_gateways", "Mesh gateway of the primary datacenter; repeat."),
    Flag("protocol", INT, "protocol", "Accepted; there is one protocol."),
    Flag("raft-protocol", INT, "raft_protocol", "Accepted; there is no Raft."),
    Flag("read-replica", BOOL, "read_replica", "Accepted; Enterprise only in the reference."),
    Flag("recursor", LIST, "recursors", "DNS server that is asked about other names; repeat."),
    Flag("rejoin", BOOL, "rejoin_after_leave", "Joins again although this agent left before."),
    Flag("retry-interval", DURATION, "retry_interval", "Time between attempts to join."),
    Flag("retry-interval-wan", DURATION, "retry_interval_wan", "Time between attempts to join other datacenters."),
    Flag("retry-join", LIST, "retry_join", "Agent to join, tried until it works; repeat."),
    Flag("retry-join-wan", LIST, "retry_join_wan", "Server of another datacenter to join until it works; repeat."),
    Flag("retry-max", INT, "retry_max", "Attempts to join before giving up; 0 for no end."),
    Flag("retry-max-wan", INT, "retry_max_wan", "Attempts to join other datacenters; 0 for no end."),
    Flag("segment", STRING, "segment", "Enterprise only in the reference."),
    Flag("serf-lan-allowed-cidrs", LIST, "serf_lan_allowed_cidrs", "Network (CIDR) that may join; repeat."),
    Flag("serf-lan-bind", STRING, "serf_lan", "Address for joining."),
    Flag("serf-lan-port", INT, "ports.serf_lan", "Port for joining."),
    Flag("serf-wan-allowed-cidrs", LIST, "serf_wan_allowed_cidrs", "Network (CIDR) that may join as a datacenter."),
    Flag("serf-wan-bind", STRING, "serf_wan", "Address for joining from other datacenters."),
    Flag("serf-wan-port", INT, "ports.serf_wan", "Port for joining from other datacenters."),
    Flag("server", BOOL, "server", "Makes this agent a server."),
    Flag("server-port", INT, "ports.server", "Port that agents reach servers at."),
    Flag("syslog", BOOL, "enable_syslog", "Logs to syslog as well."),
    Flag("ui", BOOL, "ui_config.enabled", "Serves the web UI."),
    Flag("ui-content-path", STRING, "ui_config.content_path", "Path that the web UI is served under."),
    Flag("ui-dir", STRING, "ui_config.dir", "Directory whose files are served as the web UI."),
)
_BY_NAME = {flag.name: flag for flag in FLAGS}


class Flags(msgspec.Struct, kw_only=True):
    """A command line that was understood. `settings` is nested as in files; its values are plain, durations in text."""

    settings: dict[str, Any] = {}
    config_paths: list[str] = []
    config_format: str = ""
    hcl: list[str] = []
    dev: bool = False


def parse(arguments: Sequence[str]) -> Flags:
    """The flags of `agent`. Raises ConfigError naming the flag that is unknown or has a wrong value."""
    flags = Flags()
    for flag, text in _given(arguments):
        try:
            value = _value(flag.kind, text)
        except ValueError as error:
            what = "boolean value" if flag.kind == BOOL else "value"
            named = f"-{flag.name}" if flag.kind == BOOL else f"flag -{flag.name}"
            raise ConfigError(f'invalid {what} "{text[:80]}" for {named}: {error}') from None
        match flag.name:
            case "config-dir" | "config-file":
                flags.config_paths.append(text)
            case "config-format":
                flags.config_format = text
            case "dev":
                flags.dev = value
            case "hcl":
                flags.hcl.append(text)
            case _:
                _set(flags.settings, flag, value)
    return flags


def _given(arguments: Sequence[str]) -> Iterator[tuple[Flag, str]]:
    """Each flag with its text, in order."""
    left = list(reversed(arguments))
    while left:
        argument = left.pop()
        if argument == "--" or not argument.startswith("-") or argument == "-":
            extra = left[::-1] if argument == "--" else [argument, *left[::-1]]
            if extra:
                raise ConfigError(f"Unexpected extra arguments: {' '.join(extra)[:200]}")
            return
        name, equals, text = argument.removeprefix("-").removeprefix("-").partition("=")
        if not name or name.startswith("-"):
            raise ConfigError(f"bad flag syntax: {argument[:80]}")
        flag = _BY_NAME.get(name)
        if flag is None:
            raise ConfigError(f"flag provided but not defined: -{name[:80]}")
        if flag.kind == BOOL:
            text = text if equals else "true"
        elif not equals:
            if not left:
                raise ConfigError(f"flag needs an argument: -{name}")
            text = left.pop()
        yield flag, text


def _value(kind: str, text: str) -> Any:
    """`text` as a value of `kind`. Raises ValueError with the reason."""
    if kind == BOOL:
        if text not in _TRUE | _FALSE:
            raise ValueError("parse error")
        return text in _TRUE
    if kind == INT:
        if len(text) > _NUMBER_CHARACTERS or not _NUMBER.match(text):
            raise ValueError("parse error")
        digits = text.lstrip("+-")
        octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
        return int(text, 8 if octal else 0)
    if kind == DURATION:
        Duration.parse(text)
    if kind == MAP:
        key, _, value = text.partition(":")
        return {key: value}
    return [text] if kind == LIST else text


def _set(settings: dict[str, Any], flag: Flag, value: Any) -> None:
    """Puts a flag's value in its place; lists and maps grow, anything else counts the last time."""
    *sections, key = flag.key.split(".")
    for section in sections:
        settings = settings.setdefault(section, {})
    if flag.kind == LIST:
        settings.setdefault(key, []).extend(value)
    elif flag.kind == MAP:
        settings.setdefault(key, {}).update(value)
    else:
        settings[key] = value
