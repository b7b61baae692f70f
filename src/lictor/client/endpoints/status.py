"""/v1/status: who leads."""

from __future__ import annotations

from typing import Unpack

from lictor.client.group import Group, M, Scope, call, fetching
from lictor.client.request import Request


class Status(Group[M]):
    """Who leads."""

    @call
    def leader(self, **options: Unpack[Scope]) -> Request[str]:
        """The leader's address, "" while there is none."""
        return fetching("/v1/status/leader", options)

    @call
    def peers(self, **options: Unpack[Scope]) -> Request[list[str]]:
        """The servers' addresses."""
        return fetching("/v1/status/peers", options)
