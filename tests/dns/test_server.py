"""Real sockets: UDP and TCP, many questions in a row, clients that misbehave, settings that change."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator

import dns.message
import dns.rcode
import pytest
import uvloop

from lictor import limits
from lictor.dns import DNSServer, DNSSettings
from lictor.errors import ConfigError
from lictor.runtime.clock import Entropy, SystemClock
from tests.dns.asking import Said, heard, question, settings
from tests.dns.catalog import Catalog


@pytest.fixture
def catalog() -> Catalog:
    catalog = Catalog()
    for number in range(1, 4):
        catalog.put(catalog.put_node(f"n{number}", f"10.0.0.{number}"), "web")
    return catalog


@pytest.fixture
async def server(catalog: Catalog) -> AsyncIterator[DNSServer]:
    served = DNSServer(catalog, DNSSettings(), SystemClock(), Entropy(seed=3))
    await served.start("127.0.0.1", 0)
    yield served
    await served.close()


async def over_udp(server: DNSServer, message: bytes) -> Said:
    loop = asyncio.get_running_loop()
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, server.addresses[0])
        await loop.sock_sendall(sock, message)
        return heard(await asyncio.wait_for(loop.sock_recv(sock, 65535), 5))


async def read_one(reader: asyncio.StreamReader) -> dns.message.Message:
    size = int.from_bytes(await asyncio.wait_for(reader.readexactly(2), 5))
    return dns.message.from_wire(await asyncio.wait_for(reader.readexactly(size), 5))


def framed(message: dns.message.Message) -> bytes:
    wire = message.to_wire()
    return len(wire).to_bytes(2) + wire


async def test_udp_answers_what_is_ready_and_what_is_not(server: DNSServer) -> None:
    for _ in range(3):
        message = question("web.service.consul A")
        said = await over_udp(server, message.to_wire())
        assert (said.message.id, len(said.answer)) == (message.id, 3)
    assert (server.queries, server.ready) == (3, 2)


async def test_udp_follows_the_catalog(server: DNSServer, catalog: Catalog) -> None:
    message = question("web.service.consul A").to_wire()
    await over_udp(server, message)
    catalog.instances["web", "service"].pop()
    catalog.change("service", "web")
    assert len((await over_udp(server, message)).answer) == 2


async def test_many_datagrams_at_once(server: DNSServer) -> None:
    loop = asyncio.get_running_loop()
    count = limits.DNS_UDP_BURST * 2
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(server.addresses[0])
        for _ in range(count):
            sock.send(question("web.service.consul SRV").to_wire())
        for _ in range(count):
            assert len(heard(await asyncio.wait_for(loop.sock_recv(sock, 65535), 5)).answer) == 3


async def test_nonsense_over_udp_stops_nothing(server: DNSServer) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.connect(server.addresses[0])
        for size in (0, 1, 11, 12, 13, 100, 5000):
            sock.send(os.urandom(size))
    assert len((await over_udp(server, question("web.service.consul A").to_wire())).answer) == 3


async def test_tcp_takes_many_questions_in_a_row(server: DNSServer) -> None:
    reader, writer = await asyncio.open_connection(*server.addresses[0])
    asked = [
        question(f"{'web' if number % 2 else 'none'}.service.consul A") for number in range(limits.DNS_TCP_PIPELINE * 3)
    ]
    writer.write(b"".join(map(framed, asked)))
    for message in asked:
        assert (await read_one(reader)).id == message.id
    writer.close()
    assert server.tcp[0].queries == len(asked)


async def test_a_question_may_come_in_pieces(server: DNSServer) -> None:
    reader, writer = await asyncio.open_connection(*server.addresses[0])
    message = question("web.service.consul A")
    for byte in framed(message):
        writer.write(bytes((byte,)))
        await writer.drain()
    assert (await read_one(reader)).id == message.id
    writer.close()


async def test_a_client_that_has_finished_asking_is_still_answered(server: DNSServer) -> None:
    reader, writer = await asyncio.open_connection(*server.addresses[0])
    server.configure(DNSSettings(recursors=("127.0.0.1:1",)))
    writer.write(framed(question("www.example.com A")))
    writer.write_eof()
    assert (await read_one(reader)).rcode() == dns.rcode.SERVFAIL
    assert await asyncio.wait_for(reader.read(), 5) == b""


async def test_nonsense_over_tcp_is_refused_or_ignored(server: DNSServer) -> None:
    reader, writer = await asyncio.open_connection(*server.addresses[0])
    response = dns.message.make_response(question("web.service.consul A"))
    last = question("web.service.consul A")
    writer.write(b"\0\0" + b"\0\3abc" + framed(response) + b"\0\x0c\x12\x34" + bytes(10) + framed(last))
    assert (await read_one(reader)).rcode() == dns.rcode.FORMERR
    assert (await read_one(reader)).id == last.id
    writer.close()


async def test_silent_connections_make_room_and_end(server: DNSServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DNS_TCP_CONNECTIONS", 2)
    silent = await asyncio.open_connection(*server.addresses[0])
    speaking = await asyncio.open_connection(*server.addresses[0])
    speaking[1].write(framed(question("web.service.consul A")))
    await read_one(speaking[0])
    newest = await asyncio.open_connection(*server.addresses[0])
    assert await _ended(silent[0])
    assert server.tcp[0].connections == 2
    monkeypatch.setattr(limits, "DNS_TCP_IDLE_SECONDS", 0.0)
    assert await _ended(speaking[0]) and await _ended(newest[0])
    assert server.tcp[0].connections == 0
    for _, writer in (silent, speaking, newest):
        writer.close()


async def _ended(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(1), 5) == b""
    except ConnectionResetError:
        return True


async def test_names_elsewhere_come_from_the_recursor(server: DNSServer, catalog: Catalog) -> None:
    """Another server of ours plays the recursor."""
    elsewhere = Catalog()
    elsewhere.put(elsewhere.put_node("n9", "10.9.9.9"), "shop")
    recursor = DNSServer(elsewhere, DNSSettings(domain="example.com"), SystemClock(), Entropy(seed=4))
    host, port = await recursor.start("127.0.0.1", 0)
    server.configure(DNSSettings(recursors=(f"{host}:{port}",)))
    catalog.put(catalog.put_node("ext", "n9.node.example.com"), "far")
    for message in (question("shop.service.example.com A"), question("far.service.consul A")):
        said = await over_udp(server, message.to_wire())
        assert said.answer[-1].split()[-1] == "10.9.9.9" or said.answer[0].split()[-1] == "10.9.9.9"
        assert said.message.id == message.id
    reader, writer = await asyncio.open_connection(*server.addresses[0])
    writer.write(framed(question("far.service.consul SRV")))
    assert [str(rrset) for rrset in (await read_one(reader)).additional] == ["n9.node.example.com. 0 IN A 10.9.9.9"]
    writer.close()
    await recursor.close()


async def test_a_server_never_asks_itself(server: DNSServer) -> None:
    host, port = server.addresses[0]
    server.configure(DNSSettings(recursors=(f"{host}:{port}",)))
    assert (await over_udp(server, question("www.example.com A").to_wire())).rcode == "SERVFAIL"
    assert server.udp[0].queries == 1


async def test_settings_change_at_once(server: DNSServer) -> None:
    message = question("web.service.consul A").to_wire()
    await over_udp(server, message)
    server.configure(settings(a_record_limit=1, service_ttl={"web": 9.0}))
    [line] = (await over_udp(server, message)).answer
    assert line.startswith("web.service.consul. 9 A ")
    with pytest.raises(ConfigError):
        server.configure(settings(node_ttl=-1.0))
    assert len((await over_udp(server, message)).answer) == 1


async def test_ipv6(server: DNSServer) -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        host, port = await server.start("::1", 0)
    except OSError:
        pytest.skip("no IPv6 here")
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(framed(question("web.service.consul A")))
    assert len((await read_one(reader)).answer[0]) == 3
    writer.close()


async def test_a_port_in_use_is_an_error(server: DNSServer) -> None:
    with pytest.raises(OSError):
        await server.start(*server.addresses[0])


async def test_closing_gives_up_what_waits(catalog: Catalog) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        recursor = "{}:{}".format(*silent.getsockname())
        server = DNSServer(catalog, DNSSettings(recursors=(recursor,)), SystemClock(), Entropy(seed=5))
        await server.start("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.addresses[0])
        writer.write(framed(question("www.example.com A")))
        while not server.recursors.asked:
            await asyncio.sleep(0.01)
        await asyncio.wait_for(server.close(), 1)
        assert await _ended(reader)
        writer.close()


def test_the_loop_that_the_agent_runs_on(catalog: Catalog) -> None:
    async def play() -> None:
        server = DNSServer(catalog, DNSSettings(recursors=("127.0.0.1:1",)), SystemClock(), Entropy(seed=6))
        await server.start("127.0.0.1", 0)
        for name, count in (("web.service.consul", 3), ("www.example.com", 0)):
            assert len((await over_udp(server, question(f"{name} A").to_wire())).answer) == count
            reader, writer = await asyncio.open_connection(*server.addresses[0])
            writer.write(framed(question(f"{name} SRV")))
            assert sum(map(len, (await read_one(reader)).answer)) == count
            writer.close()
        await server.close()

    uvloop.run(play())
