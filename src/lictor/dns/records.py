"""Records: the types, response codes and record shapes that answers are made of. Knows nothing of packets.

A record's data is a tuple of bytes and names, so that the packet's writer can compress the names in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import pack
from typing import NamedTuple

A, NS, CNAME, SOA, PTR, TXT, AAAA, SRV, OPT, AXFR, ANY = 1, 2, 5, 6, 12, 16, 28, 33, 41, 252, 255

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = 0, 1, 2, 3, 4, 5

_TEXT_BYTES = 255

Name = tuple[bytes, ...]
"""Labels as they go over the wire, without the root."""


class Record(NamedTuple):
    """One resource record of class IN. `ttl` is in seconds."""

    owner: Name
    rtype: int
    ttl: int
    data: tuple[bytes | Name, ...]


def address(owner: Name, ttl: int, packed: bytes) -> Record:
    """An A record for 4 bytes, an AAAA record for 16."""
    return Record(owner, A if len(packed) == 4 else AAAA, ttl, (packed,))


def pointing(rtype: int, owner: Name, ttl: int, target: Name) -> Record:
    """A record that is just a name: CNAME, NS, PTR."""
    return Record(owner, rtype, ttl, (target,))


def srv(owner: Name, ttl: int, weight: int, port: int, target: Name) -> Record:
    """An SRV record of priority 1."""
    return Record(owner, SRV, ttl, (pack("!HHH", 1, weight & 0xFFFF, port & 0xFFFF), target))


def txt(owner: Name, ttl: int, text: str) -> Record:
    """A TXT record; text beyond 255 bytes goes on in further strings of it."""
    raw = text.encode("utf-8", "replace")
    strings = [raw[at : at + _TEXT_BYTES] for at in range(0, len(raw), _TEXT_BYTES)] or [b""]
    return Record(owner, TXT, ttl, (b"".join(bytes((len(part),)) + part for part in strings),))


def soa(zone: Name, ttl: int, serial: int, numbers: Iterable[int]) -> Record:
    """A zone's SOA record; `numbers` are refresh, retry, expire and minimum TTL in seconds."""
    tail = pack("!IIIII", serial & 0xFFFFFFFF, *(number & 0xFFFFFFFF for number in numbers))
    return Record(zone, SOA, ttl, ((b"ns", *zone), (b"hostmaster", *zone), tail))


def meta_text(key: str, value: str) -> str:
    """A node's metadata as TXT text: `key=value` quoted as RFC 1464 says, or just the value of an `rfc1035-` key."""
    if key.lower().startswith("rfc1035-"):
        return value
    bare = key.replace("`", "``").replace("=", "`=")
    body = bare.strip(" ")
    lead, trail = len(bare) - len(bare.lstrip(" ")), len(bare) - len(bare.rstrip(" "))
    if not body:
        lead, trail = len(bare), 0
    return "` " * lead + body + "` " * trail + "=" + value.replace("`", "``")
