"""Fixtures that start real processes in a directory of the test's own and see to it that they end well.

An agent fails its test, whatever that found, if it logged a traceback or did not exit by itself with status 0.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from bench.processes import Agent, Program, free_ports, request

TOP = Path(__file__).resolve().parents[2]


class StartAgent(Protocol):
    """Starts an agent and waits until it is ready; the arguments are those of `bench.processes.Agent`."""

    def __call__(
        self,
        directory: Path | None = None,
        *,
        durable: bool = False,
        config: Mapping[str, Any] | None = None,
        ports: Mapping[str, int] | None = None,
    ) -> Agent: ...


class StartProgram(Protocol):
    """Starts any program; it is ended with the test."""

    def __call__(self, argv: Sequence[str], name: str) -> Program: ...


class Web(Program):
    """`examples/web.py` on one port: an instance that can be broken and mended."""

    def __init__(self, directory: Path) -> None:
        [self.port] = free_ports(1)
        super().__init__(
            [sys.executable, str(TOP / "examples" / "web.py"), str(self.port)], directory, f"web-{self.port}"
        )
        self.await_ready(lambda: request(self.port, "GET", "/").status == 200)

    def set_broken(self, broken: bool) -> None:
        assert request(self.port, "PUT", "/break" if broken else "/mend").status == 200

    def definition(self, service: str, number: int) -> dict[str, Any]:
        """What to register: an instance with an HTTP check of its own, looked at five times a second."""
        check = {"HTTP": f"http://127.0.0.1:{self.port}/", "Interval": "200ms", "Timeout": "1s"}
        return {
            "ID": f"{service}-{number}",
            "Name": service,
            "Address": "127.0.0.1",
            "Port": self.port,
            "Check": check,
        }


def documented(page: str, language: str, number: int = 0) -> str:
    """The `number`th block of code in `language` on a page of docs/: what is documented is what is tested."""
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", (TOP / "docs" / page).read_text(), re.S | re.M)
    return blocks[number]


def assert_ended_well(agent: Agent) -> None:
    """Asks an agent that still runs to end; it must do so by itself, without a traceback in all its log."""
    killed = agent.process.poll() == -9  # by its test
    status = agent.stop()
    assert killed or status == 0, f"the agent exited with {status}; the end of its log:\n{agent.log[-3000:]}"
    assert "Traceback (most recent call last)" not in agent.log, agent.log[-6000:]


@pytest.fixture
def start_agent(tmp_path: Path) -> Iterator[StartAgent]:
    started: list[Agent] = []

    def start(
        directory: Path | None = None,
        *,
        durable: bool = False,
        config: Mapping[str, Any] | None = None,
        ports: Mapping[str, int] | None = None,
    ) -> Agent:
        where = directory or tmp_path / f"agent-{len(started)}"
        started.append(Agent(where, durable=durable, config=config, ports=ports))
        return started[-1].ready()

    yield start
    for agent in started:
        assert_ended_well(agent)


@pytest.fixture
def agent(start_agent: StartAgent) -> Agent:
    """One agent in memory."""
    return start_agent()


@pytest.fixture
def start_program(tmp_path: Path) -> Iterator[StartProgram]:
    started: list[Program] = []

    def start(argv: Sequence[str], name: str) -> Program:
        started.append(Program(argv, tmp_path / name, name))
        return started[-1]

    yield start
    for program in started:
        program.stop()


@pytest.fixture
def webs(tmp_path: Path) -> Iterator[list[Web]]:
    """Three little web servers."""
    started = [Web(tmp_path / "webs") for _ in range(3)]
    yield started
    for web in started:
        web.stop()
