"""What the application does with any request, whatever its route."""

from __future__ import annotations

from lictor.api.context import APIConfig
from lictor.limits import Limits
from tests.api.harness import NODE, start


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
