"""`make run`'s demo: it starts, every command of the tour works, and Ctrl-C ends it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys

from bench.processes import eventually, free_ports, request
from scripts.demo import tour
from tests.e2e.conftest import TOP, StartProgram


def commands(http_port: int, dns_port: int) -> list[str]:
    """The tour's commands, `.venv/bin` being wherever these tests run from."""
    text = tour(http_port, dns_port).replace(
        ".venv/bin/lictor", f"{shlex.quote(os.path.dirname(sys.executable))}/lictor"
    )
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_tour_works_and_ctrl_c_ends_it(start_program: StartProgram) -> None:
    http_port, dns_port = free_ports(2)
    arguments = [f"--http-port={http_port}", f"--dns-port={dns_port}"]
    demo = start_program([sys.executable, str(TOP / "scripts" / "demo.py"), *arguments], "demo")
    demo.await_ready(lambda: "Ctrl-C ends it" in demo.log)

    def passing() -> int:
        return len(request(http_port, "GET", "/v1/health/service/web?passing").json())

    eventually(lambda: passing() == 3, 10, "all of web passing")
    environment = {**os.environ, "CONSUL_HTTP_ADDR": f"127.0.0.1:{http_port}"}
    for command in commands(http_port, dns_port):
        done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, timeout=20)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert done.stdout, f"{command}: says nothing"
        if command.endswith("/break"):
            eventually(lambda: passing() == 2, 10, "the broken instance left out")

    for process in (demo.process.pid, *demo.children()):
        os.kill(process, signal.SIGINT)  # as a terminal does: to all of them
    assert demo.process.wait(15) == 0, demo.log
    assert "Traceback" not in demo.log


def test_the_readme_shows_the_same_tour() -> None:
    readme = (TOP / "README.md").read_text()
    for command in (TOP / "examples" / "tour.sh").read_text().splitlines():
        assert command in readme
