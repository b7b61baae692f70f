"""/v1/snapshot: the servers' whole state as one archive."""

from __future__ import annotations

from typing import Unpack

from lictor.client.group import Group, M, Read, Scope, call, reading
from lictor.client.options import scope_params
from lictor.client.request import Answer, Request, Response, nothing


def _archive(response: Response) -> bytes:
    return response.body


class Snapshots(Group[M]):
    """Saving and restoring everything."""

    @call
    def save(self, **options: Unpack[Read]) -> Request[Answer[bytes]]:
        """The archive, with the index that it was made at. A big one is better read with a client's `stream`."""
        return reading("/v1/snapshot", _archive, options, blocks=False)

    @call
    def restore(self, archive: bytes, **options: Unpack[Scope]) -> Request[None]:
        """Replaces everything by what the archive holds."""
        params = scope_params(options)
        return Request("PUT", "/v1/snapshot", nothing, params, archive, token=options.get("token"))
