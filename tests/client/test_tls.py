"""HTTPS with an authority of its own, a name that is not the address's, and a client certificate."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lictor.client import Address, Client, Config, SyncClient, Tls
from lictor.client.errors import Unreachable
from lictor.client.tls import context
from lictor.errors import ConfigError
from tests.client.fake_agent import FakeAgent

NAME = "server.dc1.consul"
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificates")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=where, check=True, capture_output=True)

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=CA")
    for who, name in (("server", NAME), ("client", "client.dc1.consul")):
        names = (
            "-subj",
            f"/CN={name}",
            "-addext",
            f"subjectAltName=DNS:{name}",
            "-addext",
            "basicConstraints=CA:FALSE",
        )
        files = ("-keyout", f"{who}.key", "-out", f"{who}.pem")
        openssl("req", "-x509", *new_key, "-CA", "ca.pem", "-CAkey", "ca.key", *files, *names)
    return where


@pytest.fixture
def agent(certificates: Path) -> Iterator[FakeAgent]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificates / "ca.pem"))
    tls.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    tls.verify_mode = ssl.CERT_REQUIRED
    agent = FakeAgent(tls=tls)
    agent.answer("GET /v1/status/leader", "here")
    yield agent
    agent.close()


def ask_sync(config: Config) -> str:
    return SyncClient(config).status.leader()


def ask_async(config: Config) -> str:
    async def run() -> str:
        async with Client(config) as client:
            return await client.status.leader()

    return asyncio.run(run())


@pytest.fixture(params=[ask_sync, ask_async], ids=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Callable[[Config], str]:
    return request.param  # type: ignore[no-any-return]


@needs_openssl
def test_both_sides_show_who_they_are(agent: FakeAgent, certificates: Path, ask: Callable[[Config], str]) -> None:
    tls = Tls(
        ca_file=str(certificates / "ca.pem"),
        cert=str(certificates / "client.pem"),
        key=str(certificates / "client.key"),
        server_name=NAME,
    )
    config = Config(address=Address.parse(f"https://{agent.address}"), tls=tls)
    assert ask(config) == "here"
    refused: list[tuple[dict[str, Any], str]] = [
        ({"server_name": ""}, "(?i)certificate"),
        ({"server_name": "other"}, "(?i)certificate"),
        ({"ca_file": ""}, "(?i)certificate"),
        ({"cert": "", "key": ""}, "(?i)certificate|broke"),
    ]
    for change, why in refused:
        with pytest.raises(Unreachable, match=why):
            ask(config._replace(tls=tls._replace(**change)))
    assert ask(config._replace(tls=tls._replace(ca_file="", server_name="", verify=False))) == "here"


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for tls in (
        Tls(ca_file=str(tmp_path / "none.pem")),
        Tls(ca_file=str(tmp_path / "empty.pem")),
        Tls(cert=str(tmp_path / "none.pem"), key=str(tmp_path / "none.key")),
        Tls(cert=str(tmp_path / "none.pem")),
        Tls(key=str(tmp_path / "none.key")),
    ):
        with pytest.raises(ConfigError):
            context(tls)
