"""Many blocking queries held open by one thread, cheaply enough that the answering side is what is measured.

Plain sockets under one selector: each asks once, then reads its answer to the end. Nothing is decoded.
"""

from __future__ import annotations

import errno
import selectors
import socket
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

CONNECTING_AT_ONCE = 200


@dataclass
class Answered:
    """What came back: how many answers had status 200, how many did not, and when the last one was complete."""

    good: int = 0
    bad: int = 0
    last: float = 0.0


@dataclass
class _Watcher:
    sock: socket.socket
    head: bytearray = field(default_factory=bytearray)
    missing: int = -1  # bytes of the body still to come; -1 until the head is whole
    status: int = 0

    def take(self, chunk: memoryview) -> bool:
        """Counts what was read; true once the answer is whole. A head without Content-Length is a ValueError."""
        if self.missing < 0:
            self.head += chunk
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return False
            lines = bytes(self.head[:end]).lower().split(b"\r\n")
            self.status = int(lines[0].split()[1])
            length = next((line.split(b":")[1] for line in lines if line.startswith(b"content-length:")), None)
            if length is None:
                raise ValueError(f"no Content-Length in {bytes(self.head[:end])!r}")
            self.missing = int(length) - (len(self.head) - end - 4)
            self.head.clear()
        else:
            self.missing -= len(chunk)
        return self.missing <= 0


class Watches:
    """`count` blocking queries of `path` (with its index and wait) at 127.0.0.1:`port`, each on its own connection.

    The process must be allowed as many open files (`processes.raise_file_limit`).
    """

    def __init__(self, port: int, path: str, count: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        self._address = ("127.0.0.1", port)
        self._buffer = memoryview(bytearray(1 << 18))
        self._open: set[socket.socket] = set()
        self._connect(count)

    def _connect(self, count: int, timeout: float = 60) -> None:
        started, begun, connected = time.monotonic(), 0, 0
        while connected < count:
            while begun < count and begun - connected < CONNECTING_AT_ONCE:
                sock = socket.socket()
                sock.setblocking(False)
                if (code := sock.connect_ex(self._address)) not in (0, errno.EINPROGRESS):
                    raise OSError(code, "connect")
                self._selector.register(sock, selectors.EVENT_WRITE, _Watcher(sock))
                self._open.add(sock)
                begun += 1
            for key, events in self._selector.select(1):
                if events & selectors.EVENT_WRITE:
                    watcher: _Watcher = key.data
                    watcher.sock.send(self._request)
                    self._selector.modify(watcher.sock, selectors.EVENT_READ, watcher)
                    connected += 1
            if time.monotonic() - started > timeout:
                raise TimeoutError(f"{connected} of {count} connected in {timeout:g} s")

    def __len__(self) -> int:
        """How many are still unanswered."""
        return len(self._open)

    def settle(self, seconds: float) -> None:
        """Lets the server take the last of them in. RuntimeError if any was answered: then they did not block."""
        if self._selector.select(seconds):
            raise RuntimeError("a watch was answered although nothing had changed")

    def change(self, request: bytes, timeout: float = 30) -> tuple[float, Answered]:
        """Sends `request` (raw HTTP) and collects every answer; seconds from sending it to the last whole answer."""
        answered = Answered()
        with socket.create_connection(self._address) as sock:
            started = time.monotonic()
            sock.sendall(request)
            while self._open and time.monotonic() - started < timeout:
                for key, _ in self._selector.select(1):
                    self._read(key.data, answered)
        return answered.last - started, answered

    def _read(self, watcher: _Watcher, answered: Answered) -> None:
        try:
            size = watcher.sock.recv_into(self._buffer)
        except BlockingIOError:
            return
        except ConnectionError:
            size = 0
        if size and not watcher.take(self._buffer[:size]):
            return
        answered.last = time.monotonic()
        if size and watcher.status == 200:
            answered.good += 1
        else:
            answered.bad += 1
        self._drop(watcher.sock)

    def _drop(self, sock: socket.socket) -> None:
        self._selector.unregister(sock)
        self._open.discard(sock)
        sock.close()

    def leave(self, count: int) -> None:
        """Closes `count` of the connections without waiting for their answers, as a client that goes away does."""
        for sock in list(self._open)[:count]:
            self._drop(sock)

    def close(self) -> None:
        self.leave(len(self))
        self._selector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
