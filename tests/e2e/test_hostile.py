"""Meaningless bytes, and clients that are slow, silent or lie: nothing crashes or leaks, and others are served."""

from __future__ import annotations

import random
import resource
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import dns.message
import dns.query
import pytest

from bench.processes import Agent, eventually
from tests.e2e.conftest import StartAgent

REQUEST = (
    b"PUT /v1/kv/a?cas=0&flags=1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"X-Consul-Token: x\r\nContent-Length: 5\r\n\r\nhello"
)
QUESTION = dns.message.make_query("web.service.consul", "SRV", use_edns=0, payload=4096).to_wire()


def mutated(chance: random.Random, sample: bytes) -> bytes:
    """The sample with some bytes changed, dropped or doubled."""
    data = bytearray(sample)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(data))
        match chance.randrange(3):
            case 0:
                data[place] = chance.randrange(256)
            case 1:
                del data[place : place + chance.randint(1, 4)]
                data = data or bytearray(sample)
            case 2:
                data[place:place] = data[: chance.randint(1, 16)]
    return bytes(data)


def nonsense(seed: int, sample: bytes, count: int) -> Iterator[bytes]:
    """Random bytes and mutations of the sample, in turn."""
    chance = random.Random(seed)
    for number in range(count):
        yield chance.randbytes(chance.randint(1, 2_000)) if number % 2 else mutated(chance, sample)


def send(port: int, data: bytes) -> None:
    """Sends it over TCP, takes what comes back within a moment, and leaves."""
    with socket.create_connection(("127.0.0.1", port), 5) as sock:
        sock.settimeout(0.02)
        try:
            sock.sendall(data)
            sock.recv(65_536)
        except OSError:
            return  # refused or unanswered: either is fine


@pytest.fixture
def assert_unharmed(agent: Agent) -> Iterator[Callable[[], None]]:
    """Says whether the agent still answers as before, and has given back the connections."""
    agent.put("/v1/catalog/register", {"Node": "n", "Address": "192.0.2.1", "Service": {"Service": "web", "Port": 80}})
    before = agent.open_files()

    def check() -> None:
        assert agent.process.poll() is None, agent.log[-3000:]
        assert agent.get("/v1/health/service/web", timeout=5).json()[0]["Service"]["Port"] == 80
        question = dns.message.make_query("web.service.consul", "A")
        answer = dns.query.udp(question, "127.0.0.1", timeout=5, port=agent.ports["dns"])
        assert [str(record) for record in answer.answer[0]] == ["192.0.2.1"]
        eventually(lambda: agent.open_files() <= before + 20, 30, "the connections given back")

    yield check


@pytest.mark.parametrize("seed", [1, 2])
def test_nonsense_at_the_http_port(agent: Agent, assert_unharmed: Callable[[], None], seed: int) -> None:
    for data in nonsense(seed, REQUEST, 200):
        send(agent.ports["http"], data)
    assert_unharmed()


@pytest.mark.parametrize("seed", [1, 2])
def test_nonsense_at_the_dns_port_over_udp(agent: Agent, assert_unharmed: Callable[[], None], seed: int) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        for data in nonsense(seed, QUESTION, 3_000):
            sock.sendto(data, ("127.0.0.1", agent.ports["dns"]))
    assert_unharmed()


@pytest.mark.parametrize("seed", [1, 2])
def test_nonsense_at_the_dns_port_over_tcp(agent: Agent, assert_unharmed: Callable[[], None], seed: int) -> None:
    chance = random.Random(seed)
    for data in nonsense(seed, QUESTION, 200):
        promised = chance.choice([len(data), 0, 65_535, len(data) // 2])
        send(agent.ports["dns"], struct.pack("!H", promised) + data)
    assert_unharmed()


def test_silent_and_slow_clients_cost_the_others_nothing(agent: Agent, assert_unharmed: Callable[[], None]) -> None:
    with ExitStack() as held:
        for number in range(300):
            port = agent.ports["http" if number % 3 else "dns"]
            sock = held.enter_context(socket.create_connection(("127.0.0.1", port), 5))
            sock.sendall([b"", b"GET /v1/kv/a HTTP/1.1\r\nHos", REQUEST[:-3]][number % 3])
        for number in range(50):
            agent.put(f"/v1/kv/other/{number}", b"served", timeout=5)
            assert agent.get(f"/v1/kv/other/{number}?raw", timeout=5).body == b"served"
    assert_unharmed()


def test_clients_that_never_read_hold_nobody_up(start_agent: StartAgent) -> None:
    agent = start_agent()
    for number in range(64):
        agent.put(f"/v1/kv/large/{number}", bytes(256 * 1024))
    with ExitStack() as held:
        for _ in range(10):
            sock = held.enter_context(socket.create_connection(("127.0.0.1", agent.ports["http"]), 5))
            sock.sendall(b"GET /v1/kv/large/?recurse HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for number in range(20):
            assert agent.get(f"/v1/kv/large/{number}?raw", timeout=10).body == bytes(256 * 1024)


def test_a_body_over_the_limit_is_refused_and_not_stored(agent: Agent, assert_unharmed: Callable[[], None]) -> None:
    with pytest.raises(RuntimeError, match=r"413"):
        agent.put("/v1/kv/large", bytes(600 * 1024))
    assert agent.get("/v1/kv/large").status == 404
    assert_unharmed()


def test_more_connections_than_files_allowed_do_not_end_it(agent: Agent, assert_unharmed: Callable[[], None]) -> None:
    few = agent.open_files() + 100
    resource.prlimit(agent.process.pid, resource.RLIMIT_NOFILE, (few, few))
    with ExitStack() as held:
        for number in range(150):
            port = agent.ports["http" if number % 2 else "dns"]
            held.enter_context(socket.create_connection(("127.0.0.1", port), 5))
        eventually(lambda: agent.open_files() >= few - 5, 10, "no files left")
    assert_unharmed()
