"""Locks for code without an event loop: the async ones, kept alive on a loop in a thread of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self, TypeVar

from lictor.client.client import Client
from lictor.client.config import Config
from lictor.client.holding import Holding

T = TypeVar("T")


class SyncHolding:
    """A lock or semaphore that is acquired, kept and released in the background.

    The thread lives from construction to `close`; leaving the `with` block closes it.
    """

    def __init__(self, config: Config, make: Callable[[Client], Holding]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lictor-lock", daemon=True)
        self._thread.start()
        self._client = Client(config)

        async def build() -> Holding:
            return make(self._client)

        self._holding = self._run(build())

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.release()
        finally:
            self.close()

    @property
    def lost(self) -> bool:
        """Whether it is not ours any more; what needs it must then stop."""
        return self._holding.lost.is_set()

    @property
    def session(self) -> str:
        """The session that holds it, "" while nobody does."""
        return self._holding.session

    def acquire(self, timeout: float | None = None) -> None:
        """Waits until it is ours, at most for `timeout` seconds. Raises LockError or another ClientError."""
        self._run(self._holding.acquire(timeout))

    def release(self) -> None:
        """Gives it back. Raises LockError when it is not held."""
        self._run(self._holding.release())

    def destroy(self) -> bool:
        """Removes what is left in the store when nobody holds it; False when it is in use."""
        return self._run(self._holding.destroy())

    def close(self) -> None:
        """Stops the thread. A lock still held ends with its session's TTL."""
        if self._thread.is_alive():
            self._run(self._client.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
