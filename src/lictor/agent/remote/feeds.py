"""Feeds: one blocking query to the servers for however many local watchers ask the same.

A feed holds the newest answer and asks on for as long as somebody waits or asked recently. While servers are away it
keeps what it has, and whoever waits goes on waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lictor import limits
from lictor.agent.remote.servers import RemoteResponse, Servers
from lictor.errors import TooBusy, Unavailable
from lictor.runtime.clock import Clock, Entropy
from lictor.server.watch import Watch
from lictor.state.cells import Cell

HOLD_SECONDS = 300.0
"""How long servers are asked to hold a query."""
KEPT_SECONDS = 60.0
"""How long a feed lives on after the last who asked for it."""
RETRY_SECONDS = 0.5

WhenGone = Callable[[Callable[[], None]], None]
"""Takes what to call when the client leaves."""


class Feed:
    """One question that is kept answered. `cell` moves whenever the answer is a new one."""

    def __init__(self) -> None:
        self.cell = Cell(0)
        self.response: RemoteResponse | None = None
        self.fetched = 0.0
        """When the newest answer came, on the monotonic clock."""
        self.used = 0.0
        self.task: asyncio.Task[None] | None = None


class Feeds:
    """All feeds of an agent by path and query string (without index and wait)."""

    def __init__(self, servers: Servers, clock: Clock, entropy: Entropy) -> None:
        self._servers, self._clock, self._entropy = servers, clock, entropy
        self._feeds: dict[tuple[str, str], Feed] = {}
        servers.moved = self._ask_anew

    def __len__(self) -> int:
        return len(self._feeds)

    def get(self, path: str, token: str = "") -> Feed:
        """The feed of a question, begun now if there is none. Raises TooBusy when there are too many."""
        feed = self._feeds.get((path, token))
        if feed is None:
            if len(self._feeds) >= limits.FEEDS:
                raise TooBusy(f"{limits.FEEDS} different questions are watched already")
            feed = self._feeds[path, token] = Feed()
        feed.used = self._clock.monotonic()
        if feed.task is None or feed.task.done():
            feed.task = asyncio.get_running_loop().create_task(self._follow(feed, path, token))
        return feed

    async def first(self, feed: Feed, seconds: float) -> RemoteResponse:
        """The feed's answer, waited for if there is none yet. Raises Unavailable when none comes in time."""
        if feed.response is None:
            await self.changed(feed, 0, seconds)
        if feed.response is None:
            raise Unavailable("no server answers")
        return feed.response

    async def changed(self, feed: Feed, index: int, seconds: float, gone: WhenGone | None = None) -> None:
        """Returns when the feed's answer is newer than `index`, after `seconds`, or when the client has gone."""
        watch = Watch(asyncio.get_running_loop(), seconds)
        if gone is not None:
            gone(watch.end)
        try:
            while not watch.over and feed.cell.index <= index:
                await watch.moved((feed.cell,))
        finally:
            watch.end()

    async def close(self) -> None:
        """Ends all feeds."""
        tasks = [feed.task for feed in self._feeds.values() if feed.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ask_anew(self) -> None:
        """Another server is used now: questions that the last one still holds are asked there."""
        for (path, token), feed in self._feeds.items():
            if feed.task is not None and not feed.task.done() and feed.task is not asyncio.current_task():
                feed.task.cancel()
                feed.task = asyncio.get_running_loop().create_task(self._follow(feed, path, token))

    async def _follow(self, feed: Feed, path: str, token: str) -> None:
        headers = {"x-consul-token": token} if token else {}
        mark = "&" if "?" in path else "?"
        while feed.cell.wakers or self._clock.monotonic() - feed.used < KEPT_SECONDS:
            asked = (
                f"{path}{mark}index={feed.cell.index}&wait={HOLD_SECONDS:.0f}s" if feed.response is not None else path
            )
            try:
                response = await self._servers.send("GET", asked, headers=headers, seconds=HOLD_SECONDS * 1.1)
            except Unavailable:
                await asyncio.sleep(RETRY_SECONDS + self._entropy.jitter(RETRY_SECONDS))
                continue
            hurried = response.index <= feed.cell.index and self._clock.monotonic() - feed.fetched < RETRY_SECONDS
            feed.fetched = self._clock.monotonic()
            self._take(feed, response)
            if response.status >= 500 or hurried:  # the server did not hold the question
                await asyncio.sleep(RETRY_SECONDS)
        del self._feeds[path, token]

    def _take(self, feed: Feed, response: RemoteResponse) -> None:
        if response.status >= 500 and feed.response is not None:
            return  # what was known before is better than nothing
        feed.response = response
        index = response.index or feed.cell.index + 1
        if index != feed.cell.index:
            feed.cell.index = index
            for wake in list(feed.cell.wakers):
                wake()
