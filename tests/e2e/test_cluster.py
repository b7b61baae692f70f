"""Three servers, each with its etcd member, and two clients: they form, all write, and go on when one is killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bench.processes import eventually, free_ports
from tests.e2e.nodes import ALIVE, FAILED, Node, ended_well

PORTS = ("http", "dns", "server", "serf_lan", "serf_wan")
SERVERS = {f"server-{number}": f"127.0.0.{number}" for number in (1, 2, 3)}
CLIENTS = {"client-4": "127.0.0.4", "client-5": "127.0.0.5"}
NAMES = {*SERVERS, *CLIENTS}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Node]]:
    """The cluster by name. Its ports are the same at every address."""
    directory = tmp_path_factory.mktemp("cluster")
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    client_port, peer_port = free_ports(2)
    store = {"client_port": client_port, "peer_port": peer_port}
    join = {"retry_join": list(SERVERS.values()), "retry_interval": "1s"}
    nodes: dict[str, Node] = {}
    with ended_well([]) as started:
        for name, address in SERVERS.items():
            nodes[name] = Node(directory, name, address, ports, server=True, bootstrap_expect=3, store=store, **join)
            started.append(nodes[name])
        for name, address in CLIENTS.items():
            nodes[name] = Node(directory, name, address, ports, **join)
            started.append(nodes[name])
        for node in started:
            eventually(partial(node.knows, 5), 60, f"{node.name} knows all nodes")
        yield nodes
        started[:] = nodes.values()
    eventually(lambda: not members_at(directory), 10, "every etcd member is gone with its server")


def members_at(directory: Path) -> list[int]:
    """The etcd processes whose data lies below a directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"etcd") and any(str(directory).encode() in word for word in words):
                found.append(int(entry.name))
    return found


def test_every_server_sees_what_was_acknowledged_at_another(cluster: dict[str, Node]) -> None:
    servers = [cluster[name] for name in SERVERS]
    for number in range(30):
        writer, reader = servers[number % 3], servers[(number + 1) % 3]
        assert writer.ask("PUT", "/v1/kv/seen", str(number).encode()).json() is True
        assert reader.ask("GET", "/v1/kv/seen?raw").body == str(number).encode()
    assert {node.get("/v1/status/leader") for node in cluster.values()} == {servers[0].get("/v1/status/leader")}
    assert len(servers[0].get("/v1/status/peers")) == 3
    assert cluster["client-4"].statuses() == dict.fromkeys(NAMES, ALIVE)


def test_compare_and_set_holds_across_servers(cluster: dict[str, Node]) -> None:
    servers = [cluster[name] for name in SERVERS]
    won = [node.ask("PUT", "/v1/kv/once?cas=0", node.name.encode()).json() for node in servers]
    assert won.count(True) == 1
    first = servers[won.index(True)].name
    assert {node.ask("GET", "/v1/kv/once?raw").body for node in servers} == {first.encode()}


def test_what_a_client_registers_is_known_everywhere(cluster: dict[str, Node]) -> None:
    definition = {"Name": "app", "Port": 8080, "Check": {"TTL": "600s", "Status": "passing"}}
    for name in CLIENTS:
        assert cluster[name].ask("PUT", "/v1/agent/service/register", definition).status == 200
    for node in cluster.values():
        eventually(partial(resolves, node, ["127.0.0.4", "127.0.0.5"]), 5, f"{node.name} resolves app")


def resolves(node: Node, addresses: list[str]) -> bool:
    return node.resolve("app.service.consul") == addresses


def test_writes_go_on_when_the_leader_is_killed(cluster: dict[str, Node]) -> None:
    client = cluster["client-4"]
    address = client.get("/v1/status/leader").split(":")[0]
    leader = next(node for node in cluster.values() if node.address == address)
    assert client.ask("PUT", "/v1/kv/before", b"kept").json() is True
    leader.kill()
    killed = time.monotonic()
    eventually(lambda: client.ask("PUT", "/v1/kv/after", b"x", timeout=3).json() is True, 15, "writes go on")
    others = [node for node in cluster.values() if node is not leader]
    for node in others:
        assert node.ask("GET", "/v1/kv/before?raw").body == b"kept"
    eventually(lambda: client.get("/v1/status/leader").split(":")[0] != address, 15, "another leads")
    eventually(lambda: client.statuses()[leader.name] == FAILED, 15, "the dead server is missed")
    assert time.monotonic() - killed < 30

    cluster[leader.name] = again = leader.again()
    eventually(lambda: again.ask("GET", "/v1/kv/after?raw").body == b"x", 40, "it is back with all data")
    eventually(lambda: client.statuses() == dict.fromkeys(NAMES, ALIVE), 20, "all are alive")


def test_a_killed_member_is_started_again(cluster: dict[str, Node]) -> None:
    node = cluster["server-2"]
    [member] = members_at(node.directory)
    os.kill(member, signal.SIGKILL)
    eventually(
        lambda: node.ask("PUT", "/v1/kv/member", b"x", timeout=3).json() is True, 20, "writes go on at its server"
    )
    eventually(lambda: [pid for pid in members_at(node.directory) if pid != member], 20, "another process runs")
    eventually(lambda: cluster["client-5"].statuses() == dict.fromkeys(NAMES, ALIVE), 20, "all are alive")
