"""A member of an etcd cluster as this server's child: started, watched, started again, and gone when the agent goes.

What it is started with says `member_config`. Whether the cluster has formed, and what keeps it from forming, says
`ready`. Adding members to a cluster that runs and removing them is the matter of `membership`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
from contextlib import suppress
from urllib.parse import urlsplit

from lictor.errors import ConfigError, StoreError
from lictor.runtime.log import get_logger
from lictor.store.etcd import launch
from lictor.store.etcd.member_config import MemberConfig
from lictor.store.etcd.member_log import read_line
from lictor.store.etcd.rpc import STATUS, Connection, EtcdError, NoAnswer
from lictor.store.etcd.schema import message
from lictor.store.etcd.tasks import end, start

RESTART_SECONDS = (0.2, 10.0)
"""The first and the longest pause before a member that ended is started again."""
SETTLED_SECONDS = 30.0
"""A member that ran for so long is started again after the first pause."""
STOP_SECONDS = 10.0
"""What a member gets to hand over and end when it is asked to."""
LOOK_SECONDS = 0.2
LINE_BYTES = 64 * 1024
_REMOVED = "removed from the cluster"

log = get_logger("etcd")
_Status = message("StatusRequest")


class EtcdMember:
    """One member. `start`, then `ready`, and `stop` at the end."""

    def __init__(self, config: MemberConfig) -> None:
        self._config = config
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._said = ""
        self.removed = False
        """Whether others have removed it from the cluster; then it is not started again."""

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Starts it and looks after it from then on. Raises ConfigError when it cannot be started at all."""
        program = shutil.which(self._config.program)
        if program is None:
            raise ConfigError(
                f'cannot find the program "{self._config.program}", which a cluster of servers needs: install it '
                "(Debian and Ubuntu: apt-get install etcd-server), or name an etcd that runs in store.endpoints"
            )
        arguments = self._config.arguments()
        try:
            self._config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"etcd: cannot make the directory {self._config.data_dir}: {error.strerror}") from None
        self._keeping = start(self._keep(program, arguments), "etcd-member")

    async def ready(self, seconds: float) -> None:
        """Waits until the cluster has formed and this member has found it, be it as a learner.

        Raises StoreError with what it waits for.
        """
        trouble = "it has not been started"
        try:
            async with asyncio.timeout(seconds):
                while (trouble := await self._trouble()) and not self.removed:
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    trouble += await self._unreached()
        if self.removed:
            trouble = "it was removed from its cluster: to join again it must begin with an empty data directory"
        if trouble:
            raise StoreError(f"the etcd member {self._config.name!r} is not ready: {trouble}")

    async def stop(self) -> None:
        """Ends it: first it hands over what it leads, and after STOP_SECONDS it is killed."""
        await end(self._keeping)
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._follow(process)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _keep(self, program: str, arguments: list[str]) -> None:
        """Runs the member again and again."""
        pause, longest = RESTART_SECONDS
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), program, *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                limit=LINE_BYTES,
            )
            log.info("etcd member %s started, process %d", self._config.name, self._process.pid)
            status = await self._follow(self._process)
            if self.removed:
                log.error("etcd member %s was removed from its cluster and is not started again", self._config.name)
                return
            if loop.time() - began > SETTLED_SECONDS:
                pause = RESTART_SECONDS[0]
            log.error("etcd member %s ended (%d), starting it again in %.1f s", self._config.name, status, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)

    async def _follow(self, process: asyncio.subprocess.Process) -> int:
        """Puts what the member says into our log until it ends; returns its status."""
        assert process.stderr is not None
        while True:
            try:
                said = await process.stderr.readline()
            except ValueError:  # longer than LINE_BYTES, and dropped
                continue
            if not said:
                return await process.wait()
            line = read_line(said)
            if line is None:
                continue
            log.log(line.level, "%s", line.text)
            self.removed = self.removed or _REMOVED in line.text
            if line.level >= logging.INFO:
                self._said = f"; it said: {line.text}"

    async def _trouble(self) -> str:
        """Why the member is of no use yet; empty when it is."""
        connection = Connection(self._config.store_config(), self._config.store_config().targets()[0])
        try:
            status = await connection.call(STATUS, _Status(), LOOK_SECONDS)
        except (NoAnswer, EtcdError):
            return f"it does not answer at {self._config.own.client_url}{self._said}"
        finally:
            await connection.close()
        return "" if status.leader else "its cluster has no leader"

    async def _unreached(self) -> str:
        """Which members nobody answers for."""
        others = [peer for peer in self._config.peers if peer.name != self._config.name]
        reached = await asyncio.gather(*(_reaches(peer.peer_url) for peer in others))
        missing = [peer for peer, answers in zip(others, reached, strict=True) if not answers]
        if not missing:
            return ""
        named = ", ".join(f"{peer.name} ({peer.peer_url})" for peer in missing)
        return f"; more than half of {len(self._config.peers)} members must be up, and these cannot be reached: {named}"


async def _reaches(url: str) -> bool:
    parts = urlsplit(url)
    try:
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    except OSError:
        return False
    writer.close()
    return True
