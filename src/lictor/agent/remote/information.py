"""What every agent tells a newcomer: where the servers are, and of which datacenter; and, while a cluster of servers
forms, which servers it has heard of."""

from __future__ import annotations

from lictor.types.gojson import Wire, always


class Candidate(Wire, frozen=True, kw_only=True):
    """A server that runs a member of the store's cluster: its node's name and where its member is reached."""

    name: str = always("")
    peer_url: str = always("")
    client_url: str = always("")


class JoinInformation(Wire, frozen=True, kw_only=True):
    """What every agent tells a newcomer.

    `servers` are those that serve now ("host:port"). A server with a member of its own also tells the members that it
    knows of (`candidates`), how many it waits for (`expect`), and whether the cluster has been formed.
    """

    datacenter: str = always("")
    node: str = always("")
    servers: list[str] | None = always(None)
    candidates: list[Candidate] | None = None
    expect: int = 0
    formed: bool = False
