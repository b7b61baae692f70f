from __future__ import annotations

from typing import Any

import pytest

from lictor.client import Address, Config, plan
from lictor.client.errors import ApiError, Forbidden, NotFound, ServerError, Unreadable
from lictor.client.request import Request, Response, headers, target


def respond(status: int = 200, body: bytes = b"[]", **fields: str) -> Response:
    return Response(status, {k.replace("_", "-"): v for k, v in fields.items()}, body)


def asked(request: Request[Any], config: Config | None = None) -> str:
    return f"{request.method} {target(request, config or Config())}"


def test_reads() -> None:
    assert asked(plan.kv.get("a b/c?")) == "GET /v1/kv/a%20b/c%3F"
    assert asked(plan.kv.list("a", stale=True)) == "GET /v1/kv/a?recurse=&stale="
    assert asked(plan.kv.keys("a/", separator="/")) == "GET /v1/kv/a/?keys=&separator=%2F"
    request = plan.health.service(
        "web",
        tags=["a", "b"],
        passing=True,
        index=7,
        wait=1.5,
        near="_agent",
        node_meta={"k": "v"},
        filter='Node.Meta.x == "1"',
        datacenter="dc2",
    )
    assert asked(request) == (
        "GET /v1/health/service/web?tag=a&tag=b&passing=&dc=dc2&near=_agent&filter=Node.Meta.x+%3D%3D+%221%22"
        "&index=7&wait=1500ms&node-meta=k%3Av"
    )


def test_the_agents_cache() -> None:
    request = plan.health.service("web", cached=True, max_age=3.0)
    assert asked(request) == "GET /v1/health/service/web?cached="
    assert headers(request, Config())["Cache-Control"] == "max-age=3"


def test_defaults_fill_what_a_request_does_not_say() -> None:
    config = Config(datacenter="dc9", namespace="n", stale=True, address=Address.parse("http://h/p"))
    assert asked(plan.kv.get("a"), config) == "GET /p/v1/kv/a?dc=dc9&ns=n&stale="
    assert asked(plan.kv.get("a", datacenter="dc1", consistent=True), config) == (
        "GET /p/v1/kv/a?dc=dc1&consistent=&ns=n"
    )
    assert asked(plan.kv.put("a"), config) == "PUT /p/v1/kv/a?dc=dc9&ns=n"
    assert asked(plan.kv.get("a"), Config(consistent=True)) == "GET /v1/kv/a?consistent="


def test_writes() -> None:
    request = plan.kv.put("a", "text", flags=3, cas=0, acquire="s")
    assert asked(request) == "PUT /v1/kv/a?flags=3&cas=0&acquire=s"
    assert request.body == b"text"
    assert asked(plan.kv.delete("a", recurse=True)) == "DELETE /v1/kv/a?recurse="
    assert asked(plan.agent.maintenance(False)) == "PUT /v1/agent/maintenance?enable=false"
    assert asked(plan.agent.join("10.0.0.1", wan=True)) == "PUT /v1/agent/join/10.0.0.1?wan=1"


def test_tokens_and_credentials() -> None:
    config = Config(token="default", auth="user:pass")
    fields = headers(plan.kv.get("a"), config)
    assert fields["X-Consul-Token"] == "default"
    assert fields["Authorization"] == "Basic dXNlcjpwYXNz"
    assert headers(plan.kv.get("a", token="own"), config)["X-Consul-Token"] == "own"
    assert "X-Consul-Token" not in headers(plan.kv.get("a", token=""), config)


def test_bodies_say_what_they_are() -> None:
    assert headers(plan.session.create({"TTL": "10s"}), Config())["Content-Type"] == "application/json"
    assert headers(plan.kv.put("a", b"\x00"), Config())["Content-Type"] == "application/octet-stream"


def test_answers_carry_what_the_headers_say() -> None:
    answer = plan.kv.get("a").read(
        respond(
            body=b'[{"Key": "a", "Value": "eA==", "Flags": 2, "Session": "s", "ModifyIndex": 9}]',
            x_consul_index="9",
            x_consul_knownleader="false",
            x_consul_lastcontact="1500",
            x_cache="HIT",
            age="4",
        )
    )
    assert answer.value is not None
    assert (answer.value.key, answer.value.value, answer.value.flags, answer.value.session) == ("a", b"x", 2, "s")
    assert (answer.index, answer.known_leader, answer.last_contact) == (9, False, 1.5)
    assert (answer.cache_hit, answer.cache_age) == (True, 4.0)
    assert "index=9" in repr(answer)


def test_what_is_absent_is_an_answer_where_it_may_be() -> None:
    assert plan.kv.get("a").read(respond(404, b"", x_consul_index="3")).value is None
    assert plan.kv.list("a").read(respond(404, b"")).value == []
    assert plan.catalog.node("n").read(respond(200, b"null")).value is None
    assert plan.session.renew("s").read(respond(404, b"gone")) is None
    assert plan.agent.health_of_service("web").read(respond(404, b"[]")) == []
    assert plan.agent.health_of_service("web").read(respond(503, b'[{"AggregatedStatus": "critical"}]'))


def test_a_rolled_back_transaction_is_an_answer() -> None:
    outcome = plan.txn.apply([]).read(respond(409, b'{"Results": null, "Errors": [{"OpIndex": 0, "What": "no"}]}'))
    assert not outcome.committed
    assert outcome.errors == [{"OpIndex": 0, "What": "no"}]


@pytest.mark.parametrize(
    ("status", "kind"), [(403, Forbidden), (404, NotFound), (500, ServerError), (503, ServerError), (301, ApiError)]
)
def test_statuses_that_say_no(status: int, kind: type[ApiError]) -> None:
    with pytest.raises(kind) as error:
        plan.status.leader().read(respond(status, b"Permission denied\n"))
    assert error.value.status == status
    assert error.value.text == "Permission denied"
    assert str(error.value) == f"Unexpected response code: {status} (Permission denied)"


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"a": 1}', b'[{"Key": "a", "Value": "!"}]'])
def test_an_answer_of_a_wrong_form(body: bytes) -> None:
    with pytest.raises(Unreadable, match="GET /v1/kv/a"):
        plan.kv.get("a").read(respond(body=body))


def test_how_long_an_agent_may_hold_a_question() -> None:
    assert plan.kv.get("a").holds == 0
    assert plan.kv.get("a", wait=10).holds == 0
    assert plan.kv.get("a", index=3, wait=16).holds == 17
    assert plan.kv.get("a", index=3).holds == 300 * 17 / 16
    assert plan.agent.service("web", hash="abc", wait=16).holds == 17


def test_asking_again_with_other_parameters() -> None:
    request = plan.kv.get("a", index=3, stale=True)
    assert asked(request.asking(index="4", wait="5s")) == "GET /v1/kv/a?stale=&index=4&wait=5s"
    assert asked(request.asking(index="")) == "GET /v1/kv/a?stale="
