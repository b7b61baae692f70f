"""What handlers work with: this agent's configuration, its server, its local state, time and chance."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from lictor.api.http import Request, Response, StreamResponse
from lictor.errors import Unavailable
from lictor.limits import HEADER_BYTES, Limits
from lictor.runtime.clock import Clock, Entropy
from lictor.server.server import Server
from lictor.state import State

if TYPE_CHECKING:
    from lictor.agent.agent import Agent


class APIConfig:
    """The part of the agent's configuration that the API needs; `reload` replaces the whole.

    `blocked` are path prefixes that are refused, `writers` the networks that may use other methods than GET (all when
    there are none), `response_headers` are added to every answer, `json_tail` ends every JSON body. `header_bytes` is
    what a request's headers may have together, `connections_per_client` how many one address may hold (0: no bound).
    `unprintable` lets paths, and so keys, have characters that cannot be printed.
    """

    def __init__(
        self,
        datacenter: str,
        node_name: str,
        limits: Limits,
        *,
        response_headers: Mapping[str, str] | None = None,
        blocked: Sequence[str] = (),
        writers: Sequence[str] = (),
        json_tail: bytes = b"",
        header_bytes: int = 0,
        connections_per_client: int = 0,
        unprintable: bool = False,
    ) -> None:
        self.datacenter = datacenter
        self.node_name = node_name
        self.limits = limits
        self.common_headers = [("X-Consul-Default-Acl-Policy", "allow"), *(response_headers or {}).items()]
        self.blocked = tuple(blocked)
        self.json_tail = json_tail
        self.header_bytes = header_bytes or HEADER_BYTES
        self.connections_per_client = connections_per_client
        self.unprintable = unprintable
        self._writers = [ipaddress.ip_network(network, strict=False) for network in writers]

    def may_write(self, remote: str) -> bool:
        """True when a client at `remote` ("ip:port") may do more than read. Unix sockets may."""
        if not self._writers:
            return True
        host = remote.rpartition(":")[0].strip("[]")
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return True
        return any(address in network for network in self._writers)


class Forwards(Protocol):
    """Who answers the catalog's part of the API on an agent that is no server."""

    async def handle(self, request: Request, *, read: bool, cacheable: bool) -> Response | StreamResponse:
        """The servers' answer. Raises Unavailable when there is none to be had."""


class Context:
    """Handed to every handler. One per agent."""

    def __init__(
        self,
        agent: Agent,
        server: Server | None,
        config: APIConfig,
        clock: Clock,
        entropy: Entropy,
        *,
        trusted: bool = False,
    ) -> None:
        self.agent = agent
        self._server = server
        self.config = config
        self.clock = clock
        self.entropy = entropy
        self.trusted = trusted
        """Only agents ask here: what they say of themselves is believed."""
        self.forwarder: Forwards | None = None
        """Answers instead of a server where there is none."""

    @property
    def server(self) -> Server:
        """The server. Raises Unavailable on an agent that is none."""
        if self._server is None:
            raise Unavailable("this agent is not a server")
        return self._server

    def node_of(self, request: Request) -> str:
        """The node whose client is asking: this one, or that of the agent which passed the request on."""
        return (request.headers.get("x-lictor-agent") if self.trusted else "") or self.config.node_name

    @property
    def state(self) -> State:
        """The server's state."""
        return self.server.state

    @property
    def common_headers(self) -> list[tuple[str, str]]:
        """The headers that every answer has."""
        return self.config.common_headers

    def meta_headers(self, index: int, *, known: bool = True) -> list[tuple[str, str]]:
        """The headers that tell how old a read's answer is. `known` False: it failed before it knew a leader."""
        return [
            ("X-Consul-Index", str(index)),
            ("X-Consul-Knownleader", "true" if known else "false"),
            ("X-Consul-Lastcontact", "0"),
        ]
