"""TCP checks (a connection, through TLS if asked for) and UDP checks (nobody refuses a datagram)."""

from __future__ import annotations

import asyncio
import socket

from lictor.agent.checks.dial import DialError, dial, hang_up, join_target, reason, resolve, split_target
from lictor.agent.checks.kit import CheckKit
from lictor.agent.checks.outcome import Outcome
from lictor.types.catalog import CRITICAL, PASSING
from lictor.types.definitions import CheckSpec

UDP_ANSWER_SECONDS = 1.0
"""How long a UDP check waits for an answer or a refusal; silence is no failure, so it need not wait longer."""


async def check_tcp(spec: CheckSpec, kit: CheckKit, timeout: float) -> Outcome:
    """Connects within `timeout` seconds."""
    tls = kit.ssl_context(spec.tls_skip_verify) if spec.tcp_use_tls else None
    try:
        async with asyncio.timeout(timeout):
            _, writer = await dial(spec.tcp, tls, kit.server_name(spec.tls_server_name))
    except TimeoutError:
        return Outcome(CRITICAL, f"dial tcp {spec.tcp}: i/o timeout")
    except DialError as error:
        return Outcome(CRITICAL, str(error))
    hang_up(writer)
    return Outcome(PASSING, f"TCP connect {spec.tcp}: Success")


async def check_udp(spec: CheckSpec, kit: CheckKit, timeout: float) -> Outcome:
    """Sends an empty datagram; only a refusal (ICMP) or a failing system is critical."""
    passing = Outcome(PASSING, f"UDP connect {spec.udp}: Success")
    place = spec.udp
    try:
        async with asyncio.timeout(timeout):
            family, address = (await resolve(*split_target(spec.udp, "udp"), "udp"))[0]
            place = join_target(address[0], address[1])
            await _ask(family, address)
    except TimeoutError:
        return passing
    except DialError as error:
        return Outcome(CRITICAL, str(error))
    except OSError as error:
        return Outcome(CRITICAL, f"dial udp {place}: {reason(error)}")
    return passing


async def _ask(family: int, address: tuple[str, int]) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(address)
        sock.send(b"")
        try:
            async with asyncio.timeout(UDP_ANSWER_SECONDS):
                await asyncio.get_running_loop().sock_recv(sock, 1)
        except TimeoutError:
            return
