from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent

REGISTER = "PUT /v1/agent/service/register"


@pytest.fixture(autouse=True)
def accepting(agent: FakeAgent) -> None:
    agent.answer(REGISTER, b"")
    for id in ("web", "web1", "db"):
        agent.answer(f"PUT /v1/agent/service/deregister/{id}", b"")


def test_from_flags(lictor: Lictor, agent: FakeAgent) -> None:
    line = (
        "services register -name=db -id=db1 -port=5432 -address=10.5.0.1 -tag=primary -tag=v2 -meta=a=b "
        "-tagged-address=lan=10.0.0.1:80 -tagged-address=v6=[::1]:81"
    )
    assert lictor(line).out == "Registered service: db\n"
    assert agent.bodies(REGISTER) == [
        {
            "ID": "db1",
            "Name": "db",
            "Tags": ["primary", "v2"],
            "Meta": {"a": "b"},
            "Address": "10.5.0.1",
            "Port": 5432,
            "TaggedAddresses": {"lan": {"Address": "10.0.0.1", "Port": 80}, "v6": {"Address": "::1", "Port": 81}},
        }
    ]


def test_from_files(lictor: Lictor, agent: FakeAgent, tmp_path: Path) -> None:
    (tmp_path / "web.hcl").write_text(
        """service {
          name = "web"
          id = "web1"
          port = 80
          meta { team_name = "a" }
          check { http = "http://localhost" interval = "10s" deregister_critical_service_after = "1m" }
        }
        services { name = "db" }"""
    )
    (tmp_path / "web.json").write_text('{"Service": {"Name": "web"}}')
    done = lictor("services register web.hcl web.json")
    assert sorted(done.lines) == ["Registered service: db", "Registered service: web", "Registered service: web"]
    bodies = agent.bodies(REGISTER)
    first = next(body for body in bodies if "ID" in body)
    assert first["ID"] == "web1"
    assert first["Meta"] == {"team_name": "a"}
    assert first["Check"] == {
        "HTTP": "http://localhost",
        "Interval": "10s",
        "DeregisterCriticalServiceAfter": "1m0s",
    }
    assert {"Name": "db"} in bodies and {"Name": "web"} in bodies
    done = lictor("services deregister web.hcl web.json")
    assert sorted(done.lines) == ["Deregistered service: db", "Deregistered service: web", "Deregistered service: web1"]


def test_by_id(lictor: Lictor, agent: FakeAgent) -> None:
    assert lictor("services deregister -id=web").out == "Deregistered service: web\n"
    assert lictor("services deregister -id=none").code == 1


@pytest.mark.parametrize(
    "line",
    [
        "register",
        "register -id=x",
        "register -name=x file.json",
        "register none.json",
        "register odd.txt",
        "register empty.json",
        "register wrong.json",
        "register -name=x -tagged-address=a=b:c",
        "deregister",
        "deregister -id=x file.json",
        "frobnicate",
    ],
)
def test_what_cannot_be_done(lictor: Lictor, agent: FakeAgent, tmp_path: Path, line: str) -> None:
    (tmp_path / "odd.txt").write_text("")
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "wrong.json").write_text('{"service": {"port": 1}}')
    done = lictor(f"services {line}")
    assert (done.code, done.out) == (1, "")
    assert agent.asked == []
