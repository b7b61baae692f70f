"""Names: what a question's labels ask for, and the names that answers give to nodes, services and addresses.

Source: the reference's naming (conformance,
dns-node, dns-service, dns-query and dns-zone). Pure; knows neither settings nor the catalog.
"""

from __future__ import annotations

import re
import socket
from functools import lru_cache

import msgspec

from lictor.dns.records import SRV, Name

NAME_BYTES = 255
LABEL_BYTES = 63

SERVICE, CONNECT, INGRESS = "service", "connect", "ingress"
_KINDS = frozenset((b"service", b"connect", b"virtual", b"ingress", b"node", b"query", b"addr"))
_HOST_LABEL = re.compile(r"[A-Za-z0-9-]+\Z")


class NodeQuestion(msgspec.Struct, frozen=True):
    """`NAME.node[.DC]`: a node. `datacenter` is empty where the name has none."""

    name: str
    datacenter: str = ""


class ServiceQuestion(msgspec.Struct, frozen=True):
    """`[TAG.]NAME.service[.DC]`, `_NAME._TAG[.service][.DC]`, `NAME.connect[.DC]`, `NAME.ingress[.DC]`."""

    name: str
    tag: str = ""
    datacenter: str = ""
    reach: str = SERVICE


class QueryQuestion(msgspec.Struct, frozen=True):
    """`NAME.query[.DC]`: a prepared query by name or id."""

    name: str
    datacenter: str = ""


class AddressQuestion(msgspec.Struct, frozen=True):
    """`HEX.addr`: an address spelled in the name; `packed` is None for one of another length, which has no records."""

    packed: bytes | None


Question = NodeQuestion | ServiceQuestion | QueryQuestion | AddressQuestion


def parse(labels: Name, rtype: int) -> Question | None:
    """What the labels before our domain (in lower case) ask for; None for a name that cannot exist.

    SRV questions may leave the `service` label out after a label that begins with an underscore.
    """
    for at in range(len(labels) - 1, -1, -1):
        label = labels[at]
        if label in _KINDS:
            return _of_kind(label, labels[:at], labels[at + 1 :])
        if rtype == SRV and label.startswith(b"_"):
            return _of_kind(b"service", labels[: at + 1], labels[at + 1 :])
    return None


def _of_kind(kind: bytes, parts: Name, suffix: Name) -> Question | None:
    if kind == b"addr":
        return _address(parts)
    if not parts or len(suffix) > 1 or kind == b"virtual":
        return None
    datacenter = to_text(suffix)
    if kind == b"node":
        return NodeQuestion(to_text(parts), datacenter)
    if kind == b"query":
        return QueryQuestion(to_text(parts), datacenter)
    if kind == b"service":
        name, tag = _service_parts(parts)
        return ServiceQuestion(name, tag, datacenter)
    return ServiceQuestion(to_text(parts[-1:]), "", datacenter, kind.decode())


def _service_parts(parts: Name) -> tuple[str, str]:
    """A service's name and tag. `_tcp` in the tag's place of an RFC 2782 name asks for no tag."""
    if len(parts) == 2 and parts[0].startswith(b"_") and parts[1].startswith(b"_"):
        tag = to_text((parts[1][1:],))
        return to_text((parts[0][1:],)), "" if tag == "tcp" else tag
    return to_text(parts[-1:]), to_text(parts[:-1])


def _address(parts: Name) -> AddressQuestion | None:
    if len(parts) != 1:
        return None
    if len(parts[0]) // 2 not in (4, 16):
        return AddressQuestion(None)
    try:
        packed = bytes.fromhex(parts[0].decode())
    except ValueError:
        return None
    return AddressQuestion(packed) if len(packed) * 2 == len(parts[0]) else None


def reverse_address(labels: Name) -> bytes | None:
    """The address of a whole reverse name (in lower case, below `arpa`), packed; None for any other name."""
    digits = labels[:-2]
    try:
        if labels[-2:] == (b"in-addr", b"arpa") and len(digits) == 4:
            return parse_ip(".".join(label.decode() for label in reversed(digits)))
        if labels[-2:] == (b"ip6", b"arpa") and len(digits) == 32 and all(len(label) == 1 for label in digits):
            return bytes.fromhex("".join(label.decode() for label in reversed(digits)))
    except ValueError:
        return None
    return None


@lru_cache(maxsize=8192)
def parse_ip(text: str) -> bytes | None:
    """An IP address packed into 4 or 16 bytes (mapped ones into 4), or None for anything else."""
    try:
        if ":" not in text:
            return socket.inet_pton(socket.AF_INET, text)
        packed = socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return None
    return packed[12:] if packed.startswith(b"\0" * 10 + b"\xff\xff") else packed


@lru_cache(maxsize=8192)
def to_name(text: str) -> Name | None:
    """A dotted name as labels; None for one that no packet can hold."""
    labels = tuple(text.removesuffix(".").encode("utf-8", "replace").split(b".")) if text.strip(".") else ()
    if any(not 0 < len(label) <= LABEL_BYTES for label in labels) or wire_length(labels) > NAME_BYTES:
        return None
    return labels


def to_text(labels: Name) -> str:
    """Labels joined with dots, to look names up by; bytes that are no UTF-8 become escapes that no name has."""
    return b".".join(labels).decode("utf-8", "backslashreplace")


def folded(name: Name) -> Name:
    """The name in lower case, as names are compared."""
    return tuple(label.lower() for label in name)


def below(name: Name, domain: Name) -> bool:
    """Whether a name is `domain` or below it; both in lower case."""
    return len(name) >= len(domain) and name[len(name) - len(domain) :] == domain


def wire_length(name: Name) -> int:
    """The bytes that a name takes without compression."""
    return sum(map(len, name)) + len(name) + 1


def is_host_name(text: str) -> bool:
    """Whether a node's name can stand in an NS record as it is."""
    return _HOST_LABEL.match(text) is not None


def node_name(node: str, datacenter: str, domain: Name) -> Name | None:
    """`NODE.node.DC.DOMAIN`, or None where the node's name cannot be part of one."""
    return _joined(node, (b"node", datacenter.encode()), domain)


def service_name(service: str, datacenter: str, domain: Name) -> Name | None:
    """`SERVICE.service.DC.DOMAIN`, or None where the service's name cannot be part of one."""
    return _joined(service, (b"service", datacenter.encode()), domain)


def address_name(packed: bytes, datacenter: str, domain: Name) -> Name:
    """`HEX.addr.DC.DOMAIN`: a name that any address has."""
    return (packed.hex().encode(), b"addr", datacenter.encode(), *domain)


def _joined(head: str, middle: Name, domain: Name) -> Name | None:
    labels = to_name(head)
    if not labels or head.endswith("."):
        return None
    name = labels + middle + domain
    return name if wire_length(name) <= NAME_BYTES else None
