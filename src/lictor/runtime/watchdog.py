"""Who blocks the event loop: a thread that looks at it often and, when it stands still, notes what it is doing.

For debug mode only. The limit is 10 ms (DESIGN: nothing blocks the loop for longer).
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback

from lictor.runtime.log import get_logger

LIMIT_SECONDS = 0.010
log = get_logger("runtime.watchdog")


class Watchdog:
    """Watches the loop that `start` is called on until `stop`."""

    def __init__(self, limit: float = LIMIT_SECONDS) -> None:
        self._limit = limit
        self._beat = time.monotonic()
        self._stopped = threading.Event()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begins on the running loop's thread."""
        loop, ident = asyncio.get_running_loop(), threading.get_ident()

        def beat() -> None:
            self._beat = time.monotonic()
            self._timer = loop.call_later(self._limit / 2, beat)

        beat()
        threading.Thread(target=self._watch, args=(ident,), name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopped.set()
        if self._timer is not None:
            self._timer.cancel()

    def _watch(self, ident: int) -> None:
        told = 0.0
        while not self._stopped.wait(self._limit / 2):
            late = time.monotonic() - self._beat - self._limit / 2
            if late > self._limit and self._beat != told:
                told = self._beat
                frame = sys._current_frames().get(ident)
                where = "".join(traceback.format_stack(frame)[-3:]) if frame is not None else "unknown"
                log.debug("event loop has stood still for %.0f ms:\n%s", late * 1000, where)
