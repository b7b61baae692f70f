"""What every agent tells a newcomer: where the servers are, and of which datacenter."""

from __future__ import annotations

from lictor.types.gojson import Wire, always


class JoinInformation(Wire, frozen=True, kw_only=True):
    """What every agent tells a newcomer."""

    datacenter: str = always("")
    node: str = always("")
    servers: list[str] | None = always(None)
