"""Snapshots over HTTP: what was saved comes back as it was, and a damaged archive changes nothing."""

from __future__ import annotations

import asyncio
import gzip
from functools import partial

import pytest

from lictor.server.commands import members
from lictor.types.member import ALIVE, LEFT, Member
from tests.api.harness import API, NODE, start


async def fill(api: API) -> str:
    await api.put("/v1/kv/keep?flags=9", b"before")
    await api.register(Node="saved", Address="10.2.0.1", Service={"Service": "db", "Tags": ["primary"]})
    session = (await api.put("/v1/session/create", {"TTL": "1h", "LockDelay": "0s"})).json["ID"]
    await api.put(f"/v1/kv/lock?acquire={session}", b"held")
    await api.post("/v1/query", {"Name": "q", "Service": {"Service": "db"}})
    found: str = session
    return found


async def saved(api: API) -> bytes:
    answer = await api.get("/v1/snapshot")
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/x-gzip"
    assert answer.index == api.server.state.revision
    return answer.body


async def test_there_and_back(api: API) -> None:
    session = await fill(api)
    archive = await saved(api)
    await api.put("/v1/kv/keep", b"after")
    await api.put("/v1/kv/added", b"after")
    await api.put(f"/v1/session/destroy/{session}")
    await api.put("/v1/catalog/deregister", {"Node": "saved"})
    before = api.server.state.revision
    answer = await api.put("/v1/snapshot", archive)
    assert (answer.status, answer.body, api.syncs) == (200, b"", 1)
    rows = (await api.get("/v1/kv/?recurse")).json
    assert [(row["Key"], row["Flags"], row.get("Session")) for row in rows] == [("keep", 9, None), ("lock", 0, session)]
    assert {row["ModifyIndex"] for row in rows} == {before + 1} == {row["CreateIndex"] for row in rows}
    assert (await api.get("/v1/catalog/service/db")).json[0]["Node"] == "saved"
    assert (await api.get("/v1/query/q/execute")).json["Nodes"][0]["Node"]["Node"] == "saved"
    # The session's time begins anew, under a lease of its own.
    assert (await api.put(f"/v1/session/renew/{session}")).json[0]["ID"] == session


async def test_into_another_cluster(api: API) -> None:
    session = await fill(api)
    other = await start()
    assert (await other.put("/v1/snapshot", await saved(api))).status == 200
    assert (await other.get("/v1/kv/keep?raw")).body == b"before"
    assert (await other.put(f"/v1/session/renew/{session}")).status == 200
    await other.server.store.revoke(other.server.state.keys.alive.get(session).lease)  # type: ignore[union-attr]
    while (await other.get(f"/v1/session/info/{session}")).json:
        await asyncio.sleep(0)
    assert "Session" not in (await other.get("/v1/kv/lock")).json[0]
    await other.server.close()


async def test_members_are_those_of_now(api: API) -> None:
    def member(name: str) -> Member:
        node_id = f"{len(name)}1111111-2222-3333-4444-555555555555"
        return Member(id=node_id, name=name, address="10.0.0.7", server=True, server_port=8300, datacenter="dc1")

    now = api.context.clock.time()
    for name in ("stays", "left"):
        await api.server.write(partial(members.attach, member=member(name), ttl=3600.0, now=now))
    archive = await saved(api)
    await api.server.write(partial(members.leave, name="left", now=now))
    await api.server.write(partial(members.attach, member=member("joined"), ttl=3600.0, now=now))
    assert (await api.put("/v1/snapshot", archive)).status == 200
    known = {row.name: status for row, status in api.server.state.members.all().value}
    assert known == {NODE: ALIVE, "stays": ALIVE, "left": LEFT, "joined": ALIVE}
    assert (await api.get("/v1/health/node/left")).json == []
    for name in ("stays", "joined"):
        (health,) = (await api.get(f"/v1/health/node/{name}")).json
        assert (health["CheckID"], health["Status"]) == ("serfHealth", "passing")
        lease = api.server.state.members.alive.get(name).lease  # type: ignore[union-attr]
        assert await api.server.store.keep_alive(lease)
    assert {row["Node"] for row in (await api.get("/v1/catalog/service/consul")).json} == {NODE, "stays", "joined"}


async def test_watchers_wake(api: API) -> None:
    await fill(api)
    archive = await saved(api)
    await api.put("/v1/kv/keep", b"after")
    await api.put("/v1/kv/added", b"after")
    targets = ["kv/keep", "kv/added", "catalog/service/db"]
    watchers = []
    for target in targets:
        index = (await api.get(f"/v1/{target}")).index
        watchers.append(asyncio.create_task(api.get(f"/v1/{target}?index={index}&wait=30s")))
    await asyncio.sleep(0)
    await api.put("/v1/snapshot", archive)
    kept, added = await watchers[0], await watchers[1]
    assert kept.json[0]["Value"] == "YmVmb3Jl" and added.status == 404
    service = await watchers[2]
    assert service.status == 200 and service.index == kept.index


async def test_broken_archives_change_nothing(api: API) -> None:
    await fill(api)
    archive = await saved(api)
    revision = api.server.state.revision
    raw = gzip.decompress(archive)
    damaged = {
        b"this is not a snapshot": "failed to decompress snapshot: gzip: invalid header",
        b"": "failed to decompress snapshot: gzip: invalid header",
        archive[: len(archive) // 2]: "failed to read snapshot file: ",
        archive[:-4] + b"\0\0\0\0": "failed to read snapshot file: ",
        gzip.compress(b"no tar"): "failed to read snapshot file: ",
        gzip.compress(raw.replace(b"before", b"BEFORE")): (
            'failed to read snapshot file: failed checking integrity of snapshot: hash check failed for "state.bin"'
        ),
        gzip.compress(raw.replace(b"state.bin", b"state.bad")): "failed to read snapshot file: ",
        gzip.compress(raw + b"more"): "failed to read snapshot file: something follows its end",
    }
    for body, text in damaged.items():
        answer = await api.put("/v1/snapshot", body)
        assert answer.status == 500 and answer.text.startswith(text), answer
    assert api.server.state.revision == revision


async def test_every_damaged_byte_is_noticed(api: API) -> None:
    await api.put("/v1/kv/k", b"value")
    raw = bytearray(gzip.decompress(await saved(api)))
    revision = api.server.state.revision
    start_of_state = raw.index(b"state.bin") + 512
    for position in range(start_of_state, start_of_state + 300, 7):
        raw[position] ^= 0x55
        assert (await api.put("/v1/snapshot", gzip.compress(bytes(raw), 1))).status == 500
        raw[position] ^= 0x55
    assert api.server.state.revision == revision
    assert (await api.put("/v1/snapshot", gzip.compress(bytes(raw), 1))).status == 200


async def test_an_upload_has_a_limit(api: API, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = await saved(api)
    monkeypatch.setattr("lictor.limits.SNAPSHOT_STATE_BYTES", -(1 << 20) + 600)
    answer = await api.put("/v1/snapshot", archive)
    assert answer.status == 500 and "it unpacks to more than a snapshot may hold" in answer.text
