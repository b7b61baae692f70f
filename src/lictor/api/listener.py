"""Granian embedded in the event loop: one listener a TCP address or unix socket.

Granian's scheduler is given a callback that tries the ready answers first, on the loop and without a task; only what
is not ready becomes one.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from pathlib import Path
from typing import Any

from granian import _granian
from granian._granian import CallbackScheduler
from granian.server.embed import AsyncWorker
from granian.server.embed import Server as GranianServer

from lictor.api.app import Application
from lictor.errors import ConfigError
from lictor.limits import WATCHES

BACKLOG = 4096

# Granian's stubs describe an older signature; what is called here is what its own spawner calls.
_RSGIWorker: Any = _granian.RSGIWorker
_in_worker: Any = AsyncWorker.wrap_target


class Listener:
    """One address that the API is served on."""

    def __init__(
        self,
        app: Application,
        host: str = "127.0.0.1",
        port: int = 8500,
        *,
        unix: str = "",
        mode: str = "",
        tls: dict[str, Any] | None = None,
    ) -> None:
        self._unix, self._mode = unix, mode
        self.address = f"unix://{unix}" if unix else f"{host}:{port}"
        self._server: Any = GranianServer(
            app,
            address=host,
            port=port,
            uds=Path(unix) if unix else None,
            backlog=BACKLOG,
            backpressure=2 * WATCHES,
            log_enabled=False,
            websockets=False,
            **(tls or {}),
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listens. Raises ConfigError when the address cannot be had."""
        started = asyncio.get_running_loop().create_future()
        self._server.on_startup(lambda: started.set_result(None))
        self._task = asyncio.create_task(self._server.serve(_serve))
        await asyncio.wait((started, self._task), return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            raise ConfigError(f"cannot listen on {self.address}: {self._task.exception()}") from self._task.exception()
        if self._unix and self._mode:
            os.chmod(self._unix, int(self._mode, 8))

    async def stop(self) -> None:
        """Stops listening; requests under way are cut off."""
        if self._task is not None:
            self._server.stop()
            await asyncio.gather(self._task, return_exceptions=True)


class _Scheduler(CallbackScheduler):
    """Takes requests from granian's thread to the event loop, many in one wake-up."""

    def __init__(self, loop: asyncio.AbstractEventLoop, app: Application, *_: Any) -> None:
        super().__init__()
        waiting: deque[Any] = deque()

        async def handle(watcher: Any) -> None:
            try:
                await app.handle(watcher.scope, watcher.proto)
            except BaseException as error:
                watcher.err(error)
                raise
            watcher.done()

        def drain() -> None:
            while waiting:
                watcher = waiting.popleft()
                if app.quick(watcher.scope, watcher.proto):
                    watcher.done()
                else:
                    watcher.taskref(loop.create_task(handle(watcher)))

        def schedule(watcher: Any) -> None:
            waiting.append(watcher)
            if len(waiting) == 1:
                loop.call_soon_threadsafe(drain)

        self._schedule_fn = schedule


@_in_worker
async def _serve(
    worker_id: int,
    shutdown: Any,
    app: Application,
    sock: Any,
    loop: asyncio.AbstractEventLoop,
    threads: int,
    runtime_blocking: int,
    blocking: int,
    blocking_idle: int,
    backpressure: int,
    task_impl: Any,
    http: Any,
    http1: Any,
    http2: Any,
    websockets: bool,
    static: Any,
    log_format: Any,
    ssl: tuple[Any, ...],
    scope_options: Any,
) -> None:
    """One worker's life, as granian's own spawner for RSGI does it, but with our scheduler."""
    stopped = loop.create_future()
    shutdown.add_cb(lambda: loop.call_soon_threadsafe(stopped.set_result, None))
    worker = _RSGIWorker(
        worker_id,
        sock,
        None,
        threads,
        runtime_blocking,
        blocking,
        blocking_idle,
        backpressure,
        http,
        http1,
        http2,
        websockets,
        static,
        *ssl,
        (None, None),
    )
    serve = worker.serve_async_uds if (sock[0] or sock[1]).is_uds() else worker.serve_async
    # The last three are for granian's own tasks, which this scheduler does not use.
    serve(_Scheduler(loop, app, None, None, None), loop, shutdown)
    await stopped
