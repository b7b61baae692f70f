"""Connections accepted with TLS: each with the context of its time, whoever fails is named, and all ends at close."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lictor.api.tls_server import TLSServer, listening_socket
from lictor.runtime import certificates as c


class Greeter(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"hello")
        transport.close()


def context(directory: Path, name: str) -> ssl.SSLContext:
    key, made = c.new_key(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own = c.new_authority(c.Names(common=name, dns=(name,)), c.Lifetime(datetime.now(UTC), 2), 1, key)
    (directory / name).write_bytes(c.certificate_pem(own) + c.key_pem(key))
    made.load_cert_chain(directory / name)
    return made


def trusting(directory: Path, name: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(directory / name))


async def greeting(port: int, client: ssl.SSLContext, name: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=name)
    found = await reader.read()
    writer.close()
    return found


async def test_each_connection_gets_the_context_of_its_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    contexts = {name: context(tmp_path, name) for name in ("first", "second")}
    now = "first"
    server = TLSServer(await listening_socket("127.0.0.1", 0, 10), lambda: contexts[now], Greeter, 5.0)
    port = server.sockets[0].getsockname()[1]
    assert await greeting(port, trusting(tmp_path, "first"), "first") == b"hello"
    now = "second"
    assert await greeting(port, trusting(tmp_path, "second"), "second") == b"hello"
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    async with asyncio.timeout(5):
        while "it spoke plain HTTP" not in caplog.text:
            await asyncio.sleep(0.01)
    assert f"refused 127.0.0.1:{writer.get_extra_info('sockname')[1]}: " in caplog.text
    writer.close()
    server.close()
    await server.wait_closed()


async def test_handshakes_under_way_end_at_close(tmp_path: Path) -> None:
    own = context(tmp_path, "own")
    server = TLSServer(await listening_socket("127.0.0.1", 0, 10), lambda: own, Greeter, 60.0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    await asyncio.sleep(0.05)
    server.close()
    async with asyncio.timeout(5):
        await server.wait_closed()
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    writer.close()


async def test_a_taken_address_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError):
        await listening_socket("127.0.0.1", taken.getsockname()[1], 10)
