"""A question to the API as a value, and how its answer is read. Knows no socket: the transports send these.

A `Request[T]` carries everything that goes on the wire and the function that turns the `Response` into a `T`. The same
request serves the async client, the sync one and a watch, which asks it again and again with another index.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Generic, Literal, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

from lictor.client.config import Config
from lictor.client.errors import Unreadable, api_error
from lictor.types.duration import Duration

T = TypeVar("T")
U = TypeVar("U")
Params = tuple[tuple[str, str], ...]

WAIT_DEFAULT_SECONDS = 300.0
"""How long an agent holds a blocking query that names no wait."""


class Response(NamedTuple):
    """What came back: header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Answer(Generic[T]):
    """A read's value with what the agent says of it. `index` is 0 where the endpoint has none.

    `last_contact` and `cache_age` are in seconds; `hash` is what hash-based blocking queries give back; `cache_hit` is
    None for an answer that did not go through the agent's cache.
    """

    __slots__ = ("cache_age", "cache_hit", "hash", "index", "known_leader", "last_contact", "value")

    def __init__(self, value: T, headers: Mapping[str, str]) -> None:
        cache = headers.get("x-cache")
        self.value = value
        self.index = int(headers.get("x-consul-index") or 0)
        self.known_leader = headers.get("x-consul-knownleader", "true") == "true"
        self.last_contact = int(headers.get("x-consul-lastcontact") or 0) / 1000
        self.hash = headers.get("x-consul-contenthash", "")
        self.cache_hit = None if cache is None else cache == "HIT"
        self.cache_age = float(headers.get("age") or 0)

    def __repr__(self) -> str:
        return f"Answer(index={self.index}, value={self.value!r})"


class Request(NamedTuple, Generic[T]):
    """One call of the API. `path` is already quoted; `params` are not.

    `blocks` says what a later question must carry to wait for news: the index, the content hash, or nothing.
    `absent` tells which statuses besides 2xx are an answer and not an error.
    """

    method: str
    path: str
    parse: Callable[[Response], T]
    params: Params = ()
    body: bytes | None = None
    headers: Params = ()
    token: str | None = None
    absent: tuple[int, ...] = ()
    blocks: Literal["", "index", "hash"] = ""
    streams: bool = False

    def read(self, response: Response) -> T:
        """The value of `response`. Raises ApiError for a status that says no, Unreadable for a body of a wrong form."""
        if not 200 <= response.status < 300 and response.status not in self.absent:
            raise api_error(response.status, response.body)
        try:
            return self.parse(response)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreadable(f"{self.method} {self.path}: unexpected answer: {error}") from error

    def param(self, name: str) -> str | None:
        """The last value of a query parameter, or None."""
        found = [value for key, value in self.params if key == name]
        return found[-1] if found else None

    def asking(self, **params: str) -> Request[T]:
        """The same question with these parameters instead of those of their names; empty ones are taken out."""
        kept = tuple((key, value) for key, value in self.params if key not in params)
        return self._replace(params=kept + tuple((key, value) for key, value in params.items() if value))

    @property
    def holds(self) -> float:
        """Seconds that the agent may let pass before it answers: the wait and its jitter of up to a sixteenth."""
        if self.param("index") in (None, "0") and not self.param("hash"):
            return 0.0
        wait = self.param("wait")
        seconds = Duration.parse(wait).seconds if wait else WAIT_DEFAULT_SECONDS
        return seconds * 17 / 16

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def target(request: Request[Any], config: Config) -> str:
    """The path and query to put in the request line, the configuration's defaults filled in."""
    given = {key for key, _ in request.params}
    extra: list[tuple[str, str]] = []
    if config.datacenter and "dc" not in given:
        extra.append(("dc", config.datacenter))
    if config.namespace and "ns" not in given:
        extra.append(("ns", config.namespace))
    if request.method == "GET" and not given & {"stale", "consistent"}:
        if config.stale:
            extra.append(("stale", ""))
        elif config.consistent:
            extra.append(("consistent", ""))
    query = urlencode((*request.params, *extra))
    return config.address.prefix + request.path + ("?" + query if query else "")


def headers(request: Request[Any], config: Config) -> dict[str, str]:
    """The header fields to send: the token, basic authentication and the body's type."""
    made = {"Accept-Encoding": "identity", "User-Agent": "lictor", **dict(request.headers)}
    token = config.secret() if request.token is None else request.token
    if token:
        made["X-Consul-Token"] = token
    if config.auth:
        import base64

        made["Authorization"] = "Basic " + base64.b64encode(config.auth.encode()).decode()
    if request.body is not None:
        made["Content-Type"] = "application/json" if request.body[:1] in (b"{", b"[") else "application/octet-stream"
    return made


def part(name: str) -> str:
    """A name as it goes into a path. Slashes stay, as they do in the reference's client."""
    return quote(name, safe="/")


def encode(value: Any) -> bytes:
    """A body as JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def value_of(response: Response) -> Any:
    """The body as JSON."""
    return json.loads(response.body)


def nothing(response: Response) -> None:
    """For answers whose body says nothing."""


def text_of(response: Response) -> str:
    """The body as text."""
    return response.body.decode(errors="replace")


def answer(parse: Callable[[Response], U]) -> Callable[[Response], Answer[U]]:
    """The reader of a value together with what the headers say of it."""

    return lambda response: Answer(parse(response), response.headers)


def duration(seconds: float) -> str:
    """Seconds as a duration in whole milliseconds, which is how the reference's client writes waits."""
    return f"{max(round(seconds * 1000), 0)}ms"
