"""What locks and semaphores share: a session that is kept alive, and a watch on what was taken with it.

While held, the session is renewed and the key is watched; `lost` is set as soon as it is not ours any more, and then
the work that needs it must stop.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Self

from lictor.client.errors import ClientError, LockError, ServerError, Unreachable
from lictor.client.request import duration

if TYPE_CHECKING:
    from lictor.client.client import Client


class Terms(NamedTuple):
    """On what terms a lock is held. Times are in seconds.

    `ttl` is the session's: how long after its holder falls silent others get the lock, plus the agent's lock-delay.
    `monitor_retries` is how many failures in a row to ask after the lock are ridden out before it counts as lost.
    """

    name: str = "lictor lock"
    ttl: float = 15.0
    lock_delay: float | None = None
    wait: float = 15.0
    retry: float = 5.0
    monitor_retries: int = 0
    monitor_retry: float = 2.0


class Holding(ABC):
    """What locks and semaphores share: a session that is kept alive, and a watch on what was taken."""

    def __init__(self, client: Client, terms: Terms, behavior: str) -> None:
        self.lost = asyncio.Event()
        self.session = ""
        self._client = client
        self._terms = terms
        self._behavior = behavior
        self._keepers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self.acquire()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.release()

    async def acquire(self, timeout: float | None = None) -> None:
        """Waits until it is ours, at most for `timeout` seconds. Raises LockError when it cannot be had in time or at
        all, and ClientError when the agent fails."""
        if self.session:
            raise LockError("already held")
        self.lost.clear()
        self.session = await self._create_session()
        self._keepers = [asyncio.create_task(self._renew(self.session))]
        try:
            async with asyncio.timeout(timeout):
                index = await self._take(timeout)
        except TimeoutError:
            await self._end_session()
            raise LockError(f"not acquired within {timeout:g} s: others hold it") from None
        except BaseException:
            await self._end_session()
            raise
        self._keepers.append(asyncio.create_task(self._watch_over(index)))

    async def release(self) -> None:
        """Gives it back and ends the session. Raises LockError when it is not held."""
        if not self.session:
            raise LockError("not held")
        try:
            await self._stop_keepers()
            await self._give_back()
        finally:
            await self._end_session()

    @abstractmethod
    async def destroy(self) -> bool:
        """Removes what is left in the store when nobody holds it; False when it is in use."""

    @abstractmethod
    async def _take(self, timeout: float | None) -> int:
        """Waits until it is ours; gives the index from which to watch over it."""

    @abstractmethod
    async def _give_back(self) -> None: ...

    @abstractmethod
    async def _state(self, index: int) -> tuple[bool, int]:
        """Whether it is still ours, and the index of that answer; blocks while nothing is newer than `index`."""

    def _patience(self, timeout: float | None) -> float:
        return self._terms.wait if timeout is None else min(self._terms.wait, timeout)

    async def _create_session(self) -> str:
        session: dict[str, str] = {"Name": self._terms.name, "TTL": duration(self._terms.ttl)}
        if self._behavior:
            session["Behavior"] = self._behavior
        if self._terms.lock_delay is not None:
            session["LockDelay"] = duration(self._terms.lock_delay)
        return await self._client.session.create(session)

    async def _end_session(self) -> None:
        await self._stop_keepers()
        session, self.session = self.session, ""
        # A session that cannot be ended now ends with its TTL, as nobody renews it any more.
        with suppress(ClientError):
            await self._client.session.destroy(session)

    async def _stop_keepers(self) -> None:
        keepers, self._keepers = self._keepers, []
        for task in keepers:
            task.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)

    async def _renew(self, session: str) -> None:
        """Renews at half the TTL; after a failure sooner, until the session must have ended."""
        loop = asyncio.get_running_loop()
        renewed, pause = loop.time(), self._terms.ttl / 2
        while loop.time() - renewed < self._terms.ttl:
            await asyncio.sleep(pause)
            try:
                if await self._client.session.renew(session) is None:
                    break
                renewed, pause = loop.time(), self._terms.ttl / 2
            except ClientError:
                pause = min(1.0, self._terms.ttl / 8)
        self.lost.set()

    async def _watch_over(self, index: int) -> None:
        failures = 0
        while True:
            try:
                ours, index = await self._state(index)
                failures = 0
                if not ours:
                    break
            except ClientError as error:
                failures += 1
                if failures > self._terms.monitor_retries or not isinstance(error, (ServerError, Unreachable)):
                    break
                await asyncio.sleep(self._terms.monitor_retry)
        self.lost.set()
