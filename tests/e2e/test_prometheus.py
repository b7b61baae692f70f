"""Debian's Prometheus finds its targets with consul_sd_configs, and scrapes them and the agent itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.processes import eventually, free_ports, request
from tests.e2e.conftest import StartAgent, StartProgram, Web, documented


def test_prometheus_finds_and_scrapes_what_is_registered(
    start_agent: StartAgent, start_program: StartProgram, tmp_path: Path, webs: list[Web]
) -> None:
    agent = start_agent(config=json.loads(documented("clients.md", "json")))
    for number, web in enumerate(webs[:2]):
        agent.put("/v1/agent/service/register", {**web.definition("web", number), "Meta": {"version": f"1.{number}"}})
    file = tmp_path / "prometheus.yml"
    file.write_text(documented("clients.md", "yaml").replace("8500", str(agent.ports["http"])))
    [port] = free_ports(1)
    prometheus = start_program(
        [
            "prometheus",
            f"--config.file={file}",
            f"--storage.tsdb.path={tmp_path}/tsdb",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        "prometheus",
    )
    prometheus.await_ready(lambda: request(port, "GET", "/-/ready").status == 200)

    def targets(job: str) -> list[dict[str, Any]]:
        active = request(port, "GET", "/api/v1/targets?state=active").json()["data"]["activeTargets"]
        return [target for target in active if target["labels"]["job"] == job and target["health"] == "up"]

    def found() -> set[tuple[str, str, str]]:
        rows = [target["labels"] for target in targets("services")]
        return {(row["instance_id"], row["health"], row["version"]) for row in rows}

    eventually(lambda: found() == {("web-0", "passing", "1.0"), ("web-1", "passing", "1.1")}, 20, "both targets up")
    eventually(lambda: targets("agent"), 20, "the agent's own metrics scraped")

    agent.put("/v1/agent/service/deregister/web-0")
    eventually(lambda: {row[0] for row in found()} == {"web-1"}, 20, "the target gone")
