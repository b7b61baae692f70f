"""`lictor lock`: run a program while holding a lock, so that it runs nowhere else (or at most so many times)."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lictor.cli.children import exit_text, program
from lictor.cli.command import Failure, ServerCommand, UsageError
from lictor.cli.flags import duration, number, switch, text

if TYPE_CHECKING:
    from lictor.client.client import Client
    from lictor.client.holding import Holding

KILL_GRACE_SECONDS = 5.0
CHILD_FAILED = 2


class Lock(ServerCommand):
    """Waits for a lock below a prefix of the key-value store, runs the program while it is held, and gives it back.

        $ lictor lock service/backup/leader ./backup.sh

    At most three at once:

        $ lictor lock -n=3 service/import ./import --all

    The program finds CONSUL_LOCK_HELD=true in its environment. When the lock is lost, or on a signal, it gets SIGTERM
    and after five seconds SIGKILL, its children too unless -pass-stdin is given. All that share a prefix must agree
    on -n.
    """

    words = "lock"
    synopsis = "Run a program while holding a lock"
    arguments = "PREFIX PROGRAM..."
    child_words = True
    child_exit_code = switch("Exit with 2 when the program failed.")
    monitor_retry = number("How many failures in a row to ask after the lock are ridden out, a second apart.", 3)
    n = number("How many may hold it at once.", 1)
    name = text("The session's name.")
    pass_stdin = switch("Let the program read standard input.")
    shell = switch("Run the program in a shell.", True)
    timeout = duration("Give up when the lock cannot be had for so long.")
    try_ = duration("The old name of -timeout.")
    verbose = switch("Tell what happens.")

    def run(self, arguments: list[str]) -> int:
        if self.n <= 0:
            raise UsageError("Lock holder limit must be positive")
        if len(arguments) < 2:
            raise UsageError("Key prefix and child command must be specified")
        if self.monitor_retry < 0:
            raise UsageError("Number for 'monitor-retry' must be >= 0")
        if self.timeout < 0 or self.try_ < 0 or (self.given("timeout") and not self.timeout):
            raise UsageError("Timeout must be positive")
        return asyncio.run(self._hold(arguments[0].strip("/"), arguments[1:]))

    async def _hold(self, prefix: str, words: list[str]) -> int:
        from lictor.client.client import Client
        from lictor.client.errors import ClientError

        stop = asyncio.Event()
        for received in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(received, stop.set)
        async with Client(self.config()) as client:
            holding = self._holding(client, prefix, words)
            self._say("Attempting lock acquisition")
            try:
                if not await _unless(stop, holding.acquire(self.timeout or self.try_ or None)):
                    raise Failure("Shutdown triggered during lock acquisition")
            except ClientError as error:
                raise Failure(f"Lock acquisition failed: {error}") from error
            try:
                failed = await self._run(words, holding, stop)
            finally:
                lost = holding.lost.is_set()
                await self._clean_up(holding)
        if lost:
            raise Failure("The lock was lost; the program was stopped")
        return CHILD_FAILED if failed and self.child_exit_code else 0

    def _holding(self, client: Client, prefix: str, words: list[str]) -> Holding:
        from lictor.client.holding import Terms

        name = self.name or f"lictor lock of '{prefix}' for '{' '.join(words)}'"
        terms = Terms(name=name, monitor_retries=self.monitor_retry, monitor_retry=1.0)
        if self.n == 1:
            self._say(f"Setting up lock at path: {prefix}/.lock")
            return client.lock(f"{prefix}/.lock", terms)
        self._say(f"Setting up semaphore (limit {self.n}) at prefix: {prefix}")
        return client.semaphore(prefix, self.n, terms)

    async def _run(self, words: list[str], holding: Holding, stop: asyncio.Event) -> bool:
        """Runs the program until it ends, the lock is lost or a signal comes; True when it failed by itself."""
        self._say(f"Starting handler '{' '.join(words)}'")
        env = {**self.console.env, "CONSUL_LOCK_HELD": "true"}
        try:
            child = await asyncio.create_subprocess_exec(
                *program(words, env, shell=self.shell),
                stdin=None if self.pass_stdin else asyncio.subprocess.DEVNULL,
                env=env,
                # A group of its own, so that a shell's children are stopped with it. One that reads a terminal must
                # stay in ours.
                process_group=None if self.pass_stdin else 0,
            )
        except OSError as error:
            self.console.complain(f"Error starting handler: {error}")
            return True
        ends = [asyncio.ensure_future(child.wait()), *map(asyncio.ensure_future, (holding.lost.wait(), stop.wait()))]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends[1:]:
            end.cancel()
        if child.returncode is None:
            self._say("Lock lost, killing child" if holding.lost.is_set() else "Shutdown triggered, killing child")
            await self._kill(child)
            return False
        self._say("Child terminated, releasing lock")
        if child.returncode:
            self.console.complain(f"Error running handler: {exit_text(child.returncode)}")
        return child.returncode != 0

    async def _kill(self, child: asyncio.subprocess.Process) -> None:
        send = os.kill if self.pass_stdin else os.killpg
        with suppress(ProcessLookupError):
            send(child.pid, signal.SIGTERM)
            try:
                await asyncio.wait_for(child.wait(), KILL_GRACE_SECONDS)
            except TimeoutError:
                send(child.pid, signal.SIGKILL)
                await child.wait()

    async def _clean_up(self, holding: Holding) -> None:
        from lictor.client.errors import ClientError

        try:
            await holding.release()
        except ClientError as error:
            raise Failure(f"Lock release failed: {error}") from error
        try:
            self._say("Cleanup succeeded" if await holding.destroy() else "Cleanup aborted, lock in use")
        except ClientError as error:
            raise Failure(f"Lock cleanup failed: {error}") from error

    def _say(self, text: str) -> None:
        if self.verbose:
            self.console.line(text)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Does the work unless `stop` comes first; whether it was done."""
    doing = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((doing, stopped), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            await doing
            return True
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)
        return False
    finally:
        stopped.cancel()


COMMANDS = (Lock,)
