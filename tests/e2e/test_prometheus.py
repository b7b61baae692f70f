"""What scrapes: targets found by `consul_sd_configs`, and the agent's own figures.

Debian builds its Prometheus without Consul's discovery. VictoriaMetrics, Debian's too, reads the same configuration
and has it; so that one finds the targets, and Prometheus scrapes the agent.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.processes import Agent, eventually, free_ports, request
from tests.e2e.conftest import StartAgent, StartProgram, Web, documented


@pytest.fixture
def agent(start_agent: StartAgent) -> Agent:
    """Configured as documented, so that it answers in Prometheus' format."""
    return start_agent(config=json.loads(documented("clients.md", "json")))


@pytest.fixture
def settings(agent: Agent) -> str:
    """The documented prometheus.yml, for this agent."""
    return documented("clients.md", "yaml").replace("8500", str(agent.ports["http"]))


def up(port: int, job: str) -> list[dict[str, Any]]:
    """The labels of the job's targets that answer, as the program at `port` tells them."""
    active = request(port, "GET", "/api/v1/targets?state=active").json()["data"]["activeTargets"]
    return [target["labels"] for target in active if target["labels"]["job"] == job and target["health"] == "up"]


def test_targets_are_found_in_the_catalog(
    agent: Agent, settings: str, start_program: StartProgram, tmp_path: Path, webs: list[Web]
) -> None:
    for number, web in enumerate(webs[:2]):
        agent.put("/v1/agent/service/register", {**web.definition("web", number), "Meta": {"version": f"1.{number}"}})
    file = tmp_path / "prometheus.yml"
    file.write_text(settings)
    [port] = free_ports(1)
    # It takes the interval of discovery as a flag, and Prometheus' name for it only where parsing is not strict.
    discovery = ["-promscrape.config.strictParse=false", "-promscrape.consulSDCheckInterval=1s"]
    files = [f"-promscrape.config={file}", f"-storageDataPath={tmp_path}/victoria"]
    listen = f"-httpListenAddr=127.0.0.1:{port}"
    victoria = start_program(["victoria-metrics", *files, *discovery, listen], "victoria")
    victoria.await_ready(lambda: request(port, "GET", "/health").status == 200)

    def found() -> set[tuple[str, str]]:
        return {(labels["instance_id"], labels["version"]) for labels in up(port, "services")}

    eventually(lambda: found() == {("web-0", "1.0"), ("web-1", "1.1")}, 20, "both targets up")
    eventually(lambda: up(port, "agent"), 20, "the agent's own metrics scraped")

    agent.put("/v1/agent/service/deregister/web-0")
    eventually(lambda: found() == {("web-1", "1.1")}, 20, "the target gone")


def test_prometheus_scrapes_the_agent(agent: Agent, settings: str, start_program: StartProgram, tmp_path: Path) -> None:
    content = yaml.safe_load(settings)
    content["scrape_configs"] = [job for job in content["scrape_configs"] if "consul_sd_configs" not in job]
    file = tmp_path / "prometheus.yml"
    file.write_text(yaml.safe_dump(content))
    [port] = free_ports(1)
    files = [f"--config.file={file}", f"--storage.tsdb.path={tmp_path}/tsdb"]
    prometheus = start_program(["prometheus", *files, f"--web.listen-address=127.0.0.1:{port}"], "prometheus")
    prometheus.await_ready(lambda: request(port, "GET", "/-/ready").status == 200)
    eventually(lambda: up(port, "agent"), 20, "the agent's metrics scraped")
    threads = request(port, "GET", "/api/v1/query?query=consul_runtime_num_threads").json()["data"]["result"]
    assert float(threads[0]["value"][1]) >= 1
