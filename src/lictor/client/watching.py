"""The rules of watching something: what to ask next, what is news, when to slow down. Does no I/O.

The rules are those of the reference's documentation of blocking queries: an index is at least 1, starts again from
nothing when it goes backwards (a restored or rebuilt server), and an answer with an index that was seen already is only
the end of a wait. Beyond it: a value that is equal to the last one is no news either, and an endpoint that answers at
once with nothing new is asked ever more slowly instead of in a busy loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from lictor.client.errors import ApiError, ClientError
from lictor.client.request import WAIT_DEFAULT_SECONDS, Answer, Request, duration
from lictor.errors import ConfigError

T = TypeVar("T")

BACKOFF_FIRST_SECONDS = 0.25
BACKOFF_MAX_SECONDS = 60.0
HURRIED_SECONDS = 0.5
"""An answer without news that comes sooner than this did not wait for any."""


def backoff(failures: int, random: Callable[[], float]) -> float:
    """Seconds to let pass after so many failures in a row: doubling, and by chance up to half shorter."""
    return min(BACKOFF_MAX_SECONDS, BACKOFF_FIRST_SECONDS * 2.0 ** min(failures - 1, 16)) * (1 - random() / 2)


class Watching(Generic[T]):
    """One thing that is watched. `ask`, then tell it what came: `answered` or `failed`; then wait for `pause` seconds.

    `random` gives numbers in [0, 1). `wait` is how long the agent may hold a question, in seconds. With `give_up`, a
    failure that asking again hardly mends, such as a token without the right, ends the watch.
    """

    def __init__(
        self,
        request: Request[Answer[T]],
        *,
        random: Callable[[], float],
        wait: float = WAIT_DEFAULT_SECONDS,
        give_up: bool = True,
    ) -> None:
        if not request.blocks:
            raise ConfigError(f"{request} cannot be watched: the agent does not hold this question")
        self.pause = 0.0
        self.index = 0
        self._request = request
        self._wait = wait
        self._give_up = give_up
        self._random = random
        self._hash = ""
        self._failures = 0
        self._last: Answer[T] | None = None

    def ask(self) -> Request[Answer[T]]:
        """The next question: it waits for news unless there is nothing yet to be newer than."""
        if self._request.blocks == "hash":
            return self._request.asking(hash=self._hash, wait=duration(self._wait) if self._hash else "")
        index = str(self.index) if self.index else ""
        return self._request.asking(index=index, wait=duration(self._wait) if index else "")

    def answered(self, answer: Answer[T], took: float) -> bool:
        """Takes an answer that came after `took` seconds; True when it is news."""
        last, seen = self._last, self._seen(answer)
        if seen and took < HURRIED_SECONDS:
            self._slow_down()
        else:
            self._failures, self.pause = 0, 0.0
        self._advance(answer)
        self._last = answer
        return last is None or (not seen and answer.value != last.value)

    def failed(self, error: ClientError) -> None:
        """Takes a failure; raises it again when the watch ends with it."""
        if self._give_up and isinstance(error, ApiError) and error.status in (400, 401, 403, 404, 405):
            raise error
        self._slow_down()

    def _slow_down(self) -> None:
        self._failures += 1
        self.pause = backoff(self._failures, self._random)

    def _seen(self, answer: Answer[T]) -> bool:
        if self._last is None:
            return False
        if self._request.blocks == "hash":
            return answer.hash == self._hash
        return max(answer.index, 1) == self.index

    def _advance(self, answer: Answer[T]) -> None:
        index = max(answer.index, 1)
        self.index = 0 if index < self.index else index
        self._hash = answer.hash
