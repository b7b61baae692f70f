"""Members: the agents of a cluster, as the servers know them."""

from __future__ import annotations

from lictor.types.catalog import Record
from lictor.types.gojson import Wire, always

ALIVE, LEFT, FAILED = 1, 3, 4
"""The reference's member statuses."""
STATUS_NAMES = {ALIVE: "alive", LEFT: "left", FAILED: "failed"}


class Member(Record, frozen=True, kw_only=True):
    """An agent that has joined. `left` says that it went of its own accord; `since` is when its status last changed
    (seconds since 1970)."""

    id: str = always("")
    name: str = always("")
    address: str = always("")
    port: int = always(0)
    wan_port: int = 0
    server_port: int = 0
    server: bool = False
    datacenter: str = ""
    version: str = ""
    meta: dict[str, str] | None = None
    tagged_addresses: dict[str, str] | None = None
    left: bool = False
    since: float = 0.0

    @property
    def reached_at(self) -> str:
        """Where other agents reach this server: "host:port"."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.server_port}"


class MemberAlive(Record, frozen=True, kw_only=True):
    """A member's sign of life, kept under its lease: it vanishes with it."""

    name: str = ""
    id: str = ""
    lease: int = 0


class Attached(Wire, frozen=True, kw_only=True):
    """What a server answers an agent that attached: the lease to keep, its span in seconds, the servers there are."""

    lease: int = always(0)
    ttl: float = always(0.0)
    servers: list[str] | None = always(None)
