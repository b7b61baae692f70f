"""Agents on loopback addresses of their own, all on the same ports, as on a cluster of machines."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dns.message
import dns.query

from bench.processes import LICTOR, Answer, request

ALIVE, LEFT, FAILED = 1, 3, 4


class Node:
    """An agent at an address, in a directory of its own that a later one of the same name finds again."""

    def __init__(self, directory: Path, name: str, address: str, ports: dict[str, int], **config: Any) -> None:
        self.name, self.address, self.ports, self.config = name, address, ports, config
        self.directory = directory / name
        self.directory.mkdir(parents=True, exist_ok=True)
        settings = {
            "node_name": name,
            "data_dir": str(self.directory / "data"),
            "bind_addr": address,
            "client_addr": address,
            "log_level": "DEBUG",
            "ports": ports,
            **config,
        }
        file = self.directory / "config.json"
        file.write_text(json.dumps(settings))
        self.log_path = self.directory / "log"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [LICTOR, "agent", "-config-file", str(file)], stdout=log, stderr=subprocess.STDOUT
            )

    def again(self) -> Node:
        """Starts it once more, where it was."""
        return Node(self.directory.parent, self.name, self.address, self.ports, **self.config)

    def ask(self, method: str, path: str, body: Any = None, timeout: float = 30) -> Answer:
        """One request to its HTTP API; what is not bytes is sent as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        return request(self.ports["http"], method, path, data, host=self.address, timeout=timeout)

    def get(self, path: str) -> Any:
        """What a GET answers, decoded."""
        return self.ask("GET", path).json()

    def resolve(self, name: str) -> list[str]:
        """The addresses of a name, sorted."""
        query = dns.message.make_query(name, "A")
        answer = dns.query.udp(query, self.address, timeout=5, port=self.ports["dns"])
        return sorted(str(row) for rrset in answer.answer for row in rrset)

    def statuses(self) -> dict[str, int]:
        """Every member's status as this node tells it."""
        return {row["Name"]: row["Status"] for row in self.get("/v1/agent/members")}

    def knows(self, count: int) -> bool:
        """Whether its catalog holds so many nodes."""
        return len(self.get("/v1/catalog/nodes")) == count

    @property
    def log(self) -> str:
        """All that it logged."""
        return self.log_path.read_text(errors="replace")

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Asks it to end and returns its exit status; -9 when it had to be killed."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        if self.process.poll() is None:
            self.kill()
        return self.process.returncode


@contextlib.contextmanager
def ended_well(nodes: list[Node]) -> Iterator[list[Node]]:
    """Ends all nodes; none that was not killed may have failed to exit by itself, and none may log a traceback."""
    killed: Sequence[Node] = ()
    try:
        yield nodes
    finally:
        killed = [node for node in nodes if node.process.poll() == -signal.SIGKILL]
        statuses = [(node, node.stop()) for node in nodes]
    for node, status in statuses:
        assert status == 0 or node in killed, f"{node.name} exited with {status}: {node.log[-3000:]}"
        assert "Traceback (most recent call last)" not in node.log, node.log[-6000:]
