from __future__ import annotations

import io
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from lictor.cli.console import Console
from lictor.cli.main import run
from tests.client.fake_agent import FakeAgent


class Done(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of standard output, their blanks folded."""
        return [" ".join(line.split()) for line in self.out.splitlines()]


Lictor = Callable[..., Done]


@pytest.fixture
def agent() -> Iterator[FakeAgent]:
    agent = FakeAgent()
    agent.answer("GET /v1/agent/self", {"Config": {"NodeName": "node1", "Datacenter": "dc1"}})
    yield agent
    agent.close()


@pytest.fixture
def lictor(agent: FakeAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lictor:
    """Runs a command line in a directory of its own against the fake agent."""
    monkeypatch.chdir(tmp_path)

    def call(line: str, stdin: bytes = b"", **env: str) -> Done:
        out, err = io.BytesIO(), io.BytesIO()
        environment = {"CONSUL_HTTP_ADDR": agent.address, "PATH": "/usr/bin:/bin", **env}
        code = run(shlex.split(line), Console(io.BytesIO(stdin), out, err, environment))
        return Done(code, out.getvalue().decode(errors="surrogateescape"), err.getvalue().decode())

    return call
