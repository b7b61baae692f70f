"""Requests and responses as handlers see them, free of the server that carries them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec

from lictor.acl import ALLOW_ALL, Authorizer
from lictor.errors import BadRequest
from lictor.types.gojson import decode, encode

T = TypeVar("T")
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


class Response(msgspec.Struct):
    """A whole answer. Headers are pairs, the content type among them; `complete` when the common ones are there too."""

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = msgspec.field(default_factory=list)
    complete: bool = False
    json: bool = False


class StreamResponse(msgspec.Struct):
    """An answer that is written piece by piece until the pieces end or the client goes."""

    pieces: AsyncIterator[bytes]
    status: int = 200
    headers: list[tuple[str, str]] = msgspec.field(default_factory=list)
    complete: bool = False


def json_response(value: Any, status: int = 200) -> Response:
    """`value` as JSON."""
    return Response(status, encode(value), [("Content-Type", JSON)], json=True)


def text_response(text: str, status: int = 200) -> Response:
    """Plain text."""
    return Response(status, text.encode(), [("Content-Type", TEXT)])


def empty_response(status: int = 200) -> Response:
    """No body and no content type, as the reference answers where it has nothing to say."""
    return Response(status)


class Headers(Mapping[str, str]):
    """Header lines by name in lower case, decoded when somebody asks. Of several with one name the first counts."""

    __slots__ = ("_lines", "_table")

    def __init__(self, lines: Sequence[tuple[bytes, bytes]]) -> None:
        self._lines = lines
        self._table: dict[str, str] | None = None

    def _all(self) -> dict[str, str]:
        if self._table is None:
            lines = reversed(self._lines)
            self._table = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in lines}
        return self._table

    def __getitem__(self, name: str) -> str:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


class Request:
    """One request: method, path, parameters and headers (names in lower case). Who carries it knows its body."""

    __slots__ = ("_params", "authorizer", "headers", "method", "path", "query_string", "remote", "rest")

    def __init__(
        self, method: str, path: str, query_string: str, headers: Mapping[str, str], remote: str = "unix:0"
    ) -> None:
        self.method = method
        self.path = path
        self.query_string = query_string
        self.headers = headers
        self.remote = remote
        self.rest = ""
        self.authorizer: Authorizer = ALLOW_ALL
        self._params: dict[str, list[str]] | None = None

    @property
    def params(self) -> dict[str, list[str]]:
        """Query parameters in the order given; one without a value is empty text."""
        if self._params is None:
            if not self.query_string:
                self._params = {}
                return self._params
            try:
                self._params = parse_qs(self.query_string, keep_blank_values=True, max_num_fields=256)
            except ValueError as error:
                raise BadRequest(f"Invalid query string: {error}") from None
        return self._params

    def param(self, name: str, default: str = "") -> str:
        """The first value of a parameter."""
        values = self.params.get(name)
        return values[0] if values else default

    def has(self, name: str) -> bool:
        """True when the parameter is there, with or without a value."""
        return name in self.params

    async def body(self, limit: int) -> bytes:
        """The whole body. Raises TooLarge, having stored nothing, when it is longer than `limit` bytes."""
        raise NotImplementedError

    def pieces(self, limit: int) -> AsyncIterator[bytes]:
        """The body as it arrives, for those too large to be held. Raises TooLarge at the end of one that is longer."""
        raise NotImplementedError

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Has `callback` called when the client leaves before the answer."""
        raise NotImplementedError

    async def decode(self, kind: type[T], limit: int, aliases: dict[str, str] | None = None) -> T:
        """The body as a `kind`, read as Go reads JSON."""
        return decode(await self.body(limit), kind, aliases)
