"""Runs the checks of one agent: thousands of them on one schedule, a task only while one runs, so many at once.

Results go to `report`. What a check's status means for anything else is not known here. TTL checks are deadlines on the
same schedule; aliases are not here at all, since nothing has to be run for them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from lictor import limits
from lictor.agent.checks.kinds import KINDS, Cost, run_check
from lictor.agent.checks.kit import CheckKit
from lictor.agent.checks.outcome import Outcome
from lictor.agent.checks.schedule import Schedule, next_turn
from lictor.agent.checks.thresholds import Thresholds
from lictor.runtime.clock import Clock, Entropy
from lictor.runtime.log import get_logger
from lictor.types.catalog import CRITICAL
from lictor.types.definitions import CheckSpec

MIN_INTERVAL = 1.0
"""Seconds between two runs of a check, whatever its definition says."""

log = get_logger("agent.checks")

Report = Callable[[str, str, str], None]
"""Called with a check's ID, status and output whenever a run decides them."""


class _Entry:
    """A check that is watched. A later `start` under the same ID makes another one."""

    __slots__ = ("interval", "last_output", "planned", "spec", "task", "thresholds")

    def __init__(self, spec: CheckSpec, planned: float) -> None:
        self.spec = spec
        self.planned = planned
        self.interval = max(spec.interval.seconds if spec.interval else 0.0, MIN_INTERVAL)
        self.thresholds = Thresholds(
            spec.success_before_passing, spec.failures_before_warning, spec.failures_before_critical
        )
        self.task: asyncio.Task[Outcome] | None = None
        self.last_output = ""


class _Pool:
    """How many checks of one cost run, and which wait for their turn."""

    __slots__ = ("limit", "running", "waiting")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.running = 0
        self.waiting: deque[tuple[str, _Entry]] = deque()


class CheckScheduler:
    """Watches checks. The agent runs `run()` as one task; everything else is called from the same event loop."""

    def __init__(
        self,
        clock: Clock,
        entropy: Entropy,
        kit: CheckKit,
        *,
        runner: Callable[[CheckSpec, CheckKit], Awaitable[Outcome]] = run_check,
        connections: int = limits.CHECK_CONNECTIONS,
        processes: int = limits.CHECK_PROCESSES,
    ) -> None:
        self.report: Report | None = None
        self._clock, self._entropy, self._kit, self._runner = clock, entropy, kit, runner
        self._entries: dict[str, _Entry] = {}
        self._schedule = Schedule()
        self._pools = {Cost.CONNECTION: _Pool(connections), Cost.PROCESS: _Pool(processes)}
        self._woken = asyncio.Event()
        self._sleeping_until: float | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def start(self, check_id: str, spec: CheckSpec) -> None:
        """Watches a check from now on: a TTL's time begins, the first run comes at a random point of the interval."""
        self.stop(check_id)
        now = self._clock.monotonic()
        entry = self._entries[check_id] = _Entry(spec, now)
        if spec.kind == "ttl":
            self._set(check_id, now + (spec.ttl.seconds if spec.ttl else 0.0))
        elif spec.kind in KINDS:
            if spec.interval and spec.interval.seconds < MIN_INTERVAL:
                log.warning("check %s has an interval below the minimum of %gs", check_id, MIN_INTERVAL)
            entry.planned = now + self._entropy.jitter(entry.interval)
            self._set(check_id, entry.planned)

    def stop(self, check_id: str) -> None:
        """Watches a check no longer; a run that is under way is given up and reports nothing."""
        entry = self._entries.pop(check_id, None)
        self._schedule.drop(check_id)
        if entry is not None and entry.task is not None:
            entry.task.cancel()

    def renew(self, check_id: str, output: str) -> None:
        """A TTL check was heard of: its time begins anew. `output` is quoted should it run out."""
        entry = self._entries.get(check_id)
        if entry is not None and entry.spec.ttl:
            entry.last_output = output
            self._set(check_id, self._clock.monotonic() + entry.spec.ttl.seconds)

    def tick(self) -> float | None:
        """Starts what is due. Returns the seconds until something is due again, None when nothing ever is."""
        now = self._clock.monotonic()
        for check_id in self._schedule.pop(now):
            entry = self._entries[check_id]
            if entry.spec.kind == "ttl":
                self._expire(check_id, entry)
            else:
                self._launch(check_id, entry)
        due = self._schedule.next()
        return None if due is None else max(0.0, due - now)

    async def run(self) -> None:
        """Runs checks when they are due, until cancelled; then those under way are given up."""
        try:
            while True:
                self._woken.clear()
                delay = self.tick()
                self._sleeping_until = None if delay is None else self._clock.monotonic() + delay
                with suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await self._woken.wait()
        finally:
            await self.close()

    async def close(self) -> None:
        """Gives up what runs and closes what the checks share."""
        tasks = [entry.task for entry in self._entries.values() if entry.task is not None]
        for check_id in list(self._entries):
            self.stop(check_id)
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._kit.close()

    def _set(self, check_id: str, due: float) -> None:
        self._schedule.set(check_id, due)
        if self._sleeping_until is None or due < self._sleeping_until:
            self._woken.set()

    def _expire(self, check_id: str, entry: _Entry) -> None:
        log.warning("check %s missed its TTL and is now critical", check_id)
        output = "TTL expired"
        if entry.last_output:
            output += f" (last output before timeout follows): {entry.last_output}"
        self._report(check_id, CRITICAL, output)

    def _launch(self, check_id: str, entry: _Entry) -> None:
        pool = self._pools[KINDS[entry.spec.kind].cost]
        if pool.running >= pool.limit:
            pool.waiting.append((check_id, entry))
            return
        pool.running += 1
        entry.task = asyncio.get_running_loop().create_task(
            self._outcome(check_id, entry.spec), name=f"check {check_id}"
        )
        entry.task.add_done_callback(lambda task: self._finished(check_id, entry, pool, task))

    async def _outcome(self, check_id: str, spec: CheckSpec) -> Outcome:
        try:
            return await self._runner(spec, self._kit)
        except Exception as error:  # a check must not end with its first odd run
            log.exception("check %s could not be run", check_id)
            return Outcome(CRITICAL, f"The check could not be run: {error}")

    def _finished(self, check_id: str, entry: _Entry, pool: _Pool, task: asyncio.Task[Outcome]) -> None:
        """After a run: its result, its next turn, and whoever waited for the place."""
        entry.task = None
        pool.running -= 1
        if self._entries.get(check_id) is entry:
            entry.planned = next_turn(entry.planned, entry.interval, self._clock.monotonic())
            self._set(check_id, entry.planned)
            decided = None if task.cancelled() else entry.thresholds.feed(task.result())
            if decided is not None:
                self._report(check_id, decided.status, decided.output)
        while pool.waiting and pool.running < pool.limit:
            waiting_id, waiting = pool.waiting.popleft()
            if self._entries.get(waiting_id) is waiting:
                self._launch(waiting_id, waiting)

    def _report(self, check_id: str, status: str, output: str) -> None:
        if self.report is not None:
            self.report(check_id, status, output)
