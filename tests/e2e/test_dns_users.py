"""What resolves names through the agent: dig, and Debian's nginx as a proxy in front of a service."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from bench.processes import Agent, Nginx, eventually, free_ports, request
from tests.e2e.conftest import Web, documented


def dig(agent: Agent, *arguments: str) -> str:
    asked = ["dig", "@127.0.0.1", "-p", str(agent.ports["dns"]), "+time=2", "+tries=2", *arguments]
    return subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True).stdout


def register_healthy(agent: Agent, webs: list[Web]) -> Callable[[], set[int]]:
    """Registers them as "web" and waits until all pass; the function returned says which ports pass now."""

    def passing() -> set[int]:
        return {row["Service"]["Port"] for row in agent.get("/v1/health/service/web?passing").json()}

    for number, web in enumerate(webs):
        agent.put("/v1/agent/service/register", web.definition("web", number))
    eventually(lambda: len(passing()) == len(webs), 15, "all of web passing")
    return passing


def test_dig_finds_addresses_ports_nodes_and_names(agent: Agent, webs: list[Web]) -> None:
    register_healthy(agent, webs)
    assert dig(agent, "web.service.consul", "A", "+short").split() == ["127.0.0.1"]
    assert dig(agent, "+tcp", "web.service.consul", "A", "+short").split() == ["127.0.0.1"]
    srv = dig(agent, "web.service.consul", "SRV", "+short").splitlines()
    assert {int(line.split()[2]) for line in srv} == {web.port for web in webs}
    assert dig(agent, "node1.node.consul", "A", "+short").split() == ["127.0.0.1"]
    assert dig(agent, "-x", "127.0.0.1", "+short").startswith("node1.node.")
    assert "status: NXDOMAIN" in dig(agent, "nobody.service.consul", "A")


def test_dig_no_longer_finds_what_fails_its_check(agent: Agent, webs: list[Web]) -> None:
    register_healthy(agent, webs)
    webs[0].set_broken(True)
    left = {web.port for web in webs[1:]}

    def ports() -> set[int]:
        return {int(line.split()[2]) for line in dig(agent, "web.service.consul", "SRV", "+short").splitlines()}

    eventually(lambda: ports() == left, 10, "the broken instance out of DNS")


def test_nginx_proxies_to_what_the_dns_names(agent: Agent, tmp_path: Path, webs: list[Web]) -> None:
    """nginx asks for addresses, not ports: one instance, whose port the configuration names."""
    [web, *_] = webs
    passing = register_healthy(agent, [web])
    [port] = free_ports(1)
    block = documented("clients.md", "nginx").replace("8600", str(agent.ports["dns"])).replace("8000", str(port))
    block = block.replace("9081", str(web.port))
    with Nginx(tmp_path / "nginx", block, port) as nginx:
        nginx.await_ready(lambda: request(port, "GET", "/").status)
        answer = eventually(lambda: request(port, "GET", "/hello"), 10, "nginx answers")
        assert answer.body == f"web on {web.port} is well\n".encode()

        agent.put("/v1/agent/service/deregister/web-0")
        eventually(lambda: not passing(), 10, "web gone from the catalog")
        eventually(lambda: request(port, "GET", "/hello").status == 502, 10, "nginx no longer resolves it")
