"""Runs a command in a process group of its own, bounded in time and output."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from lictor.agent.checks.outcome import Tail


class CannotRun(Exception):
    """The command could not be started; the text names it."""


class Ran(NamedTuple):
    """How a command ended: its exit code (negative: that signal), None when its time ran out and it was killed."""

    code: int | None
    output: str


class _Capture(asyncio.SubprocessProtocol):
    """Keeps the end of what a process writes; `ended` is set when it is gone and nobody can write any more."""

    def __init__(self, keep: int) -> None:
        self.tail = Tail(keep)
        self.ended = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        self.tail.add(data if isinstance(data, bytes) else data.encode())

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


async def run(argv: Sequence[str], timeout: float, keep: int) -> Ran:
    """Runs `argv` for at most `timeout` seconds and keeps the last `keep` bytes of what it writes to stdout and stderr.

    When time runs out, or the caller is cancelled, the whole process group is killed. Raises CannotRun.
    """
    if any("\0" in part for part in argv):
        raise CannotRun(f"fork/exec {argv[0]}: invalid argument")
    loop = asyncio.get_running_loop()
    starting = loop.create_task(
        loop.subprocess_exec(
            lambda: _Capture(keep),
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    )
    try:
        transport, capture = await asyncio.shield(starting)
    except OSError as error:
        raise CannotRun(_why(argv[0], error)) from None
    except asyncio.CancelledError:
        # The process may exist already, with nobody but `starting` to know its group.
        starting.add_done_callback(_give_up)
        raise
    try:
        async with asyncio.timeout(timeout):
            await capture.ended.wait()
        return Ran(transport.get_returncode(), capture.tail.captured())
    except TimeoutError:
        return Ran(None, capture.tail.captured())
    finally:
        _end(transport, capture)


def _give_up(starting: asyncio.Task[tuple[asyncio.SubprocessTransport, _Capture]]) -> None:
    """Ends a process whose caller was cancelled while it was being started."""
    if not starting.cancelled() and starting.exception() is None:
        _end(*starting.result())


def _end(transport: asyncio.SubprocessTransport, capture: _Capture) -> None:
    """Kills what still runs of the group, and closes the pipe even where a grandchild that left it holds its end."""
    if not capture.ended.is_set():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(transport.get_pid(), signal.SIGKILL)
    transport.close()


def _why(command: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError) and "/" not in command and shutil.which(command) is None:
        return f'exec: "{command}": executable file not found in $PATH'
    return f"fork/exec {command}: {os.strerror(error.errno).lower() if error.errno else error}"
