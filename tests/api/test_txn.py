"""Transactions over HTTP."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.api.harness import API, start


def kv(verb: str, key: str = "", **fields: Any) -> dict[str, Any]:
    if isinstance(value := fields.get("Value"), bytes):
        fields["Value"] = base64.b64encode(value).decode()
    return {"KV": {"Verb": verb, "Key": key, **fields}}


def reasons(answer: Any) -> list[tuple[int, str]]:
    assert answer.status == 409 and answer.json["Results"] is None, answer
    return [(error["OpIndex"], error["What"]) for error in answer.json["Errors"]]


async def test_writes_and_reads_in_order(api: API) -> None:
    answer = await api.put("/v1/txn", [kv("set", "a", Value=b"1", Flags=3), kv("get", "a"), kv("set", "b")])
    assert answer.status == 200 and "X-Consul-Knownleader" not in answer.headers
    rows = [row["KV"] for row in answer.json["Results"]]
    assert [(row["Key"], row["Value"]) for row in rows] == [("a", None), ("a", "MQ=="), ("b", None)]
    assert len({row["ModifyIndex"] for row in rows}) == 1
    assert rows[0]["ModifyIndex"] == (await api.get("/v1/kv/a")).json[0]["ModifyIndex"]


async def test_reads_alone_are_answered_as_reads(api: API) -> None:
    await api.put("/v1/kv/a", b"1")
    answer = await api.put("/v1/txn", [kv("get", "a"), kv("get-or-empty", "none"), kv("get-tree", "a")])
    assert answer.headers["X-Consul-Knownleader"] == "true" and "X-Consul-Index" not in answer.headers
    found = answer.json
    assert (found["KnownLeader"], found["NotModified"], found["Backend"]) == (True, False, 0)
    assert [row["KV"]["Value"] for row in found["Results"]] == ["MQ==", None, "MQ=="]


async def test_all_or_nothing(api: API) -> None:
    await api.put("/v1/kv/a", b"1")
    answer = await api.put(
        "/v1/txn",
        [
            kv("set", "new", Value=b"x"),
            kv("cas", "a", Index=1),
            kv("check-index", "none", Index=1),
            kv("check-not-exists", "a"),
            kv("delete-cas", "a", Index=1),
            kv("unlock", "a", Session="0" * 36),
            kv("check-session", "a", Session="x"),
            kv("lock", "a", Session="0" * 36),
        ],
    )
    assert reasons(answer) == [
        (1, 'failed to set key "a", index is stale'),
        (2, 'failed to check index, key "none" doesn\'t exist'),
        (3, 'key "a" exists'),
        (4, 'failed to delete key "a", index is stale'),
        (5, 'failed to unlock key "a", lock isn\'t held, or is held by another session'),
        (6, 'failed session check for key "a", current session "" != "x"'),
        (7, f'invalid session "{"0" * 36}"'),
    ]
    assert (await api.get("/v1/kv/new")).status == 404


async def test_what_is_looked_at_before_anything_runs(api: API) -> None:
    answer = await api.put(
        "/v1/txn",
        [
            kv("set", ""),
            kv("get", "missing"),
            {"Node": {"Verb": "set", "Node": {"Address": "x"}}},
            {"Node": {"Verb": "set", "Node": {"Node": "n", "ID": "x"}}},
            {"Service": {"Verb": "set", "Node": "n", "Service": {"ID": "only-id"}}},
        ],
    )
    assert reasons(answer) == [
        (0, "Must provide key"),
        (2, "Must provide node"),
        (3, "Bad node ID: uuid string is wrong length"),
        (4, "Must provide service name with ID"),
    ]


async def test_a_tree_deleted_and_made_again(api: API) -> None:
    for key in ("t/a", "t/b", "u"):
        await api.put(f"/v1/kv/{key}", b"x")
    answer = await api.put(
        "/v1/txn",
        [
            kv("delete-tree", "t/"),
            kv("set", "t/after", Value=b"1"),
            kv("set", "t/a", Value=b"2"),
            kv("delete-tree", "t/a"),
            kv("get-tree", "t/"),
        ],
    )
    assert [row["KV"]["Key"] for row in answer.json["Results"]] == ["t/after", "t/a"]
    assert (await api.get("/v1/kv/?keys")).json == ["u"]


async def test_catalog_verbs(api: API) -> None:
    node = {"Node": "box", "Address": "10.1.0.1", "Meta": {"rack": "r1"}}
    answer = await api.put(
        "/v1/txn",
        [
            {"Node": {"Verb": "cas", "Node": {**node, "ModifyIndex": 0}}},
            {
                "Service": {
                    "Verb": "set",
                    "Node": "box",
                    "Service": {"Service": "web", "Weights": {"Passing": 0, "Warning": 0}},
                }
            },
            {"Check": {"Verb": "set", "Check": {"Node": "box", "Name": "up"}}},
        ],
    )
    results = answer.json["Results"]
    assert [next(iter(row)) for row in results] == ["Node", "Service", "Check"]
    assert results[0]["Node"]["Datacenter"] == "dc1"
    assert results[1]["Service"]["ID"] == "web"
    assert results[1]["Service"]["Weights"] == {"Passing": 1, "Warning": 1} and results[1]["Service"]["Tags"] is None
    assert (results[2]["Check"]["CheckID"], results[2]["Check"]["Status"]) == ("up", "critical")
    index = results[0]["Node"]["ModifyIndex"]
    stale = [
        {"Node": {"Verb": "cas", "Node": {**node, "ModifyIndex": index + 1}}},
        {
            "Service": {
                "Verb": "delete-cas",
                "Node": "box",
                "Service": {"ID": "web", "Service": "web", "ModifyIndex": 1},
            }
        },
        {"Check": {"Verb": "delete-cas", "Check": {"Node": "box", "CheckID": "none"}}},
        {"Check": {"Verb": "set", "Check": {"Node": "gone", "CheckID": "x"}}},
        {"Check": {"Verb": "set", "Check": {"Node": "box", "CheckID": "x", "ServiceID": "none"}}},
        {"Node": {"Verb": "explode", "Node": node}},
    ]
    assert reasons(await api.put("/v1/txn", stale)) == [
        (0, 'failed to set node "box", index is stale'),
        (1, 'failed to delete service "web" on node "box", index is stale'),
        (2, 'failed to delete check "none" on node "box", index is stale'),
        (3, "Missing node registration"),
        (4, 'Missing service registration on node "box"'),
        (5, 'unknown Node verb "explode"'),
    ]
    gone = await api.put("/v1/txn", [{"Node": {"Verb": "delete-cas", "Node": {"Node": "box", "ModifyIndex": index}}}])
    assert gone.json == {"Results": [], "Errors": None}


async def test_a_service_as_a_client_library_sends_it(api: API) -> None:
    service = {
        "ID": "w",
        "Service": "web",
        "ContentHash": "abc",
        "Datacenter": "dc1",
        "Namespace": "",
        "CreateIndex": 0,
    }
    check = {"Node": "node1", "CheckID": "c", "Namespace": "", "Definition": {"HTTP": "", "GRPCUseTLS": False}}
    for _ in range(2):  # the second time nothing changes
        answer = await api.put(
            "/v1/txn",
            [
                {"Service": {"Verb": "set", "Node": "node1", "Service": service}},
                {"Check": {"Verb": "set", "Check": check}},
            ],
        )
        assert answer.status == 200, answer
    rows = (await api.get("/v1/health/service/web")).json
    assert rows[0]["Service"]["CreateIndex"] == rows[0]["Service"]["ModifyIndex"]


async def test_lock_delay(api: API) -> None:
    session = (await api.put("/v1/session/create", {"LockDelay": "60s"})).json["ID"]
    other = (await api.put("/v1/session/create", {})).json["ID"]
    assert (await api.put("/v1/txn", [kv("lock", "k", Session=session.upper())])).status == 200
    await api.put(f"/v1/session/destroy/{session}")
    assert reasons(await api.put("/v1/txn", [kv("lock", "k", Session=other)])) == [
        (0, 'failed to lock key "k" due to lock delay')
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[",
        b"[1]",
        b'[{"KV": 1}]',
        b'[{"Key": {}}]',
        b'[{"KV": {"Flags": -1}}]',
        b'[{"KV": {"Flags": 1e99}}]',
    ],
)
async def test_malformed_bodies(api: API, body: bytes) -> None:
    answer = await api.put("/v1/txn", body)
    assert answer.status == 400 and answer.text.startswith("Failed to parse body: "), answer


@pytest.mark.parametrize("body", [b"null", b"[]", b"[{}]", b'[{"KV": null}]'])
async def test_nothing_to_do(api: API, body: bytes) -> None:
    answer = await api.put("/v1/txn", body)
    assert (answer.status, answer.json["Results"], answer.json["Errors"]) == (200, [], None)


@pytest.mark.parametrize("value", ["***", "YQ=", "YQ", "YQ===", "Y Q=="])
async def test_values_that_are_no_base64(api: API, value: str) -> None:
    answer = await api.put("/v1/txn", [{"KV": {"Verb": "set", "Key": "k", "Value": value}}])
    assert answer.status == 400
    assert answer.text.startswith("Failed to parse body: illegal base64 data at input byte "), answer


async def test_limits() -> None:
    api = await start(txn_body_bytes=2000, kv_value_bytes=100, txn_ops=3)
    answer = await api.put("/v1/txn", [kv("set", "k", Value=b"x" * 2000)])
    assert answer.status == 413 and answer.text.endswith(
        "too large, max size: 2000 bytes. See https://www.consul.io/docs/agent/options.html#txn_max_req_len."
    )
    answer = await api.put("/v1/txn", [kv("set", "k", Value=b"x" * 101)])
    assert (answer.status, answer.text) == (413, 'Value for key "k" is too large (101 > 100 bytes)')
    answer = await api.put("/v1/txn", [kv("get", "k")] * 4)
    assert (answer.status, answer.text) == (413, "Transaction contains too many operations (4 > 3)")
    assert (await api.get("/v1/kv/?keys")).status == 404
    await api.server.close()


async def test_other_datacenters(api: API) -> None:
    assert (await api.put("/v1/txn?dc=dc1", [])).status == 200
    answer = await api.put("/v1/txn?dc=dc2", [])
    assert (answer.status, answer.text) == (500, "No path to datacenter")
