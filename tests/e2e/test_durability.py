"""kill -9 of a server under writes, again and again: what it acknowledged is there afterwards, and nothing by half."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import random
import signal
import threading
from dataclasses import dataclass, field

import pytest

from bench.processes import Agent
from tests.e2e.conftest import StartAgent

KILLS = 15  # the store itself has a test with more
WRITERS = 6


@dataclass
class Written:
    """What one writer was told is written: by key the newest number, the instances, and how many writes that were."""

    newest: dict[str, int] = field(default_factory=dict)
    instances: set[str] = field(default_factory=set)
    count: int = 0
    refused: list[str] = field(default_factory=list)


class Writer(threading.Thread):
    """Writes over one connection until it breaks, and remembers each write once it is acknowledged."""

    def __init__(self, port: int, name: str, start_at: int, written: Written) -> None:
        super().__init__(name=name, daemon=True)
        self.port, self.start_at, self.written = port, start_at, written

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            for number in itertools.count(self.start_at):
                self._write(connection, number)
        except (OSError, http.client.HTTPException):
            connection.close()

    def _write(self, connection: http.client.HTTPConnection, number: int) -> None:
        key = f"{self.name}/{number % 20}"
        match number % 3:
            case 0:
                self._put(connection, f"/v1/kv/{key}", str(number))
            case 1:  # two keys or none
                pair = [{"KV": {"Verb": "set", "Key": k, "Value": _b64(number)}} for k in (key, f"twin/{key}")]
                self._put(connection, "/v1/txn", json.dumps(pair))
                self.written.newest[f"twin/{key}"] = number
            case 2:
                instance = f"{self.name}-{number % 20}"
                body = {"Node": self.name, "Address": "192.0.2.1", "Service": {"ID": instance, "Service": "held"}}
                self._put(connection, "/v1/catalog/register", json.dumps(body))
                self.written.instances.add(instance)
                return
        self.written.newest[key] = number

    def _put(self, connection: http.client.HTTPConnection, path: str, body: str) -> None:
        connection.request("PUT", path, body)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            self.written.refused.append(f"{path}: {answer.status}")
        self.written.count += 1


def _b64(number: int) -> str:
    return base64.b64encode(str(number).encode()).decode()


def assert_nothing_lost(agent: Agent, written: list[Written]) -> None:
    """Every acknowledged value or a later one is there, every acknowledged instance, and twins agree."""
    rows = agent.get("/v1/kv/?recurse").json()
    stored = {row["Key"]: int(base64.b64decode(row["Value"])) for row in rows}
    instances = {row["ServiceID"] for row in agent.get("/v1/catalog/service/held").json()}
    for mine in written:
        lost = {key: number for key, number in mine.newest.items() if stored.get(key, -1) < number}
        assert not lost, f"acknowledged, then lost: {lost}"
        assert mine.instances <= instances
        assert mine.refused == []
    for key, number in stored.items():
        if key.startswith("twin/"):
            assert stored[key.removeprefix("twin/")] >= number, f"{key}: one half of a transaction"


@pytest.mark.timeout(600)
def test_no_acknowledged_write_is_lost(start_agent: StartAgent) -> None:
    chance = random.Random(7)
    written = [Written() for _ in range(WRITERS)]
    agent = start_agent(durable=True)
    index = 0
    for kill in range(KILLS):
        start_at = kill * 1_000_000
        writers = [Writer(agent.ports["http"], f"writer-{n}", start_at, mine) for n, mine in enumerate(written)]
        for writer in writers:
            writer.start()
        writers[0].join(chance.uniform(0.05, 0.4))
        agent.process.send_signal(signal.SIGKILL)
        agent.process.wait()
        for writer in writers:
            writer.join()
        agent = start_agent(agent.directory, durable=True, ports=agent.ports)
        answer = agent.get("/v1/kv/?recurse")
        if answer.status == 200:
            assert answer.index >= index, "the index went back"
            index = answer.index
        assert_nothing_lost(agent, written)
    assert sum(mine.count for mine in written) > KILLS * WRITERS
