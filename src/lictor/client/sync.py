"""The sync client: the same calls, each waiting for its answer. What the command line uses; imports no event loop.

Every call has a connection of its own, so one client may be used from several threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from lictor.client.config import Config
from lictor.client.errors import ClientError, TimedOut
from lictor.client.group import Sync
from lictor.client.request import WAIT_DEFAULT_SECONDS, Answer, Request, duration
from lictor.client.resources import Resources
from lictor.client.transport_sync import SyncTransport
from lictor.client.watching import Watching

if TYPE_CHECKING:
    from lictor.client.holding import Terms
    from lictor.client.portal import SyncHolding

T = TypeVar("T")


class SyncClient(Resources[Sync]):
    """An agent, asked and waited for.

        client = SyncClient()
        for answer in client.watch(plan.kv.get("app/name"), deadline=60):
            ...

    Without a configuration the environment's is taken. Every call raises a `ClientError`; all have a time limit.
    """

    def __init__(self, config: Config | None = None) -> None:
        self.config = Config.from_env() if config is None else config
        self._transport = SyncTransport(self.config)
        super().__init__(self.send)

    def send(self, request: Request[T]) -> T:
        """Sends a planned request and reads its answer."""
        return request.read(self._transport.send(request))

    def stream(self, request: Request[Any]) -> Iterator[bytes]:
        """The answer's bytes as they come, without a time limit: `plan.agent.monitor()`, `plan.snapshot.save()`."""
        return self._transport.stream(request)

    def watch(
        self,
        request: Request[Answer[T]],
        *,
        wait: float = WAIT_DEFAULT_SECONDS,
        deadline: float | None = None,
        give_up: bool = True,
        on_failure: Callable[[ClientError], None] = lambda error: None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> Iterator[Answer[T]]:
        """The answer now and then each one that differs from the last, for ever or for `deadline` seconds (TimedOut).

        Failures are told to `on_failure` and waited out with growing pauses through `sleep`. Those that asking again
        hardly mends, such as a token without the right, are raised unless `give_up` is False.
        """
        from random import random

        watching = Watching(request, random=random, wait=wait, give_up=give_up)
        end = None if deadline is None else time.monotonic() + deadline
        while True:
            question, started = watching.ask(), time.monotonic()
            if end is not None:
                if started >= end:
                    raise TimedOut(f"a watch of {request}", deadline or 0.0)
                if question.holds:
                    question = question.asking(wait=duration(min(wait, (end - started) * 16 / 17)))
            try:
                answer = self.send(question)
                if watching.answered(answer, time.monotonic() - started):
                    yield answer
            except ClientError as error:
                watching.failed(error)
                on_failure(error)
            if watching.pause:
                sleep(watching.pause if end is None else max(0.0, min(watching.pause, end - time.monotonic())))

    def lock(self, key: str, terms: Terms | None = None, *, value: bytes = b"") -> SyncHolding:
        """A lock on a key that only one can hold: `with client.lock("jobs/nightly/.lock") as lock`."""
        from lictor.client.portal import SyncHolding

        return SyncHolding(self.config, lambda client: client.lock(key, terms, value=value))

    def semaphore(self, prefix: str, limit: int, terms: Terms | None = None) -> SyncHolding:
        """A semaphore below a prefix that `limit` can hold at once."""
        from lictor.client.portal import SyncHolding

        return SyncHolding(self.config, lambda client: client.semaphore(prefix, limit, terms))
