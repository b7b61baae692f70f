"""Which route has a path."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lictor.api.http import Request, Response, empty_response
from lictor.api.router import Reply, Router


def router() -> Router:
    made = Router()

    @made.read("/v1/a", cacheable=True)
    def a(context: Any, request: Request) -> Reply:
        return Reply(None, ())

    @made.read("/v1/a/")
    def below(context: Any, request: Request) -> Reply:
        return Reply(None, ())

    @made.action("PUT", "/v1/a/b/")
    async def deeper(context: Any, request: Request) -> Response:
        return empty_response()

    return made


@pytest.mark.parametrize(
    ("path", "route", "rest"),
    [
        ("/v1/a", "/v1/a", ""),
        ("/v1/a/", "/v1/a/", ""),
        ("/v1/a/x", "/v1/a/", "x"),
        ("/v1/a/x/y/", "/v1/a/", "x/y/"),
        ("/v1/a//", "/v1/a/", "/"),
        ("/v1/a/b", "/v1/a/", "b"),
        ("/v1/a/b/", "/v1/a/b/", ""),
        ("/v1/a/b/c/d", "/v1/a/b/", "c/d"),
    ],
)
def test_the_longest_prefix_wins(path: str, route: str, rest: str) -> None:
    found = router().match(path)
    assert found is not None and (found[0].path, found[1]) == (route, rest)


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v1/ab", "/v2/a/b", "v1/a/b", "//v1/a"])
def test_no_route(path: str) -> None:
    assert router().match(path) is None


@given(st.text(alphabet="/v1ab", max_size=30))
def test_as_if_all_prefixes_were_tried(path: str) -> None:
    made = router()
    routes = {route.path: route for route in made.routes()}
    best = max((p for p in routes if p == path or (p.endswith("/") and path.startswith(p))), key=len, default=None)
    found = made.match(path)
    assert (found[0].path if found else None) == best


def test_a_long_path_of_slashes_costs_little() -> None:
    class Counting(dict[str, Any]):
        looked = 0

        def get(self, *args: Any) -> Any:
            self.looked += 1
            return super().get(*args)

    made = router()
    made._prefixes = Counting(made._prefixes)
    assert made.match("/" * 60_000) is None
    found = made.match("/v1/a/" + "/" * 60_000)
    assert found is not None and found[0].path == "/v1/a/"
    assert made._prefixes.looked < 50


def test_allowed_and_merged() -> None:
    other = Router()

    @other.action("DELETE", "/v1/a")
    async def delete(context: Any, request: Request) -> Response:
        return empty_response()

    made = router()
    made.merge(other)
    found = made.match("/v1/a")
    assert found is not None and found[0].allowed == ("GET", "DELETE") and found[0].cacheable
