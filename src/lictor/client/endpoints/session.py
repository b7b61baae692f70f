"""/v1/session: leases that locks are held with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from lictor.client.group import Group, M, Read, Scope, call, fetching, reading, writing
from lictor.client.request import Answer, Request, Response, part, value_of

if TYPE_CHECKING:
    from lictor.client.shapes import Session


def _id(response: Response) -> str:
    return str(value_of(response)["ID"])


def _first(response: Response) -> Session | None:
    found = value_of(response)
    return found[0] if found else None


def _renewed(response: Response) -> Session | None:
    return None if response.status == 404 else _first(response)


class Sessions(Group[M]):
    """Sessions."""

    @call
    def create(self, session: Mapping[str, Any] | None = None, **options: Unpack[Scope]) -> Request[str]:
        """Creates a session (`Name`, `TTL`, `Behavior`, `LockDelay`, `Node`, `NodeChecks`, ...) and gives its id."""
        return writing("PUT", "/v1/session/create", dict(session or {}), options, parse=_id)

    @call
    def destroy(self, id: str, **options: Unpack[Scope]) -> Request[bool]:
        """Ends a session; what it held is released or deleted. Ending one that is gone is no error."""
        return fetching(f"/v1/session/destroy/{part(id)}", options, method="PUT")

    @call
    def renew(self, id: str, **options: Unpack[Scope]) -> Request[Session | None]:
        """Starts its TTL again; None when it has ended."""
        request = fetching(f"/v1/session/renew/{part(id)}", options, method="PUT")
        return request._replace(parse=_renewed, absent=(404,))

    @call
    def info(self, id: str, **options: Unpack[Read]) -> Request[Answer[Session | None]]:
        """One session, or None where there is none."""
        return reading(f"/v1/session/info/{part(id)}", _first, options)

    @call
    def node(self, node: str, **options: Unpack[Read]) -> Request[Answer[list[Session]]]:
        """The sessions of a node."""
        return reading(f"/v1/session/node/{part(node)}", value_of, options)

    @call
    def list(self, **options: Unpack[Read]) -> Request[Answer[list[Session]]]:
        """Every session."""
        return reading("/v1/session/list", value_of, options)
