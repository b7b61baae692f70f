"""Recursors played by sockets of ours."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from lictor import limits
from lictor.dns.recursors import Recursors, answers
from lictor.runtime.clock import Entropy
from tests.dns.asking import heard, question

Answer = Callable[[dns.message.Message], bytes | None]


class Played(asyncio.DatagramProtocol):
    """A DNS server that answers as a test says, over UDP and TCP."""

    def __init__(self) -> None:
        self.udp: Answer = lambda message: None
        self.tcp: Answer = lambda message: None
        self.asked: list[str] = []
        self.address = ("127.0.0.1", 0)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._connected, *self.address)
        self.address = self._server.sockets[0].getsockname()
        await loop.create_datagram_endpoint(lambda: self, local_addr=self.address)

    def close(self) -> None:
        self._transport.close()
        if self._server is not None:
            self._server.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = dns.message.from_wire(data)
        self.asked.append(f"udp {message.question[0].name}")
        answer = self.udp(message)
        if answer is not None:
            self._transport.sendto(answer, addr)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
        message = dns.message.from_wire(data)
        self.asked.append(f"tcp {message.question[0].name}")
        answer = self.tcp(message)
        if answer is not None:
            writer.write(len(answer).to_bytes(2) + answer)
        writer.close()


def rrset(row: str) -> dns.rrset.RRset:
    name, ttl, rclass, rtype, rdata = row.split()
    return dns.rrset.from_text(name, int(ttl), rclass, rtype, rdata)


def saying(*rows: str, rcode: int = dns.rcode.NOERROR, truncated: bool = False) -> Answer:
    def answer(message: dns.message.Message) -> bytes:
        response = dns.message.make_response(message)
        response.set_rcode(dns.rcode.Rcode(rcode))
        response.answer = [rrset(row) for row in rows]
        if truncated:
            response.flags |= dns.flags.TC
        return response.to_wire()

    return answer


@pytest.fixture
async def played() -> AsyncIterator[list[Played]]:
    servers = [Played(), Played()]
    for server in servers:
        await server.start()
    yield servers
    for server in servers:
        server.close()


@pytest.fixture
async def recursors(played: list[Played]) -> AsyncIterator[Recursors]:
    asking = Recursors(Entropy(seed=1))
    asking.configure([server.address for server in played], 0.2)
    yield asking
    await asking.close()


WWW = "www.example.com. 60 IN A 192.0.2.7"


async def test_the_answer_comes_back_under_the_clients_id(recursors: Recursors, played: list[Played]) -> None:
    played[0].udp = saying(WWW)
    message = question("www.example.com A").to_wire()
    answer = await recursors.forward(message, tcp=False)
    assert answer is not None and answer[:2] == message[:2]
    assert heard(answer).answer == ["www.example.com. 60 A 192.0.2.7"]
    assert (played[1].asked, recursors.failures) == ([], 0)


async def test_tcp_is_asked_for_tcp(recursors: Recursors, played: list[Played]) -> None:
    played[0].tcp = saying(WWW)
    assert await recursors.forward(question("www.example.com A").to_wire(), tcp=True)
    assert played[0].asked == ["tcp www.example.com."]


async def test_the_next_is_asked_when_one_is_silent_or_refuses(recursors: Recursors, played: list[Played]) -> None:
    played[1].udp = saying(rcode=dns.rcode.NXDOMAIN)
    for first in (lambda message: None, saying(rcode=dns.rcode.SERVFAIL), saying(rcode=dns.rcode.REFUSED)):
        played[0].udp = first
        answer = await recursors.forward(question("www.example.com A").to_wire(), tcp=False)
        assert answer is not None and heard(answer).rcode == "NXDOMAIN"


async def test_nobody_answers(recursors: Recursors) -> None:
    assert await recursors.forward(question("www.example.com A").to_wire(), tcp=False) is None
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        recursors.configure([unused.getsockname()], 5.0)
        for tcp in (False, True):  # nobody listens: known at once
            assert await asyncio.wait_for(recursors.forward(question("www.example.com A").to_wire(), tcp), 3) is None
    assert recursors.failures == 3


async def test_too_many_waiting_questions_are_not_sent(recursors: Recursors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DNS_PENDING_FORWARDS", 1)
    first = asyncio.ensure_future(recursors.forward(question("www.example.com A").to_wire(), tcp=False))
    await asyncio.sleep(0)
    assert await recursors.forward(question("www.example.com A").to_wire(), tcp=False) is None
    assert recursors.asked == 1
    await first


async def test_a_host_is_looked_up_once_for_all_who_ask(recursors: Recursors, played: list[Played]) -> None:
    played[0].udp = saying(truncated=True)
    played[0].tcp = saying("www.example.com. 60 IN CNAME Real.example.com.", "real.example.com. 60 IN A 192.0.2.7")
    host = (b"www", b"example", b"com")
    first, second = await asyncio.gather(recursors.lookup(host, 1), recursors.lookup(host, 1))
    assert first == second
    assert [(row.rtype, row.data) for row in first] == [(5, ((b"Real", b"example", b"com"),)), (1, (b"\xc0\0\2\7",))]
    assert played[0].asked == ["udp www.example.com.", "tcp www.example.com."]


async def test_nonsense_is_no_answer(recursors: Recursors, played: list[Played]) -> None:
    played[0].udp = lambda message: (saying(WWW)(message) or b"")[:-3]
    assert await recursors.lookup((b"www", b"example", b"com"), 1) == []


def test_only_a_response_to_the_question_counts() -> None:
    asked = question("www.example.com A").to_wire()
    response = asked[:2] + b"\x81\x80" + asked[4:]
    assert answers(asked, response)
    assert answers(asked, response.replace(b"www", b"WwW"))
    assert not answers(asked, asked)
    assert not answers(asked, response[:11])
    assert not answers(asked, response.replace(b"www", b"wwx"))
    assert not answers(asked, bytes((asked[0] ^ 1,)) + response[1:])
    assert not answers(asked, response[:-3] + b"\2\0\1")
