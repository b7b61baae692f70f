from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from lictor.agent.checks import CheckKit, Outcome
from lictor.agent.checks.http import check_http
from lictor.types.definitions import CheckSpec

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that gives every request to `handler`; its URL without a path."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def says(request: web.Request) -> web.Response:
    """The status that the path names."""
    return web.Response(status=int(request.path.strip("/")), text="hi")


@pytest.mark.parametrize(
    ("code", "reason", "status"),
    [
        (200, "OK", "passing"),
        (201, "Created", "passing"),
        (299, "", "passing"),
        (304, "Not Modified", "critical"),
        (404, "Not Found", "critical"),
        (429, "Too Many Requests", "warning"),
        (503, "Service Unavailable", "critical"),
    ],
)
async def test_the_status_decides(kit: CheckKit, code: int, reason: str, status: str) -> None:
    async with server(says) as url:
        outcome = await check_http(CheckSpec(http=f"{url}/{code}"), kit, 5)
    assert outcome.status == status
    assert outcome.output.startswith(f"HTTP GET {url}/{code}: {code} {reason}")


async def test_the_output(kit: CheckKit) -> None:
    async with server(says) as url:
        outcome = await check_http(CheckSpec(http=f"{url}/200"), kit, 5)
        assert outcome == Outcome("passing", f"HTTP GET {url}/200: 200 OK Output: hi")


async def test_what_is_sent(kit: CheckKit) -> None:
    async def show(request: web.Request) -> web.Response:
        names = ("Host", "User-Agent", "Accept", "X-Foo", "Content-Type")
        lines = [f"{name}: {','.join(request.headers.getall(name, []))}" for name in names]
        return web.Response(text="\n".join([request.method, request.path_qs, *lines, await request.text()]))

    async with server(show) as url:
        plain = await check_http(CheckSpec(http=f"{url}/a?raw"), kit, 5)
        spec = CheckSpec(
            http=f"{url}/b",
            method="POST",
            body="ping",
            header={"Host": ["web.example"], "X-Foo": ["1", "2"], "Accept": ["a/b"], "User-Agent": ["me"]},
        )
        full = await check_http(spec, kit, 5)
    host = url.removeprefix("http://")
    assert plain.output.partition("Output: ")[2].split("\n") == [
        "GET",
        "/a?raw",
        f"Host: {host}",
        "User-Agent: Consul Health Check",
        "Accept: text/plain, text/*, */*",
        "X-Foo: ",
        "Content-Type: ",
        "",
    ]
    assert full.output.startswith(f"HTTP POST {url}/b: 200 OK Output: ")
    assert full.output.partition("Output: ")[2].split("\n") == [
        "POST",
        "/b",
        "Host: web.example",
        "User-Agent: me",
        "Accept: a/b",
        "X-Foo: 1,2",
        "Content-Type: ",
        "ping",
    ]


async def test_redirects(kit: CheckKit) -> None:
    async def redirect(request: web.Request) -> web.Response:
        if request.path == "/end":
            return web.Response(text="there")
        raise web.HTTPFound("/end" if request.path == "/begin" else "/loop")

    async with server(redirect) as url:
        followed = await check_http(CheckSpec(http=f"{url}/begin"), kit, 5)
        assert followed == Outcome("passing", f"HTTP GET {url}/begin: 200 OK Output: there")
        stayed = await check_http(CheckSpec(http=f"{url}/begin", disable_redirects=True), kit, 5)
        assert stayed.output.startswith(f"HTTP GET {url}/begin: 302 Found Output: ")
        assert stayed.status == "critical"
        looped = await check_http(CheckSpec(http=f"{url}/loop"), kit, 5)
        assert looped == Outcome("critical", f'Get "{url}/loop": stopped after 10 redirects')


async def test_a_long_body_is_cut(kit: CheckKit) -> None:
    async def long(request: web.Request) -> web.Response:
        return web.Response(text="a" * 5000 + "end")

    async with server(long) as url:
        outcome = await check_http(CheckSpec(http=url, output_max_size=5), kit, 5)
        assert outcome.output.endswith("200 OK Output: aaend")
        outcome = await check_http(CheckSpec(http=url), kit, 5)
        assert len(outcome.output.partition("Output: ")[2]) == 4096


async def test_an_endless_body_ends(kit: CheckKit) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)

    async with server(endless) as url:
        outcome = await check_http(CheckSpec(http=url, output_max_size=2), kit, 60)
    assert outcome == Outcome("passing", f"HTTP GET {url}: 200 OK Output: xx")


async def test_too_slow(kit: CheckKit) -> None:
    async def never(request: web.Request) -> web.Response:
        await asyncio.sleep(600)
        return web.Response()

    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"some")
        await asyncio.sleep(600)
        return response

    async with server(never) as url:
        outcome = await check_http(CheckSpec(http=url), kit, 0.3)
        text = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        assert outcome == Outcome("critical", f'Get "{url}": {text}')
    async with server(trickle) as url:
        outcome = await check_http(CheckSpec(http=url), kit, 0.3)
        assert outcome == Outcome("passing", f"HTTP GET {url}: 200 OK Output: some")


async def test_no_answer(kit: CheckKit) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as closing:
        port = closing.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}/"
        assert await check_http(CheckSpec(http=url), kit, 5) == Outcome("critical", f'Get "{url}": EOF')
    refused = await check_http(CheckSpec(http=url, method="PUT"), kit, 5)
    text = f'Put "{url}": dial tcp 127.0.0.1:{port}: connect: connection refused'
    assert refused == Outcome("critical", text)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://no-such-host.invalid/", "dial tcp: lookup no-such-host.invalid: no such host"),
        ("not a url", 'unsupported protocol scheme ""'),
        ("ftp://127.0.0.1/", 'unsupported protocol scheme "ftp"'),
        ("http://", "invalid URL"),
    ],
)
async def test_urls_that_lead_nowhere(kit: CheckKit, url: str, text: str) -> None:
    assert await check_http(CheckSpec(http=url), kit, 5) == Outcome("critical", f'Get "{url}": {text}')


async def test_odd_definitions_are_critical_not_fatal(kit: CheckKit) -> None:
    async with server(says) as url:
        for spec in (
            CheckSpec(http=f"{url}/200", method="BAD METHOD\r\nX: y"),
            CheckSpec(http=f"{url}/200", header={"A\r\nB": ["c"]}),
            CheckSpec(http=f"{url}/200", header={"A": ["b\r\nc: d"]}),
        ):
            assert (await check_http(spec, kit, 5)).status == "critical"


async def test_tls(kit: CheckKit, trusting_kit: CheckKit, server_tls: ssl.SSLContext) -> None:
    names: list[str | None] = []
    server_tls.sni_callback = lambda connection, name, context: names.append(name)
    async with server(says, server_tls) as url:
        spec = CheckSpec(http=f"{url}/200")
        distrusted = await check_http(spec, kit, 5)
        assert distrusted == Outcome(
            "critical", f'Get "{url}/200": tls: failed to verify certificate: self-signed certificate'
        )
        skipped = await check_http(CheckSpec(http=f"{url}/200", tls_skip_verify=True), kit, 5)
        assert skipped.status == "passing"
        named = await check_http(CheckSpec(http=f"{url}/200", tls_server_name="check.example"), trusting_kit, 5)
        assert named.status == "passing"
        assert names[-1] == "check.example"
        misnamed = await check_http(CheckSpec(http=f"{url}/200", tls_server_name="other.example"), trusting_kit, 5)
        assert "Hostname mismatch" in misnamed.output
