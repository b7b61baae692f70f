"""How an agent starts, is told to end, and comes back."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

import pytest

from bench.processes import LICTOR, Agent, eventually, free_ports
from bench.watches import Watches
from tests.e2e.conftest import StartAgent


@pytest.mark.parametrize("durable", [False, True], ids=["memory", "durable"])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_it_cleanly_while_it_is_busy(start_agent: StartAgent, how: signal.Signals, durable: bool) -> None:
    """Blocked queries, a running script check and a silent connection do not hold it up, and nothing of it is left."""
    agent = start_agent(durable=durable)
    script = {"Name": "slow", "Args": ["sleep", "600"], "Interval": "1s", "Timeout": "500s"}
    agent.put("/v1/agent/check/register", script)
    family = eventually(agent.children, 10, "the script runs")
    index = agent.get("/v1/catalog/services").index
    http_port = agent.ports["http"]
    path = f"/v1/catalog/services?index={index}&wait=600s"
    with Watches(http_port, path, 50), socket.create_connection(("127.0.0.1", http_port)):
        assert agent.stop(how) == 0, agent.log[-3000:]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", http_port), 1)
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family), 5, "the script ended too")


def test_local_services_and_data_outlive_a_restart(start_agent: StartAgent) -> None:
    first = start_agent(durable=True)
    first.put("/v1/kv/colour", b"green")
    first.put("/v1/agent/service/register", {"Name": "web", "Port": 80, "Check": {"TTL": "600s"}})
    first.put("/v1/agent/check/pass/service:web")
    eventually(lambda: first.get("/v1/health/service/web?passing").json(), 10, "web passing")
    node_id = first.get("/v1/agent/self").json()["Config"]["NodeID"]
    index = first.get("/v1/kv/colour").index
    assert first.stop() == 0

    again = start_agent(first.directory, durable=True, ports=first.ports)
    assert again.get("/v1/kv/colour?raw").body == b"green"
    assert again.get("/v1/kv/colour").index >= index
    assert again.get("/v1/agent/self").json()["Config"]["NodeID"] == node_id
    assert again.get("/v1/agent/services").json()["web"]["Port"] == 80
    [row] = eventually(lambda: again.get("/v1/health/service/web?passing").json(), 10, "web passing again")
    assert row["Service"]["Port"] == 80


@pytest.mark.parametrize("which", ["http", "dns"])
def test_a_port_in_use_is_named_and_ends_it(tmp_path: Path, which: str) -> None:
    taken, free = free_ports(2)
    other = {"http": "dns", "dns": "http"}[which]
    with socket.create_server(("127.0.0.1", taken)):
        ended = subprocess.run(
            [LICTOR, "agent", "-dev", f"-{which}-port={taken}", f"-{other}-port={free}"],
            capture_output=True,
            text=True,
            timeout=20,
            cwd=tmp_path,
        )
    assert ended.returncode == 1
    assert f"cannot serve {which.upper()} on 127.0.0.1:{taken}" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


def test_a_second_agent_on_the_same_data_is_refused(start_agent: StartAgent) -> None:
    first = start_agent(durable=True)
    second = Agent(first.directory / "second", durable=True, arguments=["-data-dir", str(first.directory / "data")])
    with second:
        assert second.process.wait(20) == 1, second.log
    assert "Traceback" not in second.log
    assert first.get("/v1/status/leader").status == 200


def test_ten_reloads_keep_what_was_registered(start_agent: StartAgent) -> None:
    agent = start_agent()
    agent.put("/v1/agent/service/register", {"Name": "web", "Port": 80})
    for _ in range(10):
        agent.process.send_signal(signal.SIGHUP)
        agent.put("/v1/agent/reload")
    assert agent.get("/v1/agent/services").json()["web"]["Port"] == 80
