"""Requests and responses as handlers see them."""

from __future__ import annotations

import pytest

from lictor.api.http import JSON, TEXT, Headers, Request, empty_response, json_response, text_response
from lictor.errors import BadRequest


def test_headers_by_name() -> None:
    headers = Headers([(b"X-Thing", b"a"), (b"x-thing", b"b"), (b"Accept", b"caf\xe9")])
    assert headers.get("x-thing") == "a" and headers["accept"] == "caf\xe9" and headers.get("none", "") == ""
    assert len(headers) == 2 and set(headers) == {"x-thing", "accept"} and "accept" in headers


def test_parameters() -> None:
    request = Request("GET", "/", "a=1&a=2&b&c=%20+x&d=%FF", {})
    assert request.params == {"a": ["1", "2"], "b": [""], "c": ["  x"], "d": ["\ufffd"]}
    assert request.param("a") == "1" and request.param("b") == "" and request.param("z", "none") == "none"
    assert request.has("b") and not request.has("z")
    assert Request("GET", "/", "", {}).params == {}


def test_parameters_are_bounded() -> None:
    with pytest.raises(BadRequest, match="Invalid query string"):
        Request("GET", "/", "&".join("a" * 300), {}).param("a")


def test_responses() -> None:
    assert json_response([1]).body == b"[1]" and json_response([1]).headers == [("Content-Type", JSON)]
    assert text_response("é", 400).body == "é".encode() and text_response("").headers == [("Content-Type", TEXT)]
    assert empty_response(404).headers == [] and empty_response().status == 200
