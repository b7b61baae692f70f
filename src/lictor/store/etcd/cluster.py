"""An etcd cluster as a whole: calls go to one endpoint, and to another when that one is lost.

The endpoint in use is asked how it is several times a second, and at once when a call fails. One that does not answer,
or knows of no leader, is left for the first that does; the one that the configuration names first is returned to when
it is well again. When the cluster's leader changes, calls that went out before are given up after a moment: their
answers may have been lost with the old leader, and etcd itself would wait for them for seconds.

Whether a call may be made again is not known here: `attempt` makes it once, `ask` is for those that may be repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import grpc

from lictor.errors import ConfigError, StoreClosed, StoreError
from lictor.runtime.log import get_logger
from lictor.store.etcd.config import EtcdConfig
from lictor.store.etcd.rpc import AUTHENTICATE, STATUS, Connection, EtcdError, Metadata, Method, NoAnswer, Stream
from lictor.store.etcd.schema import message
from lictor.store.etcd.tasks import end, start

LOOK_SECONDS = 0.25
"""How often the endpoint in use is asked how it is."""
LOOK_WAIT_SECONDS = 0.5
"""How long it may take to say so; together with LOOK_SECONDS less than the second in which a dead one is left."""
RETURN_SECONDS = 5.0
"""How often an endpoint to be preferred is looked at while another is in use."""
ATTEMPT_SECONDS = 5.0
"""How long a single call may take."""
SPARE_SECONDS = 2.0
"""How long a connection that was not good enough is tried again before a new one takes its place."""
LEADER_GRACE_SECONDS = 0.1
"""What calls that are under way get when the leader has changed."""
RETRY_SECONDS = (0.02, 0.25)
"""The first and the longest pause before a call is repeated."""

log = get_logger("store.etcd")
_Status = message("StatusRequest")
_Authenticate = message("AuthenticateRequest")


class Cluster:
    """The endpoints of a cluster, one of which is in use. `open` before use, `close` at the end."""

    def __init__(self, config: EtcdConfig) -> None:
        self._config = config
        self._targets: tuple[str, ...] = ()
        self._connection: Connection | None = None
        self._ready = asyncio.Event()
        self._suspect = asyncio.Event()
        self._metadata: Metadata = ()
        self._spare: dict[str, Connection] = {}
        self._troubles: dict[str, str] = {}
        self._cluster_id = 0
        self._term = 0
        self._minding: asyncio.Task[None] | None = None
        self._closed = False

    async def open(self) -> None:
        """Waits until an endpoint can be used. Raises ConfigError, or StoreError with what each of them said."""
        self._config.check()
        self._targets = self._config.targets()
        self._minding = start(self._mind(), "etcd-endpoints")
        await self._within(self._usable)

    async def close(self) -> None:
        """Gives up all calls."""
        self._closed = True
        await end(self._minding)
        self._ready.set()
        for connection in (self._connection, *self._spare.values()):
            if connection is not None:
                await connection.close()
        self._connection = None

    async def attempt(self, method: Method, request: Any, seconds: float = ATTEMPT_SECONDS) -> Any:
        """Makes a call once. Raises NoAnswer when its fate is not known, EtcdError when nothing was done."""
        if not self._ready.is_set() or self._connection is None:
            await self._usable()
        try:
            return await self._call(method, request, seconds)
        except EtcdError as error:
            if not self._has_old_token(error):
                raise
        await self.renew_token()
        return await self._call(method, request, seconds)

    async def ask(self, method: Method, request: Any) -> Any:
        """Makes a call that may be repeated until it is answered. Raises EtcdError, or StoreError after a while."""

        async def repeat() -> Any:
            pause, longest = RETRY_SECONDS
            while True:
                with suppress(NoAnswer):
                    return await self.attempt(method, request)
                await asyncio.sleep(pause)
                pause = min(2 * pause, longest)

        return await self._within(repeat)

    @asynccontextmanager
    async def stream(self, method: Method) -> AsyncIterator[Stream]:
        """A stream to the endpoint in use, once there is one; it fails when that endpoint is left."""
        await self._usable()
        try:
            async with self._in_use().stream(method, self._metadata) as stream:
                yield stream
        except EtcdError as error:
            if not self._has_old_token(error):
                raise
            await self.renew_token()
            raise NoAnswer(str(error)) from None

    async def renew_token(self) -> None:
        """Authenticates anew: tokens end by themselves. Raises NoAnswer or EtcdError."""
        self._metadata = await self._authenticated(self._in_use())

    def suspect(self, why: str) -> None:
        """Has the endpoint in use looked at now, since something went wrong with it."""
        if self._connection is not None:
            self._troubles[self._connection.target] = why
        self._suspect.set()

    async def _within(self, work: Callable[[], Any]) -> Any:
        try:
            async with asyncio.timeout(self._config.wait_seconds):
                return await work()
        except TimeoutError:
            raise StoreError(self.trouble()) from None

    async def _usable(self) -> None:
        while not self._ready.is_set():
            await self._ready.wait()
        if self._closed:
            raise StoreClosed("the store is closed")

    def _in_use(self) -> Connection:
        if self._connection is None:
            raise StoreClosed("the store is closed")
        return self._connection

    async def _call(self, method: Method, request: Any, seconds: float) -> Any:
        connection = self._in_use()
        try:
            return await connection.call(method, request, seconds, self._metadata)
        except NoAnswer as error:
            if connection is self._connection:
                self.suspect(str(error))
            raise

    async def _mind(self) -> None:
        """Looks after the endpoint in use for as long as the cluster is open."""
        loop = asyncio.get_running_loop()
        looked = loop.time()
        while True:
            self._suspect.clear()
            if not await self._is_well():
                await self._choose(self._targets)
            elif self._in_use().target != self._targets[0] and loop.time() - looked > RETURN_SECONDS:
                looked = loop.time()
                await self._choose(self._targets[: self._targets.index(self._in_use().target)])
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS if self._ready.is_set() else LOOK_SECONDS / 3):
                    await self._suspect.wait()

    async def _is_well(self) -> bool:
        """Whether the endpoint in use can go on being used. Where not, that need not be its fault, but this process's
        own, which may have stood still: `_choose` asks it again, beside the others."""
        status = await self._status(self._connection) if self._connection is not None else None
        if status is None or not status.leader:
            return False
        self._note_leader(status)
        self._ready.set()
        return True

    async def _status(self, connection: Connection) -> Any:
        """What an endpoint says of itself, None when it cannot be used."""
        target = connection.target
        try:
            status = await connection.call(STATUS, _Status(), LOOK_WAIT_SECONDS, self._metadata)
        except (NoAnswer, EtcdError) as error:
            self._troubles[target] = str(error)
            return None
        if self._cluster_id not in (0, status.header.cluster_id):
            self._troubles[target] = "it belongs to another etcd cluster than before"
        elif status.isLearner:
            self._troubles[target] = "it is a learner, which has not caught up with its cluster yet"
        else:
            if not status.leader:
                self._troubles[target] = (
                    "its cluster has no leader: most of the members must be up and reach each other"
                )
            return status
        return None

    async def _choose(self, targets: tuple[str, ...]) -> None:
        """Takes the first of the endpoints that is well, the earlier before the later where both have answered."""
        tried = await self._connections(targets)
        asked = [asyncio.ensure_future(self._status(connection)) for connection in tried]
        waiting: set[asyncio.Future[Any]] = set(asked)
        chosen = None
        try:
            while waiting and chosen is None:
                _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                well = [n for n, status in enumerate(asked) if status.done() and (s := status.result()) and s.leader]
                chosen = well[0] if well else None
        finally:
            for status in waiting:
                status.cancel()
        if chosen is not None:
            await self._use(tried[chosen], asked[chosen].result())
        elif targets is self._targets:
            self._ready.clear()

    async def _connections(self, targets: tuple[str, ...]) -> list[Connection]:
        """One to each, and before them the one in use: that it was slow once need not mean that it is broken."""
        made = [self._connection] if self._connection is not None and targets is self._targets else []
        for target in targets:
            spare = self._spare.pop(target, None)
            if spare is not None and asyncio.get_running_loop().time() - spare.made_at > SPARE_SECONDS:
                await spare.close()
                spare = None
            try:
                self._spare[target] = spare or Connection(self._config, target)
            except ConfigError as error:  # certificates are read anew each time, and may be changing just now
                self._troubles[target] = str(error)
            else:
                made.append(self._spare[target])
        return made

    async def _use(self, connection: Connection, status: Any) -> None:
        before = self._connection
        if connection is before:
            self._note_leader(status)
            self._ready.set()
            return
        try:
            self._metadata = await self._authenticated(connection)
        except (NoAnswer, EtcdError) as error:
            self._troubles[connection.target] = str(error)
            return
        self._connection = self._spare.pop(connection.target)
        self._cluster_id = status.header.cluster_id
        self._note_leader(status)
        self._ready.set()
        if before is None:
            log.info("using the etcd at %s, version %s", connection.target, status.version)
            return
        if before.target != connection.target:
            why = self._troubles.get(before.target, "another is preferred")
            log.warning("using the etcd at %s instead of %s: %s", connection.target, before.target, why)
        await before.close()

    def _note_leader(self, status: Any) -> None:
        if self._term and status.raftTerm > self._term and self._connection is not None:
            asyncio.get_running_loop().call_later(LEADER_GRACE_SECONDS, _give_up, self._connection.under_way())
        self._term = max(self._term, status.raftTerm)

    async def _authenticated(self, connection: Connection) -> Metadata:
        """What to send along with every call. Raises NoAnswer or EtcdError."""
        if not self._config.username:
            return ()
        request = _Authenticate(name=self._config.username, password=self._config.password)
        response = await connection.call(AUTHENTICATE, request, ATTEMPT_SECONDS)
        return (("token", response.token),)

    def _has_old_token(self, error: EtcdError) -> bool:
        old = error.code is grpc.StatusCode.UNAUTHENTICATED or "auth store is old" in str(error)
        return bool(self._config.username) and old

    def trouble(self) -> str:
        """What to say when etcd did not answer in time."""
        said = "; ".join(f"{target}: {self._troubles[target]}" for target in self._targets if target in self._troubles)
        return f"etcd does not answer ({said or 'no answer in time'})"


def _give_up(calls: list[Any]) -> None:
    for call in calls:
        call.cancel()
