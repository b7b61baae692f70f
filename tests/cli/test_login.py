from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent

FLAGS = "-method=k8s -bearer-token-file=bearer -token-sink-file=sink"


def test_a_token_for_a_credential(lictor: Lictor, agent: FakeAgent, tmp_path: Path) -> None:
    (tmp_path / "bearer").write_text("jwt\n")
    agent.answer("POST /v1/acl/login", {"SecretID": "secret"})
    assert lictor(f"login {FLAGS} -meta=pod=a") == (0, "", "")
    assert agent.bodies("POST /v1/acl/login") == [{"AuthMethod": "k8s", "BearerToken": "jwt", "Meta": {"pod": "a"}}]
    assert (tmp_path / "sink").read_text() == "secret"
    assert (tmp_path / "sink").stat().st_mode & 0o777 == 0o600
    agent.answer("POST /v1/acl/logout", b"")
    assert lictor("logout -token-file=sink").code == 0
    assert agent.asked[-1].headers["X-Consul-Token"] == "secret"


@pytest.mark.parametrize(
    "flags",
    ["", "-method=k8s", "-method=k8s -token-sink-file=a", f"{FLAGS} extra", FLAGS, f"{FLAGS} -bearer-token-file=empty"],
)
def test_what_is_missing(lictor: Lictor, agent: FakeAgent, tmp_path: Path, flags: str) -> None:
    (tmp_path / "empty").write_text(" \n")
    assert lictor(f"login {flags}").code == 1
    assert lictor("logout extra").code == 1
    assert agent.asked == []


def test_a_sink_that_cannot_be_written(lictor: Lictor, agent: FakeAgent, tmp_path: Path) -> None:
    (tmp_path / "bearer").write_text("jwt")
    agent.answer("POST /v1/acl/login", {"SecretID": "secret"})
    done = lictor("login -method=k8s -bearer-token-file=bearer -token-sink-file=none/sink")
    assert done.code == 1
    assert "none/sink" in done.err and "secret" not in done.err
