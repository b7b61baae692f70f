"""JSON read and written as Go does it."""

from __future__ import annotations

import pytest

from lictor.errors import BadRequest
from lictor.types.definitions import CheckSpec, ServiceSpec
from lictor.types.duration import Duration
from lictor.types.gojson import decode, encode, go_name, pretty
from lictor.types.kv import SessionRequest


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("check_id", "CheckID"),
        ("tls_skip_verify", "TLSSkipVerify"),
        ("node_meta", "NodeMeta"),
        ("h2ping", "H2PING"),
        ("grpc_use_tls", "GRPCUseTLS"),
    ],
)
def test_names(field: str, name: str) -> None:
    assert go_name(field) == name


def test_keys_match_whatever_their_case() -> None:
    found = decode(b'{"NAME": "web", "port": 80, "tAgS": ["a"]}', ServiceSpec)
    assert (found.name, found.port, list(found.tags or ())) == ("web", 80, ["a"])


def test_null_leaves_the_zero_value() -> None:
    found = decode(b'{"Name": null, "Tags": null, "Meta": null, "Check": null}', ServiceSpec)
    assert found == ServiceSpec()
    assert decode(b"null", SessionRequest) == SessionRequest()


@pytest.mark.parametrize("text", ['"1m30s"', "90000000000"])
def test_durations(text: str) -> None:
    assert decode(b'{"Name": "x", "TTL": %s}' % text.encode(), CheckSpec).ttl == Duration.read("90s")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"[]", "got `array`"),
        (b'"x"', "got `str`"),
        (b'{"Name": 5}', r"\$\.Name"),
        (b'{"Tags": [1]}', r"\$\.Tags\[0\]"),
        (b'{"Nom": "x"}', 'unknown field "Nom"'),
        (b"\xff", "Request decode failed"),
        (b"[" * 100_000, "Request decode failed"),
    ],
)
def test_what_cannot_be_read_is_named(body: bytes, text: str) -> None:
    with pytest.raises(BadRequest, match=text):
        decode(body, ServiceSpec)


def test_pretty() -> None:
    assert pretty(encode({"a": [1]})) == b'{\n    "a": [\n        1\n    ]\n}\n'
