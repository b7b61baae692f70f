from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from lictor.agent.checks import CheckKit, CheckScheduler, Outcome
from lictor.runtime.clock import Entropy
from lictor.types.definitions import CheckSpec
from lictor.types.duration import Duration


class StillClock:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


class Bench:
    """A scheduler on a still clock, whose checks answer what the test says."""

    def __init__(self, **limits: int) -> None:
        self.clock = StillClock()
        self.reports: list[tuple[str, str, str]] = []
        self.began: list[tuple[float, str]] = []
        self.results: dict[str, asyncio.Future[Outcome]] = {}
        self.scheduler = CheckScheduler(self.clock, Entropy(1), CheckKit(), runner=self.answer, **limits)
        self.scheduler.report = lambda *report: self.reports.append(report)
        self.answering = Outcome("passing", "up")
        self.held = False

    async def answer(self, spec: CheckSpec, kit: CheckKit) -> Outcome:
        self.began.append((self.clock.now, spec.name))
        if self.held:
            self.results[spec.name] = asyncio.get_running_loop().create_future()
            return await self.results[spec.name]
        return self.answering

    async def advance(self, seconds: float) -> None:
        """Lets time pass, stopping wherever something is due."""
        end = self.clock.now + seconds
        while True:
            delay = self.scheduler.tick()
            await settle()
            delay = self.scheduler.tick()
            if delay is None or self.clock.now + delay > end:
                break
            self.clock.now += delay
        self.clock.now = end
        self.scheduler.tick()
        await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def tcp(name: str, interval: float = 10.0, **fields: Any) -> CheckSpec:
    return CheckSpec(name=name, tcp="x:1", interval=Duration.of(interval), **fields)


async def test_runs_come_at_their_interval_and_never_drift() -> None:
    bench = Bench()
    bench.scheduler.start("a", tcp("a"))
    await bench.advance(105)
    first = bench.began[0][0]
    assert 1000 <= first < 1010
    assert [round(at - first) for at, _ in bench.began] == [10 * n for n in range(len(bench.began))]
    assert len(bench.began) in (10, 11)
    assert bench.reports[0] == ("a", "passing", "up")


async def test_first_runs_are_spread_over_the_interval() -> None:
    bench = Bench()
    for number in range(2000):
        bench.scheduler.start(str(number), tcp(str(number)))
    await bench.advance(10)
    tenths = [int(at - 1000) for at, _ in bench.began]
    assert len(bench.began) == 2000
    assert all(100 < tenths.count(tenth) < 300 for tenth in range(10))


async def test_a_run_that_overruns_its_interval_is_never_joined_by_another() -> None:
    bench = Bench()
    bench.held = True
    bench.scheduler.start("slow", tcp("slow"))
    await bench.advance(45)
    assert len(bench.began) == 1
    first = bench.began[0][0]
    bench.results["slow"].set_result(Outcome("passing", "at last"))
    await bench.advance(10)
    assert [round(at - first) for at, _ in bench.began] == [0, 50 if first < 1005 else 40]
    assert bench.reports == [("slow", "passing", "at last")]
    await bench.scheduler.close()


async def test_an_interval_below_a_second_is_a_second() -> None:
    bench = Bench()
    bench.scheduler.start("fast", tcp("fast", 0.001))
    await bench.advance(10)
    assert len(bench.began) in (10, 11)


async def test_only_so_many_run_at_once_and_the_rest_get_their_turn() -> None:
    bench = Bench(connections=3)
    bench.held = True
    for number in range(8):
        bench.scheduler.start(str(number), tcp(str(number)))
    await bench.advance(10)
    assert len(bench.results) == 3
    waiting = next(iter(str(n) for n in range(8) if str(n) not in bench.results))
    bench.scheduler.stop(waiting)
    while len(bench.results) < 7:
        for name in list(bench.results):
            if not bench.results[name].done():
                bench.results[name].set_result(Outcome("passing", "up"))
        await settle()
    assert waiting not in bench.results
    await bench.scheduler.close()


async def test_a_stopped_check_reports_nothing() -> None:
    bench = Bench()
    bench.held = True
    bench.scheduler.start("a", tcp("a"))
    await bench.advance(10)
    bench.scheduler.stop("a")
    await bench.advance(100)
    assert bench.results["a"].cancelled()
    assert bench.reports == []
    assert len(bench.began) == 1


async def test_stopping_before_the_first_step_frees_the_place() -> None:
    bench = Bench(connections=1)
    bench.scheduler.start("a", tcp("a"))
    bench.clock.now += 10
    bench.scheduler.tick()
    bench.scheduler.stop("a")
    bench.scheduler.start("b", tcp("b"))
    await bench.advance(10)
    assert [name for _, name in bench.began] == ["b"]


async def test_thresholds_are_the_definitions() -> None:
    bench = Bench()
    bench.answering = Outcome("critical", "down")
    bench.scheduler.start("a", tcp("a", 1, failures_before_critical=3, failures_before_warning=2))
    await bench.advance(3)
    assert [status for _, status, _ in bench.reports][:2] == ["warning", "critical"]


async def test_a_run_that_breaks_is_critical_and_the_check_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()

    async def broken(spec: CheckSpec, kit: CheckKit) -> Outcome:
        bench.began.append((bench.clock.now, spec.name))
        raise RuntimeError("odd")

    bench.scheduler._runner = broken
    bench.scheduler.start("a", tcp("a", 1))
    await bench.advance(5)
    assert bench.reports[0] == ("a", "critical", "The check could not be run: odd")
    assert len(bench.began) in (5, 6)


def ttl(seconds: float) -> CheckSpec:
    return CheckSpec(name="ttl", ttl=Duration.of(seconds))


async def test_a_ttl_runs_out() -> None:
    bench = Bench()
    bench.scheduler.start("ttl", ttl(10))
    await bench.advance(9.9)
    assert bench.reports == []
    await bench.advance(0.2)
    assert bench.reports == [("ttl", "critical", "TTL expired")]
    await bench.advance(100)
    assert len(bench.reports) == 1


async def test_a_ttl_that_is_renewed() -> None:
    bench = Bench()
    bench.scheduler.start("ttl", ttl(10))
    for _ in range(10):
        await bench.advance(9)
        bench.scheduler.renew("ttl", "fine")
    assert bench.reports == []
    await bench.advance(10)
    assert bench.reports == [("ttl", "critical", "TTL expired (last output before timeout follows): fine")]
    bench.scheduler.renew("ttl", "")
    await bench.advance(11)
    assert bench.reports[1:] == [("ttl", "critical", "TTL expired")]


async def test_run_wakes_for_what_comes_sooner() -> None:
    bench = Bench()
    bench.scheduler.start("long", ttl(3600))
    running = asyncio.create_task(bench.scheduler.run())
    await settle()
    bench.scheduler.start("short", ttl(0.001))
    bench.clock.now += 1
    while not bench.reports:
        await asyncio.sleep(0)
    assert bench.reports == [("short", "critical", "TTL expired")]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(bench.scheduler) == 0


async def test_ten_thousand_checks_cost_no_task_while_they_wait() -> None:
    bench = Bench()
    rng = random.Random(1)
    for number in range(10_000):
        bench.scheduler.start(str(number), tcp(str(number), rng.uniform(5, 3600)))
    assert len(asyncio.all_tasks()) == 1
    await bench.advance(30)
    assert len(asyncio.all_tasks()) == 1
