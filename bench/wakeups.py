"""Blocking queries: how soon the last of many is answered, and what holding ten thousand costs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench import catalog
from bench.footprint import MIB
from bench.processes import Agent, raise_file_limit
from bench.table import LimitRow
from bench.watches import Watches

ROUNDS = 5
SETTLE = 1.0


def _blocked(agent: Agent, count: int) -> Watches:
    path = "/v1/health/service/web?passing"
    index = agent.get(path).index
    watches = Watches(agent.ports["http"], f"{path}&index={index}&wait=120s", count)
    watches.settle(SETTLE)
    return watches


def thousand(directory: Path) -> LimitRow:
    """One change to a service of 100 instances, sent, until the last of 1,000 watchers has its whole answer."""
    times = []
    raise_file_limit(4_096)
    with Agent(directory / "wakeups").ready() as agent:
        catalog.register(agent.ports["http"], catalog.instances("web", 100))
        for attempt in range(ROUNDS):
            with _blocked(agent, 1_000) as watches:
                took, answered = watches.change(catalog.put_request(catalog.instance("web", 7, port=9_000 + attempt)))
            if answered.good != 1_000:
                raise RuntimeError(f"{answered.good} of 1,000 watchers answered, {answered.bad} badly")
            times.append(took)
    return LimitRow("one change, 100 instances, last of 1,000 watchers", median(times), "s", 0.15, "1.2 s")


def ten_thousand(directory: Path) -> Iterator[LimitRow]:
    """10,000 idle blocking queries at once: memory while they wait, and that a change answers every one."""
    raise_file_limit(16_384)
    with Agent(directory / "idle").ready() as agent:
        catalog.register(agent.ports["http"], catalog.instances("web", 10))
        with _blocked(agent, 10_000) as watches:
            held = agent.resident()
            took, answered = watches.change(catalog.put_request(catalog.instance("web", 3, port=9_000)))
        yield LimitRow("memory, 10,000 idle blocking queries", held / MIB, "MiB")
        yield LimitRow(
            "one change, 10 instances, last of 10,000 watchers", took, "s", note=f", {answered.good:,} answered 200"
        )
