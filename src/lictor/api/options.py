"""The options that reads have in common: blocking, consistency, datacenter, filter and the like, parsed and checked."""

from __future__ import annotations

import re

import msgspec

from lictor.api.http import Request
from lictor.errors import BadRequest, Refused
from lictor.limits import WAIT_DEFAULT_SECONDS, WAIT_MAX_SECONDS
from lictor.types.duration import Duration


class ReadOptions(msgspec.Struct, frozen=True):
    """What a read was asked with. `index` 0 means: do not block. `wait` is in seconds."""

    index: int = 0
    wait: float = WAIT_DEFAULT_SECONDS
    stale: bool = False
    consistent: bool = False
    cached: bool = False
    hash: str = ""

    @property
    def consistency(self) -> str:
        """The mode's name for X-Consul-Effective-Consistency; empty for the default mode."""
        return "stale" if self.stale else "consistent" if self.consistent else ""


def read_options(request: Request) -> ReadOptions:
    """Parses the options. Raises BadRequest in the reference's words."""
    if not request.query_string:
        return NONE
    params = request.params
    refuse_enterprise(request)
    stale, consistent, cached = "stale" in params, "consistent" in params, "cached" in params
    if stale and consistent:
        raise BadRequest("Cannot specify ?stale with ?consistent, conflicting semantics.")
    if cached and consistent:
        raise BadRequest("Cannot specify ?cached with ?consistent, conflicting semantics.")
    return ReadOptions(
        index=_index(request),
        wait=wait_seconds(request),
        stale=stale,
        consistent=consistent,
        cached=cached,
        hash=request.param("hash"),
    )


NONE = ReadOptions()


def refuse_enterprise(request: Request) -> None:
    """Raises BadRequest for the parameters that only the reference's paid edition knows."""
    if not request.query_string:
        return
    if request.has("ns"):
        raise BadRequest('Bad request: Invalid query parameter: "ns" - Namespaces are a Consul Enterprise feature')
    if request.has("partition"):
        raise BadRequest(
            'Bad request: Invalid query parameter: "partition" - Partitions are a Consul Enterprise feature'
        )


def check_datacenter(request: Request, datacenter: str) -> None:
    """Raises Refused for another datacenter than ours: there is no path to it."""
    if request.query_string and (asked := request.param("dc")) and asked != datacenter:
        raise Refused("No path to datacenter")


_WAITING = re.compile(r"(?:^|&)(?:index|wait)=[^&]*")


def waiting_removed(query_string: str) -> str:
    """A query string without what only says how long to wait, and for what."""
    if "index=" in query_string or "wait=" in query_string:
        return _WAITING.sub("", query_string).lstrip("&")
    return query_string


def _index(request: Request) -> int:
    text = request.param("index")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or len(text) > 20 or int(text) >= 1 << 64:
        raise BadRequest("Invalid index")
    return int(text)


def wait_seconds(request: Request) -> float:
    """How long a blocking read may be held, within the bounds and without jitter."""
    text = request.param("wait")
    if not text:
        return WAIT_DEFAULT_SECONDS
    try:
        seconds = Duration.parse(text).seconds
    except ValueError:
        raise BadRequest("Invalid wait time") from None
    return min(seconds, WAIT_MAX_SECONDS) if seconds > 0 else WAIT_DEFAULT_SECONDS


def flag(request: Request, name: str) -> bool:
    """A parameter that is on by being there, and whose value, if any, is a Go boolean."""
    text = request.param(name)
    if not text:
        return request.has(name)
    value = go_bool(text)
    if value is None:
        raise BadRequest(f"Invalid value for ?{name}")
    return value


def go_bool(text: str) -> bool | None:
    """What Go's ParseBool makes of a text; None when it is no boolean."""
    if text in ("1", "t", "T", "TRUE", "true", "True"):
        return True
    if text in ("0", "f", "F", "FALSE", "false", "False"):
        return False
    return None
