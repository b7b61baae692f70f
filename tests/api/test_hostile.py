"""Whatever a client sends, no endpoint fails in a way that nobody foresaw."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from lictor.api.routes import build
from lictor.types.catalog import Check, CheckDefinition, Node, Proxy, Service, Upstream, Weights
from lictor.types.gateways import IngressGateway, IngressListener, IngressService, LinkedService
from lictor.types.kv import Coord, SessionRequest
from lictor.types.query import PreparedQuery, QueryService, QueryTemplate
from lictor.types.requests import DeregisterRequest, RegisterRequest
from lictor.types.txn import CheckOp, KVOp, NodeOp, Op, ServiceOp
from tests.api.harness import start

# /v1/agent belongs to the agent, which is of straw here.
ROUTES = [route for route in build().routes() if not route.path.startswith(("/v1/agent/", "/v1/status/"))]
WRITES = [(method, route.path) for route in ROUTES for method in route.actions]
READS = [route.path for route in ROUTES if route.reads]

FIELDS = sorted(
    {
        field
        for kind in (
            *(Check, CheckDefinition, Node, Proxy, Service, Upstream, Weights, Coord, SessionRequest, PreparedQuery),
            *(QueryService, QueryTemplate, RegisterRequest, DeregisterRequest, KVOp, NodeOp, ServiceOp, CheckOp, Op),
            *(IngressGateway, IngressListener, IngressService, LinkedService),
        )
        for field in kind.__struct_encode_fields__
    }
)
WORDS = [
    *[
        "node1",
        "consul",
        "serfHealth",
        "set",
        "get",
        "cas",
        "lock",
        "delete-tree",
        "check-index",
        "passing",
        "critical",
        "10s",
        "-1s",
        "*",
        "connect-proxy",
    ],
    *[
        "ingress-gateway",
        "service-defaults",
        "mesh",
        "name_prefix_match",
        "${match(1)}",
        "${name.full}",
        "${",
        "(",
        "_ip",
        "YQ==",
        "\ufeff",
    ],
    *("", "a\0b", "11111111-2222-3333-4444-555555555555"),
]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(WORDS),
    st.text(max_size=8),
    st.sampled_from([0, 1, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 1e308]),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=12,
)
bodies = st.one_of(
    values.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from(FIELDS), values, max_size=6).map(lambda value: json.dumps(value).encode()),
    st.lists(st.dictionaries(st.sampled_from(["KV", "Node", "Service", "Check"]), values, max_size=2), max_size=4).map(
        lambda value: json.dumps(value).encode()
    ),
    st.binary(max_size=40),
)
rests = st.sampled_from(WORDS) | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=6)
queries = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "cas",
                "flags",
                "acquire",
                "release",
                "recurse",
                "keys",
                "separator",
                "raw",
                "dc",
                "near",
                "limit",
                "tag",
                "node-meta",
                "passing",
                "filter",
                "name",
                "node",
                "service",
                "id",
                "address",
                "pretty",
                "segment",
                "stale",
            ]
        ),
        rests,
    ),
    max_size=3,
).map(lambda pairs: "&".join(f"{name}={quote(value)}" for name, value in pairs))


VALID: list[tuple[str, str, Any]] = [
    (
        "PUT",
        "/v1/catalog/register",
        {
            **{
                "Node": "n",
                "ID": "11111111-2222-3333-4444-555555555555",
                "Address": "10.0.0.1",
                "NodeMeta": {"a": "b"},
            },
            **{
                "TaggedAddresses": {"lan": "10.0.0.1"},
                "Check": {"CheckID": "c", "Status": "passing", "ServiceID": "w"},
            },
            "Service": {
                **{"ID": "w", "Service": "web", "Tags": ["t"], "Meta": {"k": "v"}, "Port": 80, "Kind": "connect-proxy"},
                **{"Weights": {"Passing": 2, "Warning": 1}, "TaggedAddresses": {"lan": {"Address": "x", "Port": 1}}},
                "Proxy": {
                    **{"DestinationServiceName": "w", "Config": {"x": [1]}},
                    "Upstreams": [{"DestinationName": "d", "LocalBindPort": 1}],
                },
            },
        },
    ),
    ("PUT", "/v1/catalog/deregister", {"Node": "n", "ServiceID": "w", "CheckID": "c"}),
    ("PUT", "/v1/session/create", {"Name": "s", "TTL": "10s", "LockDelay": 5, "Behavior": "delete", "NodeChecks": []}),
    ("PUT", "/v1/txn", [{"KV": {"Verb": "set", "Key": "k", "Value": "YQ==", "Flags": 1, "Index": 0, "Session": ""}}]),
    ("PUT", "/v1/txn", [{"Node": {"Verb": "set", "Node": {"Node": "n", "Address": "x", "Meta": {"a": "b"}}}}]),
    (
        "PUT",
        "/v1/txn",
        [{"Service": {"Verb": "set", "Node": "node1", "Service": {"ID": "x", "Service": "x", "Port": 1}}}],
    ),
    (
        "PUT",
        "/v1/txn",
        [{"Check": {"Verb": "set", "Check": {"Node": "node1", "Name": "x", "Definition": {"TTL": "1s"}}}}],
    ),
    ("PUT", "/v1/coordinate/update", {"Node": "node1", "Coord": {"Vec": [0.0] * 8, "Error": 1.0, "Height": 0.1}}),
    (
        "POST",
        "/v1/query",
        {
            **{"Name": "q", "DNS": {"TTL": "1s"}, "Template": {"Type": "name_prefix_match", "Regexp": "^(q)"}},
            "Service": {
                **{"Service": "${match(1)}", "Tags": ["!x"], "Near": "_agent", "NodeMeta": {"a": "${name.full}"}},
                "Failover": {"NearestN": 1, "Datacenters": ["dc2"]},
            },
        },
    ),
    ("PUT", "/v1/operator/autopilot/configuration", {"LastContactThreshold": "1s", "MaxTrailingLogs": 1}),
    (
        "PUT",
        "/v1/config",
        {
            "Kind": "ingress-gateway",
            "Name": "g",
            "Listeners": [{"Port": 1, "Services": [{"Name": "a", "Hosts": ["h"]}]}],
        },
    ),
    ("PUT", "/v1/config", {"Kind": "terminating-gateway", "Name": "g", "Services": [{"Name": "*"}, {"Name": "a"}]}),
    ("PUT", "/v1/config", {"Kind": "service-defaults", "Name": "a", "Protocol": "http", "Meta": {"a": [1]}}),
    ("PUT", "/v1/event/fire/x", {}),
]


@st.composite
def nearly_valid(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """A request that would be fine, with a few places of its body replaced."""
    method, path, body = draw(st.sampled_from(VALID))
    root = [json.loads(json.dumps(body))]
    for _ in range(draw(st.integers(0, 2))):
        place: Any = root
        key: Any = 0
        while isinstance(place[key], (dict, list)) and place[key] and draw(st.integers(0, 4)):
            place = place[key]
            key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        place[key] = draw(values)
    return method, path, json.dumps(root[0]).encode()


def target(path: str, rest: str, query: str) -> str:
    return (path + quote(rest) if path.endswith("/") else path) + (f"?{query}" if query else "")


async def none_fails(requests: list[tuple[str, str, bytes]]) -> None:
    api = await start()
    try:
        for method, path, body in requests:
            answer = await api.ask(method, path, body)
            foreseen = answer.status < 500 or (answer.status == 500 and not answer.text.startswith("internal error"))
            assert foreseen, (path, answer)
        for path in READS:  # and what was stored can still be read
            answer = await api.ask("GET", target(path, "node1", ""))
            assert not answer.body.startswith(b"internal error"), (path, answer)
    finally:
        await api.server.close()


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(WRITES), rests, queries, bodies), min_size=1, max_size=8))
def test_writes(requests: list[Any]) -> None:
    asyncio.run(
        none_fails([(method, target(path, rest, query), body) for (method, path), rest, query, body in requests])
    )


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(READS), rests, queries), min_size=1, max_size=8))
def test_reads(requests: list[Any]) -> None:
    asyncio.run(none_fails([("GET", target(path, rest, query), b"") for path, rest, query in requests]))


@settings(max_examples=150)
@given(st.lists(nearly_valid(), min_size=1, max_size=8))
def test_nearly_valid_writes(requests: list[tuple[str, str, bytes]]) -> None:
    asyncio.run(none_fails(requests))
