"""/v1/acl: tokens from an auth method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from lictor.client.group import Group, M, Scope, call, doing, writing
from lictor.client.request import Request, value_of


class Acl(Group[M]):
    """Access control."""

    @call
    def login(
        self, auth_method: str, bearer_token: str, meta: Mapping[str, str] | None = None, **options: Unpack[Scope]
    ) -> Request[dict[str, Any]]:
        """Exchanges a credential for a token."""
        body = {"AuthMethod": auth_method, "BearerToken": bearer_token, "Meta": dict(meta or {})}
        return writing("POST", "/v1/acl/login", body, options, parse=value_of)

    @call
    def logout(self, **options: Unpack[Scope]) -> Request[None]:
        """Destroys the token that the call is made with, which must come from `login`."""
        return doing("POST", "/v1/acl/logout", options)
