"""Real programs on free ports, each in a directory of its own: started, awaited, asked, stopped.

Judges nothing: what a figure, an exit status or a line of a log means is for the caller to say.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

LICTOR = str(Path(sys.executable).with_name("lictor"))
SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
T = TypeVar("T")
PORT_NAMES = ("http", "dns", "grpc", "serf_lan", "serf_wan", "server")


def free_ports(count: int) -> list[int]:
    """Ports free for TCP and UDP, below the ephemeral range so that no outgoing connection takes one first."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(11000, 32000)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


def eventually(ask: Callable[[], T], timeout: float, what: str, pause: float = 0.05) -> T:
    """The first true answer of `ask`, asked again every `pause` seconds; TimeoutError after `timeout` seconds.

    A refused connection or a broken answer counts as "not yet". For other programs, which raise no event here.
    """
    deadline = time.monotonic() + timeout
    last: object = None
    while time.monotonic() < deadline:
        try:
            if last := ask():
                return last
        except (OSError, ValueError, http.client.HTTPException) as error:
            last = error
        time.sleep(pause)
    raise TimeoutError(f"{what}: not within {timeout:g} s; last {last!r}")


def raise_file_limit(wanted: int) -> None:
    """Lets this process, and those it starts, hold `wanted` open files; ValueError where the system forbids it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def index(self) -> int:
        return int(self.headers["x-consul-index"])


def request(
    port: int,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30,
    host: str = "127.0.0.1",
) -> Answer:
    """One HTTP request on a connection of its own."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


class Program:
    """A program in the background. What it prints goes to `NAME.log` in its directory."""

    def __init__(self, argv: Sequence[str], directory: Path, name: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.name, self.directory, self.log_file = name, directory, directory / f"{name}.log"
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=directory,
                env={**os.environ, "PATH": SYSTEM_PATH},
            )

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def stop(self, how: signal.Signals = signal.SIGTERM, timeout: float = 15) -> int:
        """Asks it to end, or kills it after `timeout` seconds; the exit status, negative for a signal."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def resident(self) -> int:
        """Bytes of memory resident now, those of its child processes included."""
        return sum(_resident(pid) for pid in (self.process.pid, *self.children()))

    def children(self) -> list[int]:
        """The process ids of all that it started, and they in turn, and that still runs."""
        return _descendants(self.process.pid)

    def open_files(self) -> int:
        """How many file descriptors it holds, sockets included."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def await_ready(self, ask: Callable[[], object], timeout: float = 30, pause: float = 0.05) -> None:
        """Returns once `ask` answers true; RuntimeError with the end of the log if the program ends or is late."""

        def ready() -> object:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} exited with {self.process.returncode}: {self.log[-2000:]}")
            return ask()

        try:
            eventually(ready, timeout, f"{self.name} ready", pause)
        except TimeoutError as error:
            raise RuntimeError(f"{error}: {self.log[-2000:]}") from error


def _descendants(pid: int) -> list[int]:
    children = [
        int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()
    ]
    return [*children, *(descendant for child in children for descendant in _descendants(child))]


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


class Agent(Program):
    """A lictor agent on ports of its own: `-dev` (in memory), or one durable server with its data in `directory`.

    `config` goes on top of the JSON configuration; `ports` are given to start the same agent again where it was.
    """

    def __init__(
        self,
        directory: Path,
        *,
        durable: bool = False,
        config: Mapping[str, Any] | None = None,
        ports: Mapping[str, int] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        self.ports = dict(ports or zip(PORT_NAMES, free_ports(len(PORT_NAMES)), strict=True))
        directory.mkdir(parents=True, exist_ok=True)
        settings = {
            "node_name": "node1",
            "datacenter": "dc1",
            "bind_addr": "127.0.0.1",
            "disable_update_check": True,
            "enable_script_checks": True,
            "ports": self.ports,
            **(config or {}),
        }
        file = directory / "config.json"
        file.write_text(json.dumps(settings))
        mode = ["-server", "-bootstrap-expect=1", "-data-dir", str(directory / "data")] if durable else ["-dev"]
        super().__init__([LICTOR, "agent", *mode, "-config-file", str(file), *arguments], directory, "agent")

    def ready(self, timeout: float = 30, pause: float = 0.05) -> Self:
        """Waits until it has a leader and knows itself, then returns it."""
        self.await_ready(
            lambda: len(self.get("/v1/status/leader").json()) > 0 and self.get("/v1/catalog/nodes").json(),
            timeout,
            pause,
        )
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['http']}"

    @property
    def environment(self) -> dict[str, str]:
        """For the CLI and for clients that read Consul's environment variables."""
        return {**os.environ, "CONSUL_HTTP_ADDR": f"127.0.0.1:{self.ports['http']}"}

    def get(self, path: str, timeout: float = 30) -> Answer:
        return request(self.ports["http"], "GET", path, timeout=timeout)

    def put(self, path: str, body: Any = b"", timeout: float = 30) -> Answer:
        """A PUT; anything but bytes is sent as JSON. RuntimeError unless it answers 200."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = request(self.ports["http"], "PUT", path, raw, timeout=timeout)
        if answer.status != 200:
            raise RuntimeError(f"PUT {path}: {answer.status} {answer.body[:200]!r}")
        return answer


class Nginx(Program):
    """Debian's nginx with one worker and the given `http { ... }` contents, nothing written outside `directory`."""

    def __init__(self, directory: Path, http_block: str, port: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        temporary = "".join(f"{kind}_temp_path {directory}/{kind};\n" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
        (directory / "nginx.conf").write_text(
            f"daemon off;\nworker_processes 1;\npid {directory}/nginx.pid;\nerror_log {directory}/error.log warn;\n"
            "events { worker_connections 4096; }\n"
            f"http {{\naccess_log off;\nclient_body_temp_path {directory}/client;\n{temporary}{http_block}\n}}\n"
        )
        self.port = port
        super().__init__(["nginx", "-p", str(directory), "-c", str(directory / "nginx.conf")], directory, "nginx")

    @classmethod
    def yardstick(cls, directory: Path) -> Self:
        """One that answers `return 200` to everything and keeps its connections."""
        [port] = free_ports(1)
        server = f"server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200; }} }}"
        nginx = cls(directory, f"keepalive_requests 1000000000;\n{server}", port)
        nginx.await_ready(lambda: request(port, "GET", "/").status == 200)
        return nginx
