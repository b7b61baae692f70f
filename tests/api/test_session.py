"""Sessions over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api.harness import API, NODE

UNKNOWN = "11111111-2222-3333-4444-555555555555"


async def create(api: API, **fields: Any) -> str:
    answer = await api.put("/v1/session/create", fields if fields else b"")
    assert answer.status == 200, answer
    session_id: str = answer.json["ID"]
    return session_id


async def shown(api: API, session_id: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = (await api.get(f"/v1/session/info/{session_id}")).json
    return rows[0]


async def test_defaults(api: API) -> None:
    row = await shown(api, await create(api))
    assert (row["Node"], row["Behavior"], row["LockDelay"], row["TTL"]) == (NODE, "release", 15_000_000_000, "")
    assert row["NodeChecks"] == ["serfHealth"] and row["ServiceChecks"] is None


@pytest.mark.parametrize(
    ("given", "shown_delay"),
    [(5, 5 * 10**9), (0, 0), ("0s", 0), ("20ms", 20_000_000), (2_000_000_000, 2 * 10**9), ("2m", 120 * 10**9)],
)
async def test_lock_delay(api: API, given: Any, shown_delay: int) -> None:
    assert (await shown(api, await create(api, LockDelay=given)))["LockDelay"] == shown_delay


@pytest.mark.parametrize(
    ("fields", "checks", "node_checks"),
    [
        ({"Checks": []}, None, []),
        ({"NodeChecks": []}, None, []),
        ({"Checks": [], "NodeChecks": ["up"]}, None, []),
        ({"NodeChecks": ["up"]}, None, ["up"]),
        ({"Checks": ["up"]}, ["up"], ["serfHealth"]),
        ({"Checks": ["up"], "NodeChecks": []}, None, []),
    ],
)
async def test_the_two_ways_to_name_checks(api: API, fields: Any, checks: Any, node_checks: Any) -> None:
    await api.register(
        Node=NODE, Address="127.0.0.1", SkipNodeUpdate=True, Check={"CheckID": "up", "Status": "passing"}
    )
    row = await shown(api, await create(api, **fields))
    assert (row.get("Checks"), row["NodeChecks"]) == (checks, node_checks)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"TTL": "1ms"}, "Invalid Session TTL '1000000', must be between [20ms=24h0m0s]"),
        ({"TTL": "25h"}, "Invalid Session TTL '90000000000000', must be between [20ms=24h0m0s]"),
        ({"TTL": "soon"}, "Session TTL 'soon' invalid: time: invalid duration \"soon\""),
        ({"Behavior": "keep"}, "Invalid Behavior setting 'keep'"),
        ({"Node": ""}, "Must provide Node"),
        ({"Node": "nowhere"}, "apply failed: Missing node registration"),
        ({"NodeChecks": ["missing"]}, "apply failed: Missing check 'missing' registration"),
    ],
)
async def test_refused(api: API, fields: Any, text: str) -> None:
    answer = await api.put("/v1/session/create", fields)
    assert (answer.status, answer.text) == (500, text)


async def test_a_critical_check_refuses_and_ends(api: API) -> None:
    node = {"Node": "ext", "Address": "10.0.0.9"}
    await api.register(**node, Check={"CheckID": "disk", "Status": "passing"})
    session = await create(api, Node="ext", NodeChecks=["disk"], LockDelay="0s")
    assert (await api.put(f"/v1/kv/held?acquire={session.upper()}", b"x")).json is True
    await api.register(**node, Check={"CheckID": "disk", "Status": "critical"})
    assert (await api.get(f"/v1/session/info/{session}")).json == []
    assert "Session" not in (await api.get("/v1/kv/held")).json[0]
    answer = await api.put("/v1/session/create", {"Node": "ext", "NodeChecks": ["disk"]})
    assert (answer.status, answer.text) == (500, "apply failed: Check 'disk' is in critical state")


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"LockDelay": "soon"}', b'{"Nope": 1}', b'{"Checks": "x"}', b"\xff"])
async def test_malformed_bodies(api: API, body: bytes) -> None:
    answer = await api.put("/v1/session/create", body)
    assert answer.status == 400 and answer.text.startswith("Request decode failed: "), answer


async def test_lists(api: API) -> None:
    await api.register(Node="other", Address="10.0.0.9")
    one, two = await create(api), await create(api, Node="other", NodeChecks=[])
    rows = (await api.get("/v1/session/list")).json
    assert {row["ID"] for row in rows} == {one, two}
    assert [row["ID"] for row in (await api.get("/v1/session/node/OTHER")).json] == [two]
    assert (await api.get("/v1/session/node/none")).json == []


async def test_destroy(api: API) -> None:
    session = await create(api)
    assert (await api.put(f"/v1/session/destroy/{session}")).json is True
    assert (await api.put(f"/v1/session/destroy/{session}")).json is True
    assert (await api.get("/v1/session/list")).json == []


async def test_what_is_missing_from_the_path(api: API) -> None:
    for method, path, text in (
        ("PUT", "destroy/", "Missing session"),
        ("PUT", "renew/", "Missing session"),
        ("GET", "info/", "Missing session"),
        ("GET", "node/", "Missing node name"),
    ):
        answer = await api.ask(method, f"/v1/session/{path}")
        assert (answer.status, answer.text) == (400, text)


async def test_ids_that_are_none(api: API) -> None:
    for method, path in (("PUT", "destroy/x"), ("PUT", "renew/x"), ("GET", "info/x")):
        answer = await api.ask(method, f"/v1/session/{path}")
        assert (answer.status, answer.text) == (
            500,
            "failed session lookup: index error: UUID must be 36 characters",
        )
    assert (await api.get(f"/v1/session/info/{UNKNOWN}")).json == []


async def test_renewing_starts_the_lease_again(api: API, monkeypatch: pytest.MonkeyPatch) -> None:
    session = await create(api, TTL="1h", LockDelay="0s")
    lease = api.server.state.keys.alive.get(session).lease  # type: ignore[union-attr]
    renewed: list[int] = []
    keep_alive = api.server.store.keep_alive

    async def recorded(asked: int) -> bool:
        renewed.append(asked)
        return await keep_alive(asked)

    monkeypatch.setattr(api.server.store, "keep_alive", recorded)
    assert [row["ID"] for row in (await api.put(f"/v1/session/renew/{session}")).json] == [session]
    assert renewed == [lease]


async def test_a_session_ends_with_its_lease(api: API) -> None:
    session = await create(api, TTL="1h", LockDelay="0s", Behavior="delete")
    await api.put(f"/v1/kv/mine?acquire={session}", b"x")
    lease = api.server.state.keys.alive.get(session).lease  # type: ignore[union-attr]
    index = (await api.get("/v1/session/list")).index
    watcher = asyncio.create_task(api.get(f"/v1/session/list?index={index}&wait=30s"))
    await asyncio.sleep(0)
    await api.server.store.revoke(lease)  # what the store does when the time is over
    answer = await api.put(f"/v1/session/renew/{session}")
    assert (answer.status, answer.text) == (404, f"Session id '{session}' not found")
    assert (await watcher).json == []
    assert (await api.get("/v1/kv/mine")).status == 404


async def test_a_ttl_of_nothing_is_no_ttl(api: API) -> None:
    session = await create(api, TTL="0s")
    assert api.server.state.keys.orphans().value == []
    assert (await api.put(f"/v1/session/renew/{session}")).json[0]["TTL"] == "0s"


async def test_a_watcher_hears_of_the_end(api: API) -> None:
    session = await create(api)
    index = (await api.get(f"/v1/session/info/{session}")).index
    watcher = asyncio.create_task(api.get(f"/v1/session/info/{session}?index={index}&wait=30s"))
    await asyncio.sleep(0.01)
    await api.put(f"/v1/session/destroy/{session}")
    assert (await watcher).json == []
