"""The writer: one after the other, plans become commits; many that wait together become one.

While a commit is on its way, plans queue up; the next batch takes them all. A batch whose compares fail (another
server was faster, a lease ended) is planned again from the newer state. Who submitted a plan hears of it once the
commit is durable and this server's state has applied it, so that clients read their own writes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from lictor import limits
from lictor.errors import LictorError, StoreClosed, StoreConflict, TooBusy, Unavailable
from lictor.runtime.log import get_logger
from lictor.server.transaction import Batch, BatchFull, Tx
from lictor.server.watch import reached
from lictor.state import State
from lictor.store import Store

T = TypeVar("T")
Plan = Callable[[Tx], T]
ATTEMPTS = 64
log = get_logger("server.writer")


class _Submitted:
    __slots__ = ("done", "finish", "plan", "result")

    def __init__(self, plan: Plan[Any], finish: Callable[[Any, int], Any] | None, done: asyncio.Future[Any]) -> None:
        self.plan = plan
        self.finish = finish
        self.done = done
        self.result: Any = None


class Writer:
    """Takes plans and commits them to a store in batches."""

    def __init__(self, store: Store, state: State, *, shared: bool = True) -> None:
        """`shared`: other processes write to the store too."""
        self._store = store
        self._shared = shared
        self._state = state
        self._queue: deque[_Submitted] = deque()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self.turn = asyncio.Lock()
        """Held while plans become a commit. Whoever changes the store past the writer holds it meanwhile."""
        self._alone = 0  # so many plans are committed one by one, to find the one that cannot be
        self.commits = 0
        self.plans = 0

    async def submit(self, plan: Plan[T], finish: Callable[[T, int], Any] | None = None) -> Any:
        """Runs `plan` and waits until it is durable and applied; returns its result, or `finish(result, revision)`.

        Raises what the plan raises, TooBusy when too many wait, Unavailable when the server is closing.
        """
        if self._closed:
            raise Unavailable("this server is shutting down")
        if len(self._queue) >= limits.PENDING_WRITES:
            raise TooBusy(f"{limits.PENDING_WRITES} writes are waiting already; try again")
        loop = self._loop
        if loop is None:
            # Kept, since asking for it is a system call in some versions of Python.
            loop = self._loop = asyncio.get_running_loop()
        submitted = _Submitted(plan, finish, loop.create_future())
        self._queue.append(submitted)
        if self._task is None:
            self._task = loop.create_task(self._run())
        return await submitted.done

    async def close(self) -> None:
        """Takes no more plans and waits until those that wait are committed."""
        self._closed = True
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        try:
            while self._queue:
                async with self.turn:
                    await self._commit_next()
        finally:
            self._task = None

    async def _commit_next(self) -> None:
        for _ in range(ATTEMPTS):
            batch, members = self._plan()
            if not batch.writes and not batch.ranges and not (self._shared and batch.compares):
                return self._answer(members, self._state.revision)
            try:
                granted = [await self._store.grant(ttl) for ttl in batch.leases]
                revision = await self._store.commit(batch.txn(granted))
                for lease in batch.ended_leases:
                    await self._store.revoke(lease)
            except StoreConflict:
                for lease in granted:
                    await self._store.revoke(lease)
                self._queue.extendleft(reversed(members))
                # The plans are run again on a state that has what they collided with.
                await reached(self._state, await self._store.barrier())
                await asyncio.sleep(0)
                continue
            except (LictorError, OSError) as error:
                return self._fail(members, error)
            except Exception as error:  # a row that cannot be stored must fail its own plan only
                if len(members) == 1:
                    log.exception("a plan cannot be committed")
                    return self._fail(members, error)
                self._queue.extendleft(reversed(members))
                self._alone = len(members)
                continue
            self.commits += 1
            return self._answer(members, revision)
        collided = Unavailable("the write kept colliding with others; try again")
        self._fail([self._queue.popleft() for _ in range(min(len(self._queue), limits.BATCH_PLANS))], collided)

    def _plan(self) -> tuple[Batch, list[_Submitted]]:
        """Runs queued plans into one batch. Plans that raise are answered only once what they read is durable."""
        batch = Batch(self._state, self._store.max_changes, shared=self._shared)
        members: list[_Submitted] = []
        most = 1 if self._alone else limits.BATCH_PLANS
        self._alone = max(0, self._alone - 1)
        while self._queue and len(members) < most:
            submitted = self._queue.popleft()
            if submitted.done.done():  # the client has gone; nothing was promised
                continue
            try:
                submitted.result = batch.run(submitted.plan)
            except BatchFull:
                self._queue.appendleft(submitted)
                break
            except LictorError as error:
                submitted.result = error
            except Exception as error:  # a fault in a plan must fail that plan only
                log.exception("a plan failed")
                submitted.result = error
            members.append(submitted)
        return batch, members

    def _answer(self, members: list[_Submitted], revision: int) -> None:
        self.plans += len(members)
        for submitted in members:
            if submitted.done.done():
                continue
            result = submitted.result
            if submitted.finish is not None and not isinstance(result, Exception):
                try:
                    result = submitted.finish(result, revision)
                except Exception as error:  # the one who asked hears of it, the others of their own
                    result = error
            if isinstance(result, Exception):
                submitted.done.set_exception(result)
            else:
                submitted.done.set_result(result)

    def _fail(self, members: list[_Submitted], error: Exception) -> None:
        if isinstance(error, StoreClosed):
            error = Unavailable("the store is closed")
        for submitted in members:
            if not submitted.done.done():
                submitted.done.set_exception(error)
