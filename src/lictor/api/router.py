"""Routes: which handler has a path and a method.

A route's path is whole ("/v1/catalog/nodes") or a prefix that ends in "/" and takes the rest ("/v1/kv/"). Handlers are
of two kinds: a *read* is a pure function of state and request whose answer can be kept ready and waited for; an
*action* is a coroutine that does something once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from lictor.api.http import Request, Response, StreamResponse
from lictor.state.cells import Cell

if TYPE_CHECKING:
    from lictor.api.context import Context


class Reply(msgspec.Struct):
    """What a read found: a value to encode (or `raw` bytes, or nothing), and the cells it stands on.

    `meta` False leaves out the index headers, for the few reads of the reference that have none. `once` says that the
    answer is for this request alone: it is not kept, and nobody waits for another. `index` is given by the few answers
    that have one of their own, which does not only grow: any other is news to who waits.
    """

    value: Any
    cells: tuple[Cell, ...]
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    raw: bool = False
    empty: bool = False
    meta: bool = True
    once: bool = False
    index: int | None = None


Read = Callable[["Context", Request], Reply]
Action = Callable[["Context", Request], Awaitable[Response | StreamResponse]]


class Route(msgspec.Struct):
    """One path with its handlers by method. `meta` reads show the index headers even on errors (the catalog's do)."""

    path: str
    reads: dict[str, Read] = msgspec.field(default_factory=dict)
    actions: dict[str, Action] = msgspec.field(default_factory=dict)
    cacheable: bool = False
    error_meta: bool = False
    local: bool = False

    @property
    def allowed(self) -> tuple[str, ...]:
        """The methods that the path has, in the reference's order."""
        return tuple(m for m in ("GET", "PUT", "POST", "DELETE") if m in self.reads or m in self.actions)


class Router:
    """All routes of an agent. What a `local` router registers, every agent answers itself, server or not."""

    def __init__(self, *, local: bool = False) -> None:
        self._local = local
        self._whole: dict[str, Route] = {}
        self._prefixes: dict[str, Route] = {}
        self._longest = 0

    def read(self, path: str, *, cacheable: bool = False, error_meta: bool = False) -> Callable[[Read], Read]:
        """Registers a GET read. `cacheable` reads answer ?cached with X-Cache."""

        def register(handler: Read) -> Read:
            route = self._route(path)
            route.reads["GET"] = handler
            route.cacheable, route.error_meta = cacheable, error_meta
            return handler

        return register

    def action(self, method: str, path: str) -> Callable[[Action], Action]:
        """Registers a coroutine for a method."""

        def register(handler: Action) -> Action:
            self._route(path).actions[method] = handler
            return handler

        return register

    def match(self, path: str) -> tuple[Route, str] | None:
        """The route of a path and what follows its prefix."""
        route = self._whole.get(path)
        if route is not None:
            return route, ""
        cut = min(len(path), self._longest)  # a path may be long and all slashes
        while (cut := path.rfind("/", 0, cut)) > 0:
            route = self._prefixes.get(path[: cut + 1])
            if route is not None:
                return route, path[cut + 1 :]
        return None

    def routes(self) -> list[Route]:
        """Every route."""
        return [*self._whole.values(), *self._prefixes.values()]

    def merge(self, other: Router) -> None:
        """Takes over another router's routes."""
        for route in other.routes():
            mine = self._route(route.path)
            mine.reads.update(route.reads)
            mine.actions.update(route.actions)
            mine.cacheable |= route.cacheable
            mine.local |= route.local
            mine.error_meta |= route.error_meta

    def _route(self, path: str) -> Route:
        table = self._prefixes if path.endswith("/") else self._whole
        self._longest = max(self._longest, len(path))
        return table.setdefault(path, Route(path, local=self._local))
