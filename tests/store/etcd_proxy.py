"""A TCP proxy in front of an etcd that loses answers, for tests of what then happens."""

from __future__ import annotations

import asyncio
from types import TracebackType

_PIECE = 65_536


class Proxy:
    """Forwards to a port of this machine. From `mute` on answers are lost, until `heal` ends what has lost some."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._muted = False
        self.connections = 0

    @property
    def endpoint(self) -> str:
        assert self._server is not None
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def mute(self) -> None:
        """Loses all answers from now on; requests pass."""
        self._muted = True

    def heal(self) -> None:
        """Everything passes again, over new connections."""
        self.cut()
        self._muted = False

    def cut(self) -> None:
        """Ends every connection, with what it still holds."""
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.close()
            return
        for source, sink, answers in ((reader, back, False), (there, writer, True)):
            task = asyncio.get_running_loop().create_task(self._pass_on(source, sink, answers))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, answers: bool) -> None:
        self._writers.add(sink)
        try:
            while piece := await source.read(_PIECE):
                if not (answers and self._muted):
                    sink.write(piece)
                    await sink.drain()
        except OSError:
            pass
        finally:
            self._writers.discard(sink)
            sink.close()
