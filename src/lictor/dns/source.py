"""What DNS asks of the catalog. Reads are synchronous and answer with the cells they touched; nothing here does them.

Every method gives None where the datacenter is not known (an empty one is the agent's own); a LictorError says that the
question cannot be answered now.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from lictor.errors import LictorError
from lictor.state.answer import Answer
from lictor.state.views import HealthEntry
from lictor.types.catalog import Node


class Pending(LictorError):
    """The answer is not there yet; `wait` returns when it is worth asking again, or raises a LictorError."""

    def __init__(self, wait: Callable[[], Awaitable[None]]) -> None:
        super().__init__("the answer is not there yet")
        self.wait = wait


class QueryResult(msgspec.Struct, frozen=True, kw_only=True):
    """A prepared query's outcome: its instances in the order it wants, already without those it leaves out."""

    service: str
    datacenter: str
    nodes: list[HealthEntry]
    ttl: str = ""
    """The query's own TTL as it was written ("10s"); empty for the service's."""
    in_order: bool = False
    """The order means something (nearest first) and is kept."""
    for_client: str = ""
    """The client that it holds for alone; empty where it holds for all."""


class Source(Protocol):
    """The catalog as DNS sees it. Names are matched whatever their case."""

    def node(self, name: str, datacenter: str) -> Answer[Node | None] | None:
        """A node by its name."""
        ...

    def service(self, name: str, datacenter: str, reach: str) -> Answer[list[HealthEntry]] | None:
        """Every instance of a service whatever its health; those that reach it through the mesh (`reach` "connect"), or
        those of the gateways that let it in ("ingress")."""
        ...

    def query(self, name: str, datacenter: str, client: str) -> Answer[QueryResult | None] | None:
        """A prepared query by name or id, executed for a client's address; the value is None where there is none."""
        ...

    def node_at(self, packed: bytes) -> Answer[str | None]:
        """The name of a node with that address (4 or 16 bytes)."""
        ...

    def service_at(self, packed: bytes) -> Answer[str | None]:
        """The name of a service with an instance of that address of its own."""
        ...
