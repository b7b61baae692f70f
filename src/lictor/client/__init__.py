"""The client: an agent's HTTP API from Python, async (`Client`) and sync (`SyncClient`), with watches and locks.

    from lictor.client import Client, plan

    async with Client() as client:
        await client.kv.put("app/name", "demo")
        async for answer in client.watch(plan.health.service("web", passing=True)):
            print(answer.index, [entry["Service"]["Address"] for entry in answer.value])

It works against any agent that speaks Consul's API. It talks to agents only over HTTP and knows nothing of servers or
state. Requests are plain values (`plan` makes them) that either client sends; nothing is imported before it is used, so
that the command line starts fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lictor.client.client import Client
    from lictor.client.config import Address, Config, Tls
    from lictor.client.holding import Terms
    from lictor.client.locks import Lock
    from lictor.client.request import Answer, Request
    from lictor.client.resources import plan
    from lictor.client.semaphores import Semaphore
    from lictor.client.shapes import Pair
    from lictor.client.sync import SyncClient

__all__ = [
    "Address",
    "Answer",
    "Client",
    "Config",
    "Lock",
    "Pair",
    "Request",
    "Semaphore",
    "SyncClient",
    "Terms",
    "Tls",
    "plan",
]

_HOMES = {
    "Address": "config",
    "Answer": "request",
    "Client": "client",
    "Config": "config",
    "Lock": "locks",
    "Pair": "shapes",
    "Request": "request",
    "Semaphore": "semaphores",
    "SyncClient": "sync",
    "Terms": "holding",
    "Tls": "config",
    "plan": "resources",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
