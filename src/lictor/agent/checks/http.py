"""HTTP checks: 2xx is passing, 429 a warning, anything else critical.

Source: the reference's HTTP checks, down to the texts of their outputs.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lictor import limits
from lictor.agent.checks.dial import join_target, reason
from lictor.agent.checks.kit import USER_AGENT, CheckKit
from lictor.agent.checks.outcome import Outcome, Tail
from lictor.types.catalog import CRITICAL, PASSING, WARNING
from lictor.types.definitions import CheckSpec

if TYPE_CHECKING:
    import aiohttp

REDIRECTS = 10


async def check_http(spec: CheckSpec, kit: CheckKit, timeout: float) -> Outcome:
    """Makes the request and reads the answer, both within `timeout` seconds."""
    session = await kit.http_session()
    import aiohttp  # the session has loaded it

    method = spec.method or "GET"
    tail = Tail(kit.output_bytes(spec.output_max_size))
    answer: aiohttp.ClientResponse | None = None
    try:
        async with asyncio.timeout(timeout):
            answer = await session.request(method, spec.http, **_request(spec, kit))
            await _read(answer, tail)
    except TimeoutError:
        if answer is None:
            return _failed(spec, method, "context deadline exceeded (Client.Timeout exceeded while awaiting headers)")
    except aiohttp.TooManyRedirects:
        return _failed(spec, method, f"stopped after {REDIRECTS} redirects")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if answer is None:
            return _failed(spec, method, _describe(error, spec.http))
    finally:
        if answer is not None:
            answer.close()
    line = f"{answer.status} {answer.reason or ''}"
    return Outcome(_status(answer.status), f"HTTP {method} {spec.http}: {line} Output: {tail.text()}")


def _request(spec: CheckSpec, kit: CheckKit) -> dict[str, Any]:
    headers = [(name, value) for name, values in spec.header.items() for value in values]
    given = {name.lower() for name, _ in headers}
    if "user-agent" not in given:
        headers.append(("User-Agent", USER_AGENT))
    if "accept" not in given:
        headers.append(("Accept", "text/plain, text/*, */*"))
    encrypted = spec.http.lower().startswith("https:") or spec.tls_skip_verify
    return {
        "headers": headers,
        "data": spec.body.encode() or None,
        "skip_auto_headers": ("Content-Type",),
        "allow_redirects": not spec.disable_redirects,
        "max_redirects": REDIRECTS,
        "ssl": kit.ssl_context(spec.tls_skip_verify) if encrypted else True,
        "server_hostname": kit.server_name(spec.tls_server_name) or None,
    }


async def _read(answer: aiohttp.ClientResponse, tail: Tail) -> None:
    """The body's end, as far as a check reads; the status stands whatever becomes of the body."""
    async for chunk in answer.content.iter_any():
        tail.add(chunk)
        if tail.total > limits.CHECK_BODY_BYTES:
            break


def _status(code: int) -> str:
    if 200 <= code <= 299:
        return PASSING
    return WARNING if code == 429 else CRITICAL


def _failed(spec: CheckSpec, method: str, why: str) -> Outcome:
    return Outcome(CRITICAL, f'{method.capitalize()} "{spec.http}": {why}')


def _describe(error: Exception, url: str) -> str:
    """Why there was no answer, in the reference's words where it has some."""
    import aiohttp

    if isinstance(error, aiohttp.NonHttpUrlClientError | aiohttp.InvalidURL):
        scheme = urlsplit(url).scheme
        return "invalid URL" if scheme in ("http", "https") else f'unsupported protocol scheme "{scheme}"'
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return reason(error.certificate_error) if isinstance(error.certificate_error, OSError) else str(error)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"dial tcp: lookup {error.host}: no such host"
    if isinstance(error, aiohttp.ClientSSLError):
        return reason(error.os_error)
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"dial tcp {join_target(str(error.host), int(error.port or 0))}: connect: {reason(error.os_error)}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "EOF"
    return str(error) or type(error).__name__
