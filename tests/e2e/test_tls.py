"""Mutual TLS between agents, and HTTPS, with certificates made by `lictor tls`, as docs/security.md tells."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from bench.processes import LICTOR, Answer, eventually, free_ports
from tests.e2e.conftest import documented
from tests.e2e.nodes import Node, ended_well

PAGE = "security.md"
ETC = "/etc/lictor.d/"
Start = Callable[..., Node]


def shell(script: str, directory: Path, **environment: str) -> str:
    """Runs commands of the documentation; returns what the last ones printed."""
    path = f"{Path(LICTOR).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-ec", script],
        cwd=directory,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which the documentation's commands were run."""
    where = tmp_path_factory.mktemp("certificates")
    shell(documented(PAGE, "sh"), where)
    return where


def settings(number: int, certificates: Path) -> dict[str, Any]:
    """A documented configuration, with the files in the directory."""
    found: dict[str, Any] = json.loads(documented(PAGE, "json", number).replace(ETC, f"{certificates}/"))
    return found


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts agents on the same ports; `server` makes it the documented server, else it is the documented client."""
    names = ("http", "dns", "server", "serf_lan", "serf_wan", "https")
    ports = dict(zip(names, free_ports(len(names)), strict=True))

    def start(name: str, address: str, certificates: Path, *, server: bool = False, **config: Any) -> Node:
        if not server:
            config = {"retry_join": ["127.0.0.1"], "retry_interval": "500ms", **config}
        given = {**settings(0 if server else 1, certificates), **config}
        given.pop("ports", None)
        given = {key: value for key, value in given.items() if value != ""}
        own = ports if server else {key: port for key, port in ports.items() if key != "https"}
        nodes.append(Node(tmp_path, name, address, own, **given))
        return nodes[-1]

    with ended_well([]) as nodes:
        yield start


def logged(node: Node, text: str) -> None:
    eventually(lambda: text in node.log, 10, f"{node.name} logs {text!r}")


def serial(node: Node, port: str, certificates: Path) -> int:
    """The serial number of the certificate that the agent shows to new connections."""
    context = ssl.create_default_context(cafile=str(certificates / "consul-agent-ca.pem"))
    context.load_cert_chain(certificates / "dc1-client-consul-0.pem", certificates / "dc1-client-consul-0-key.pem")
    context.check_hostname = False
    plain = socket.create_connection((node.address, node.ports[port]), timeout=5)
    with context.wrap_socket(plain) as wrapped:
        shown = wrapped.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number


def refused(node: Node, port: str, context: ssl.SSLContext) -> bool:
    """Whether a peer with that context gets not one byte of an answer."""
    with socket.create_connection((node.address, node.ports[port]), timeout=5) as plain:
        try:
            with context.wrap_socket(plain) as wrapped:
                wrapped.sendall(b"GET /v1/internal/join HTTP/1.1\r\nHost: x\r\n\r\n")
                return wrapped.recv(1) == b""
        except OSError:
            return True


def test_agents_over_mutual_tls_and_the_command_line_over_https(start: Start, certificates: Path) -> None:
    server = start("server", "127.0.0.1", certificates, server=True)
    client = start("client", "127.0.0.2", certificates)
    for node in (server, client):
        eventually(partial(node.knows, 2), 20, f"{node.name} knows all nodes")
    assert client.ask("PUT", "/v1/agent/service/register", {"Name": "app", "Port": 80}).status == 200
    assert [row["Node"]["Node"] for row in server.get("/v1/health/service/app?passing")] == ["client"]
    assert client.resolve("app.service.consul") == ["127.0.0.2"]
    script = documented(PAGE, "sh", 1).replace("8501", str(server.ports["https"]))
    assert shell(script, certificates).splitlines()[-1] == "hello"
    assert client.ask("GET", "/v1/kv/greeting?raw").body == b"hello"
    # HTTPS demands a certificate too
    lines = [line for line in script.splitlines() if "CLIENT" not in line and " put " not in line]
    with pytest.raises(AssertionError):
        shell("\n".join(lines), certificates)
    logged(server, "it showed no certificate")


def test_who_has_no_certificate_gets_nothing(start: Start, certificates: Path) -> None:
    server = start("server", "127.0.0.1", certificates, server=True)
    eventually(partial(server.knows, 1), 20, "the server is there")
    bare = start("bare", "127.0.0.2", certificates, cert_file="", key_file="", verify_incoming=False)
    logged(bare, "does it demand a certificate? This agent has none (cert_file, key_file)")
    logged(server, "it showed no certificate")
    plain = start("plain", "127.0.0.3", certificates, **dict.fromkeys(settings(1, certificates), ""))
    logged(plain, "does it speak TLS only?")
    logged(server, "it spoke plain HTTP to a port for TLS")
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    assert refused(server, "serf_lan", anyone) and refused(server, "server", anyone)
    for node in (bare, plain):
        assert node.ask("GET", "/v1/catalog/nodes").status >= 500
    assert server.knows(1)


def test_other_authorities_are_refused(start: Start, certificates: Path, tmp_path: Path) -> None:
    server = start("server", "127.0.0.1", certificates, server=True)
    eventually(partial(server.knows, 1), 20, "the server is there")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    shell(documented(PAGE, "sh"), foreign)
    stranger = start("stranger", "127.0.0.2", foreign)
    logged(stranger, "its certificate is not accepted")
    # one that trusts our authority but has another's certificate
    ours = str(certificates / "consul-agent-ca.pem")
    forger = start("forger", "127.0.0.3", foreign, ca_file=ours)
    logged(forger, "it may not accept this agent's certificate")
    logged(server, "its certificate is not accepted")
    assert server.knows(1)


def test_a_client_s_certificate_makes_no_server(start: Start, certificates: Path) -> None:
    client_s = {key: settings(1, certificates)[key] for key in ("cert_file", "key_file")}
    impostor = start("impostor", "127.0.0.1", certificates, server=True, **client_s)
    logged(impostor, "is not valid for server.dc1.consul: agents with verify_server_hostname refuse it")
    client = start("client", "127.0.0.2", certificates)
    logged(client, "certificate is not valid for 'server.dc1.consul'")
    eventually(partial(impostor.knows, 1), 20, "the impostor is alone")
    assert client.ask("GET", "/v1/catalog/nodes").status >= 500
    lax = start("lax", "127.0.0.3", certificates, verify_server_hostname=False)
    eventually(partial(lax.knows, 2), 20, "who does not ask for the name is taken in")


def test_new_certificates_are_taken_up_while_queries_are_held(start: Start, tmp_path: Path) -> None:
    where = tmp_path / "rotating"
    where.mkdir()
    shell(documented(PAGE, "sh"), where)
    server = start("server", "127.0.0.1", where, server=True)
    client = start("client", "127.0.0.2", where)
    eventually(partial(client.knows, 2), 20, "the client knows all nodes")
    assert client.ask("PUT", "/v1/kv/key", b"old").json() is True
    index = client.ask("GET", "/v1/kv/key").headers["x-consul-index"]
    answers: list[Answer] = []
    watcher = threading.Thread(target=lambda: answers.append(client.ask("GET", f"/v1/kv/key?index={index}&wait=30s")))
    watcher.start()
    eventually(lambda: "http.watches" in json.dumps(client.get("/v1/agent/metrics")), 5, "metrics")
    before = [serial(node, port, where) for node, port in ((server, "server"), (server, "https"), (client, "serf_lan"))]

    # a wrong pair of files: the reload is refused and everything goes on
    good = (where / "dc1-server-consul-0.pem").read_bytes()
    shell("lictor tls cert create -server; lictor tls cert create -client", where)
    os.replace(where / "dc1-server-consul-1.pem", where / "dc1-server-consul-0.pem")
    server.process.send_signal(signal.SIGHUP)
    logged(server, "reload failed, nothing was changed: key_file")
    assert serial(server, "server", where) == before[0]
    assert good != (where / "dc1-server-consul-0.pem").read_bytes()

    os.replace(where / "dc1-server-consul-1-key.pem", where / "dc1-server-consul-0-key.pem")
    for end in (".pem", "-key.pem"):
        os.replace(where / f"dc1-client-consul-1{end}", where / f"dc1-client-consul-0{end}")
    for node in (server, client):
        node.process.send_signal(signal.SIGHUP)
        logged(node, "configuration reloaded")
    after = [serial(node, port, where) for node, port in ((server, "server"), (server, "https"), (client, "serf_lan"))]
    assert not set(before) & set(after)
    assert not answers
    assert server.ask("PUT", "/v1/kv/key", b"new").json() is True
    watcher.join(20)
    assert [answer.json()[0]["Value"] for answer in answers] == ["bmV3"]
    assert "does not answer" not in client.log and client.log.count("attached to server") == 1
