"""Where the agent listens and what it tells others: from the settings' address texts to addresses. Pure.

Texts are IP addresses, `unix://` sockets or templates, several separated by spaces where that makes sense.
Source: the reference's rules of which address follows from which, and its words when they do not fit.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from lictor.agent.config.addresses import Interfaces, TemplateError, expand, private_ipv4, public_ipv6
from lictor.agent.config.schema import Address, Listeners, Settings
from lictor.agent.config.sections import OFF, Ports
from lictor.errors import ConfigError
from lictor.types.validate import ip_version, is_any_address

_UNIX = "unix://"
_PORT_MAX = 65_535


class Placed(NamedTuple):
    """The settings with their addresses decided, and what follows from them."""

    settings: Settings
    listen: Listeners
    warnings: list[str]


def place(settings: Settings, interfaces: Interfaces) -> Placed:
    """Decides every address of `settings`. Raises ConfigError naming the key."""
    warnings: list[str] = []
    ports = _ports(settings.ports)
    bind = _bind(settings, interfaces)
    lan, wan = _advertised(settings, bind, interfaces, warnings)
    serf_lan = _one(settings.serf_lan, "serf_lan", interfaces) or bind
    serf_wan = _one(settings.serf_wan, "serf_wan", interfaces) or bind
    clients = _ips(settings.client_addr, "client_addr", interfaces)
    addresses = settings.addresses
    listen = Listeners(
        http=_client(addresses.http, "addresses.http", ports.http, clients, interfaces),
        https=_client(addresses.https, "addresses.https", ports.https, clients, interfaces),
        dns=_client(addresses.dns, "addresses.dns", ports.dns, clients, interfaces),
        grpc=_client(addresses.grpc, "addresses.grpc", ports.grpc, clients, interfaces),
        server=_at(bind, ports.server),
        serf_lan=_at(serf_lan, ports.serf_lan),
        serf_wan=_at(serf_wan, ports.serf_wan),
    )
    placed = msgspec.structs.replace(
        settings,
        bind_addr=bind,
        client_addr=" ".join(clients),
        ports=ports,
        advertise_addr=lan["lan"],
        advertise_addr_ipv4=lan.get("lan_ipv4", ""),
        advertise_addr_ipv6=lan.get("lan_ipv6", ""),
        advertise_addr_wan=wan["wan"],
        advertise_addr_wan_ipv4=wan.get("wan_ipv4", ""),
        advertise_addr_wan_ipv6=wan.get("wan_ipv6", ""),
        tagged_addresses={**settings.tagged_addresses, **lan, **wan},
        serf_lan=serf_lan,
        serf_wan=serf_wan,
        recursors=_recursors(settings.recursors, interfaces),
        **{key: _joinable(getattr(settings, key), key, interfaces) for key in _JOINS},
    )
    _check_unique(placed, listen)
    return Placed(placed, listen, warnings)


_JOINS = ("start_join", "start_join_wan", "retry_join", "retry_join_wan", "primary_gateways")


def _expanded(text: str, key: str, interfaces: Interfaces) -> list[str]:
    try:
        return expand(text, interfaces).split()
    except TemplateError as error:
        raise ConfigError(f'{key}: error parsing "{text[:200]}": {error}') from None


def _addresses(text: str, key: str, interfaces: Interfaces) -> list[str]:
    """IP addresses and `unix://` sockets, in the form that they are shown in."""
    found = []
    for part in _expanded(text, key, interfaces):
        if part.startswith(_UNIX):
            found.append(part)
            continue
        try:
            found.append(str(ipaddress.ip_address("::" if part == "[::]" else part)))
        except ValueError:
            raise ConfigError(f"{key}: invalid ip address: {part[:200]}") from None
    return found


def _ips(text: str, key: str, interfaces: Interfaces) -> list[str]:
    found = _addresses(text, key, interfaces)
    if any(part.startswith(_UNIX) for part in found):
        raise ConfigError(f"{key} cannot be a unix socket")
    return found


def _one(text: str, key: str, interfaces: Interfaces) -> str:
    """The one IP address that `text` stands for; empty when it is empty."""
    found = _ips(text, key, interfaces)
    if len(found) > 1:
        raise ConfigError(f"{key}: multiple addresses found: {' '.join(found)}")
    return found[0] if found else ""


def _bind(settings: Settings, interfaces: Interfaces) -> str:
    found = _ips(settings.bind_addr, "bind_addr", interfaces)
    if not found:
        raise ConfigError("bind_addr cannot be empty")
    if len(found) > 1:
        raise ConfigError("bind_addr cannot contain multiple addresses. Use 'addresses.{dns,http,https}' instead.")
    return found[0]


def _advertised(
    settings: Settings, bind: str, interfaces: Interfaces, warnings: list[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The tagged addresses of the node: those for its own datacenter, and those for others."""
    lan = _one(settings.advertise_addr, "advertise_addr", interfaces)
    if is_any_address(lan):
        raise ConfigError("Advertise address cannot be 0.0.0.0, :: or [::]")
    lan = lan or (_detected(bind, interfaces, warnings) if is_any_address(bind) else bind)
    wan = _one(settings.advertise_addr_wan, "advertise_addr_wan", interfaces) or lan
    if is_any_address(wan):
        raise ConfigError("Advertise WAN address cannot be 0.0.0.0, :: or [::]")
    both: list[dict[str, str]] = []
    for scope, main, prefix in (("lan", lan, "advertise_addr"), ("wan", wan, "advertise_addr_wan")):
        tagged = {scope: main}
        for version in (4, 6):
            key = f"{prefix}_ipv{version}"
            address = _one(getattr(settings, key), key, interfaces) or (main if ip_version(main) == version else "")
            if address and ip_version(address) != version:
                raise ConfigError(f"{key} must be an ipv{version} address")
            if address:
                tagged[f"{scope}_ipv{version}"] = address
        both.append(tagged)
    return both[0], both[1]


