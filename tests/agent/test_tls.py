"""The contexts that a configuration means: which there are, what they accept, and what is wrong with the files."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lictor.agent.config import Flags, Host, RuntimeConfig, Source, build
from lictor.agent.config.ciphers import openssl_ciphers
from lictor.agent.tls import AgentTLS, Outgoing, make
from lictor.errors import ConfigError
from lictor.runtime import certificates as c
from tests.agent.config.conftest import ETH0, LO

MOMENT = datetime.now(UTC)  # handshakes look at the real clock
NOW = MOMENT.timestamp()


class FixedClock:
    def time(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return NOW


class Files:
    """An authority in a directory, and certificates that it signs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(exist_ok=True)
        self._key = c.new_key()
        made = c.new_authority(c.Names(common="CA"), c.Lifetime(MOMENT, 3650), 1, self._key)
        self._authority = c.Authority(made, self._key)
        (directory / "ca.pem").write_bytes(c.certificate_pem(made))

    def issue(self, name: str, *dns: str, days: int = 365, since: timedelta = timedelta()) -> dict[str, str]:
        """Writes a certificate with its key; returns the three settings that name the files."""
        key = c.new_key()
        lifetime = c.Lifetime(MOMENT - since, days)
        made = c.new_certificate(
            self._authority, c.Names(common=name, dns=dns), lifetime, 2, key.public_key(), tls=True
        )
        (self.directory / f"{name}.pem").write_bytes(c.certificate_pem(made))
        (self.directory / f"{name}.key").write_bytes(c.key_pem(key))
        return {
            "ca_file": str(self.directory / "ca.pem"),
            "cert_file": str(self.directory / f"{name}.pem"),
            "key_file": str(self.directory / f"{name}.key"),
        }


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "files")


def config(**settings: Any) -> RuntimeConfig:
    text = json.dumps({"data_dir": "/nowhere", **settings})
    host = Host(hostname=lambda: "machine", interfaces=lambda: [LO, ETH0], is_file=lambda path: False)
    return build(Flags(), [Source(name="t.json", text=text, format="json")], host).config


