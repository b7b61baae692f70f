"""The authorizer's face: one question a permission, by resource, name and access."""

from __future__ import annotations

from typing import Literal, Protocol

from lictor.errors import PermissionDenied

Resource = Literal[
    "acl", "agent", "event", "key", "key_list", "keyring", "node", "operator", "query", "service", "session"
]
Access = Literal["read", "write", "list"]


class Authorizer(Protocol):
    """What a token may do. `key` tells authorizers with equal answers apart from others (for ready answers)."""

    key: str

    def may(self, resource: Resource, name: str, access: Access) -> bool:
        """True when the access is allowed."""


class _AllowAll:
    key = ""

    def may(self, resource: Resource, name: str, access: Access) -> bool:
        return True


ALLOW_ALL: Authorizer = _AllowAll()


def require(authorizer: Authorizer, resource: Resource, name: str, access: Access) -> None:
    """Raises PermissionDenied, naming what was missing, unless the access is allowed."""
    if not authorizer.may(resource, name, access):
        raise PermissionDenied(f'Permission denied: {resource}:{access} on "{name}" is missing')
