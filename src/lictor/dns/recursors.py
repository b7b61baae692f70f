"""Asking other DNS servers: a client's question sent on as it is, and host names looked up for an answer of ours.

Servers are asked in order until one answers NOERROR or NXDOMAIN. Each question goes from a socket of its own under an
id of chance, and only an answer from the server asked, to that id and that question, counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import dns.exception
import dns.message
import dns.rdata
import dns.rdtypes.ANY.CNAME
import dns.rrset

from lictor import limits
from lictor.dns.records import CNAME, NOERROR, NXDOMAIN, Name, Record
from lictor.dns.request import HEADER_BYTES, QR, RD, TC
from lictor.runtime.clock import Entropy
from lictor.runtime.log import get_logger

log = get_logger("dns.recursors")

Address = tuple[str, int]

DEFAULT_TIMEOUT = 2.0
"""Seconds, where the setting is 0."""


class Recursors:
    """Asks the servers that it is configured with. `failures` counts questions that none of them answered."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._servers: tuple[Address, ...] = ()
        self._timeout = DEFAULT_TIMEOUT
        self._waiting = 0
        self._lookups: dict[tuple[Name, int], asyncio.Task[list[Record]]] = {}
        self.asked = 0
        self.failures = 0

    def configure(self, servers: Sequence[Address], timeout: float) -> None:
        """Takes the servers to ask in order, and the seconds that each of them gets."""
        self._servers, self._timeout = tuple(servers), timeout or DEFAULT_TIMEOUT

    async def forward(self, message: bytes, tcp: bool) -> bytes | None:
        """The first good answer to a client's message, under the client's id; None without one or if too many wait."""
        if self._waiting >= limits.DNS_PENDING_FORWARDS:
            return None
        self._waiting += 1
        self.asked += 1
        try:
            for server in self._servers:
                answer = await self._ask(server, message, tcp)
                if answer is not None and answer[3] & 0xF in (NOERROR, NXDOMAIN):
                    return message[:2] + answer[2:]
            self.failures += 1
            return None
        finally:
            self._waiting -= 1

    async def lookup(self, host: Name, rtype: int) -> list[Record]:
        """The answer's records for a host name, in order; those who ask the same at once share one question."""
        task = self._lookups.get((host, rtype))
        if task is None:
            task = self._lookups[host, rtype] = asyncio.get_running_loop().create_task(self._lookup(host, rtype))
            task.add_done_callback(lambda _: self._lookups.pop((host, rtype), None))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Ends the lookups under way."""
        tasks = list(self._lookups.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _lookup(self, host: Name, rtype: int) -> list[Record]:
        question = b"".join(bytes((len(label),)) + label for label in host) + b"\0" + rtype.to_bytes(2) + b"\0\1"
        message = bytes(2) + RD.to_bytes(2) + b"\0\1" + bytes(6) + question
        answer = await self.forward(message, tcp=False)
        if answer is not None and int.from_bytes(answer[2:4]) & TC:
            answer = await self.forward(message, tcp=True)
        return _records(answer) if answer is not None else []

    async def _ask(self, server: Address, message: bytes, tcp: bool) -> bytes | None:
        asked = self._entropy.random.getrandbits(16).to_bytes(2) + message[2:]
        try:
            async with asyncio.timeout(self._timeout):
                return await (_ask_tcp if tcp else _ask_udp)(server, asked)
        except (OSError, TimeoutError, EOFError) as error:
            log.debug("recursor %s:%d: %s", *server, error or "no answer in time")
            return None


class _Exchange(asyncio.DatagramProtocol):
    """One question over UDP."""

    def __init__(self, asked: bytes) -> None:
        self._asked = asked
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self.answer.done() and answers(self._asked, data):
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def _ask_udp(server: Address, asked: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    transport, exchange = await loop.create_datagram_endpoint(lambda: _Exchange(asked), remote_addr=server)
    try:
        transport.sendto(asked)
        return await exchange.answer
    finally:
        transport.close()


async def _ask_tcp(server: Address, asked: bytes) -> bytes | None:
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(len(asked).to_bytes(2) + asked)
        data = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
        return data if answers(asked, data) else None
    finally:
        writer.close()


def answers(asked: bytes, data: bytes) -> bool:
    """Whether `data` is a response to the message `asked`: its id and its question, whatever the case."""
    if len(data) < HEADER_BYTES or data[:2] != asked[:2] or not int.from_bytes(data[2:4]) & QR:
        return False
    at = HEADER_BYTES
    while asked[at]:
        at += asked[at] + 1
    end = at + 5
    return data[HEADER_BYTES:at].lower() == asked[HEADER_BYTES:at].lower() and data[at:end] == asked[at:end]


def _records(answer: bytes) -> list[Record]:
    """The answer section as records; none of a message that cannot be read."""
    try:
        message = dns.message.from_wire(answer, ignore_trailing=True, one_rr_per_rrset=True)
        return [_record(rrset, rdata) for rrset in message.answer for rdata in rrset]
    except (dns.exception.DNSException, ValueError) as error:
        log.warning("recursor's answer cannot be read: %s", error)
        return []


def _record(rrset: dns.rrset.RRset, rdata: dns.rdata.Rdata) -> Record:
    if isinstance(rdata, dns.rdtypes.ANY.CNAME.CNAME):
        return Record(rrset.name.labels[:-1], CNAME, rrset.ttl, (rdata.target.labels[:-1],))
    return Record(rrset.name.labels[:-1], int(rrset.rdtype), rrset.ttl, (rdata.to_wire() or b"",))
