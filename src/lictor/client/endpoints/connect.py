"""/v1/agent/connect: what a mesh proxy asks its agent for."""

from __future__ import annotations

from typing import Any, Unpack

from lictor.client.group import Group, M, Read, call, reading
from lictor.client.request import Answer, Request, part, value_of


class Connect(Group[M]):
    """Certificates of the mesh."""

    @call
    def ca_roots(self, **options: Unpack[Read]) -> Request[Answer[dict[str, Any]]]:
        """The authorities to trust."""
        return reading("/v1/agent/connect/ca/roots", value_of, options)

    @call
    def ca_leaf(self, service: str, **options: Unpack[Read]) -> Request[Answer[dict[str, Any]]]:
        """A service's certificate with its private key."""
        return reading(f"/v1/agent/connect/ca/leaf/{part(service)}", value_of, options)
