"""A server: a store, the state that follows it, the writer, and the leader's duties.

What needs catalog data reads `server.state` (after `barrier` where it must be linearizable) and writes through
`server.write`. The server knows nothing of HTTP or DNS.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from lictor.errors import LictorError, StoreClosed
from lictor.runtime.clock import Clock, SystemClock
from lictor.runtime.log import get_logger
from lictor.server import leader
from lictor.server.commands.misc import put_setting
from lictor.server.transaction import Tx
from lictor.server.watch import Watch, reached, wake_in_turns
from lictor.server.writer import Writer
from lictor.state import State
from lictor.state.cells import Cell
from lictor.store import Event, Store

T = TypeVar("T")
LEADER = "leader"
"""The setting in which the leader says where it is."""
LEADER_TTL_SECONDS = 2.0
"""How long a leader that gives no sign of life goes on leading."""
RECONNECT_TIMEOUT_SECONDS = 72 * 3600.0
"""How long a member may be gone before it is forgotten (the reference's reconnect_timeout)."""
log = get_logger("server")


class Server:
    """One server's engine. `open` before use, `close` at the end."""

    def __init__(
        self,
        store: Store,
        clock: Clock | None = None,
        reconnect_timeout: float = RECONNECT_TIMEOUT_SECONDS,
        address: str = "",
    ) -> None:
        """`address` is where other agents reach this server ("host:port")."""
        self.store = store
        self.address = address
        self.clock = clock or SystemClock()
        self.reconnect_timeout = reconnect_timeout
        self.shared = store.shared
        self.state = State()
        self.writer = Writer(store, self.state, shared=self.shared)
        self.leading = False
        self._duties: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Opens the store, fills the state and takes up (or waits for) the leader's duties."""
        await self.store.open()
        revision, entries = await self.store.load(self._follow)
        self.state.load(revision, entries)
        log.info("state loaded: revision %d, %d keys", revision, len(entries))
        self._duties = asyncio.get_running_loop().create_task(self._lead())

    async def close(self) -> None:
        """Commits what waits, ends the duties and closes the store."""
        await self.writer.close()
        if self._duties is not None:
            self._duties.cancel()
            await asyncio.gather(self._duties, return_exceptions=True)
        await self.store.close()

    async def write(self, plan: Callable[[Tx], T], finish: Callable[[T, int], Any] | None = None) -> Any:
        """Commits a plan; see `Writer.submit`."""
        return await self.writer.submit(plan, finish)

    async def barrier(self) -> None:
        """Returns once the state holds every write acknowledged before the call, on any server."""
        await reached(self.state, await self.store.barrier())

    async def moved(self, cells: Iterable[Cell], timeout: float | None = None) -> bool:
        """Waits until one of the cells moves; False when `timeout` seconds pass first."""
        watch = Watch(asyncio.get_running_loop(), timeout)
        try:
            await watch.moved(cells)
            return not watch.over
        finally:
            watch.end()

    def _follow(self, revision: int, events: Sequence[Event]) -> None:
        """The store's listener: applies a revision, then wakes those who waited for something in it."""
        wake_in_turns(iter(self.state.apply(revision, events)))

    @property
    def leader_address(self) -> str:
        """Where other agents reach the server that leads, as it last said itself; empty while there is none."""
        kept = self.state.singletons.get(LEADER)
        return kept.body.decode() if kept is not None else ""

    async def _lead(self) -> None:
        """Leads whenever it is this server's turn. A term that is lost is campaigned for again."""
        while True:
            try:
                term = await self.store.campaign("leader", ttl=LEADER_TTL_SECONDS)
                log.info("cluster leadership acquired, term %d", term)
                await self._serve_term(term)
            except StoreClosed:
                return
            except LictorError as error:
                log.warning("leadership is not to be had, trying again: %s", error)
                await asyncio.sleep(1.0)

    async def _serve_term(self, term: int) -> None:
        """Does the leader's duties until the term is over."""
        tasks = [
            asyncio.ensure_future(self.store.lost(term)),
            asyncio.ensure_future(leader.run(self)),
        ]
        self.leading = True
        try:
            if self.address:
                await self.write(lambda tx: put_setting(tx, LEADER, self.address.encode()))
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.leading = False
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        log.info("cluster leadership lost, term %d", term)
