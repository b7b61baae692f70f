"""The catalog as a client agent's DNS sees it: feeds of the servers' answers. A first question waits for its feed."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from lictor import limits
from lictor.agent.remote.feeds import Feed, Feeds
from lictor.agent.remote.servers import Servers
from lictor.dns.names import CONNECT, INGRESS, parse_ip
from lictor.dns.source import Pending, QueryResult
from lictor.runtime.clock import Clock
from lictor.state.answer import Answer
from lictor.state.views import HealthEntry
from lictor.types.catalog import Node
from lictor.types.gojson import Wire, always, decode_hook
from lictor.types.query import QueryDNS

T = TypeVar("T")
FIRST_SECONDS = 3.0
"""How long a first answer may take before the question fails."""
QUERY_SECONDS = 1.0
"""How long a prepared query's outcome is good for."""
_REACH = {CONNECT: "connect", INGRESS: "ingress"}


class _NodeRow(Wire, frozen=True, kw_only=True):
    node: Node


class _Executed(Wire, frozen=True, kw_only=True):
    service: str = ""
    datacenter: str = ""
    nodes: list[HealthEntry] | None = None
    dns: QueryDNS = always(QueryDNS())


class RemoteSource:
    """A `Source` over feeds. `datacenter` is the only one it knows."""

    def __init__(self, servers: Servers, feeds: Feeds, datacenter: str, clock: Clock) -> None:
        self._servers, self._feeds, self._clock = servers, feeds, clock
        self._outcomes: dict[str, tuple[float, QueryResult | None]] = {}
        self._datacenters = ("", datacenter.lower())
        self._decoded: dict[str, tuple[int, Any]] = {}

    def node(self, name: str, datacenter: str) -> Answer[Node | None] | None:
        """A node by its name."""
        if datacenter not in self._datacenters:
            return None
        found = self._ask(f"/v1/catalog/node/{quote(name, safe='')}", _NodeRow | None)
        return Answer(found.value.node if found.value is not None else None, found.cells)

    def service(self, name: str, datacenter: str, reach: str) -> Answer[list[HealthEntry]] | None:
        """A service's instances, those that reach it through the mesh, or its gateways'."""
        if datacenter not in self._datacenters:
            return None
        family = _REACH.get(reach, "service")
        found: Answer[list[HealthEntry] | None] = self._ask(
            f"/v1/health/{family}/{quote(name, safe='')}", list[HealthEntry] | None
        )
        return Answer(found.value or [], found.cells)

    def query(self, name: str, datacenter: str, client: str) -> Answer[QueryResult | None] | None:
        """A prepared query's outcome, asked anew after a moment, since no server holds this question."""
        if datacenter not in self._datacenters:
            return None
        known = self._outcomes.get(name)
        if known is None or known[0] < self._clock.monotonic() - QUERY_SECONDS:
            raise Pending(partial(self._run, name))
        result = known[1]
        return Answer(msgspec.structs.replace(result, for_client=client) if result is not None else None, ())

    def node_at(self, packed: bytes) -> Answer[str | None]:
        """The name of the first node with that address."""
        found: Answer[list[Node] | None] = self._ask("/v1/catalog/nodes", list[Node] | None)
        return Answer(next((n.node for n in found.value or () if parse_ip(n.address) == packed), None), found.cells)

    def service_at(self, packed: bytes) -> Answer[str | None]:
        """Not known here: a client agent does not hold every service's addresses."""
        return Answer(None, ())

    def _ask(self, path: str, kind: Any) -> Answer[Any]:
        feed = self._feeds.get(path)
        if feed.response is None:
            raise Pending(partial(self._wait, feed))
        if feed.response.status != 200:
            return Answer(None, (feed.cell,))
        known = self._decoded.get(path)
        if known is None or known[0] != feed.cell.index:
            known = feed.cell.index, msgspec.json.decode(feed.response.body, type=kind, dec_hook=decode_hook)
            self._decoded[path] = known
        return Answer(known[1], (feed.cell,))

    async def _run(self, name: str) -> None:
        response = await self._servers.send("GET", f"/v1/query/{quote(name, safe='')}/execute", seconds=FIRST_SECONDS)
        result = None
        if response.status == 200:
            found = msgspec.json.decode(response.body, type=_Executed, dec_hook=decode_hook)
            result = QueryResult(
                service=found.service,
                datacenter=found.datacenter,
                nodes=found.nodes or [],
                ttl=found.dns.ttl,
                in_order=True,
            )
        if len(self._outcomes) >= limits.READY_ANSWERS:
            self._outcomes.clear()
        self._outcomes[name] = self._clock.monotonic(), result

    async def _wait(self, feed: Feed) -> None:
        await self._feeds.first(feed, FIRST_SECONDS)
