"""Time, randomness and identifiers as one object that is passed in. Nothing above reads the system's clock itself."""

from __future__ import annotations

import random
import time
import uuid
from typing import Protocol


class Clock(Protocol):
    """Time for a component: `monotonic` for spans, `time` for dates; both in seconds."""

    def monotonic(self) -> float: ...

    def time(self) -> float: ...


class SystemClock:
    """The machine's own clock."""

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)


class Entropy:
    """Randomness and identifiers from one seedable source."""

    def __init__(self, seed: int | None = None) -> None:
        self.random = random.Random(seed) if seed is not None else random.SystemRandom()

    def uuid(self) -> str:
        """A version 4 UUID in lower case."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def jitter(self, seconds: float) -> float:
        """A span between 0 and `seconds`."""
        return self.random.random() * seconds
