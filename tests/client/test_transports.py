"""Both transports against the same agent: what one does the other does."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lictor.client import Address, Client, Config, Request, SyncClient, plan
from lictor.client.errors import ClientError, TimedOut, Unreachable, Unreadable
from tests.client.fake_agent import FakeAgent

Send = Callable[[Config, Request[Any]], Any]


def send_sync(config: Config, request: Request[Any]) -> Any:
    return SyncClient(config).send(request)


def send_async(config: Config, request: Request[Any]) -> Any:
    async def run() -> Any:
        async with Client(config) as client:
            return await client.send(request)

    return asyncio.run(run())


@pytest.fixture(params=[send_sync, send_async], ids=["sync", "async"])
def send(request: pytest.FixtureRequest) -> Send:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def silent() -> Iterator[tuple[Config, list[bytes]]]:
    """A server that answers each connection with the given bytes and then says nothing more."""
    said: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            try:
                while True:
                    connection, _ = server.accept()
                    held.append(connection)
                    connection.recv(4096)
                    if said:
                        connection.sendall(said[0])
                        connection.shutdown(socket.SHUT_WR)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = server.getsockname()[1]
        yield Config(address=Address(port=port), timeout=0.3), said
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for connection in held:
            connection.close()


def test_a_round_trip(agent: FakeAgent, config: Config, send: Send) -> None:
    config = config._replace(token="t", datacenter="dc1")
    assert send(config, plan.kv.put("a b", b"\x00\xff", flags=7))
    answer = send(config, plan.kv.get("a b"))
    assert answer.value.value == b"\x00\xff"
    assert answer.value.flags == 7
    assert answer.index == agent.index
    assert agent.targets() == ["PUT /v1/kv/a%20b?flags=7&dc=dc1", "GET /v1/kv/a%20b?dc=dc1"]
    assert {asked.headers["X-Consul-Token"] for asked in agent.asked} == {"t"}
    assert "Content-Type" not in agent.asked[1].headers


def test_a_unix_socket(tmp_path: Path, send: Send) -> None:
    agent = FakeAgent(unix=str(tmp_path / "http.sock"))
    try:
        assert send(Config(address=Address.parse(agent.address)), plan.kv.put("a", "1"))
    finally:
        agent.close()


def test_nobody_there(send: Send) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unreachable) as error:
        send(Config(address=Address(port=port)), plan.status.leader())
    assert f"http://127.0.0.1:{port}" in str(error.value)
    assert "refused" in str(error.value)


def test_no_socket_there(tmp_path: Path, send: Send) -> None:
    with pytest.raises(Unreachable, match="No such file"):
        send(Config(address=Address(unix=str(tmp_path / "none"))), plan.status.leader())


def test_an_agent_that_never_answers(silent: tuple[Config, list[bytes]], send: Send) -> None:
    with pytest.raises(TimedOut, match=r"GET /v1/status/leader within 0\.3 s"):
        send(silent[0], plan.status.leader())


@pytest.mark.parametrize("said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"])
def test_an_answer_that_breaks_off(silent: tuple[Config, list[bytes]], send: Send, said: bytes) -> None:
    silent[1].append(said)
    with pytest.raises(Unreachable, match="the connection broke"):
        send(silent[0], plan.status.leader())


def test_an_answer_without_end_is_cut(agent: FakeAgent, config: Config, send: Send) -> None:
    agent.answer("GET /v1/status/leader", b'"' + b"x" * 5000 + b'"')
    with pytest.raises(Unreadable, match="more than 4096 bytes"):
        send(config._replace(max_answer_bytes=4096), plan.status.leader())


def test_redirects_are_not_followed(agent: FakeAgent, config: Config, send: Send) -> None:
    agent.answer("GET /v1/status/leader", b"moved", 301, Location="/elsewhere")
    with pytest.raises(ClientError, match="301"):
        send(config, plan.status.leader())


def test_streams(agent: FakeAgent, config: Config, sync: SyncClient) -> None:
    agent.answer("GET /v1/agent/monitor", b"one\ntwo\n")
    request = plan.agent.monitor(log_level="debug", log_json=True)
    assert b"".join(sync.stream(request)) == b"one\ntwo\n"
    assert agent.targets() == ["GET /v1/agent/monitor?loglevel=debug&logjson=true"]

    async def read() -> bytes:
        async with Client(config) as client:
            return b"".join([chunk async for chunk in client.stream(request)])

    assert asyncio.run(read()) == b"one\ntwo\n"
    agent.answer("GET /v1/agent/monitor", b"no", 403)
    with pytest.raises(ClientError, match="403"):
        list(sync.stream(request))
    with pytest.raises(ClientError, match="403"):
        asyncio.run(read())
