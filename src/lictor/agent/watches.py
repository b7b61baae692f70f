"""The configuration's `watches`: follow something through this agent's own API and run a handler on every change.

Handlers are programs (`args`, or the older `handler` for a shell) that get the value as JSON on standard input and the
index in CONSUL_INDEX, or URLs (`handler_type = "http"`). A handler that is still running when the next change comes
gets the newest value once it is done; none runs twice at once. Source: the reference's documentation of watches.
"""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from lictor.client import Address, Client, Config
from lictor.client.watches import new_events, watch
from lictor.errors import ConfigError, LictorError
from lictor.runtime.log import get_logger
from lictor.types.duration import Duration
from lictor.types.gojson import encode

HTTP_TIMEOUT_SECONDS = 10.0
HANDLER_SECONDS = 600.0
"""How long a handler may take before it is killed: the next change is waiting."""
_HANDLER_KEYS = ("args", "handler", "handler_type", "http_handler_config")
log = get_logger("agent.watches")


class Watches:
    """All watches of an agent. `start` again with a new list replaces them."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, definitions: Sequence[Mapping[str, Any]], address: str) -> None:
        """Begins to follow; `address` is where this agent serves HTTP. Raises ConfigError naming what is wrong."""
        plans = [_Watch(definition) for definition in definitions]
        self.stop()
        if plans and not address:
            log.warning("watches need the HTTP API, which is switched off: none is followed")
            return
        config = Config(address=Address.parse(address)) if plans else None
        self._tasks = [asyncio.create_task(plan.follow(config)) for plan in plans if config is not None]

    def stop(self) -> None:
        """Follows nothing any more; a handler that runs is killed."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []


class _Watch:
    def __init__(self, definition: Mapping[str, Any]) -> None:
        parameters = {key: value for key, value in definition.items() if key not in _HANDLER_KEYS}
        self._name = ", ".join(f"{key}={value}" for key, value in parameters.items() if key != "token")
        self._events = parameters.get("type") == "event"
        self._request = watch(parameters)
        self._args = [str(arg) for arg in definition.get("args") or ()]
        if definition.get("handler"):
            self._args = ["/bin/sh", "-c", str(definition["handler"])]
        self._http: Mapping[str, Any] = _first(definition.get("http_handler_config"))
        if (definition.get("handler_type") or "script") == "http":
            if not self._http.get("path"):
                raise ConfigError(f"watch ({self._name}): http_handler_config.path is missing")
        elif not self._args:
            raise ConfigError(f"watch ({self._name}): a handler is missing: give args, or handler_type http")

    async def follow(self, config: Config) -> None:
        """Runs the handler for each change until cancelled. What fails is logged and the watch goes on."""
        seen = 0
        async with Client(config) as client:
            async for answer in client.watch(self._request, give_up=False, on_failure=self._failed):
                value = new_events(answer.value, seen) if self._events and seen else answer.value
                seen = answer.index
                try:
                    await self._handle(encode(value) + b"\n", answer.index)
                except (OSError, LictorError, TimeoutError) as error:
                    log.error("handler of watch (%s) failed: %s", self._name, error)

    def _failed(self, error: LictorError) -> None:
        log.warning("watch (%s) errored, trying again: %s", self._name, error)

    async def _handle(self, body: bytes, index: int) -> None:
        if self._http.get("path"):
            await self._post(body, index)
            return
        # Its output goes to this agent's own: nothing of it is held here, however much it is.
        process = await asyncio.create_subprocess_exec(
            *self._args,
            stdin=asyncio.subprocess.PIPE,
            env={**os.environ, "CONSUL_INDEX": str(index)},
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(HANDLER_SECONDS):
                await process.communicate(body)
        except TimeoutError:
            raise TimeoutError(f"it had not ended after {HANDLER_SECONDS:g} s and was killed") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        if process.returncode:
            log.error("handler of watch (%s) ended with %d", self._name, process.returncode)

    async def _post(self, body: bytes, index: int) -> None:
        import aiohttp

        timeout = _seconds(self._http.get("timeout"))
        context: ssl.SSLContext | bool = not self._http.get("tls_skip_verify", False)
        headers = {"Content-Type": "application/json", "X-Consul-Index": str(index)}
        for name, values in _first(self._http.get("header")).items():
            headers[name] = ", ".join(values) if isinstance(values, list) else str(values)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as session:
            method, url = str(self._http.get("method") or "POST"), str(self._http["path"])
            try:
                async with session.request(method, url, data=body, headers=headers, ssl=context) as response:
                    log.debug("handler of watch (%s) answered %d", self._name, response.status)
            except aiohttp.ClientError as error:
                raise ConfigError(f"{url}: {error}") from None


def _first(value: Any) -> Mapping[str, Any]:
    """A block of a configuration file: HCL gives a list of one."""
    if isinstance(value, (list, tuple)):
        value = value[0] if value else {}
    return value if isinstance(value, Mapping) else {}


def _seconds(value: Any) -> float:
    try:
        return Duration.read(value).seconds if value else HTTP_TIMEOUT_SECONDS
    except ValueError as error:
        raise ConfigError(f"http_handler_config.timeout: {error}") from None
