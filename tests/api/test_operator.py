"""What operators see of the servers, over HTTP."""

from __future__ import annotations

import pytest

from tests.api.harness import API, NODE_ID

AUTOPILOT = "/v1/operator/autopilot/configuration"


async def test_raft_configuration(api: API) -> None:
    answer = await api.get("/v1/operator/raft/configuration")
    assert "X-Consul-Index" not in answer.headers
    assert answer.json["Servers"] == [
        {
            "ID": NODE_ID,
            "Node": "node1",
            "Address": "127.0.0.1:8300",
            "Leader": True,
            "ProtocolVersion": "3",
            "Voter": True,
        }
    ]


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("", 400, "Must specify either ?id with the server's ID or ?address with IP:port of peer to remove"),
        ("?id=a&address=b", 400, "Must specify only one of ?id or ?address"),
        ("?address=10.0.0.1:1", 500, 'address "10.0.0.1:1" was not found in the Raft configuration'),
        ("?id=x", 500, 'id "x" was not found in the Raft configuration'),
        ("?address=127.0.0.1:8300", 500, "server node1 is alive: let it leave, or it would be back at once"),
    ],
)
async def test_removing_a_peer(api: API, query: str, status: int, text: str) -> None:
    answer = await api.delete(f"/v1/operator/raft/peer{query}")
    assert (answer.status, answer.text) == (status, text)


async def test_autopilot_configuration(api: API) -> None:
    first = (await api.get(AUTOPILOT)).json
    assert (first["CleanupDeadServers"], first["LastContactThreshold"], first["MaxTrailingLogs"]) == (
        True,
        "200ms",
        250,
    )
    assert (await api.put(AUTOPILOT, {"LastContactThreshold": "500ms", "ServerStabilizationTime": 20_000_000_000})).json
    second = (await api.get(AUTOPILOT)).json
    assert (second["CleanupDeadServers"], second["LastContactThreshold"]) == (False, "500ms")
    assert second["ServerStabilizationTime"] == "20s"
    index = second["ModifyIndex"]
    assert (await api.put(f"{AUTOPILOT}?cas={index - 1}", {"MaxTrailingLogs": 5})).json is False
    assert (await api.put(f"{AUTOPILOT}?cas={index}", {**second, "MaxTrailingLogs": 5})).json is True
    assert (await api.get(AUTOPILOT)).json["MaxTrailingLogs"] == 5


@pytest.mark.parametrize(
    ("target", "body", "text"),
    [
        (AUTOPILOT, b"{", "Bad request: Error parsing autopilot config: "),
        (AUTOPILOT, {"MinQuorum": -1}, "Bad request: Error parsing autopilot config: "),
        (AUTOPILOT, {"LastContactThreshold": "soon"}, "Bad request: Error parsing autopilot config: "),
        (f"{AUTOPILOT}?cas=x", {}, 'Bad request: Error parsing cas value: strconv.ParseUint: parsing "x"'),
    ],
)
async def test_autopilot_refusals(api: API, target: str, body: object, text: str) -> None:
    answer = await api.put(target, body)
    assert answer.status == 400 and answer.text.startswith(text), answer


async def test_health(api: API) -> None:
    answer = await api.get("/v1/operator/autopilot/health")
    assert answer.status == 200
    assert (answer.json["Healthy"], answer.json["FailureTolerance"]) == (True, 0)
    (server,) = answer.json["Servers"]
    assert (server["Name"], server["SerfStatus"], server["StableSince"]) == ("node1", "alive", "2023-11-14T22:13:20Z")
    state = (await api.get("/v1/operator/autopilot/state")).json
    assert (state["Leader"], state["Voters"], state["Servers"][NODE_ID]["Status"]) == (NODE_ID, [NODE_ID], "leader")
    api.server.leading = False
    assert (await api.get("/v1/operator/autopilot/health")).status == 429


async def test_keyring(api: API) -> None:
    answer = await api.get("/v1/operator/keyring")
    assert (answer.status, answer.text) == (
        500,
        "4 errors occurred:\n\t* WAN error: 1/1 nodes reported failure\n"
        "\t* node1.dc1: Keyring is empty (encryption not enabled)\n\t* dc1 (LAN) error: 1/1 nodes reported failure\n"
        "\t* node1: Keyring is empty (encryption not enabled)\n\n",
    )
    for method in ("POST", "PUT", "DELETE"):
        answer = await api.ask(method, "/v1/operator/keyring", {"Key": "abc"})
        assert answer.status == 500 and "No keyring to modify" in answer.text
        assert (await api.ask(method, "/v1/operator/keyring", b"{")).status == 400
        assert (await api.ask(method, "/v1/operator/keyring?local-only=true", b"{}")).status == 400
    for query in ("relay-factor=x", "relay-factor=6", "relay-factor=-1", "local-only=maybe"):
        assert (await api.get(f"/v1/operator/keyring?{query}")).status == 400


async def test_reads_check_their_options(api: API) -> None:
    for path in ("raft/configuration", "autopilot/configuration", "autopilot/health", "autopilot/state"):
        assert (await api.get(f"/v1/operator/{path}?stale&consistent")).status == 400
        assert (await api.get(f"/v1/operator/{path}?dc=dc2")).status == 500
