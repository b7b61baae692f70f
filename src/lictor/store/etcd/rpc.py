"""Calls to one etcd endpoint: channels with TLS, the methods, and what an error means.

An answer that did not come says nothing: the call may have been carried out. That is `NoAnswer`, and whoever calls
must deal with it. What etcd refused is an `EtcdError`, and nothing was done.
"""

from __future__ import annotations

import asyncio
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


class Connection:
    """A channel to one endpoint. Made without waiting for anything; to be closed."""

    def __init__(self, config: EtcdConfig, target: str) -> None:
        self.target = target
        self._channel = _channel(config, target)
        self._stubs: dict[str, Any] = {}

    def unary(self, method: Method, request: Any, seconds: float, metadata: Metadata = ()) -> Any:
        """Starts a call; awaiting it gives the answer."""
        stub = self._stubs.get(method.path)
        if stub is None:
            stub = self._channel.unary_unary(method.path, method.encode, method.decode)
            self._stubs[method.path] = stub
        return stub(request, timeout=seconds, metadata=metadata)

    def stream(self, method: Method, metadata: Metadata = ()) -> Any:
        """Opens a stream in both directions."""
        return self._channel.stream_stream(method.path, method.encode, method.decode)(metadata=metadata)

    async def close(self, grace: float | None = None) -> None:
        """Ends what is still under way, after `grace` seconds if given."""
        await self._channel.close(grace)


async def answer(call: Any) -> Any:
    """The answer of a call or of a stream's next read. Raises NoAnswer or EtcdError."""
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
