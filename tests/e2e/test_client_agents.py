"""Client agents beside a server, on addresses of their own: they join, forward, stay members, and are missed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bench.processes import Answer, eventually, free_ports
from tests.e2e.nodes import ALIVE, FAILED, LEFT, Node, ended_well

PORTS = ("http", "dns", "server", "serf_lan", "serf_wan")
EVERYONE = {"server": ALIVE, "one": ALIVE, "two": ALIVE}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[Node]]:
    """A server at 127.0.0.1 and two clients at 127.0.0.2 and 127.0.0.3; the second joins through the first."""
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    with ended_well([]) as nodes:
        nodes.append(Node(tmp_path, "server", "127.0.0.1", ports, server=True))
        nodes.append(Node(tmp_path, "one", "127.0.0.2", ports, retry_join=["127.0.0.1"], retry_interval="1s"))
        nodes.append(Node(tmp_path, "two", "127.0.0.3", ports, retry_join=["127.0.0.2"], retry_interval="1s"))
        for node in nodes:
            eventually(partial(node.knows, 3), 30, f"{node.name} knows all nodes")
        yield nodes


def test_what_one_registers_all_see(cluster: list[Node]) -> None:
    server, one, two = cluster
    definition = {"Name": "app", "Port": 8080, "Check": {"TTL": "60s", "Status": "passing"}}
    assert one.ask("PUT", "/v1/agent/service/register", definition).status == 200
    for node in cluster:
        rows = node.get("/v1/health/service/app?passing")
        assert [(row["Node"]["Node"], row["Service"]["Port"]) for row in rows] == [("one", 8080)]
        assert node.resolve("app.service.consul") == ["127.0.0.2"]
    assert two.statuses() == EVERYONE
    assert one.get("/v1/agent/services").keys() == {"app"}
    assert two.get("/v1/agent/services") == {}

    # the second client's DNS follows a change without being asked anew
    assert two.ask("PUT", "/v1/agent/service/register", definition).status == 200
    eventually(lambda: server.resolve("app.service.consul") == ["127.0.0.2", "127.0.0.3"], 5, "server's DNS")
    eventually(lambda: one.resolve("app.service.consul") == ["127.0.0.2", "127.0.0.3"], 5, "client's DNS")


def test_watchers_at_a_client_wake_for_a_write_elsewhere(cluster: list[Node]) -> None:
    server, one, two = cluster
    assert two.ask("PUT", "/v1/kv/key", b"old").json() is True
    index = one.ask("GET", "/v1/kv/key").headers["x-consul-index"]
    answers: list[Answer] = []
    watchers = [
        threading.Thread(target=lambda: answers.append(one.ask("GET", f"/v1/kv/key?index={index}&wait=20s")))
        for _ in range(20)
    ]
    for watcher in watchers:
        watcher.start()
    eventually(lambda: "http.watches" in json.dumps(server.get("/v1/agent/metrics")), 5, "metrics")
    assert server.ask("PUT", "/v1/kv/key", b"new").json() is True
    for watcher in watchers:
        watcher.join(25)
    assert {answer.json()[0]["Value"] for answer in answers} == {"bmV3"}
    assert len(answers) == 20


def test_sessions_belong_to_the_node_they_were_made_at(cluster: list[Node]) -> None:
    _, one, two = cluster
    session = one.ask("PUT", "/v1/session/create", {"LockDelay": "0s"}).json()["ID"]
    assert [row["ID"] for row in two.get("/v1/session/node/one")] == [session]
    assert one.ask("PUT", f"/v1/kv/lock?acquire={session}", b"mine").json() is True
    assert two.ask("PUT", f"/v1/kv/lock?acquire={session}&flags=1", b"mine").json() is True


def test_a_killed_client_is_missed_within_three_seconds_and_comes_back(cluster: list[Node]) -> None:
    server, one, two = cluster
    one.ask("PUT", "/v1/agent/service/register", {"Name": "app", "Port": 80})
    one.kill()

    def health() -> str:
        rows = server.get("/v1/health/node/one?filter=CheckID==serfHealth")
        return str(rows[0]["Status"])

    eventually(lambda: health() == "critical", 3.0, "the dead agent's node is critical")
    assert server.get("/v1/health/service/app?passing") == []
    eventually(lambda: two.resolve("app.service.consul") == [], 3, "gone from the other client's DNS")
    assert two.statuses()["one"] == FAILED


def test_a_server_that_was_lost_finds_all_again_and_who_leaves_is_gone(cluster: list[Node]) -> None:
    server, one, two = cluster
    one.ask("PUT", "/v1/agent/service/register", {"Name": "app", "Port": 80, "Address": "10.0.0.1"})
    assert two.resolve("app.service.consul") == ["10.0.0.1"]
    # the server is away: what was asked before still resolves, and afterwards everything goes on
    server.kill()
    assert two.resolve("app.service.consul") == ["10.0.0.1"]
    cluster[0] = again = server.again()
    eventually(lambda: len(again.get("/v1/health/service/app?passing")) == 1, 20, "the server has all again")
    eventually(lambda: two.ask("PUT", "/v1/kv/after", b"x").json() is True, 20, "writes go on")
    eventually(lambda: again.statuses() == EVERYONE, 20, "all are members again")
    assert one.stop() == 0
    eventually(lambda: [n["Node"] for n in again.get("/v1/catalog/nodes")] == ["server", "two"], 5, "one has left")
    assert again.statuses()["one"] == LEFT
