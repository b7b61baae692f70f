"""Calls to one etcd endpoint: channels with TLS, the methods, and what an error means.

An answer that did not come says nothing: the call may have been carried out. That is `NoAnswer`, and whoever calls
must deal with it. What etcd refused is an `EtcdError`, and nothing was done.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import grpc
import grpc.aio

from lictor.errors import StoreError
from lictor.store.etcd.config import EtcdConfig
from lictor.store.etcd.schema import message

Metadata = tuple[tuple[str, str], ...]


class Method(NamedTuple):
    """One call of etcd's API."""

    path: str
    encode: Any
    decode: Any


def _method(service: str, name: str) -> Method:
    request, response = message(f"{name}Request"), message(f"{name}Response")
    return Method(f"/etcdserverpb.{service}/{name}", request.SerializeToString, response.FromString)


RANGE = _method("KV", "Range")
TXN = _method("KV", "Txn")
WATCH = _method("Watch", "Watch")
LEASE_GRANT = _method("Lease", "LeaseGrant")
LEASE_REVOKE = _method("Lease", "LeaseRevoke")
LEASE_KEEP_ALIVE = _method("Lease", "LeaseKeepAlive")
AUTHENTICATE = _method("Auth", "Authenticate")
STATUS = _method("Maintenance", "Status")
MEMBER_LIST = _method("Cluster", "MemberList")
MEMBER_ADD = _method("Cluster", "MemberAdd")
MEMBER_REMOVE = _method("Cluster", "MemberRemove")
MEMBER_PROMOTE = _method("Cluster", "MemberPromote")

_REFUSALS = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
"""Answers after which it is certain that nothing was done."""

_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 500),
    # Channels to one endpoint share nothing: a new one does not inherit the back-off of one that failed.
    ("grpc.use_local_subchannel_pool", 1),
)


class NoAnswer(Exception):
    """The call may have been carried out or not."""


class EtcdError(StoreError):
    """etcd's refusal: nothing was done."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(_explained(details))
        self.code = code


class Stream:
    """A call that goes on in both directions."""

    def __init__(self, call: Any, scope: asyncio.Timeout) -> None:
        self.call = call
        self._scope = scope

    async def send(self, request: Any) -> None:
        """Raises NoAnswer or EtcdError."""
        await answer(self.call.write(request))

    async def receive(self) -> Any:
        """The next message. Raises NoAnswer or EtcdError, also at the end."""
        response = await answer(self.call.read())
        if response is grpc.aio.EOF:
            raise NoAnswer("the stream has ended")
        return response

    def give_up(self) -> None:
        """Takes the task out that uses it. Cancelling the call alone leaves who writes to it waiting for ever when
        there was no connection yet (grpc.aio)."""
        self._scope.reschedule(asyncio.get_running_loop().time())


class Connection:
    """A channel to one endpoint. It is made without waiting for anything and connects by itself; to be closed."""

    def __init__(self, config: EtcdConfig, target: str) -> None:
        self.target = target
        self.made_at = asyncio.get_running_loop().time()
        self._channel = _channel(config, target)
        self._stubs: dict[str, Any] = {}
        self._calls: set[Any] = set()
        self._streams: set[Stream] = set()

    async def call(self, method: Method, request: Any, seconds: float, metadata: Metadata = ()) -> Any:
        """Makes a call and returns its answer. Raises NoAnswer or EtcdError."""
        stub = self._stubs.get(method.path)
        if stub is None:
            stub = self._channel.unary_unary(method.path, method.encode, method.decode)
            self._stubs[method.path] = stub
        try:
            call = stub(request, timeout=seconds, metadata=metadata)
        except grpc.aio.UsageError as error:
            raise NoAnswer(str(error)) from None
        self._calls.add(call)
        try:
            return await answer(call)
        finally:
            self._calls.discard(call)

    @asynccontextmanager
    async def stream(self, method: Method, metadata: Metadata = ()) -> AsyncIterator[Stream]:
        """A stream in both directions, for the task that opens it. Raises NoAnswer when it is given up."""
        stub = self._channel.stream_stream(method.path, method.encode, method.decode)
        try:
            async with asyncio.timeout(None) as scope:
                stream = Stream(stub(metadata=metadata), scope)
                self._streams.add(stream)
                try:
                    yield stream
                finally:
                    self._streams.discard(stream)
                    stream.call.cancel()
        except (TimeoutError, grpc.aio.UsageError):
            raise NoAnswer("the stream was given up") from None

    def under_way(self) -> list[Any]:
        """The calls that are not answered, without the streams."""
        return list(self._calls)

    async def close(self) -> None:
        """Gives up everything that is under way."""
        for call in self._calls:
            call.cancel()
        for stream in self._streams:
            stream.give_up()
        await self._channel.close()


async def answer(call: Any) -> Any:
    """What a call, or a stream's next step, comes to. Raises NoAnswer or EtcdError."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise failure(error) from None
    except (grpc.aio.UsageError, asyncio.InvalidStateError) as error:
        raise NoAnswer(str(error)) from None
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise NoAnswer("the call was given up") from None


def failure(error: grpc.aio.AioRpcError) -> NoAnswer | EtcdError:
    """What an error of a call means."""
    code, details = error.code(), error.details() or ""
    if code in _REFUSALS and "too many requests" not in details:
        return EtcdError(code, details)
    return NoAnswer(details or code.name)


def _channel(config: EtcdConfig, target: str) -> Any:
    if not config.tls:
        return grpc.aio.insecure_channel(target, options=_OPTIONS)
    credentials = grpc.ssl_channel_credentials(
        config.read("ca_file"), config.read("key_file"), config.read("cert_file")
    )
    return grpc.aio.secure_channel(target, credentials, options=_OPTIONS)


def _explained(details: str) -> str:
    text = details.removeprefix("etcdserver: ")
    if "database space exceeded" in text:
        return "etcd: its quota of space is used up: compact and defragment it or raise --quota-backend-bytes"
    if "too many operations" in text:
        return f"etcd: {text}: it was started with a lower --max-txn-ops than store.max_txn_ops says"
    return f"etcd: {text}"
