"""Anti-entropy: keeps the catalog's rows of this node equal to the local state.

`plan` says what to do; here it is done: on change at once, in full at jittered intervals that grow with the cluster,
and again after a while where it failed.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Protocol

from lictor import limits
from lictor.agent.local.plan import (
    DeregisterCheck,
    DeregisterService,
    Operation,
    Register,
    compare,
    operations,
    told,
    untold,
)
from lictor.agent.local.state import LocalState
from lictor.errors import LictorError, NotFound, PermissionDenied
from lictor.runtime.clock import Clock, Entropy
from lictor.runtime.log import get_logger
from lictor.types.catalog import Check, Node, Service

FULL_SECONDS = 60.0
"""Between two full syncs in a small cluster (the configuration's ae_interval)."""
SCALE_FROM_NODES = 128
"""A full sync becomes rarer with every doubling of the cluster beyond this."""
RETRY_FIRST_SECONDS, RETRY_MAX_SECONDS = 1.0, 15.0
"""After a failure the next attempt waits this long at first, then twice as long each time."""

log = get_logger("agent.anti_entropy")


class Catalog(Protocol):
    """The servers' catalog, as far as one agent writes to it. Errors are LictorErrors; NotFound means "not there"."""

    async def register(
        self, node: Node, service: Service | None, checks: Sequence[Check], *, skip_node_update: bool, token: str
    ) -> None:
        """One commit: the node (unless skipped), the service, the checks."""

    async def deregister_service(self, node: str, service_id: str, token: str) -> None:
        """Takes a service away with its checks."""

    async def deregister_check(self, node: str, check_id: str, token: str) -> None:
        """Takes a check away."""

    async def node_services(self, node: str) -> tuple[Node | None, dict[str, Service]]:
        """The node and its services by ID, from a server that is up to date."""

    async def node_checks(self, node: str) -> dict[str, Check]:
        """The node's checks by ID, likewise."""

    def cluster_size(self) -> int:
        """How many nodes there are."""


class Syncer:
    """Tells the catalog what changed. The agent runs `run()` as one task; whoever must not be early awaits `flush`."""

    def __init__(
        self, local: LocalState, catalog: Catalog, clock: Clock, entropy: Entropy, *, interval: float = FULL_SECONDS
    ) -> None:
        self._local, self._catalog, self._clock, self._entropy = local, catalog, clock, entropy
        self._interval = interval
        self._woken = asyncio.Event()
        self._next_full = clock.monotonic()
        self._retry_at: float | None = None
        self._failures = 0
        self._busy = False
        self._flushes: list[asyncio.Future[bool]] = []
        local.changed = self._woken.set

    def trigger_full(self) -> None:
        """A full sync at once: the servers changed or came back."""
        self._next_full = self._clock.monotonic()
        self._retry_at = None
        self._woken.set()

    async def flush(self, seconds: float) -> bool:
        """Returns when the catalog has been told all that has changed so far; False when that failed or takes longer.

        Whatever it returns, `run` goes on until the catalog knows.
        """
        if not self._local.rows.unsynced and not self._busy:
            return True
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._flushes.append(answer)
        self._woken.set()
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            return False

    async def run(self) -> None:
        """Syncs until cancelled."""
        try:
            while True:
                self._woken.clear()
                await self._turn()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._until_next()):
                        await self._woken.wait()
        finally:
            _answer(self._flushes, False)

    async def _turn(self) -> None:
        """Does what is due: a full sync, or what has changed. Then those who wait are told."""
        now = self._clock.monotonic()
        self._local.statuses.release_held()
        full = now >= self._next_full
        waiting, self._flushes = self._flushes, []
        if self._retry_at is not None and now < self._retry_at and not waiting and not full:
            return
        self._busy = True
        done = False
        try:
            done = await (self._full() if full else self._changes())
        finally:
            self._busy = False
            _answer(waiting, done)
        self._plan_next(full, done)

    def _plan_next(self, full: bool, done: bool) -> None:
        now = self._clock.monotonic()
        if done:
            self._failures, self._retry_at = 0, None
            if full:
                interval = self._interval * scale(self._catalog.cluster_size())
                self._next_full = now + interval + self._entropy.jitter(interval)
            return
        wait = min(RETRY_FIRST_SECONDS * 2.0**self._failures, RETRY_MAX_SECONDS)
        self._failures = min(self._failures + 1, 16)
        self._retry_at = now + wait + self._entropy.jitter(wait)
        if full:
            self._next_full = self._retry_at

    def _until_next(self) -> float:
        """Seconds until something is due without anybody asking."""
        times = [self._next_full, self._retry_at, self._local.statuses.next_held()]
        return max(0.0, min(at for at in times if at is not None) - self._clock.monotonic())

    async def _full(self) -> bool:
        """Compares everything with the catalog, then repairs what differs. False when something of it failed."""
        local = self._local
        try:
            remote_node, services = await self._catalog.node_services(local.node.node)
            checks = await self._catalog.node_checks(local.node.node)
        except Exception as error:  # the next attempt comes by itself
            log.warning("the catalog could not be read: %s", error, exc_info=not isinstance(error, LictorError))
            return False
        difference = compare(local.rows, local.node, remote_node, services, checks, self._clock.monotonic())
        for service_id, tags in difference.adopted.items():
            local.adopt_tags(service_id, tags)
        local.rows.unsynced = difference.unsynced
        return await self._changes()

    async def _changes(self) -> bool:
        """Tells the catalog what it has not heard of. False when something of it failed; that stays to be told."""
        todo = operations(self._local.rows, self._local.rows.unsynced)
        done = True
        for _, stage in groupby(todo, _stage):
            done &= await self._together([self._do(operation) for operation in stage])
        return done

    async def _together(self, work: list[Awaitable[bool]]) -> bool:
        """Does all of it, so much at a time."""
        places = asyncio.Semaphore(limits.SYNC_WRITES)

        async def one(job: Awaitable[bool]) -> bool:
            async with places:
                return await job

        return all(await asyncio.gather(*(one(job) for job in work)))

    async def _do(self, operation: Operation) -> bool:
        """One operation, taken as told beforehand: what changes meanwhile is noted anew. False when it failed."""
        told(self._local.rows, operation)
        try:
            await self._call(operation)
        except NotFound as error:
            log.debug("%s: %s", _name(operation), error)
        except PermissionDenied as error:
            log.warning("%s is blocked by ACLs until the next full sync: %s", _name(operation), error)
        except Exception as error:  # whatever it was, it has to be told again
            untold(self._local.rows, operation)
            log.warning("%s failed: %s", _name(operation), error, exc_info=not isinstance(error, LictorError))
            return False
        except asyncio.CancelledError:
            untold(self._local.rows, operation)
            raise
        else:
            log.debug("%s: done", _name(operation))
        return True

    async def _call(self, operation: Operation) -> None:
        node, catalog = self._local.node, self._catalog
        if isinstance(operation, DeregisterService):
            await catalog.deregister_service(node.node, operation.service_id, operation.token)
        elif isinstance(operation, DeregisterCheck):
            await catalog.deregister_check(node.node, operation.check_id, operation.token)
        else:
            await catalog.register(
                node,
                operation.service,
                operation.checks,
                skip_node_update=not operation.with_node,
                token=operation.token,
            )


def scale(nodes: int) -> int:
    """How many times rarer a full sync is in a cluster of so many nodes."""
    if nodes <= SCALE_FROM_NODES:
        return 1
    return math.ceil(math.log2(nodes) - math.log2(SCALE_FROM_NODES)) + 1


def _answer(waiting: Iterable[asyncio.Future[bool]], done: bool) -> None:
    for answer in waiting:
        if not answer.done():
            answer.set_result(done)


def _stage(operation: Operation) -> int:
    """Operations of one stage may go in any order: the node, services, checks alone, what is gone."""
    if isinstance(operation, Register):
        return 0 if operation.with_node else 1 if operation.service is not None else 2
    return 3


def _name(operation: Operation) -> str:
    """An operation in words, for the log."""
    if isinstance(operation, DeregisterService):
        return f'deregistering service "{operation.service_id}"'
    if isinstance(operation, DeregisterCheck):
        return f'deregistering check "{operation.check_id}"'
    if operation.service is not None:
        return f'registering service "{operation.service.id}"'
    names = ", ".join(f'"{check.check_id}"' for check in operation.checks)
    return f"registering check {names}" if names else "registering the node"
