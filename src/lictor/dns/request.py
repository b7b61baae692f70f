"""Questions: a datagram or TCP message read, or the answer to one that cannot be.

Written by hand and not with dnspython, because every byte comes from anybody: it reads what an answer needs and passes
over the rest, never raises, and gives the client subnet option back as it came, whatever is in it.
"""

from __future__ import annotations

import ipaddress
from struct import Struct

import msgspec

from lictor.dns.names import NAME_BYTES
from lictor.dns.records import FORMERR, NOTIMP, OPT, Name

QR, AA, TC, RD, RA, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0010
OPCODE = 0x7800
HEADER_BYTES = 12
SUBNET_OPTION = 8

_HEADER = Struct("!HHHHHH")
_FIXED = Struct("!HHIH")
_PAIR = Struct("!HH")


class EDNS(msgspec.Struct, frozen=True):
    """The OPT record: the UDP payload that the client takes, its subnet option (code and length left off) and whether
    it has options at all."""

    payload: int
    subnet: bytes = b""
    plain: bool = True


class Request(msgspec.Struct, frozen=True):
    """One question. `raw` is the question section as it came, `name` its labels in the case they came in."""

    flags: int
    name: Name
    rtype: int
    raw: bytes
    edns: EDNS | None


def refuse(data: bytes, rcode: int) -> bytes:
    """An answer without a question section to what could not be read. `data` is at least a header."""
    flags = int.from_bytes(data[2:4]) & (OPCODE | RD)
    return data[:2] + (QR | flags | rcode).to_bytes(2) + bytes(8)


def read(data: bytes) -> Request | bytes | None:
    """The question in a message, else the answer to send instead, or None for what deserves none.

    Responses are dropped, so that two servers never talk for ever. Source of what is accepted: the reference (one
    question, at most one answer and authority record and two additional ones).
    """
    if len(data) < HEADER_BYTES:
        return None
    _, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(data)
    if flags & QR:
        return None
    if flags & OPCODE:
        return refuse(data, NOTIMP)
    if questions != 1 or answers > 1 or authorities > 1 or additionals > 2:
        return refuse(data, FORMERR)
    found = _question(data)
    if found is None:
        return refuse(data, FORMERR)
    name, at = found
    edns: EDNS | None = None
    for _ in range(answers + authorities + additionals):
        record = _record(data, at)
        if record is None:
            return refuse(data, FORMERR)
        rtype, payload, start, at = record
        if rtype == OPT:
            edns = _edns(payload, data[start:at])
            if edns is None:
                return refuse(data, FORMERR)
    end = HEADER_BYTES + sum(map(len, name)) + len(name) + 5
    rtype = _PAIR.unpack_from(data, end - 4)[0]
    return Request(flags, name, rtype, data[HEADER_BYTES:end], edns)


def subnet_address(subnet: bytes) -> str:
    """The address in a client subnet option, as text; empty if it is none."""
    family, length = int.from_bytes(subnet[:2]), {1: 4, 2: 16}.get(int.from_bytes(subnet[:2]), 0)
    if not family or len(subnet) - 4 > length or not length:
        return ""
    return str(ipaddress.ip_address(subnet[4:].ljust(length, b"\0")))


def _question(data: bytes) -> tuple[Name, int] | None:
    """The question's name and where the next section begins."""
    labels: list[bytes] = []
    at = HEADER_BYTES
    while True:
        if at >= len(data):
            return None
        length = data[at]
        at += 1
        if not length:
            break
        if length > 63 or at + length > HEADER_BYTES + NAME_BYTES:  # nothing before it to point at
            return None
        labels.append(data[at : at + length])
        at += length
    return (tuple(labels), at + 4) if at + 4 <= len(data) else None


def _record(data: bytes, at: int) -> tuple[int, int, int, int] | None:
    """A record's type, class, and where its data begins and ends."""
    while at < len(data) and 0 < data[at] < 0x40:
        at += data[at] + 1
    at += 1 if at < len(data) and not data[at] else 2  # the root, or a pointer
    if at + 10 > len(data):
        return None
    rtype, rclass, _, length = _FIXED.unpack_from(data, at)
    end = at + 10 + length
    return (rtype, rclass, at + 10, end) if end <= len(data) else None


def _edns(payload: int, options: bytes) -> EDNS | None:
    at, subnet = 0, b""
    while at < len(options):
        if at + 4 > len(options):
            return None
        code, length = _PAIR.unpack_from(options, at)
        at += 4
        if at + length > len(options):
            return None
        if code == SUBNET_OPTION:
            if length < 4:
                return None
            subnet = options[at : at + length]
        at += length
    return EDNS(payload, subnet, not options)
