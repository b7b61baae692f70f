"""Prepared queries for DNS: runs them on a server's own state."""

from __future__ import annotations

from lictor.dns.source import QueryResult
from lictor.errors import NotFound
from lictor.server.query_run import Asker, run
from lictor.state import Answer, State


class DNSQueries:
    """Executes a query by its name or id for a client's address. `node` is this agent's, `datacenter` its own."""

    def __init__(self, state: State, node: str, datacenter: str) -> None:
        self._state, self._node, self._datacenter = state, node, datacenter

    def __call__(self, name: str, client: str) -> Answer[QueryResult | None]:
        """The outcome; None where there is no such query."""
        asker = Asker(node=self._node, datacenter=self._datacenter, address=client)
        try:
            outcome = run(self._state, name, asker)  # in the catalog's order: DNS shuffles by itself
        except NotFound:
            return Answer(None, (self._state.cells.get((self._state.queries.prefix,)),))
        result = QueryResult(
            service=outcome.query.service.service,
            datacenter=self._datacenter,
            nodes=outcome.nodes,
            ttl=outcome.query.dns.ttl,
            in_order=outcome.in_order,
            for_client=outcome.for_client,
        )
        return Answer(result, outcome.cells)
