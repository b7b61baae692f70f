"""Tasks that run for as long as the store is open: one that fails must not do so in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from lictor.runtime.log import get_logger

log = get_logger("store.etcd")


def start(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Runs `work` beside everything else until `end`."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    task.add_done_callback(_tell)
    return task


async def end(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancels what still runs and waits for it."""
    running = [task for task in tasks if task is not None and task is not asyncio.current_task()]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s failed", task.get_name(), exc_info=error)
