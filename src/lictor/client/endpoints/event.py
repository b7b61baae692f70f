"""/v1/event: user events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from lictor.client.group import Group, M, Read, Scope, call, given, reading
from lictor.client.options import scope_params
from lictor.client.request import Answer, Request, part, value_of

if TYPE_CHECKING:
    from lictor.client.shapes import UserEvent


class Events(Group[M]):
    """User events."""

    @call
    def fire(
        self,
        name: str,
        payload: bytes | str = b"",
        *,
        node: str = "",
        service: str = "",
        tag: str = "",
        **options: Unpack[Scope],
    ) -> Request[UserEvent]:
        """Fires an event, for the nodes, services and tags that the regular expressions match."""
        body = payload.encode() if isinstance(payload, str) else payload
        params = given(node=node, service=service, tag=tag) + scope_params(options)
        return Request(
            "PUT", f"/v1/event/fire/{part(name)}", value_of, params, body or None, token=options.get("token")
        )

    @call
    def list(self, name: str = "", **options: Unpack[Read]) -> Request[Answer[list[UserEvent]]]:
        """The events that the agent remembers, oldest first."""
        return reading("/v1/event/list", value_of, options, *given(name=name))


def event_index(id: str) -> int:
    """The number that stands for an event's id as an index: its halves, each 64 bits, combined by exclusive or."""
    digits = id.replace("-", "")
    return int(digits[:16], 16) ^ int(digits[16:], 16)
