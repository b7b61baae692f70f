"""/v1/kv: keys and values, check-and-set, and the flags that locks are made of."""

from __future__ import annotations

from base64 import b64decode
from typing import Any, Unpack

from lictor.client.group import Group, M, Read, Scope, call, flags, given, reading
from lictor.client.options import scope_params
from lictor.client.request import Answer, Request, Response, part, value_of
from lictor.client.shapes import Pair


def pair_of(entry: dict[str, Any]) -> Pair:
    """One pair as the API writes it."""
    return Pair(
        entry["Key"],
        b64decode(entry.get("Value") or "", validate=True),
        entry.get("Flags", 0),
        entry.get("Session", ""),
        entry.get("LockIndex", 0),
        entry.get("CreateIndex", 0),
        entry.get("ModifyIndex", 0),
    )


def _pairs(response: Response) -> list[Pair]:
    return [] if response.status == 404 else [pair_of(entry) for entry in value_of(response) or ()]


def _pair(response: Response) -> Pair | None:
    found = _pairs(response)
    return found[0] if found else None


def _keys(response: Response) -> list[str]:
    return [] if response.status == 404 else list(value_of(response) or ())


class KV(Group[M]):
    """Keys and values. Writes give True when they were done, False when their condition did not hold."""

    @call
    def get(self, key: str, **options: Unpack[Read]) -> Request[Answer[Pair | None]]:
        """One key, or None where there is none."""
        return reading(f"/v1/kv/{part(key)}", _pair, options, absent=(404,))

    @call
    def keys(self, prefix: str = "", *, separator: str = "", **options: Unpack[Read]) -> Request[Answer[list[str]]]:
        """The keys that begin with `prefix`; with a separator, none goes further than the next one after the prefix."""
        params = (("keys", ""), *given(separator=separator))
        return reading(f"/v1/kv/{part(prefix)}", _keys, options, *params, absent=(404,))

    @call
    def put(
        self,
        key: str,
        value: bytes | str = b"",
        *,
        flags: int = 0,
        cas: int | None = None,
        acquire: str = "",
        release: str = "",
        **options: Unpack[Scope],
    ) -> Request[bool]:
        """Sets a key. `cas` is the ModifyIndex that it must still have, 0 that it must not exist; `acquire` and
        `release` name the session that takes or leaves the key's lock."""
        body = value.encode() if isinstance(value, str) else value
        params = given(flags=flags or None, cas=None if cas is None else str(cas), acquire=acquire, release=release)
        return Request(
            "PUT",
            f"/v1/kv/{part(key)}",
            value_of,
            params + scope_params(options),
            body,
            token=options.get("token"),
        )

    @call
    def delete(
        self, key: str, *, recurse: bool = False, cas: int | None = None, **options: Unpack[Scope]
    ) -> Request[bool]:
        """Removes a key, or all that begin with it. Removing what is not there is True as well."""
        params = flags(recurse=recurse) + given(cas=None if cas is None else str(cas))
        return Request(
            "DELETE", f"/v1/kv/{part(key)}", value_of, params + scope_params(options), token=options.get("token")
        )

    @call
    def list(self, prefix: str = "", **options: Unpack[Read]) -> Request[Answer[list[Pair]]]:
        """Every pair whose key begins with `prefix`, in the order of the keys."""
        return reading(f"/v1/kv/{part(prefix)}", _pairs, options, ("recurse", ""), absent=(404,))
