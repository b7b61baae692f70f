"""Address templates such as `{{ GetPrivateIP }}`: from text and a list of the machine's interfaces to addresses.

Understands what go-sockaddr's templates are used for: a source, then filters joined by pipes. Not conditions, loops or
variables; those are refused by name. Reads nothing of the machine itself: `interfaces` is given.
Source: go-sockaddr's documentation of its template functions.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.S)
_WORD = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`|(-?\d+)\b|(\w+)|(\|))')
_TEMPLATE_CHARACTERS = 4096
_NETWORKS = {
    "1918": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    "3927": ("169.254.0.0/16",),
    "4193": ("fc00::/7",),
    "6598": ("100.64.0.0/10",),
}


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """One address of one network interface. `default` tells whether the default route leaves through it."""

    name: str
    address: str
    prefix: int
    up: bool = True
    loopback: bool = False
    default: bool = False

    @property
    def ip(self) -> IPAddress:
        return ipaddress.ip_address(self.address)

    @property
    def forwardable(self) -> bool:
        """Whether others on the network can reach the address."""
        return not (self.ip.is_loopback or self.ip.is_link_local or self.ip.is_multicast or self.ip.is_unspecified)


Interfaces = Callable[[], Sequence[Interface]]
_List = list[Interface]


class TemplateError(ValueError):
    """A template that cannot be understood or has no such function."""


def expand(text: str, interfaces: Interfaces) -> str:
    """`text` with each `{{ ... }}` replaced by what it stands for; nothing found is empty text.

    Raises TemplateError.
    """
    if "{{" not in text:
        return text
    if len(text) > _TEMPLATE_CHARACTERS:
        raise TemplateError(f"template longer than {_TEMPLATE_CHARACTERS} characters")
    expanded = _TEMPLATE.sub(lambda found: _evaluate(found[1], interfaces), text)
    if "{{" in expanded:
        raise TemplateError("unclosed action")
    return expanded


def private_ipv4(interfaces: Interfaces) -> list[str]:
    """The private IPv4 addresses of the machine, of which an agent that binds to 0.0.0.0 advertises the only one."""
    networks = [ipaddress.ip_network(n) for n in _NETWORKS["1918"]]
    return [i.address for i in interfaces() if any(i.ip in network for network in networks)]


def public_ipv6(interfaces: Interfaces) -> list[str]:
    """The public IPv6 addresses of the machine, for an agent that binds to [::]."""
    return [i.address for i in interfaces() if i.ip.version == 6 and i.ip.is_global]


def _evaluate(action: str, interfaces: Interfaces) -> str:
    value: Any = None
    for stage, (name, *arguments) in enumerate(_stages(action)):
        function = (_SOURCES if stage == 0 else _FILTERS).get(name)
        if function is None:
            raise TemplateError(f'function "{name}" not defined')
        if stage and not isinstance(value, list):
            raise TemplateError(f"{name} needs a list of interfaces")
        try:
            value = function(value if stage else interfaces, *arguments)
        except TemplateError:
            raise
        except (TypeError, AttributeError, ValueError, re.error):
            raise TemplateError(f"wrong arguments for {name}: {arguments}") from None
    return value if isinstance(value, str) else " ".join(i.address for i in value)


def _stages(action: str) -> list[list[Any]]:
    """`f "a" 1 | g` as [["f", "a", 1], ["g"]]."""
    stages: list[list[Any]] = [[]]
    at, action = 0, action.strip().removeprefix("- ").removesuffix(" -").strip()
    while at < len(action):
        word = _WORD.match(action, at)
        if word is None:
            raise TemplateError(f"unexpected {action[at : at + 20]!r}")
        quoted, raw, number, name, pipe = word.groups()
        if pipe:
            stages.append([])
        elif name is not None and stages[-1]:
            raise TemplateError(f"unexpected {name!r}")
        elif name is None and not stages[-1]:
            raise TemplateError("expected the name of a function")
        else:
            stages[-1].append(
                name or (int(number) if number else raw if raw is not None else re.sub(r"\\(.)", r"\1", quoted))
            )
        at = word.end()
    if not all(stages):
        raise TemplateError("missing value for command")
    return stages


def _private(interfaces: Interfaces) -> _List:
    return [i for i in _sort(list(interfaces()), "default,type,size") if i.up and i.forwardable and i.ip.is_private]


def _public(interfaces: Interfaces) -> _List:
    return [i for i in _sort(list(interfaces()), "default,type,size") if i.up and i.forwardable and not i.ip.is_private]


def _named(interfaces: Interfaces, name: str) -> _List:
    pattern = re.compile(name)
    return _sort([i for i in interfaces() if pattern.fullmatch(i.name)], "type,size")


def _first(found: _List) -> str:
    return found[0].address if found else ""


def _all(found: _List) -> str:
    return " ".join(i.address for i in found)


def _include(found: _List, selector: str, value: Any) -> _List:
    test = _test(selector, str(value))
    return [i for i in found if test(i)]


def _exclude(found: _List, selector: str, value: Any) -> _List:
    test = _test(selector, str(value))
    return [i for i in found if not test(i)]


def _test(selector: str, value: str) -> Callable[[Interface], bool]:
    """What `include` and `exclude` ask of an interface. Several flags, types or RFCs are joined by |."""
    if selector in ("name", "address"):
        pattern = re.compile(value)
        return lambda i: pattern.search(i.name if selector == "name" else i.address) is not None
    if selector in ("network", "rfc"):
        blocks = [value] if selector == "network" else [b for rfc in value.split("|") for b in _rfc(rfc)]
        try:
            networks = [ipaddress.ip_network(block, strict=False) for block in blocks]
        except ValueError as error:
            raise TemplateError(str(error)) from None
        return lambda i: any(i.ip in network for network in networks) or ("6890" in value and i.ip.is_private)
    if selector == "size":
        prefix = int(value.removeprefix("/"))
        return lambda i: i.prefix == prefix
    options = value.lower().split("|")
    if selector == "type":
        return lambda i: "ip" in options or f"ipv{i.ip.version}" in options
    if selector in ("flag", "flags"):
        if unknown := [flag for flag in options if flag not in ("up", "loopback", "forwardable")]:
            raise TemplateError(f"unsupported interface flag {unknown[0]!r}")
        return lambda i: all(getattr(i, flag) for flag in options)
    raise TemplateError(f"unsupported selector {selector!r}")


def _rfc(number: str) -> tuple[str, ...]:
    if number == "6890":
        return ()
    if number not in _NETWORKS:
        raise TemplateError(f"unsupported RFC {number!r}")
    return _NETWORKS[number]


_KEYS: dict[str, Callable[[Interface], Any]] = {
    "address": lambda i: (i.ip.version, int(i.ip)),
    "default": lambda i: not i.default,
    "name": lambda i: i.name,
    "private": lambda i: not i.ip.is_private,
    "size": lambda i: i.ip.max_prefixlen - i.prefix,
    "type": lambda i: i.ip.version,
}


def _sort(found: _List, specification: str) -> _List:
    """Sorted by several keys, the first counting most; a key with a minus sorts the other way."""
    for key in reversed(specification.split(",")):
        name = key.strip().lstrip("+-")
        if name not in _KEYS:
            raise TemplateError(f"unsupported sort {name!r}")
        found = sorted(found, key=_KEYS[name], reverse=key.strip().startswith("-"))
    return found


def _attribute(i: Interface, name: str) -> str:
    match name:
        case "address" | "name":
            return str(getattr(i, name))
        case "network":
            return str(ipaddress.ip_network(f"{i.address}/{i.prefix}", strict=False))
        case "type":
            return f"IPv{i.ip.version}"
    raise TemplateError(f"unsupported attribute {name!r}")


def _join(found: _List, attribute: str, separator: str) -> str:
    return separator.join(_attribute(i, attribute) for i in found)


def _attr(found: _List, attribute: str) -> str:
    return _attribute(found[0], attribute) if found else ""


def _unique(found: _List, attribute: str) -> _List:
    return list({_attribute(i, attribute): i for i in reversed(found)}.values())[::-1]


def _limit(found: _List, count: int) -> _List:
    return found[: max(0, int(count))]


def _offset(found: _List, count: int) -> _List:
    return found[int(count) :]


_SOURCES: dict[str, Callable[..., str | _List]] = {
    "GetAllInterfaces": lambda interfaces: list(interfaces()),
    "GetDefaultInterfaces": lambda interfaces: [i for i in interfaces() if i.default],
    "GetPrivateInterfaces": _private,
    "GetPublicInterfaces": _public,
    "GetPrivateIP": lambda interfaces: _first(_private(interfaces)),
    "GetPrivateIPs": lambda interfaces: _all(_private(interfaces)),
    "GetPublicIP": lambda interfaces: _first(_public(interfaces)),
    "GetPublicIPs": lambda interfaces: _all(_public(interfaces)),
    "GetInterfaceIP": lambda interfaces, name: _first(_named(interfaces, name)),
    "GetInterfaceIPs": lambda interfaces, name: _all(_named(interfaces, name)),
}
_FILTERS: dict[str, Callable[..., str | _List]] = {
    "include": _include,
    "exclude": _exclude,
    "sort": _sort,
    "limit": _limit,
    "offset": _offset,
    "unique": _unique,
    "join": _join,
    "attr": _attr,
}
