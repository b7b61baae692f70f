"""The rates: reads, durable writes and DNS, each beside nginx. An agent is fresh for each group of rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench import catalog
from bench.load import Rate, dnsperf, wrk
from bench.processes import Agent
from bench.rounds import Rounds
from bench.table import RateRow

READ_CONNECTIONS = 64
WRITE_CONNECTIONS = 32


def reads(directory: Path, rounds: Rounds) -> Iterator[RateRow]:
    """HTTP reads and DNS from an agent in memory."""
    with Agent(directory / "reads").ready() as agent:
        port = agent.ports["http"]
        agent.put("/v1/kv/foo", b"bar")
        yield rounds.compare(
            "GET /v1/kv/foo",
            lambda seconds: wrk(f"{agent.url}/v1/kv/foo", connections=READ_CONNECTIONS, seconds=seconds),
            READ_CONNECTIONS,
        )
        passing = f"{agent.url}/v1/health/service/web?passing"
        for count, work in (
            (10, "GET /v1/health/service/web?passing, 10 instances"),
            (100, "the same, 100 instances"),
        ):
            catalog.register(port, catalog.instances("web", count))
            yield rounds.compare(
                work,
                lambda seconds: wrk(passing, connections=READ_CONNECTIONS, seconds=seconds),
                READ_CONNECTIONS,
            )


def names(directory: Path, rounds: Rounds) -> Iterator[RateRow]:
    """DNS over UDP."""
    with Agent(directory / "names").ready() as agent:
        catalog.register(agent.ports["http"], catalog.instances("web", 10))
        yield rounds.compare(
            "DNS A, 10 instances",
            lambda seconds: dnsperf(agent.ports["dns"], ["web.service.consul A"], seconds=seconds),
        )


def writes(directory: Path, rounds: Rounds) -> Iterator[RateRow]:
    """Writes to one durable server: each is answered once it is on disk."""
    for script, work in (
        ("put_kv.lua", "PUT /v1/kv, one durable server, 32 connections"),
        ("register.lua", "PUT /v1/catalog/register, durable"),
    ):
        with Agent(directory / script, durable=True).ready() as agent:

            def ours(seconds: int, url: str = agent.url, script: str = script) -> Rate:
                return wrk(url, connections=WRITE_CONNECTIONS, seconds=seconds, script=script)

            yield rounds.compare(work, ours, WRITE_CONNECTIONS)
