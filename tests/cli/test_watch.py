from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent


def test_a_key_once(lictor: Lictor, agent: FakeAgent) -> None:
    agent.change("a", b"one", Flags=5)
    done = lictor("watch -type=key -key=a")
    assert done.code == 0
    assert json.loads(done.out) == {
        "Key": "a", "Value": "b25l", "Flags": 5, "Session": "", "LockIndex": 0, "CreateIndex": 11, "ModifyIndex": 11,
    }  # fmt: skip
    assert lictor("watch -type=key -key=none").out == "null\n"


def test_other_types_once(lictor: Lictor, agent: FakeAgent) -> None:
    check = {"CheckID": "c", "Definition": {"Interval": "10s"}}
    agent.answer("GET /v1/catalog/services", {"consul": []})
    agent.answer("GET /v1/catalog/nodes", [{"Node": "n"}])
    agent.answer("GET /v1/health/state/any", [check])
    agent.answer("GET /v1/health/service/web", [{"Node": {}, "Service": {}, "Checks": [check]}])
    agent.answer("GET /v1/agent/connect/ca/roots", {"Roots": []})
    agent.answer("GET /v1/agent/connect/ca/leaf/web", {"Service": "web"})
    agent.answer("GET /v1/agent/service/web-1", {"ID": "web-1"}, X_Consul_ContentHash="abc")
    agent.change("p/a", b"")
    assert json.loads(lictor("watch -type=services").out) == {"consul": []}
    assert json.loads(lictor("watch -type=nodes").out) == [{"Node": "n"}]
    found = json.loads(lictor("watch -type=checks").out)
    assert found[0]["Definition"]["Interval"] == "10s"
    assert found[0]["Definition"]["Timeout"] == "0s"
    found = json.loads(lictor("watch -type=service -service=web -tag=a -tag=b -passingonly=true").out)
    assert found[0]["Checks"][0]["Definition"]["HTTP"] == ""
    assert agent.asked[-1].target == "/v1/health/service/web?tag=a&tag=b&passing="
    assert [p["Key"] for p in json.loads(lictor("watch -type=keyprefix -prefix=p/").out)] == ["p/a"]
    assert json.loads(lictor("watch -type=connect_roots").out) == {"Roots": []}
    assert json.loads(lictor("watch -type=connect_leaf -service=web").out) == {"Service": "web"}
    assert json.loads(lictor("watch -type=agent_service -service=web-1").out) == {"ID": "web-1"}


def test_a_program_gets_each_state(
    lictor: Lictor, agent: FakeAgent, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    agent.change("a", b"one")
    timer = threading.Timer(0.3, agent.change, ("a", b"two"))
    timer.start()
    script = "cat; echo $CONSUL_INDEX; test -e first && exit 3; touch first"
    done = lictor(f"watch -type=keyprefix -prefix=a '{script}'")
    timer.join()
    assert done.code == 1
    assert "exit status 3" in done.err
    lines = capfd.readouterr().out.splitlines()
    assert [json.loads(line)[0]["Value"] for line in lines[::2]] == ["b25l", "dHdv"]
    assert lines[1::2] == ["11", "12"]
    assert '"Key":"a"' in lines[0]  # compact, as scripts that search the text expect


def test_a_program_without_a_shell(lictor: Lictor, agent: FakeAgent, capfd: pytest.CaptureFixture[str]) -> None:
    agent.change("a", b"")
    assert lictor("watch -type=key -key=a -shell=false /bin/sh -c 'echo \"$0\"; exit 1' '$HOME'").code == 1
    assert capfd.readouterr().out == "$HOME\n"
    assert "No such file" in lictor("watch -type=key -key=a -shell=false /none").err


def test_events_are_given_once(lictor: Lictor, agent: FakeAgent, capfd: pytest.CaptureFixture[str]) -> None:
    def event(last: int) -> dict[str, str]:
        return {"ID": f"00000000-0000-0000-0000-{last:012d}", "Name": "deploy"}

    agent.answer("GET /v1/event/list", [event(5)], X_Consul_Index="5")
    timer = threading.Timer(
        0.3, agent.answer, ("GET /v1/event/list", [event(5), event(6), event(7)]), {"X_Consul_Index": "7"}
    )
    timer.start()
    assert lictor("watch -type=event -name=deploy 'cat; test -e first && exit 3; touch first'").code == 1
    timer.join()
    printed = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert printed == [[event(5)], [event(6), event(7)]]
    assert agent.asked[1].target == "/v1/event/list?name=deploy"


def test_an_address_to_send_to(lictor: Lictor, agent: FakeAgent) -> None:
    agent.change("a", b"")
    done = lictor(f"watch -type=key -key=a -http-handler=http://{agent.address}/hook")
    assert done.code == 1
    assert "404" in done.err
    assert agent.bodies("POST /hook")[0]["Key"] == "a"
    assert agent.asked[-1].headers["X-Consul-Index"] == "11"


@pytest.mark.parametrize(
    "flags",
    [
        "",
        "-type=bogus",
        "-type=key",
        "-type=keyprefix",
        "-type=service",
        "-type=services -key=a",
        "-type=checks -service=a -state=passing",
        "-type=service -service=a -passingonly=perhaps",
        "-type=nodes -http-handler=http://x program",
    ],
)
def test_what_cannot_be_watched(lictor: Lictor, agent: FakeAgent, flags: str) -> None:
    done = lictor(f"watch {flags}")
    assert (done.code, done.out) == (1, "")
    assert agent.asked == []
