"""When things are due: one heap for thousands of keys. Pure: time comes in as numbers.

Moving a key to a later time costs nothing until its old time comes, because that is what every heartbeat does.
"""

from __future__ import annotations

import heapq
import math


class Schedule:
    """Keys with the time at which each is due next. Times are seconds of any one clock."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, str]] = []
        self._due: dict[str, float] = {}
        self._queued: dict[str, float] = {}
        self._pushed = 0

    def __len__(self) -> int:
        return len(self._due)

    def set(self, key: str, due: float) -> None:
        """Makes `key` due at that time and at no other."""
        self._due[key] = due
        queued = self._queued.get(key)
        if queued is None or due < queued:
            self._push(key, due)

    def drop(self, key: str) -> None:
        """Forgets `key`."""
        self._due.pop(key, None)

    def pop(self, now: float) -> list[str]:
        """The keys that are due, the earliest first. They are no longer scheduled."""
        found = []
        while (due := self.next()) is not None and due <= now:
            key = heapq.heappop(self._heap)[2]
            del self._queued[key], self._due[key]
            found.append(key)
        return found

    def next(self) -> float | None:
        """When the next key is due."""
        while self._heap:
            at, _, key = self._heap[0]
            due = self._due.get(key)
            if self._queued.get(key) == at and due == at:
                return at
            heapq.heappop(self._heap)
            if self._queued.get(key) == at:
                del self._queued[key]
                if due is not None:
                    self._push(key, due)
        return None

    def _push(self, key: str, due: float) -> None:
        self._pushed += 1
        self._queued[key] = due
        heapq.heappush(self._heap, (due, self._pushed, key))


def next_turn(planned: float, interval: float, now: float) -> float:
    """The first turn after `now` on the beat that began at `planned`.

    A run that starts late does not move the following ones; turns that a long run slept through are left out.
    """
    turns = max(1, math.floor((now - planned) / interval) + 1)
    due = planned + turns * interval
    return due if due > now else due + interval