def _detected(bind: str, interfaces: Interfaces, warnings: list[str]) -> str:
    """The address to advertise when listening on all. The reference gives up when there is no private one."""
    kind, find = ("private IPv4", private_ipv4) if ip_version(bind) == 4 else ("public IPv6", public_ipv6)
    found = find(interfaces)
    if len(found) > 1:
        raise ConfigError(
            f"Multiple {kind} addresses found. Please configure one with 'bind' and/or 'advertise'."
            f" Found: {' '.join(found)}"
        )
    if found:
        return found[0]
    routed = [i.address for i in interfaces() if i.default and i.ip.version == ip_version(bind)]
    if not routed:
        raise ConfigError(f"No {kind} address found")
    warnings.append(f"No {kind} address found: advertising {routed[0]}, the address of the default route")
    return routed[0]


def _client(text: str, key: str, port: int, clients: Sequence[str], interfaces: Interfaces) -> tuple[Address, ...]:
    """Where one client interface listens: at `text`, or at the clients' addresses when that is empty."""
    own = _addresses(text, key, interfaces)
    if key == "addresses.dns" and any(part.startswith(_UNIX) for part in own):
        raise ConfigError("DNS address cannot be a unix socket")
    if port == OFF:
        return ()
    return tuple(
        Address(path=part.removeprefix(_UNIX)) if part.startswith(_UNIX) else Address(part, port)
        for part in own or clients
    )


def _at(host: str, port: int) -> Address | None:
    return Address(host, port) if port != OFF else None


def _ports(ports: Ports) -> Ports:
    """The ports with all that is switched off as OFF."""
    decided = {}
    for name in ports.__struct_fields__:
        port = getattr(ports, name)
        if port > _PORT_MAX:
            raise ConfigError(f"ports.{name}: invalid port: {port}")
        decided[name] = port if port > 0 else OFF
    for kind in ("proxy", "sidecar", "expose"):
        if decided[f"{kind}_max_port"] < decided[f"{kind}_min_port"]:
            raise ConfigError(f"{kind}_min_port must be less than {kind}_max_port. To disable, set both to zero.")
    return Ports(**decided)


def _recursors(given: Iterable[str], interfaces: Interfaces) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for text in given:
        for address in _expanded(text, "recursors", interfaces):
            if address.startswith(_UNIX):
                raise ConfigError(f"DNS Recursors cannot be unix sockets: {address}")
            if is_any_address(address):
                raise ConfigError("DNS recursor address cannot be 0.0.0.0, :: or [::]")
            found[address] = None
    return tuple(found)


def _joinable(given: Iterable[str], key: str, interfaces: Interfaces) -> tuple[str, ...]:
    """Join targets: templates expanded, anything else (host names, cloud lookups) as it stands."""
    return tuple(
        target for text in given if text for target in (_expanded(text, key, interfaces) if "{{" in text else [text])
    )


def _check_unique(settings: Settings, listen: Listeners) -> None:
    """Refuses two interfaces at the same address and port."""
    used: dict[str, str] = {}

    def claim(name: str, address: str) -> None:
        if address in used:
            raise ConfigError(f"{name} address {address} already configured for {used[address]}")
        used[address] = name

    for name, addresses in (("DNS", listen.dns), ("HTTP", listen.http), ("HTTPS", listen.https), ("gRPC", listen.grpc)):
        for address in addresses:
            claim(name, str(address))
    ports = settings.ports
    told: tuple[tuple[str, str, int], ...] = (
        ("RPC Advertise", settings.advertise_addr, ports.server),
        ("Serf Advertise LAN", settings.advertise_addr, ports.serf_lan),
        ("Serf Advertise WAN", settings.advertise_addr_wan, ports.serf_wan),
    )
    for name, host, port in told:
        if port != OFF:
            claim(name, str(Address(host, port)))
