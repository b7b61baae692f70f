"""/v1/txn: several operations that happen together or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Unpack

from lictor.client.group import Group, M, Scope, call, writing
from lictor.client.request import Request, Response, value_of


class Outcome(NamedTuple):
    """What became of a transaction: `results` when it was committed, `errors` (OpIndex, What) when not."""

    committed: bool
    results: list[dict[str, Any]]
    errors: list[dict[str, Any]]


def _outcome(response: Response) -> Outcome:
    body = value_of(response)
    return Outcome(response.status == 200, body.get("Results") or [], body.get("Errors") or [])


class Txn(Group[M]):
    """Transactions."""

    @call
    def apply(self, operations: Iterable[Mapping[str, Any]], **options: Unpack[Scope]) -> Request[Outcome]:
        """Runs operations such as {"KV": {"Verb": "set", "Key": ..., "Value": base64}}."""
        request = writing("PUT", "/v1/txn", list(operations), options, parse=_outcome)
        return request._replace(absent=(409,))
