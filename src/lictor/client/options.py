"""What every read and every write may say besides its own arguments, and how that goes into query parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from lictor.client.request import Params, duration


class Scope(TypedDict, total=False):
    """Where a call goes and with whose rights. `token` "" sends none, whatever the client's default is."""

    datacenter: str
    namespace: str
    token: str


class Read(Scope, total=False):
    """A read's options. Times are in seconds.

    stale, consistent  any server may answer; the answer must be linearizable
    cached, max_age    the agent's cache may answer, with what is at most this old
    index, wait        block until something is newer than `index`, at most for `wait`
    hash               the same for the endpoints that go by a content hash
    near, node_meta, filter    order by distance, keep nodes with these metadata, keep what the expression matches
    """

    stale: bool
    consistent: bool
    cached: bool
    max_age: float
    index: int
    wait: float
    hash: str
    near: str
    node_meta: Mapping[str, str]
    filter: str


def scope_params(options: Scope) -> Params:
    """The query parameters of a write's options. The token is not one: it goes into a header."""
    made: list[tuple[str, str]] = []
    if options.get("datacenter"):
        made.append(("dc", options["datacenter"]))
    if options.get("namespace"):
        made.append(("ns", options["namespace"]))
    return tuple(made)


def read_params(options: Read) -> Params:
    """The query parameters of a read's options."""
    made = list(scope_params(options))
    for flag in ("stale", "consistent", "cached"):
        if options.get(flag):
            made.append((flag, ""))
    for name in ("hash", "near", "filter"):
        if value := options.get(name):
            made.append((name, str(value)))
    if options.get("index"):
        made.append(("index", str(options["index"])))
    if options.get("wait"):
        made.append(("wait", duration(options["wait"])))
    made += [("node-meta", f"{key}:{value}") for key, value in options.get("node_meta", {}).items()]
    return tuple(made)


def read_headers(options: Read) -> Params:
    """The header fields of a read's options: how old an answer from the agent's cache may be."""
    if options.get("cached") and "max_age" in options:
        return (("Cache-Control", f"max-age={options['max_age']:g}"),)
    return ()
