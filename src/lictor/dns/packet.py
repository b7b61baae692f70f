"""Packets: records put together, with names compressed or not, and never longer than the transport takes.

Sizes follow the reference's arithmetic, so that as many records fit as with it (conformance, dns-truncate and
dns-limits), but where it sends too much or nothing at all, this sends what fits: records that no answer needs go first,
then answers from the end with the addresses that belong to them, and at least one stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

import msgspec

from lictor import limits
from lictor.dns.names import wire_length
from lictor.dns.records import AAAA, CNAME, OPT, SRV, A, Name, Record
from lictor.dns.request import AA, CD, HEADER_BYTES, QR, RA, RD, SUBNET_OPTION, TC, Request

_COUNTS = Struct("!HHHHH")
_HEAD = Struct("!HHIH")
_POINTER = 0xC000
_REACH = 0x4000
"""Only names that begin before this can be pointed at."""


class Sections(msgspec.Struct):
    """What an answer says, before it is cut to size."""

    rcode: int
    answers: Sequence[Record] = ()
    authority: Sequence[Record] = ()
    additional: Sequence[Record] = ()
    authoritative: bool = True
    recursion: bool = False
    subnet_only: bool = False
    """The answer holds only for the client's subnet."""


class Shape(msgspec.Struct, frozen=True):
    """How packets may look. `most` bounds the answers of a 512-byte UDP packet; `tell` sets TC if some are cut."""

    tcp: bool
    compress: bool
    most: int
    tell: bool


class Writer:
    """A packet being written; without `compress` every name is spelled out."""

    def __init__(self, request: Request, compress: bool) -> None:
        self.out = bytearray(HEADER_BYTES)
        self.out += request.raw
        self._seen: dict[Name, int] | None = None
        if compress:
            self._seen = {request.name[i:]: at for i, at in _offsets(request.name)}

    def record(self, record: Record) -> None:
        """Adds a record."""
        out, (owner, rtype, ttl, data) = self.out, record
        self._name(owner, True)
        at = len(out) + 8
        out += _HEAD.pack(rtype, 1, ttl, 0)
        for part in data:
            if isinstance(part, bytes):
                out += part
            else:
                self._name(part, rtype != SRV)  # RFC 2782 forbids compressing a service's target
        out[at : at + 2] = (len(out) - at - 2).to_bytes(2)

    def cost(self, record: Record) -> int:
        """What a record would add at most, its owner having been written as some record's target."""
        known = self._seen is not None and record.owner in self._seen
        data = sum(len(part) if isinstance(part, bytes) else wire_length(part) for part in record.data)
        return (2 if known else wire_length(record.owner)) + 10 + data

    def _name(self, name: Name, compress: bool) -> None:
        out, seen = self.out, self._seen
        if seen is not None:
            for i, label in enumerate(name):
                suffix = name[i:] if i else name
                at = seen.get(suffix)
                if at is None:
                    if len(out) < _REACH:
                        seen[suffix] = len(out)
                elif compress:
                    out += (_POINTER | at).to_bytes(2)
                    return
                out.append(len(label))
                out += label
        else:
            for label in name:
                out.append(len(label))
                out += label
        out.append(0)


def pack(request: Request, said: Sections, shape: Shape) -> bytes:
    """The answer to a request as a packet without its first two bytes, the id."""
    opt = _opt(request, said)
    room, few = _room(request, shape)
    room -= len(opt)
    answers, additional, measured = said.answers, said.additional, shape.compress
    if few and len(answers) > shape.most:
        # The reference measures such answers uncompressed and sends them compressed.
        answers, measured = answers[: shape.most], False
        additional = _needed(answers, additional)
    body = _write(request, answers, said.authority, additional, shape.compress)
    long = (
        len(body.out)
        if measured == shape.compress
        else len(_write(request, answers, said.authority, additional, measured).out)
    )
    authority = said.authority
    if long > room:
        authority = ()
        answers = answers[: _fitting(request, answers, additional, measured, room)]
        additional = _needed(answers, additional)
        body = _write(request, answers, (), additional, shape.compress)
        if len(body.out) > room:
            additional = ()
            body = _write(request, answers, (), (), shape.compress)
        if len(body.out) > room:
            answers = ()
            body = _write(request, (), (), (), shape.compress)
    missing = len(answers) < len(said.answers)
    flags = QR | said.rcode | request.flags & (RD | CD)
    flags |= AA * said.authoritative | RA * said.recursion | TC * (missing and (shape.tell or not answers))
    body.out[2:12] = _COUNTS.pack(flags, 1, len(answers), len(authority), len(additional) + bool(opt))
    return bytes(body.out[2:]) + opt


def _room(request: Request, shape: Shape) -> tuple[int, bool]:
    """How long the packet may be, and whether it is a classic UDP one."""
    if shape.tcp:
        return limits.DNS_TCP_BYTES, False
    asked = request.edns.payload if request.edns is not None else 0
    room = min(max(asked, limits.DNS_UDP_BYTES), limits.DNS_UDP_PAYLOAD_BYTES)
    return room, room == limits.DNS_UDP_BYTES


def _opt(request: Request, said: Sections) -> bytes:
    """The OPT record that answers the request's, with its client subnet option given back."""
    edns = request.edns
    if edns is None:
        return b""
    options = b""
    if edns.subnet:
        scope = edns.subnet[2] if said.subnet_only and not said.rcode else 0
        body = edns.subnet[:3] + bytes((scope,)) + edns.subnet[4:]
        options = SUBNET_OPTION.to_bytes(2) + len(body).to_bytes(2) + body
    return b"\0" + _HEAD.pack(OPT, edns.payload, 0, len(options)) + options


def _write(
    request: Request,
    answers: Sequence[Record],
    authority: Sequence[Record],
    additional: Sequence[Record],
    compress: bool,
) -> Writer:
    writer = Writer(request, compress)
    for section in (answers, authority, additional):
        for record in section:
            writer.record(record)
    return writer


def _fitting(
    request: Request, answers: Sequence[Record], additional: Sequence[Record], compress: bool, room: int
) -> int:
    """How many answers fit together with the addresses of their targets; at least one."""
    writer = Writer(request, compress)
    by_owner = _by_owner(additional)
    behind = 0
    for count, record in enumerate(answers):
        writer.record(record)
        for extra in _chain(record, by_owner):
            behind += writer.cost(extra)
        if len(writer.out) + behind > room:
            return max(count, 1)
    return len(answers)


def _needed(answers: Sequence[Record], additional: Sequence[Record]) -> list[Record]:
    """The additional records that the answers' targets need, each once."""
    by_owner = _by_owner(additional)
    return [extra for record in answers for extra in _chain(record, by_owner)]


def _by_owner(additional: Sequence[Record]) -> dict[Name, list[Record]]:
    found: dict[Name, list[Record]] = {}
    for record in additional:
        if record.rtype in (A, AAAA, CNAME):
            found.setdefault(record.owner, []).append(record)
    return found


def _chain(record: Record, by_owner: dict[Name, list[Record]]) -> list[Record]:
    """Takes out of `by_owner` what a record's target leads to."""
    target = record.data[-1]
    if record.rtype in (A, AAAA) or isinstance(target, bytes):
        return []
    found: list[Record] = []
    for extra in by_owner.pop(target, ()):
        found += [extra, *_chain(extra, by_owner)]
    return found


def _offsets(name: Name) -> list[tuple[int, int]]:
    """Where each suffix of the question's name lies in the packet."""
    at, found = HEADER_BYTES, []
    for i, label in enumerate(name):
        found.append((i, at))
        at += len(label) + 1
    return found
