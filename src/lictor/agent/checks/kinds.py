"""The kinds of checks that run at intervals: what runs each, for how long at most, and what it costs."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from lictor.agent.checks.commands import check_docker, check_os_service, check_script
from lictor.agent.checks.grpc import check_grpc, check_h2ping
from lictor.agent.checks.http import check_http
from lictor.agent.checks.kit import CheckKit
from lictor.agent.checks.outcome import Outcome
from lictor.agent.checks.sockets import check_tcp, check_udp
from lictor.types.definitions import CheckSpec

NETWORK_SECONDS = 10.0
COMMAND_SECONDS = 30.0


class Cost(enum.Enum):
    """Which limit bounds how many run at once."""

    CONNECTION = "connection"
    PROCESS = "process"


class Kind(NamedTuple):
    """How a kind of check is run: the function, its timeout in seconds where the definition has none, and its cost."""

    run: Callable[[CheckSpec, CheckKit, float], Awaitable[Outcome]]
    seconds: float
    cost: Cost


KINDS: dict[str, Kind] = {
    "http": Kind(check_http, NETWORK_SECONDS, Cost.CONNECTION),
    "tcp": Kind(check_tcp, NETWORK_SECONDS, Cost.CONNECTION),
    "udp": Kind(check_udp, NETWORK_SECONDS, Cost.CONNECTION),
    "grpc": Kind(check_grpc, NETWORK_SECONDS, Cost.CONNECTION),
    "h2ping": Kind(check_h2ping, NETWORK_SECONDS, Cost.CONNECTION),
    "script": Kind(check_script, COMMAND_SECONDS, Cost.PROCESS),
    "docker": Kind(check_docker, COMMAND_SECONDS, Cost.PROCESS),
    "os_service": Kind(check_os_service, COMMAND_SECONDS, Cost.PROCESS),
}


async def run_check(spec: CheckSpec, kit: CheckKit) -> Outcome:
    """One run of a check of one of `KINDS`."""
    kind = KINDS[spec.kind]
    seconds = spec.timeout.seconds if spec.timeout and spec.timeout.ns > 0 else kind.seconds
    return await kind.run(spec, kit, seconds)
