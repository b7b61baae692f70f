"""What the agent costs before anyone asks it much: time to start, time of a short command, memory."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench import catalog
from bench.processes import LICTOR, Agent
from bench.table import LimitRow

MIB = 1 << 20
TRIES = 5


def command_time() -> LimitRow:
    """Wall time of `lictor version`, the median of five."""
    times = []
    for _ in range(TRIES):
        started = time.monotonic()
        subprocess.run([LICTOR, "version"], check=True, capture_output=True)
        times.append(time.monotonic() - started)
    return LimitRow("`lictor version`", median(times), "s", 0.2)


def start_and_memory(directory: Path) -> Iterator[LimitRow]:
    """From exec to an answer with a leader in it (the median of five), and memory empty and with 5,000 instances."""
    times, empty = [], 0
    for attempt in range(TRIES):
        started = time.monotonic()
        with Agent(directory / f"start-{attempt}").ready(pause=0.005) as agent:
            times.append(time.monotonic() - started)
            empty = agent.resident()
    yield LimitRow("agent ready", median(times), "s", 1.0)
    yield LimitRow("memory, empty", empty / MIB, "MiB", 120)
    with Agent(directory / "memory").ready() as agent:
        catalog.register(agent.ports["http"], catalog.many(5_000))
        yield LimitRow("memory, 5,000 instances", agent.resident() / MIB, "MiB", 200)


def all_of(directory: Path) -> Iterator[LimitRow]:
    """Every row of this family."""
    yield command_time()
    yield from start_and_memory(directory)
