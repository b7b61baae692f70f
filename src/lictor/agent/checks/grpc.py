"""gRPC checks (the standard health service) and HTTP/2 PING checks.

Source: the reference's gRPC and H2PING checks. A gRPC check is one small call, so it goes over `http2` rather than
through a gRPC library: skipped verification works, and an agent need not load one.
"""

from __future__ import annotations

import asyncio
import importlib
from typing import Any
from urllib.parse import unquote

from lictor.agent.checks.dial import DialError
from lictor.agent.checks.http2 import CallError, HTTP2Error, connect
from lictor.agent.checks.kit import CheckKit
from lictor.agent.checks.outcome import Outcome
from lictor.types.catalog import CRITICAL, PASSING
from lictor.types.definitions import CheckSpec

HEALTH = "/grpc.health.v1.Health/Check"
CODES = (
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
)
"""gRPC's status codes by number."""


async def check_grpc(spec: CheckSpec, kit: CheckKit, timeout: float) -> Outcome:
    """Asks `host:port` (or `host:port/service`) whether it serves, within `timeout` seconds."""
    target, _, service = spec.grpc.partition("/")
    tls = kit.ssl_context(spec.tls_skip_verify, ("h2",)) if spec.grpc_use_tls else None
    name = kit.server_name(spec.tls_server_name)
    messages = await asyncio.to_thread(importlib.import_module, "grpc_health.v1.health_pb2")
    try:
        async with asyncio.timeout(timeout), connect(target, tls, name) as connection:
            request = messages.HealthCheckRequest(service=service).SerializeToString()
            answer = await connection.call("https" if tls else "http", target, HEALTH, request)
        status = _status(messages, answer)
    except TimeoutError:
        return _error("DeadlineExceeded", "context deadline exceeded")
    except DialError as error:
        return _error("Unavailable", f'connection error: desc = "transport: Error while dialing {error}"')
    except HTTP2Error as error:
        return _error("Unavailable", str(error))
    except CallError as error:
        return _error(CODES[error.code] if error.code < len(CODES) else f"Code({error.code})", unquote(str(error)))
    if status != "SERVING":
        return Outcome(CRITICAL, f"gRPC {spec.grpc} serving status: {status}")
    return Outcome(PASSING, f"gRPC check {spec.grpc}: success")


async def check_h2ping(spec: CheckSpec, kit: CheckKit, timeout: float) -> Outcome:
    """Connects (through TLS unless told otherwise) and has a PING answered, within `timeout` seconds."""
    tls = kit.ssl_context(spec.tls_skip_verify, ("h2",)) if spec.h2ping_use_tls else None
    name = kit.server_name(spec.tls_server_name)
    connected = False
    try:
        async with asyncio.timeout(timeout), connect(spec.h2ping, tls, name) as connection:
            connected = True
            await connection.ping()
    except TimeoutError:
        if not connected:
            return Outcome(CRITICAL, f"Failed to dial to {spec.h2ping}: dial tcp {spec.h2ping}: i/o timeout")
        return Outcome(CRITICAL, "HTTP2 ping failed: context deadline exceeded")
    except DialError as error:
        return Outcome(CRITICAL, f"Failed to dial to {spec.h2ping}: {error}")
    except HTTP2Error as error:
        return Outcome(CRITICAL, f"HTTP2 ping failed: {error}")
    return Outcome(PASSING, "HTTP2 ping was successful")


def _status(messages: Any, answer: bytes) -> str:
    broken = importlib.import_module("google.protobuf.message").DecodeError
    try:
        number = messages.HealthCheckResponse.FromString(answer).status
    except broken as error:
        raise HTTP2Error(f"malformed answer: {error}") from None
    names: dict[int, str] = {value: name for name, value in messages.HealthCheckResponse.ServingStatus.items()}
    return names.get(number, str(number))


def _error(code: str, text: str) -> Outcome:
    return Outcome(CRITICAL, f"rpc error: code = {code} desc = {text}")
