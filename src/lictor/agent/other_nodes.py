"""For alias checks of other nodes: tells of a node's checks and services, now and whenever they change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence

from lictor.server.server import Server
from lictor.types.catalog import Check

Seen = Callable[[Sequence[Check], Collection[str]], None]


class OtherNodes:
    """Watches nodes of a server's own catalog; each watch is a task that sleeps until one of the node's cells moves."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._tasks: set[asyncio.Task[None]] = set()

    def watch(self, node: str, seen: Seen) -> Callable[[], None]:
        """Calls `seen` with the node's checks and the ids of its services until the returned function is called."""
        task = asyncio.get_running_loop().create_task(self._follow(node, seen))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

        def unwatch() -> None:
            task.cancel()

        return unwatch

    async def _follow(self, node: str, seen: Seen) -> None:
        catalog = self._server.state.catalog
        while True:
            checks, services = catalog.node_checks(node), catalog.node_services(node)
            seen(checks.value, {service.id for service in services.value})
            await self._server.moved(checks.cells + services.cells)
