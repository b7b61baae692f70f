"""/v1/operator: the servers themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from lictor.client.group import Group, M, Scope, call, doing, fetching, flags, given, writing
from lictor.client.request import Request, Response, value_of


def _done(response: Response) -> bool:
    return value_of(response) is True


class Operator(Group[M]):
    """What an operator sees and changes of the servers."""

    @call
    def raft_configuration(self, *, stale: bool = False, **options: Unpack[Scope]) -> Request[dict[str, Any]]:
        """The servers that take part in consensus."""
        return fetching("/v1/operator/raft/configuration", options, *flags(stale=stale))

    @call
    def raft_remove_peer(self, *, address: str = "", id: str = "", **options: Unpack[Scope]) -> Request[None]:
        """Takes a server out, by address or id."""
        return doing("DELETE", "/v1/operator/raft/peer", options, *given(address=address, id=id))

    @call
    def autopilot_configuration(self, *, stale: bool = False, **options: Unpack[Scope]) -> Request[dict[str, Any]]:
        """The rules by which servers are looked after."""
        return fetching("/v1/operator/autopilot/configuration", options, *flags(stale=stale))

    @call
    def set_autopilot_configuration(
        self, configuration: Mapping[str, Any], *, cas: int | None = None, **options: Unpack[Scope]
    ) -> Request[bool]:
        """Writes those rules; with `cas` only while they still have that ModifyIndex, False when they have not."""
        params = given(cas=None if cas is None else str(cas))
        body = dict(configuration)
        return writing("PUT", "/v1/operator/autopilot/configuration", body, options, *params, parse=_done)

    @call
    def autopilot_health(self, **options: Unpack[Scope]) -> Request[dict[str, Any]]:
        """How the servers are. An unhealthy cluster is an answer, not an error."""
        return fetching("/v1/operator/autopilot/health", options)._replace(absent=(429,))

    @call
    def autopilot_state(self, **options: Unpack[Scope]) -> Request[dict[str, Any]]:
        """What autopilot knows of every server."""
        return fetching("/v1/operator/autopilot/state", options)

    @call
    def keyring(
        self, *, relay_factor: int = 0, local_only: bool = False, **options: Unpack[Scope]
    ) -> Request[list[dict[str, Any]]]:
        """The gossip encryption keys, by datacenter and pool."""
        params = (*given(relay_factor=relay_factor or None), *((("local-only", "true"),) if local_only else ()))
        return fetching("/v1/operator/keyring", options, *params)

    @call
    def change_keyring(
        self, method: str, key: str, *, relay_factor: int = 0, **options: Unpack[Scope]
    ) -> Request[None]:
        """Installs a key (POST), makes it the one to encrypt with (PUT) or removes it (DELETE)."""
        params = given(relay_factor=relay_factor or None)
        return doing(method, "/v1/operator/keyring", options, *params, body={"Key": key})
