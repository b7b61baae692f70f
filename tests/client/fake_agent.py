"""A small agent for tests: keys and sessions that behave, blocking queries included, and set answers for all the rest.

It runs on an event loop in a thread of its own, so that sync clients and command lines can be tested against it.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import uuid
from base64 import b64encode
from contextlib import suppress
from typing import Any, NamedTuple

from aiohttp import web


class Asked(NamedTuple):
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class FakeAgent:
    def __init__(self, *, unix: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.answers: dict[str, tuple[int, Any, dict[str, str]]] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, dict[str, Any]] = {}
        self.index = 10
        self.delayed: set[str] = set()
        self._unix, self._tls = unix, tls
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Condition()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = self._run(self._start())

    @property
    def address(self) -> str:
        return f"unix://{self._unix}" if self._unix else f"127.0.0.1:{self.port}"

    def answer(self, request: str, body: Any, status: int = 200, **headers: str) -> None:
        """Sets what `METHOD /path` gets: bytes or JSON."""
        self.answers[request] = (status, body, {k.replace("_", "-"): v for k, v in headers.items()})

    def change(self, key: str, value: bytes | None, **fields: Any) -> None:
        """Writes or deletes a key from outside."""
        self._run(self._change(key, value, fields))

    def end_session(self, session: str) -> None:
        """Ends a session as if its TTL had passed."""
        self._run(self._end(session))

    def bodies(self, request: str) -> list[Any]:
        """The JSON bodies of all requests `METHOD /path`."""
        return [json.loads(a.body) for a in self.asked if f"{a.method} {a.target.partition('?')[0]}" == request]

    def targets(self) -> list[str]:
        """`METHOD target` of every request, in order."""
        return [f"{asked.method} {asked.target}" for asked in self.asked]

    def close(self) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self) -> int:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        if self._unix:
            await web.UnixSite(self._runner, self._unix).start()
            return 0
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls).start()
        return int(self._runner.addresses[0][1])

    async def _stop(self) -> None:
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked.append(Asked(request.method, request.raw_path, dict(request.headers), body))
        path = request.path
        if found := self.answers.get(f"{request.method} {path}"):
            status, value, headers = found
            raw = value if isinstance(value, bytes) else json.dumps(value).encode()
            return web.Response(status=status, body=raw, headers=headers)
        if path.startswith("/v1/kv/"):
            return await self._kv(request, path.removeprefix("/v1/kv/"), body)
        if path.startswith("/v1/session/"):
            return await self._session(path.removeprefix("/v1/session/"), body)
        return web.Response(status=404, text=f"no answer set for {request.method} {path}")

    async def _kv(self, request: web.Request, key: str, body: bytes) -> web.Response:
        query = request.query
        if request.method == "GET":
            return await self._read(query, key)
        there = self.keys.get(key)
        if "cas" in query and int(query["cas"]) != (there["ModifyIndex"] if there else 0):
            return web.json_response(False)
        if request.method == "DELETE":
            for name in [k for k in self.keys if k.startswith(key)] if "recurse" in query else [key]:
                await self._change(name, None, {})
            return web.json_response(True)
        session = there.get("Session", "") if there else ""
        if "acquire" in query:
            if key in self.delayed or session not in ("", query["acquire"]) or query["acquire"] not in self.sessions:
                return web.json_response(False)
            session = query["acquire"]
        if "release" in query:
            if session != query["release"]:
                return web.json_response(False)
            session = ""
        fields: dict[str, Any] = {"Flags": int(query.get("flags", 0))}
        if session:
            fields["Session"] = session
        await self._change(key, body, fields)
        return web.json_response(True)

    async def _read(self, query: Any, key: str) -> web.Response:
        def found() -> list[dict[str, Any]]:
            if "recurse" in query or "keys" in query:
                return [self.keys[k] for k in sorted(self.keys) if k.startswith(key)]
            return [self.keys[key]] if key in self.keys else []

        if int(query.get("index", 0)) >= self.index:
            wait = float(query.get("wait", "300000ms").removesuffix("ms")) / 1000
            async with self._changed:
                before = self.index
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait_for(lambda: self.index > before), wait)
        value: Any = found()
        headers = {"X-Consul-Index": str(self.index), "X-Consul-KnownLeader": "true", "X-Consul-LastContact": "0"}
        if not value:
            return web.Response(status=404, headers=headers)
        if "keys" in query:
            separator, names = query.get("separator", ""), []
            for pair in value:
                head, cut, _ = pair["Key"][len(key) :].partition(separator) if separator else (pair["Key"], "", "")
                name = key + head + cut if separator else pair["Key"]
                if name not in names:
                    names.append(name)
            value = names
        return web.json_response(value, headers=headers)

    async def _change(self, key: str, value: bytes | None, fields: dict[str, Any]) -> None:
        async with self._changed:
            self.index += 1
            if value is None:
                self.keys.pop(key, None)
            else:
                created = self.keys.get(key, {}).get("CreateIndex", self.index)
                self.keys[key] = {
                    "LockIndex": 0, "Key": key, "Flags": 0, "Value": b64encode(value).decode() or None,
                    "CreateIndex": created, "ModifyIndex": self.index, **fields,
                }  # fmt: skip
            self._changed.notify_all()

    async def _session(self, path: str, body: bytes) -> web.Response:
        verb, _, id = path.partition("/")
        if verb == "create":
            id = str(uuid.uuid4())
            self.sessions[id] = json.loads(body)
            return web.json_response({"ID": id})
        if verb == "destroy":
            await self._end(id)
            return web.json_response(True)
        if verb == "renew":
            return web.json_response([{"ID": id}]) if id in self.sessions else web.Response(status=404)
        return web.Response(status=404)

    async def _end(self, session: str) -> None:
        ended = self.sessions.pop(session, {})
        for key, pair in list(self.keys.items()):
            if pair.get("Session") == session:
                gone = ended.get("Behavior") == "delete"
                await self._change(key, None if gone else b"", {} if gone else {"Flags": pair["Flags"]})
