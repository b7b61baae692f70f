"""Calls written once and used in three ways: planned, awaited, or waited for.

A family of endpoints is a `Group` whose methods, marked with `call`, build a `Request[T]`. What calling one gives
depends on the mode of the group it is called on, and the type checker knows it:

    Group[Plan]     the Request[T] itself, for watches and streams
    Group[Async]    an Awaitable[T]
    Group[Sync]     a T
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, Unpack, overload

from lictor.client.options import Read, Scope, read_headers, read_params, scope_params
from lictor.client.request import Answer, Params, Request, Response, answer, encode, nothing, value_of

P = ParamSpec("P")
T = TypeVar("T")


class Plan:
    """Mode: a call gives its request and sends nothing."""


class Async:
    """Mode: a call gives something to await."""


class Sync:
    """Mode: a call waits for the answer and gives it."""


M = TypeVar("M", Plan, Async, Sync)


class Group(Generic[M]):
    """A family of endpoints. `deliver` takes a request and gives what the mode says."""

    def __init__(self, deliver: Callable[[Request[Any]], Any]) -> None:
        self._deliver = deliver


class call(Generic[P, T]):
    """Marks a method of a Group that builds a request; calling it delivers the request in the group's mode."""

    def __init__(self, build: Callable[Concatenate[Any, P], Request[T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, group: None, owner: type) -> call[P, T]: ...
    @overload
    def __get__(self, group: Group[Plan], owner: type) -> Callable[P, Request[T]]: ...
    @overload
    def __get__(self, group: Group[Async], owner: type) -> Callable[P, Awaitable[T]]: ...
    @overload
    def __get__(self, group: Group[Sync], owner: type) -> Callable[P, T]: ...
    def __get__(self, group: Any, owner: type) -> Any:
        if group is None:
            return self
        build, deliver = self._build, group._deliver

        def bound(*args: P.args, **kwargs: P.kwargs) -> Any:
            return deliver(build(group, *args, **kwargs))

        return update_wrapper(bound, build)


def reading(
    path: str,
    parse: Callable[[Response], T],
    options: Read,
    *params: tuple[str, str],
    absent: tuple[int, ...] = (),
    blocks: bool = True,
) -> Request[Answer[T]]:
    """A GET whose answer comes with an index and can be waited for."""
    return Request(
        "GET",
        path,
        answer(parse),
        params + read_params(options),
        headers=read_headers(options),
        token=options.get("token"),
        absent=absent,
        blocks="index" if blocks else "",
    )


def fetching(path: str, options: Scope, *params: tuple[str, str], method: str = "GET") -> Request[Any]:
    """A call without a body whose answer is plain JSON."""
    return Request(method, path, value_of, params + scope_params(options), token=options.get("token"))


def writing(
    method: str,
    path: str,
    body: Any,
    options: Scope,
    *params: tuple[str, str],
    parse: Callable[[Response], T],
) -> Request[T]:
    """A call that changes something. `body` is JSON, or None for none."""
    encoded = None if body is None else encode(body)
    return Request(method, path, parse, params + scope_params(options), encoded, token=options.get("token"))


def doing(method: str, path: str, options: Scope, *params: tuple[str, str], body: Any = None) -> Request[None]:
    """A call whose answer says nothing."""
    return writing(method, path, body, options, *params, parse=nothing)


def flags(**given: bool) -> Params:
    """Those parameters without a value whose condition holds; underscores become dashes."""
    return tuple((name.replace("_", "-"), "") for name, on in given.items() if on)


def given(**values: str | int | None) -> Params:
    """Those parameters that have a value; underscores become dashes."""
    return tuple((name.replace("_", "-"), str(value)) for name, value in values.items() if value not in (None, ""))


__all__ = [
    "Async",
    "Group",
    "M",
    "Plan",
    "Read",
    "Scope",
    "Sync",
    "Unpack",
    "call",
    "doing",
    "fetching",
    "flags",
    "given",
    "reading",
    "writing",
]
