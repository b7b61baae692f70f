"""What the application does with any request, whatever its route."""

from __future__ import annotations

import asyncio

import pytest

from lictor.api.context import APIConfig
from lictor.api.http import Response
from lictor.api.ready import accepts_gzip
from lictor.limits import Limits
from tests.api.harness import NODE, start
from tests.api.wire import Answer, Site, Straw, get, put


async def test_paths_with_characters_that_cannot_be_printed_are_refused() -> None:
    api = await start()
    for path in ("/v1/kv/a%00b", "/v1/kv/a%0Ab", "/v1/kv/%7F", "/v1/nowhere%09", "/v1/kv/%C2%A0"):
        assert (await api.put(path, b"x")).status == 400, path
    for path in ("/v1/kv/a%20b", "/v1/kv/%C3%BC", "/v1/kv/%E6%BC%A2"):
        assert (await api.put(path, b"x")).status == 200, path


async def test_a_setting_lets_them_through() -> None:
    api = await start()
    api.context.config = APIConfig("dc1", NODE, Limits(), unprintable=True)
    assert (await api.put("/v1/kv/a%00b", b"x")).status == 200
    assert (await api.get("/v1/kv/a%00b?raw")).body == b"x"


async def ask(site: Site, data: bytes) -> Answer:
    straw = Straw(site)
    straw.send(data)
    for _ in range(100):
        await asyncio.sleep(0.001)
        if straw.sent:
            break
    [answer] = straw.answers
    return answer


async def test_no_route_no_method_and_what_is_allowed() -> None:
    site = Site()
    answer = await ask(site, get("/nowhere"))
    assert (answer.status, answer.body) == (404, b"") and "content-type" not in answer.headers
    for method in ("POST", "DELETE", "PATCH", "PURGE"):
        answer = await ask(site, get("/read", method=method))
        assert (answer.status, answer.headers["allow"]) == (405, "OPTIONS,GET")
        assert answer.body == f"method {method} not allowed".encode()
    answer = await ask(site, get("/body", method="OPTIONS"))
    assert (answer.status, answer.headers["allow"]) == (200, "OPTIONS,PUT")
    straw = Straw(site)
    straw.send(get("/body", method="HEAD"))
    await straw.settle()
    assert straw.sent.startswith(b"HTTP/1.1 405 ") and straw.sent.endswith(b"\r\n\r\n")


async def test_blocked_endpoints_and_networks_that_may_not_write() -> None:
    blocked = Site(blocked=("/rea",))
    answer = await ask(blocked, get("/read"))
    assert (answer.status, answer.body) == (403, b"Endpoint is blocked by agent configuration")
    guarded = Site(writers=("10.9.0.0/16",))
    assert (await ask(guarded, put("/body", b"x"))).status == 403 and guarded.bodies == []
    assert (await ask(guarded, get("/read"))).status == 200
    straw = Straw(guarded, peer=("10.9.1.1", 1))
    straw.send(put("/body", b"x"))
    await straw.settle()
    assert straw.answers[0].status == 200


async def test_every_answer_has_the_common_headers() -> None:
    site = Site(response_headers={"X-Mine": "1"}, json_tail=b"\n")
    for data in (get("/read"), get("/read"), get("/echo/a"), get("/nowhere"), put("/body", b""), get("/large")):
        answer = await ask(site, data)
        assert answer.headers["x-mine"] == "1" and answer.headers["vary"] == "Accept-Encoding", data
        assert answer.headers["x-consul-default-acl-policy"] == "allow"
    assert (await ask(site, get("/read"))).body.endswith(b"\n")
    assert (await ask(site, put("/body", b""))).body == b"0\n"


async def test_clear_forgets_what_was_made_before() -> None:
    site = Site()
    await ask(site, get("/read"))
    site.app.context.config = APIConfig("dc1", "n1", Limits(), response_headers={"X-New": "1"})
    site.app.clear()
    for _ in range(2):
        assert (await ask(site, get("/read"))).headers["x-new"] == "1"
    assert (await ask(site, get("/echo/a"))).headers["x-new"] == "1"


async def test_of_what_is_packed_already_nothing_is_packed_again() -> None:
    site = Site()
    [route] = [route for route in site.app._router.routes() if route.path == "/large"]

    async def packed(*_: object) -> Response:
        return Response(200, b"x" * 5000, [("Content-Encoding", "br")])

    route.actions["GET"] = packed
    answer = await ask(site, get("/large", "Accept-Encoding: gzip"))
    assert answer.headers["content-encoding"] == "br" and answer.body == b"x" * 5000


@pytest.mark.parametrize(
    ("accepted", "yes"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip;q=1.0, br", True),
        ("gzip; q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("x-gzip", False),
        ("identity", False),
    ],
)
def test_who_takes_gzip(accepted: str, yes: bool) -> None:
    assert accepts_gzip(accepted) is yes
