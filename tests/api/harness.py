"""An HTTP API without sockets: requests go straight into an Application on a memory store, with an agent of straw."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

from lictor.api.app import Application
from lictor.api.context import APIConfig, Context
from lictor.api.http import Request, StreamResponse
from lictor.api.routes import build
from lictor.errors import TooLarge
from lictor.limits import Limits
from lictor.runtime.clock import Entropy, SystemClock
from lictor.server.commands import members
from lictor.server.events import Events
from lictor.server.server import Server
from lictor.store.memory import MemoryStore
from lictor.types.catalog import Service
from lictor.types.member import Member

NODE, NODE_ID = "node1", "adf4238a-882b-9ddc-4a9d-5b6758e4159e"


class Sent(Request):
    """A request whose whole body is there."""

    __slots__ = ("_body", "gone")

    def __init__(self, method: str, target: str, body: bytes, headers: Mapping[str, str], remote: str) -> None:
        path, _, query = target.partition("?")
        super().__init__(method, unquote(path), query, {"content-length": str(len(body)), **headers}, remote)
        self._body = body
        self.gone: list[Callable[[], None]] = []

    async def body(self, limit: int) -> bytes:
        if len(self._body) > limit:
            raise TooLarge(f"Request body({len(self._body)} bytes) too large, max size: {limit} bytes.")
        return self._body

    async def pieces(self, limit: int) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), 1000):
            yield self._body[start : start + 1000]

    def when_gone(self, callback: Callable[[], None]) -> None:
        self.gone.append(callback)


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = dict(headers)
        self.body = body

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def index(self) -> int:
        return int(self.headers["X-Consul-Index"])

    def __repr__(self) -> str:
        return f"<{self.status} {self.body[:200]!r}>"


class API:
    """The API of one agent: `await api.get(path)`, `await api.put(path, json)`; dicts and lists go as JSON."""

    def __init__(self, server: Server, **limits: Any) -> None:
        self.server = server
        self.services: dict[str, Service] = {}
        self.syncs = 0
        self.agent = SimpleNamespace(
            server_address="127.0.0.1:8300",
            events=Events(),
            local=SimpleNamespace(services=lambda: self.services),
            syncer=SimpleNamespace(trigger_full=self._synced),
            config=SimpleNamespace(domain="consul.", alt_domain=""),
            started_at=1_700_000_000.0,
        )
        config = APIConfig("dc1", NODE, Limits(**limits))
        self.context = Context(self.agent, server, config, SystemClock(), Entropy(7))  # type: ignore[arg-type]
        self.app = Application(self.context, build())

    def _synced(self) -> None:
        self.syncs += 1

    async def ask(
        self,
        method: str,
        target: str,
        body: Any = b"",
        headers: Mapping[str, str] | None = None,
        remote: str = "127.0.0.1:5000",
    ) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self.app.handle(Sent(method, target, data, headers or {}, remote))
        if isinstance(answer, StreamResponse):
            return Answer(answer.status, answer.headers, b"".join([piece async for piece in answer.pieces]))
        return Answer(answer.status, answer.headers, answer.body)

    async def get(self, target: str, **more: Any) -> Answer:
        return await self.ask("GET", target, **more)

    async def put(self, target: str, body: Any = b"", **more: Any) -> Answer:
        return await self.ask("PUT", target, body, **more)

    async def post(self, target: str, body: Any = b"", **more: Any) -> Answer:
        return await self.ask("POST", target, body, **more)

    async def delete(self, target: str, **more: Any) -> Answer:
        return await self.ask("DELETE", target, **more)

    async def register(self, **fields: Any) -> None:
        answer = await self.put("/v1/catalog/register", fields)
        assert answer.status == 200, answer


async def start(**limits: Any) -> API:
    """An API whose agent has registered itself, as a real one does."""
    server = Server(MemoryStore(), address="127.0.0.1:8300")
    await server.open()
    member = Member(id=NODE_ID, name=NODE, address="127.0.0.1", server=True, server_port=8300, datacenter="dc1")
    await server.write(partial(members.attach, member=member, ttl=3600.0, now=0.0))
    return API(server, **limits)
