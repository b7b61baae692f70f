"""/v1/query: prepared queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from lictor.client.group import Group, M, Read, Scope, call, doing, given, reading, writing
from lictor.client.request import Answer, Request, Response, part, value_of


def _id(response: Response) -> str:
    return str(value_of(response)["ID"])


class Queries(Group[M]):
    """Prepared queries, by id or name where they are executed."""

    @call
    def get(self, id: str, **options: Unpack[Read]) -> Request[Answer[list[dict[str, Any]]]]:
        """One query, in a list."""
        return reading(f"/v1/query/{part(id)}", value_of, options)

    @call
    def create(self, definition: Mapping[str, Any], **options: Unpack[Scope]) -> Request[str]:
        """Creates a query and gives its id."""
        return writing("POST", "/v1/query", dict(definition), options, parse=_id)

    @call
    def update(self, id: str, definition: Mapping[str, Any], **options: Unpack[Scope]) -> Request[None]:
        """Writes over a query."""
        return doing("PUT", f"/v1/query/{part(id)}", options, body=dict(definition))

    @call
    def delete(self, id: str, **options: Unpack[Scope]) -> Request[None]:
        """Removes a query."""
        return doing("DELETE", f"/v1/query/{part(id)}", options)

    @call
    def execute(self, query: str, *, limit: int = 0, **options: Unpack[Read]) -> Request[Answer[dict[str, Any]]]:
        """Runs a query, by id or name."""
        path = f"/v1/query/{part(query)}/execute"
        return reading(path, value_of, options, *given(limit=limit or None), blocks=False)

    @call
    def explain(self, query: str, **options: Unpack[Read]) -> Request[Answer[dict[str, Any]]]:
        """What a query becomes once its template is filled in."""
        return reading(f"/v1/query/{part(query)}/explain", value_of, options, blocks=False)

    @call
    def list(self, **options: Unpack[Read]) -> Request[Answer[list[dict[str, Any]]]]:
        """Every query that the token may see."""
        return reading("/v1/query", value_of, options)
