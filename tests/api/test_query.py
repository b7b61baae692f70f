"""Prepared queries over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.harness import API

UNKNOWN = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(autouse=True)
async def databases(api: API) -> None:
    for number, tags, status, zone in (
        (1, ["primary", "v2"], "passing", "a"),
        (2, ["replica", "v2"], "warning", "b"),
        (3, ["replica", "v1"], "critical", "a"),
    ):
        await api.register(
            Node=f"q{number}",
            Address=f"10.4.0.{number}",
            NodeMeta={"zone": zone},
            Service={"ID": f"db{number}", "Service": "db", "Tags": tags, "Meta": {"n": str(number)}},
            Check={"CheckID": f"c{number}", "Status": status, "ServiceID": f"db{number}"},
        )


async def create(api: API, **fields: Any) -> str:
    answer = await api.post("/v1/query", fields)
    assert answer.status == 200, answer
    query_id: str = answer.json["ID"]
    return query_id


async def found(api: API, name: str, more: str = "", **request: Any) -> list[str]:
    answer = await api.get(f"/v1/query/{name}/execute{more}", **request)
    assert answer.status == 200, answer
    return [row["Node"]["Node"] for row in answer.json["Nodes"]]


async def test_create_read_update_delete(api: API) -> None:
    query = await create(api, Name="any", Service={"Service": "db"}, DNS={"TTL": "10s"})
    (row,) = (await api.get(f"/v1/query/{query}")).json
    assert (row["Name"], row["DNS"], row["Service"]["Failover"]) == (
        "any",
        {"TTL": "10s"},
        {"NearestN": 0, "Datacenters": None},
    )
    changed = await api.put(f"/v1/query/{query}", {"ID": UNKNOWN, "Name": "other", "Service": {"Service": "db"}})
    assert (changed.status, changed.body) == (200, b"")
    (again,) = (await api.get("/v1/query")).json
    assert (again["ID"], again["Name"], again["CreateIndex"]) == (query, "other", row["CreateIndex"])
    assert (await api.delete(f"/v1/query/{query}")).body == b""
    assert (await api.get("/v1/query")).json == []
    answer = await api.get(f"/v1/query/{query}")
    assert (answer.status, answer.text) == (404, "Query not found")


async def test_the_form_of_an_execution(api: API) -> None:
    await create(api, Name="one", Service={"Service": "db", "OnlyPassing": True}, DNS={"TTL": "3s"})
    answer = await api.get("/v1/query/ONE/execute?index=7&wait=30s")
    assert answer.index == 1
    result = answer.json
    assert {k: v for k, v in result.items() if k != "Nodes"} == {
        **{"Index": 0, "LastContact": 0, "KnownLeader": True, "ConsistencyLevel": "leader", "NotModified": False},
        **{"Backend": 0, "Service": "db", "DNS": {"TTL": "3s"}, "Datacenter": "dc1", "Failovers": 0},
    }
    assert [row["Node"]["Node"] for row in result["Nodes"]] == ["q1"]
    assert (await api.get("/v1/query/one/execute?stale")).json["ConsistencyLevel"] == "stale"


@pytest.mark.parametrize(
    ("service", "nodes"),
    [
        ({}, {"q1", "q2"}),
        ({"OnlyPassing": True}, {"q1"}),
        ({"IgnoreCheckIDs": ["c3"]}, {"q1", "q2", "q3"}),
        ({"IgnoreCheckIDs": ["c2"], "OnlyPassing": True}, {"q1", "q2"}),
        ({"Tags": ["V2"]}, {"q1", "q2"}),
        ({"Tags": ["v2", "!primary"]}, {"q2"}),
        ({"Tags": ["!V2"]}, set()),
        ({"NodeMeta": {"zone": "a"}}, {"q1"}),
        ({"ServiceMeta": {"n": "2"}}, {"q2"}),
        ({"ServiceMeta": {"n": "2"}, "NodeMeta": {"zone": "a"}}, set()),
        ({"Connect": True}, set()),
        ({"Service": "none", "Failover": {"NearestN": 2, "Datacenters": ["dc2"]}}, set()),
    ],
)
async def test_what_is_found(api: API, service: Any, nodes: set[str]) -> None:
    query = await create(api, Name="q", Service={"Service": "db", **service})
    assert set(await found(api, query)) == nodes


async def test_the_order_is_random_unless_near(api: API) -> None:
    for number in range(10):
        await api.register(Node=f"s{number}", Address="10.5.0.1", Service={"Service": "many", "ID": f"m{number}"})
    await create(api, Name="many", Service={"Service": "many"})
    orders = {tuple(await found(api, "many")) for _ in range(20)}
    assert len(orders) > 1 and len({frozenset(order) for order in orders}) == 1
    assert len(await found(api, "many", "?limit=4")) == 4
    assert len(await found(api, "many", "?limit=-4")) == 10


async def place(api: API, node: str, x: float) -> None:
    coord = {"Vec": [x, 0, 0, 0, 0, 0, 0, 0], "Error": 0.1, "Adjustment": 0, "Height": 0.0001}
    await api.put("/v1/coordinate/update", {"Node": node, "Coord": coord})


async def test_near(api: API) -> None:
    await place(api, "q1", 0.001)
    await place(api, "q2", 0.05)
    await place(api, "node1", 0.06)
    await create(api, Name="near-q1", Service={"Service": "db", "Near": "q1"})
    await create(api, Name="near-agent", Service={"Service": "db", "Near": "_agent"})
    await create(api, Name="near-ip", Service={"Service": "db", "Near": "_ip"})
    for _ in range(5):
        assert await found(api, "near-q1") == ["q1", "q2"]
        assert await found(api, "near-q1", "?near=q2") == ["q2", "q1"]
        assert await found(api, "near-q1", "?near=_agent") == ["q2", "q1"]
        assert await found(api, "near-agent") == ["q2", "q1"]
        assert await found(api, "near-ip", remote="10.4.0.2:999") == ["q2", "q1"]
        assert await found(api, "near-ip", headers={"x-forwarded-for": "10.4.0.1, 10.4.0.2"}) == ["q1", "q2"]
    assert set(await found(api, "near-ip", remote="10.9.9.9:1")) == {"q1", "q2"}


async def test_templates(api: API) -> None:
    template = {"Type": "name_prefix_match", "Regexp": "^geo-(.*?)-([^-]+)$", "RemoveEmptyTags": True}
    query = await create(
        api,
        Name="geo-",
        Template=template,
        Service={"Service": "${match(1)}", "Tags": ["${match(2)}", "${match(9)}"], "NodeMeta": {"zone": "a"}},
    )
    assert await found(api, "geo-db-primary") == ["q1"]
    explained = (await api.get("/v1/query/geo-db-primary/explain")).json
    assert (explained["Query"]["ID"], explained["Query"]["Service"]["Tags"]) == (query, ["primary"])
    await create(api, Name="", Template={"Type": "name_prefix_match"}, Service={"Service": "${name.full}"})
    await create(api, Name="x-", Template={"Type": "name_prefix_match"}, Service={"Service": "${name.suffix}"})
    assert set(await found(api, "db")) == {"q1", "q2"}
    assert set(await found(api, "X-db")) == {"q1", "q2"}
    assert (await api.get("/v1/query/x-db/explain")).json["Query"]["Service"]["Service"] == "db"
    answer = await api.get(f"/v1/query/{query}/execute")
    assert (answer.status, answer.text) == (
        500,
        "prepared query templates can only be resolved up by name, not by ID",
    )


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"Service": {"Service": "db"}}, "Invalid prepared query: Must be bound to a session"),
        ({"Name": "x"}, "Invalid prepared query: Must provide a Service name to query"),
        (
            {"Name": "x", "Service": {"Service": "s", "Failover": {"NearestN": -1}}},
            "Invalid prepared query: Bad NearestN '-1', must be >= 0",
        ),
        (
            {"Name": "x", "Service": {"Service": "s"}, "DNS": {"TTL": "-1s"}},
            "Invalid prepared query: DNS TTL '-1000000000', must be >=0",
        ),
        (
            {"Name": "x", "Service": {"Service": "s"}, "DNS": {"TTL": "x"}},
            "Invalid prepared query: Bad DNS TTL 'x': time: invalid duration \"x\"",
        ),
        (
            {"Name": "x", "Token": "<hidden>", "Service": {"Service": "s"}},
            "Invalid prepared query: Bad Token '<hidden>'",
        ),
        (
            {"Name": "x", "Service": {"Service": "s", "NodeMeta": {"": "v"}}},
            "Invalid prepared query: Couldn't load metadata pair",
        ),
        (
            {"Name": "x", "Session": UNKNOWN, "Service": {"Service": "s"}},
            f'raft apply failed: invalid session "{UNKNOWN}"',
        ),
        (
            {"ID": UNKNOWN, "Name": "x", "Service": {"Service": "s"}},
            "ID must be empty when creating a new prepared query",
        ),
        (
            {"Name": "Taken", "Service": {"Service": "s"}},
            "raft apply failed: name 'Taken' aliases an existing query name",
        ),
        (
            {"Name": "taken", "Template": {"Type": "name_prefix_match"}, "Service": {"Service": "s"}},
            "raft apply failed: name 'taken' aliases an existing query name",
        ),
        (
            {"Template": {"Type": "other"}, "Service": {"Service": "s"}},
            "raft apply failed: failed compiling template: Bad Template.Type 'other'",
        ),
        (
            {"Template": {"Type": "name_prefix_match", "Regexp": "("}, "Service": {"Service": "s"}},
            "raft apply failed: failed compiling template: Bad Regexp: ",
        ),
        (
            {"Template": {"Type": "name_prefix_match"}, "Service": {"Service": "${no.such}"}},
            "raft apply failed: failed compiling template: Bad evaluation for '${no.such}' in Service.Service: unknown",
        ),
    ],
)
async def test_refused(api: API, fields: Any, text: str) -> None:
    await create(api, Name="taken", Service={"Service": "db"})
    answer = await api.post("/v1/query", fields)
    assert answer.status == 500 and answer.text.startswith(text), answer


async def test_a_name_may_not_be_an_id(api: API) -> None:
    query = await create(api, Name="a", Service={"Service": "db"})
    answer = await api.post("/v1/query", {"Name": query, "Service": {"Service": "db"}})
    assert answer.text == f"raft apply failed: name '{query}' aliases an existing query ID"


async def test_only_one_template_without_a_name(api: API) -> None:
    fields = {"Template": {"Type": "name_prefix_match"}, "Service": {"Service": "s"}}
    query = await create(api, **fields)
    answer = await api.post("/v1/query", fields)
    assert answer.text == "raft apply failed: a query template with an empty name already exists"
    assert (await api.put(f"/v1/query/{query}", fields)).status == 200


async def test_a_query_ends_with_its_session(api: API) -> None:
    session = (await api.put("/v1/session/create", {})).json["ID"]
    await create(api, Session=session, Service={"Service": "db"})
    await api.put(f"/v1/session/destroy/{session}")
    assert (await api.get("/v1/query")).json == []


async def test_ids(api: API) -> None:
    for method, text in (
        ("GET", "failed prepared query lookup: index error: UUID must be 36 characters"),
        ("PUT", "Prepared Query lookup failed: failed prepared query lookup: index error: UUID must be 36 characters"),
        (
            "DELETE",
            "Prepared Query lookup failed: failed prepared query lookup: index error: UUID must be 36 characters",
        ),
    ):
        answer = await api.ask(method, "/v1/query/none")
        assert (answer.status, answer.text) == (500, text)
    for method in ("PUT", "DELETE"):
        answer = await api.ask(method, f"/v1/query/{UNKNOWN}")
        assert (answer.status, answer.text) == (500, f"Cannot modify non-existent prepared query: '{UNKNOWN}'")


async def test_other_refusals(api: API) -> None:
    for method in ("PUT", "DELETE"):
        answer = await api.ask(method, "/v1/query/x/execute")
        assert (answer.status, answer.headers["Allow"]) == (405, "OPTIONS,GET")
    for path in ("none/execute", "none/explain"):
        answer = await api.get(f"/v1/query/{path}")
        assert (answer.status, answer.text) == (404, "Query not found")
    answer = await api.get("/v1/query//execute")
    assert (answer.status, answer.text) == (500, "Missing prepared query ID")
    answer = await api.get("/v1/query/x/execute?limit=many")
    assert (answer.status, answer.text) == (500, 'Bad limit: strconv.Atoi: parsing "many": invalid syntax')
    for body in (b"", b"[]", b'{"Nope": 1}', b'{"Service": 1}'):
        answer = await api.post("/v1/query", body)
        assert answer.status == 400 and answer.text.startswith("Request decode failed: "), answer
