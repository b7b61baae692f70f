from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from lictor.agent.checks import CheckKit, Outcome
from lictor.agent.checks.sockets import check_tcp, check_udp
from lictor.types.definitions import CheckSpec


@asynccontextmanager
async def tcp_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=tls)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def closed_port(kind: socket.SocketKind) -> str:
    """A port that was free a moment ago."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{sock.getsockname()[1]}"


async def test_tcp_connects(kit: CheckKit) -> None:
    async with tcp_server() as target:
        assert await check_tcp(CheckSpec(tcp=target), kit, 5) == Outcome("passing", f"TCP connect {target}: Success")


async def test_tcp_refused(kit: CheckKit) -> None:
    target = closed_port(socket.SOCK_STREAM)
    outcome = await check_tcp(CheckSpec(tcp=target), kit, 5)
    assert outcome == Outcome("critical", f"dial tcp {target}: connect: connection refused")


async def test_tcp_takes_too_long(kit: CheckKit) -> None:
    """A listener whose queue is full answers nothing."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        target = f"127.0.0.1:{listener.getsockname()[1]}"
        outcome = await check_tcp(CheckSpec(tcp=target), kit, 0.2)
    assert outcome == Outcome("critical", f"dial tcp {target}: i/o timeout")


async def test_tcp_with_tls(kit: CheckKit, trusting_kit: CheckKit, server_tls: ssl.SSLContext) -> None:
    async with tcp_server(server_tls) as target:
        spec = CheckSpec(tcp=target, tcp_use_tls=True)
        named = CheckSpec(tcp=target, tcp_use_tls=True, tls_server_name="check.example")
        skipping = CheckSpec(tcp=target, tcp_use_tls=True, tls_skip_verify=True)
        distrusted = await check_tcp(spec, kit, 5)
        assert distrusted == Outcome("critical", "tls: failed to verify certificate: self-signed certificate")
        misnamed = await check_tcp(spec, trusting_kit, 5)
        assert misnamed.output.startswith("tls: failed to verify certificate: IP address mismatch")
        assert (await check_tcp(named, trusting_kit, 5)).status == "passing"
        assert (await check_tcp(skipping, kit, 5)).status == "passing"


async def test_tcp_where_tls_is_not_spoken(kit: CheckKit) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        target = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        outcome = await check_tcp(CheckSpec(tcp=target, tcp_use_tls=True), kit, 5)
    assert outcome.status == "critical"
    assert outcome.output.startswith("tls: ")


async def test_udp_answered(kit: CheckKit) -> None:
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
            cast(asyncio.DatagramTransport, self.transport).sendto(b"here", address)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    target = f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    try:
        assert await check_udp(CheckSpec(udp=target), kit, 5) == Outcome("passing", f"UDP connect {target}: Success")
    finally:
        transport.close()


async def test_udp_silence_passes(kit: CheckKit) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{sock.getsockname()[1]}"
        assert (await check_udp(CheckSpec(udp=target), kit, 0.2)).status == "passing"


async def test_udp_refused(kit: CheckKit) -> None:
    target = closed_port(socket.SOCK_DGRAM)
    outcome = await check_udp(CheckSpec(udp=target), kit, 5)
    assert outcome == Outcome("critical", f"dial udp {target}: connection refused")


async def test_udp_without_a_port(kit: CheckKit) -> None:
    outcome = await check_udp(CheckSpec(udp="localhost"), kit, 5)
    assert outcome == Outcome("critical", "dial udp: address localhost: missing port in address")