def shake(server: ssl.SSLContext, client: Outgoing) -> str:
    """A handshake in memory: empty when both ends are content, else what the first of them says."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends: list[Callable[[], Any]] = [
        client.context.wrap_bio(to_client, to_server, server_hostname=client.name or None).do_handshake,
        server.wrap_bio(to_server, to_client, server_side=True).do_handshake,
    ]
    for _ in range(3):
        for end in ends:
            try:
                end()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                return str(error.reason)
    return ""


def test_without_tls_there_is_none() -> None:
    found = make(config(server=True), NOW)
    assert found == (None, None, None, None, (), ())


def test_mutual_tls_demands_certificates_of_the_authority(files: Files, tmp_path: Path) -> None:
    ours = files.issue("server", "server.dc1.consul")
    server = make(config(server=True, verify_incoming=True, verify_server_hostname=True, **ours), NOW)
    assert server.agents is not None and server.warnings == ()

    def client(**settings: Any) -> Outgoing:
        found = make(config(verify_outgoing=True, **settings), NOW).servers
        assert found is not None
        return found

    assert shake(server.agents, client(**files.issue("client"))) == ""
    assert shake(server.agents, client(ca_file=ours["ca_file"])) == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
    stranger = Files(tmp_path / "stranger").issue("stranger")
    assert shake(server.agents, client(**stranger)) == "CERTIFICATE_VERIFY_FAILED"
    assert shake(server.agents, client(**{**stranger, "ca_file": ours["ca_file"]})) == "CERTIFICATE_VERIFY_FAILED"


def test_the_server_s_name_is_verified_when_asked_for(files: Files) -> None:
    names = ("client.dc1.consul", "localhost")
    impostor = make(config(verify_incoming=True, **files.issue("impostor", *names)), NOW).agents
    server = make(config(server=True, verify_incoming=True, **files.issue("server", "server.dc1.consul")), NOW).agents
    lax = make(config(verify_outgoing=True, **files.issue("client")), NOW)
    strict = make(config(verify_server_hostname=True, **files.issue("client")), NOW)
    assert impostor and server and lax.servers and strict.servers and strict.joining
    assert strict.servers.name == "server.dc1.consul" and not strict.joining.name
    assert shake(impostor, lax.servers) == "" == shake(server, strict.servers) == shake(impostor, strict.joining)
    assert shake(impostor, strict.servers) == "CERTIFICATE_VERIFY_FAILED"
    other = config(
        verify_server_hostname=True, datacenter="DC2", domain="example.org.", ca_file=files.issue("x")["ca_file"]
    )
    found = make(other, NOW).servers
    assert found is not None and found.name == "server.dc2.example.org"


@pytest.mark.parametrize(
    ("settings", "demanded"),
    [
        ({}, False),
        ({"verify_incoming": True}, True),
        ({"verify_incoming_https": True}, True),
        ({"verify_incoming_rpc": True}, False),
    ],
)
def test_https_demands_certificates_when_asked_for(files: Files, settings: dict[str, bool], demanded: bool) -> None:
    found = make(config(ports={"https": 8501}, **settings, **files.issue("server")), NOW).https
    assert found is not None and (found.verify_mode == ssl.CERT_REQUIRED) is demanded


def test_versions_and_ciphers(files: Files) -> None:
    ours = {"verify_incoming": True, **files.issue("server")}
    found = make(config(tls_min_version="tls13", **ours), NOW).agents
    assert found is not None and found.minimum_version == ssl.TLSVersion.TLSv1_3
    old = make(config(tls_min_version="tls10", **ours), NOW)
    assert old.agents is not None and old.agents.minimum_version == ssl.TLSVersion.TLSv1_2
    assert old.warnings == ("tls_min_version tls10 means tls12: older versions are not safe",)
    suite = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    chosen = make(config(tls_cipher_suites=suite, **ours), NOW).agents
    assert chosen is not None
    assert [row["name"] for row in chosen.get_ciphers() if "1.2" in row["protocol"]] == [
        "ECDHE-ECDSA-AES256-GCM-SHA384"
    ]
    assert openssl_ciphers(f" {suite},{suite} ,") == "ECDHE-ECDSA-AES256-GCM-SHA384"
    with pytest.raises(ConfigError, match='tls_cipher_suites: unsupported cipher suite "NULL"'):
        make(config(tls_cipher_suites="NULL", **ours), NOW)


def test_ca_path_takes_every_file_below_it(files: Files, tmp_path: Path) -> None:
    ours = files.issue("client")
    where = tmp_path / "authorities"
    (where / "more").mkdir(parents=True)
    (where / "more" / "a.pem").write_bytes(Path(ours.pop("ca_file")).read_bytes())
    server = make(config(server=True, verify_incoming=True, ca_path=str(where), **ours), NOW)
    assert server.agents and server.servers and shake(server.agents, server.servers) == ""
    (where / "b.pem").write_text("nonsense")
    with pytest.raises(ConfigError, match=r"ca_path .*/b.pem: no certificate in PEM"):
        make(config(ca_path=str(where)), NOW)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"verify_outgoing": True}, "verify_outgoing is on: ca_file or ca_path must say"),
        ({"verify_incoming_https": True}, "verify_incoming_https is on: ca_file or ca_path must say"),
        ({"verify_incoming": True, "ca_file": "CA"}, "verify_incoming is on: the agent needs a certificate of its own"),
        (
            {"server": True, "verify_outgoing": True, "ca_file": "CA"},
            "verify_outgoing is on: the server port speaks TLS",
        ),
        ({"ports": {"https": 8501}}, "ports.https is set: HTTPS needs the agent's certificate"),
        ({"ca_file": "/none"}, "ca_file /none: cannot be read: No such file or directory"),
        ({"ca_path": "/none"}, "ca_path: there are no files in /none"),
        ({"cert_file": "/none", "key_file": "KEY"}, "cert_file /none: cannot be read"),
        ({"cert_file": "CERT", "key_file": "/none"}, "key_file /none: cannot be read"),
        (
            {"cert_file": "CERT", "key_file": "OTHER"},
            r"key_file \S*other.key is not the key of the certificate in cert_f",
        ),
        ({"cert_file": "KEY", "key_file": "KEY"}, r"cert_file \S*own.key: no certificate in PEM"),
        ({"cert_file": "CERT", "key_file": "CERT"}, r"key_file \S*own.pem: no private key in PEM"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(files: Files, settings: dict[str, Any], reason: str) -> None:
    ours, other = files.issue("own"), files.issue("other")
    marks = {"CA": ours["ca_file"], "CERT": ours["cert_file"], "KEY": ours["key_file"], "OTHER": other["key_file"]}
    given = {key: marks.get(value, value) if isinstance(value, str) else value for key, value in settings.items()}
    with pytest.raises(ConfigError, match=reason):
        make(config(**given), NOW)


def test_what_will_not_do_for_long_is_warned_of(files: Files, tmp_path: Path) -> None:
    old = files.issue("old", days=1, since=timedelta(days=2))
    [warning] = make(config(ports={"https": 8501}, **old), NOW).warnings
    assert (
        warning
        == f"the certificate in cert_file {old['cert_file']} expired on {MOMENT - timedelta(days=1):%Y-%m-%d %H:%M} UTC"
    )
    [warning] = make(config(**files.issue("early", since=timedelta(days=-2))), NOW).warnings
    assert f"is not valid before {MOMENT + timedelta(days=2) - c.BACKDATED:%Y-%m-%d %H:%M}" in warning
    [warning] = make(config(**files.issue("soon", days=3)), NOW).warnings
    assert f"expires on {MOMENT + timedelta(days=3):%Y-%m-%d %H:%M}" in warning
    foreign = {**files.issue("own"), "ca_file": Files(tmp_path / "foreign").issue("x")["ca_file"]}
    [warning] = make(config(verify_incoming=True, **foreign), NOW).warnings
    assert "is signed by none of this agent's own authorities" in warning
    [warning] = make(config(server=True, verify_server_hostname=True, **files.issue("own")), NOW).warnings
    assert "is not valid for server.dc1.consul" in warning
    [warning] = make(config(verify_outgoing=True, ca_file=foreign["ca_file"]), NOW).warnings
    assert "other agents cannot join through it" in warning


def test_members_of_etcd_without_tls_are_warned_of(files: Files) -> None:
    ours = {"server": True, "verify_incoming": True, **files.issue("own")}
    [warning] = make(config(bootstrap_expect=3, **ours), NOW).warnings
    assert "etcd members talk to each other without TLS" in warning and "ports 2379 and 2380" in warning
    assert make(config(store={"kind": "etcd", "endpoints": ["https://e:2379"]}, **ours), NOW).warnings == ()


def test_changed_files_are_taken_up_and_broken_ones_are_not(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    wanted = config(server=True, verify_incoming=True, **files.issue("own"))
    tls = AgentTLS(wanted, FixedClock())
    assert tls.between_agents and tls.accepts_agents and not tls.look(wanted)
    before = tls.agents
    files.issue("own")
    os.utime(wanted.cert_file, (NOW, NOW))
    assert tls.look(wanted) and tls.agents is not before and not tls.look(wanted)
    files.issue("own")
    tls.take(tls.prepare(wanted))  # a reload was faster
    assert not tls.look(wanted)
    good = tls.agents
    Path(wanted.key_file).write_text("nonsense")
    assert tls.look(wanted) and tls.agents is good
    Path(wanted.key_file).unlink()
    assert tls.look(wanted) and tls.agents is good


def test_tls_is_not_turned_on_while_ports_are_open(files: Files) -> None:
    tls = AgentTLS(config(server=True), FixedClock())
    tls.take(tls.prepare(config(server=True, verify_incoming=True, **files.issue("own"))))
    assert not tls.between_agents and tls.servers() is None and tls.joining() is None
