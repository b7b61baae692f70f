"""The async client: every call of the API as something to await, watches, streams, locks."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Self, TypeVar

from lictor.client.config import Config
from lictor.client.errors import ClientError, TimedOut
from lictor.client.group import Async
from lictor.client.holding import Terms
from lictor.client.locks import Lock
from lictor.client.request import WAIT_DEFAULT_SECONDS, Answer, Request
from lictor.client.resources import Resources
from lictor.client.semaphores import Semaphore
from lictor.client.transport_async import AsyncTransport
from lictor.client.watching import Watching

T = TypeVar("T")


class Client(Resources[Async]):
    """An agent, asked from a running event loop.

        async with Client() as client:
            answer = await client.kv.get("app/name")
            async for answer in client.watch(plan.health.service("web", passing=True)):
                ...

    Without a configuration the environment's is taken. Every call raises a `ClientError`; all have a time limit.
    """

    def __init__(self, config: Config | None = None) -> None:
        self.config = Config.from_env() if config is None else config
        self._transport = AsyncTransport(self.config)
        super().__init__(self.send)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._transport.close()

    async def send(self, request: Request[T]) -> T:
        """Sends a planned request and reads its answer."""
        return request.read(await self._transport.send(request))

    def stream(self, request: Request[Any]) -> AsyncIterator[bytes]:
        """The answer's bytes as they come, without a time limit: `plan.agent.monitor()`, `plan.snapshot.save()`."""
        return self._transport.stream(request)

    async def watch(
        self,
        request: Request[Answer[T]],
        *,
        wait: float = WAIT_DEFAULT_SECONDS,
        deadline: float | None = None,
        give_up: bool = True,
        on_failure: Callable[[ClientError], None] = lambda error: None,
    ) -> AsyncIterator[Answer[T]]:
        """The answer now and then each one that differs from the last, for ever or for `deadline` seconds (TimedOut).

        Failures are told to `on_failure` and waited out with growing pauses. Those that asking again hardly mends,
        such as a token without the right, are raised unless `give_up` is False.
        """
        watching = Watching(request, random=random.random, wait=wait, give_up=give_up)
        end = None if deadline is None else time.monotonic() + deadline
        while True:
            started = time.monotonic()
            try:
                async with asyncio.timeout(None if end is None else end - started):
                    answer = await self.send(watching.ask())
                if watching.answered(answer, time.monotonic() - started):
                    yield answer
            except TimeoutError:
                raise TimedOut(f"a watch of {request}", deadline or 0.0) from None
            except ClientError as error:
                watching.failed(error)
                on_failure(error)
            if watching.pause:
                left = watching.pause if end is None else min(watching.pause, end - time.monotonic())
                await asyncio.sleep(max(left, 0))

    def lock(self, key: str, terms: Terms | None = None, *, value: bytes = b"") -> Lock:
        """A lock on a key that only one can hold: `async with client.lock("jobs/nightly/.lock") as lock`."""
        return Lock(self, key, terms or Terms(), value=value)

    def semaphore(self, prefix: str, limit: int, terms: Terms | None = None) -> Semaphore:
        """A semaphore below a prefix that `limit` can hold at once."""
        return Semaphore(self, prefix, limit, terms or Terms())
