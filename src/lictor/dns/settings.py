"""What an operator says about DNS, in the reference's key names and with its defaults, and what follows from it.

`DNSSettings` has the attributes of the agent's configuration that DNS reads, so that
`msgspec.convert(config, DNSSettings, from_attributes=True)` takes them over. `Zone` is the same, made ready for use.
Nothing here knows packets or the catalog.
"""

from __future__ import annotations

import re

import msgspec

from lictor.dns.names import below, folded, to_name
from lictor.dns.records import Name
from lictor.errors import ConfigError

_DEFAULT_PORT = 53


class SOA(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of the zone's SOA record, in seconds."""

    refresh: int = 3600
    retry: int = 600
    expire: int = 86400
    min_ttl: int = 0


class DNSConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The `dns_config` block as far as it changes answers. Spans are in seconds."""

    node_ttl: float = 0.0
    service_ttl: dict[str, float] = msgspec.field(default_factory=dict)
    enable_truncate: bool = False
    only_passing: bool = False
    recursor_timeout: float = 2.0
    disable_compression: bool = False
    udp_answer_limit: int = 3
    a_record_limit: int = 0
    enable_additional_node_meta_txt: bool = True
    soa: SOA = SOA()


class DNSSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that DNS is told. `recursors` are addresses with or without a port."""

    datacenter: str = "dc1"
    domain: str = "consul."
    alt_domain: str = ""
    recursors: tuple[str, ...] = ()
    dns_config: DNSConfig = DNSConfig()


class Zone:
    """Settings made ready: names as labels, TTLs in whole seconds, recursors as (host, port).

    Raises ConfigError that names the key for settings that cannot be used.
    """

    def __init__(self, settings: DNSSettings) -> None:
        config = settings.dns_config
        self.config = config
        self.datacenter = settings.datacenter.lower()
        self.domain = _domain("domain", settings.domain or "consul.")
        alt = _domain("alt_domain", settings.alt_domain) if settings.alt_domain.strip(".") else None
        self.domains = tuple(sorted({self.domain, alt or self.domain}, key=len, reverse=True))
        self.recursors = tuple(_recursor(text) for text in settings.recursors)
        self.node_ttl = _seconds("node_ttl", config.node_ttl)
        self._exact: dict[str, int] = {}
        self._prefixes: list[tuple[str, int]] = []
        for name, ttl in config.service_ttl.items():
            seconds = _seconds(f"service_ttl.{name}", ttl)
            if name.endswith("*"):
                self._prefixes.append((name[:-1], seconds))
            else:
                self._exact[name] = seconds
        self._prefixes.sort(key=lambda row: len(row[0]), reverse=True)
        for key, limit in (("udp_answer_limit", config.udp_answer_limit), ("a_record_limit", config.a_record_limit)):
            if limit < 0:
                raise ConfigError(f"dns_config.{key} cannot be {limit}. Must be greater than or equal to zero")

    def trimmed(self, name: Name) -> Name | None:
        """What stands before our domain in a name, in lower case; None for a name that is not ours."""
        low = folded(name)
        for domain in self.domains:
            if below(low, domain):
                return low[: len(low) - len(domain)]
        return None

    def service_ttl(self, service: str) -> int:
        """A service's TTL: by its exact name, else by the longest prefix, else 0."""
        exact = self._exact.get(service)
        if exact is not None:
            return exact
        return next((ttl for prefix, ttl in self._prefixes if service.startswith(prefix)), 0)


def _domain(key: str, text: str) -> Name:
    name = to_name(text.lower().strip("."))
    if not name:
        raise ConfigError(f"{key}: {text!r} is not a domain name")
    return name


def _seconds(key: str, value: float) -> int:
    if not 0 <= value < 1 << 31:
        raise ConfigError(f"dns_config.{key}: {value:g} seconds is not a TTL")
    return int(value)


_BRACKETED = re.compile(r"\[([^\]]+)\](?::(\d+))?\Z")


def _recursor(text: str) -> tuple[str, int]:
    """`10.0.0.1`, `10.0.0.1:53`, `2001:db8::1`, `[2001:db8::1]:53` or a host name as (host, port)."""
    bracketed = _BRACKETED.match(text)
    if bracketed:
        host, port = bracketed[1], bracketed[2]
    elif text.count(":") == 1:
        host, port = text.split(":")
    else:
        host, port = text, None
    number = int(port) if port and port.isdecimal() else _DEFAULT_PORT if port is None else 0
    if not host or not 0 < number < 65536 or " " in host:
        raise ConfigError(f"recursors: {text!r} is not an address")
    if host in ("0.0.0.0", "::"):
        raise ConfigError("DNS recursor address cannot be 0.0.0.0, :: or [::]")
    return host, number
