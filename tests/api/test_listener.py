"""Real sockets: TCP, TLS and unix; how they begin and end, and what clients see that are slow, silent or in a hurry."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import socket
import ssl
import stat
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import wraps
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lictor import limits
from lictor.api.listener import Listener
from lictor.errors import ConfigError
from tests.api.wire import BODY_LIMIT, Answer, Site, answers, get, put


def on_uvloop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs a test on the loop that the agent runs on."""

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(test(*args, **kwargs))

    return run


@pytest.fixture
def site() -> Site:
    return Site()


@contextlib.asynccontextmanager
async def serving(site: Site, **where: Any) -> AsyncIterator[Listener]:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    listener = Listener(site.app, **({"host": "127.0.0.1"} | where))
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()
    assert not listener._connections and site.app.gate.connections == 0 and told == []


async def ask(listener: Listener, data: bytes, **how: Any) -> list[Answer]:
    """Sends it, reads until the server closes, and returns the answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, **how)
    writer.write(data)
    found = await asyncio.wait_for(reader.read(-1), 10)
    writer.close()
    return answers(found)


async def until(what: Any) -> None:
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.005)


@on_uvloop
async def test_tcp(site: Site) -> None:
    async with serving(site) as listener:
        data = get("/read") + put("/body", b"abc") + get("/echo/a", "Connection: close")
        assert [answer.body for answer in await ask(listener, data)] == [b'"first"', b"3", b"a?"]


@on_uvloop
async def test_a_port_in_use_is_named(site: Site) -> None:
    async with serving(site) as listener:
        with pytest.raises(ConfigError, match=rf"cannot serve HTTP on 127.0.0.1:{listener.port}: .*in use"):
            await Listener(site.app, "127.0.0.1", listener.port).start()
    with pytest.raises(ConfigError, match=r"cannot serve HTTP on 192\.0\.2\.1:0: "):
        await Listener(site.app, "192.0.2.1").start()


@pytest.mark.parametrize("size", [BODY_LIMIT + 1, 50 * BODY_LIMIT])
@on_uvloop
async def test_a_client_that_sends_before_it_reads_hears_that_it_sent_too_much(site: Site, size: int) -> None:
    def send(port: int) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("PUT", "/body", body=b"x" * size)
        response = connection.getresponse()
        return response.status, response.read()

    async with serving(site) as listener:
        for _ in range(5):
            text = f"Request body({size} bytes) too large, max size: {BODY_LIMIT} bytes.".encode()
            assert await asyncio.to_thread(send, listener.port) == (413, text)
    assert site.bodies == []


@on_uvloop
async def test_half_closed_and_gone_clients(site: Site) -> None:
    async with serving(site) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(get("/slow/a"))
        writer.write_eof()
        await asyncio.sleep(0.02)
        site.gate.set()
        assert [answer.body for answer in answers(await reader.read(-1))] == [b"a"]
        writer.close()
        for index in range(20):
            _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.write(get("/read?index=5&wait=60s"))
            await until(lambda: site.app.reads.watching == 1)
            if index % 2:
                writer.transport.abort()
            else:
                writer.close()
            await until(lambda: site.app.reads.watching == 0)
        await until(lambda: not len(listener))


@on_uvloop
async def test_who_never_reads_costs_little_and_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WRITE_STALL_SECONDS", 0.2)
    monkeypatch.setattr(limits, "SWEEP_SECONDS", 0.05)
    site.move("x" * 20_000)
    async with serving(site) as listener:
        sock = socket.create_connection(("127.0.0.1", listener.port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        most = 0
        while True:
            await asyncio.sleep(0.001)
            with contextlib.suppress(OSError):
                sock.send(get("/read"))
            if not listener._connections:
                break
            [connection] = listener._connections
            most = max(most, connection._transport.get_write_buffer_size())
        sock.close()
        assert site.app.gate.expired == 1 and most < 500_000


@on_uvloop
async def test_the_slow_are_cut_off_and_others_served(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD_SECONDS", "BODY_STALL_SECONDS", "IDLE_CONNECTION_SECONDS"):
        monkeypatch.setattr(limits, name, 0.2)
    monkeypatch.setattr(limits, "SWEEP_SECONDS", 0.05)
    async with serving(site) as listener:
        slow = []
        for start in (b"", b"GET /re", put("/body", b"abc")[:-1]):
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.write(start)
            slow.append((reader, writer))
        _, held = await asyncio.open_connection("127.0.0.1", listener.port)
        held.write(get("/slow/a"))
        assert (await ask(listener, get("/echo/a", "Connection: close")))[0].body == b"a?"
        for reader, writer in slow:
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(-1), 10) == b""
            writer.close()
        assert len(listener) == 1 and site.app.gate.expired == 3  # work has all the time it takes
        held.close()


@on_uvloop
async def test_stopping_answers_those_who_wait(site: Site) -> None:
    async with serving(site) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(get("/read?index=5&wait=60s"))
        await until(lambda: site.app.reads.watching == 1)
    assert [answer.body for answer in answers(await reader.read(-1))] == [b'"first"']
    writer.close()
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", listener.port)


# unix sockets


async def over(path: Path, data: bytes) -> list[Answer]:
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(data)
    found = await asyncio.wait_for(reader.read(-1), 10)
    writer.close()
    return answers(found)


@on_uvloop
async def test_a_unix_socket_with_mode_and_owner(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    async with serving(site, unix=str(path), mode="0640", user=str(os.getuid()), group=str(os.getgid())) as listener:
        assert listener.address == f"unix://{path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        assert (await over(path, get("/echo/a", "Connection: close")))[0].body == b"a?"
    assert not path.exists()


@on_uvloop
async def test_a_dead_agent_s_socket_is_replaced_and_nothing_else(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with serving(site, unix=str(path)):
        with pytest.raises(ConfigError, match="in use"):
            await Listener(site.app, unix=str(path)).start()
        assert (await over(path, get("/echo/a", "Connection: close")))[0].status == 200
        path.unlink()
        path.write_text("somebody else's")
    assert path.read_text() == "somebody else's"
    with pytest.raises(ConfigError, match="in use"):
        await Listener(site.app, unix=str(path)).start()


@pytest.mark.parametrize("how", [{"user": "nobody-of-that-name"}, {"group": "no-such-group"}])
@on_uvloop
async def test_an_owner_that_is_not_there(site: Site, tmp_path: Path, how: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="name not found"):
        await Listener(site.app, unix=str(tmp_path / "s"), **how).start()


# TLS


class Authority:
    """A certificate authority for one test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, directory.name)])
        self.certificate = self._sign(self.name, self.key.public_key(), authority=True)
        self.file = directory / "ca.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, name: x509.Name, key: ec.EllipticCurvePublicKey, authority: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self.name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
        builder = builder.not_valid_after(now + datetime.timedelta(hours=1))
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, common_name: str) -> tuple[str, str]:
        """A certificate for that name and its key, as files."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
        certificate, secret = self.directory / f"{common_name}.pem", self.directory / f"{common_name}.key"
        signed = self._sign(name, key.public_key(), authority=False)
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return str(certificate), str(secret)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def server_side(authority: Authority, verify: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.file))
    context.load_cert_chain(*authority.issue("server"))
    context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    return context


def client_side(authority: Authority, name: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.file))
    if name:
        context.load_cert_chain(*authority.issue(name))
    return context


@on_uvloop
async def test_tls(site: Site, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SWEEP_SECONDS", 0.05)
    async with serving(site, tls=lambda: server_side(authority)) as listener:
        how = {"ssl": client_side(authority), "server_hostname": "localhost"}
        data = get("/read") + put("/body", b"x" * BODY_LIMIT) + get("/large") + get("/echo/a", "Connection: close")
        found = await ask(listener, data, **how)
        assert [answer.status for answer in found] == [200, 200, 200, 200] and found[-1].body == b"a?"
        assert [answer.status for answer in await ask(listener, b"NONSENSE\r\n\r\n" * 9, **how)] == [400]


@on_uvloop
async def test_a_client_s_certificate_is_asked_for_and_checked(
    site: Site, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = Authority(tmp_path_factory.mktemp("stranger"))
    async with serving(site, tls=lambda: server_side(authority, verify=True)) as listener:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            assert not await ask(listener, get("/read"), ssl=client_side(authority), server_hostname="localhost")
            raise ConnectionError("closed without a word")
        context = client_side(authority)
        context.load_cert_chain(*stranger.issue("client"))
        with pytest.raises((ssl.SSLError, ConnectionError)):
            assert not await ask(listener, get("/read"), ssl=context, server_hostname="localhost")
            raise ConnectionError("closed without a word")
        how = {"ssl": client_side(authority, "client"), "server_hostname": "localhost"}
        assert (await ask(listener, get("/read", "Connection: close"), **how))[0].status == 200
    assert site.app.requests == 1


@on_uvloop
async def test_tls_that_never_begins_is_given_up(site: Site, authority: Authority) -> None:
    async with serving(site, tls=lambda: server_side(authority), handshake_seconds=0.1) as listener:
        for start in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01"):
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.write(start)
            with contextlib.suppress(ConnectionError):
                await asyncio.wait_for(reader.read(-1), 10)
            writer.close()
        how = {"ssl": client_side(authority), "server_hostname": "localhost"}
        assert (await ask(listener, get("/read", "Connection: close"), **how))[0].status == 200


@on_uvloop
async def test_a_held_query_over_tls_ends_with_its_client(site: Site, authority: Authority) -> None:
    async with serving(site, tls=lambda: server_side(authority)) as listener:
        for _ in range(3):
            _, writer = await asyncio.open_connection(
                "127.0.0.1", listener.port, ssl=client_side(authority), server_hostname="localhost"
            )
            writer.write(get("/read?index=5&wait=60s"))
            await until(lambda: site.app.reads.watching == 1)
            writer.close()
            await until(lambda: site.app.reads.watching == 0)
