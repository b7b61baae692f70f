from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from lictor.agent.checks import CheckKit, Outcome
from lictor.agent.checks.grpc import check_grpc, check_h2ping
from lictor.types.definitions import CheckSpec

HERE = Path(__file__).parent
Status = health_pb2.HealthCheckResponse.ServingStatus


@asynccontextmanager
async def grpc_server(tls: bool = False, statuses: dict[str, str] | None = None) -> AsyncIterator[str]:
    """A real gRPC server with the real health service."""
    server = grpc.aio.server()
    servicer = health.aio.HealthServicer()
    for service, status in (statuses or {}).items():
        await servicer.set(service, Status.Value(status))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    if tls:
        pair = ((HERE / "loopback.key").read_bytes(), (HERE / "loopback.crt").read_bytes())
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def test_serving(kit: CheckKit) -> None:
    async with grpc_server(statuses={"": "SERVING", "web.Store": "SERVING"}) as target:
        for what in (target, f"{target}/web.Store"):
            outcome = await check_grpc(CheckSpec(grpc=what), kit, 5)
            assert outcome == Outcome("passing", f"gRPC check {what}: success")


async def test_not_serving(kit: CheckKit) -> None:
    async with grpc_server(statuses={"web": "NOT_SERVING"}) as target:
        outcome = await check_grpc(CheckSpec(grpc=f"{target}/web"), kit, 5)
        assert outcome == Outcome("critical", f"gRPC {target}/web serving status: NOT_SERVING")
        outcome = await check_grpc(CheckSpec(grpc=f"{target}/nope"), kit, 5)
        assert outcome.status == "critical"
        assert outcome.output.startswith("rpc error: code = NotFound desc = ")


async def test_a_server_without_the_health_service(kit: CheckKit) -> None:
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        outcome = await check_grpc(CheckSpec(grpc=f"127.0.0.1:{port}"), kit, 5)
    finally:
        await server.stop(None)
    assert outcome == Outcome("critical", "rpc error: code = Unimplemented desc = Method not found!")


async def test_over_tls(kit: CheckKit, trusting_kit: CheckKit) -> None:
    async with grpc_server(tls=True, statuses={"": "SERVING"}) as target:
        distrusted = await check_grpc(CheckSpec(grpc=target, grpc_use_tls=True), kit, 5)
        assert distrusted.output.startswith("rpc error: code = Unavailable desc = connection error: ")
        assert "self-signed certificate" in distrusted.output
        skipping = CheckSpec(grpc=target, grpc_use_tls=True, tls_skip_verify=True)
        assert (await check_grpc(skipping, kit, 5)).status == "passing"
        named = CheckSpec(grpc=target, grpc_use_tls=True, tls_server_name="check.example")
        assert (await check_grpc(named, trusting_kit, 5)).status == "passing"


async def test_ping(kit: CheckKit) -> None:
    async with grpc_server() as target:
        outcome = await check_h2ping(CheckSpec(h2ping=target, h2ping_use_tls=False), kit, 5)
        assert outcome == Outcome("passing", "HTTP2 ping was successful")
    async with grpc_server(tls=True) as target:
        outcome = await check_h2ping(CheckSpec(h2ping=target, tls_skip_verify=True), kit, 5)
        assert outcome == Outcome("passing", "HTTP2 ping was successful")
        distrusted = await check_h2ping(CheckSpec(h2ping=target), kit, 5)
        assert distrusted.output.startswith(f"Failed to dial to {target}: tls: failed to verify certificate: ")


async def test_nobody_there(kit: CheckKit) -> None:
    async with grpc_server() as target:
        pass
    refused = f"dial tcp {target}: connect: connection refused"
    assert await check_h2ping(CheckSpec(h2ping=target, h2ping_use_tls=False), kit, 5) == Outcome(
        "critical", f"Failed to dial to {target}: {refused}"
    )
    assert await check_grpc(CheckSpec(grpc=target), kit, 5) == Outcome(
        "critical",
        f'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing {refused}"',
    )


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "unexpected EOF"),
        (b"\0\0\0\4\0\0\0\0\1", "http2: "),
        (b"\0\0\0\4\0\0\0\0\0" + b"\0\0\x08\7\0\0\0\0\0" + b"\0" * 8, "http2: the server sent GOAWAY"),
    ],
)
async def test_servers_of_another_kind(kit: CheckKit, answer: bytes, text: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(answer)
        writer.write_eof()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        target = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ping = await check_h2ping(CheckSpec(h2ping=target, h2ping_use_tls=False), kit, 5)
        call = await check_grpc(CheckSpec(grpc=target), kit, 5)
    assert ping.status == call.status == "critical"
    assert ping.output.startswith(f"HTTP2 ping failed: {text}")
    assert call.output.startswith(f"rpc error: code = Unavailable desc = {text}")


async def test_silence(kit: CheckKit) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        target = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ping = await check_h2ping(CheckSpec(h2ping=target, h2ping_use_tls=False), kit, 0.2)
        tls = await check_h2ping(CheckSpec(h2ping=target), kit, 0.2)
        call = await check_grpc(CheckSpec(grpc=target), kit, 0.2)
    assert ping == Outcome("critical", "HTTP2 ping failed: context deadline exceeded")
    assert tls == Outcome("critical", f"Failed to dial to {target}: dial tcp {target}: i/o timeout")
    assert call == Outcome("critical", "rpc error: code = DeadlineExceeded desc = context deadline exceeded")


def test_a_context_is_made_once() -> None:
    kit = CheckKit()
    assert kit.ssl_context(True, ("h2",)) is kit.ssl_context(True, ("h2",))
    assert kit.ssl_context(True).verify_mode is ssl.CERT_NONE
