from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lictor.runtime.certificates import dns_names, is_authority, read_certificates, signed_by
from tests.cli.conftest import Lictor


def read(name: str) -> x509.Certificate:
    return read_certificates(Path(name).read_bytes())[0]


def common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def addresses(certificate: x509.Certificate) -> list[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(row) for row in names.get_values_for_type(x509.IPAddress)]


def purposes(certificate: x509.Certificate) -> set[x509.ObjectIdentifier]:
    try:
        return set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return set()


def test_an_authority_and_its_key(lictor: Lictor) -> None:
    done = lictor("tls ca create")
    assert (done.code, done.lines) == (0, ["==> Saved consul-agent-ca.pem", "==> Saved consul-agent-ca-key.pem"])
    made = read("consul-agent-ca.pem")
    assert is_authority(made) and common_name(made) == f"Consul Agent CA {made.serial_number}"
    assert (made.not_valid_after_utc - datetime.now(UTC)).days in (1824, 1825)
    assert stat.S_IMODE(Path("consul-agent-ca-key.pem").stat().st_mode) == 0o600
    before = Path("consul-agent-ca.pem").read_bytes(), Path("consul-agent-ca-key.pem").read_bytes()
    again = lictor("tls ca create")
    assert (again.code, again.err) == (1, "consul-agent-ca.pem already exists.\n")
    assert before == (Path("consul-agent-ca.pem").read_bytes(), Path("consul-agent-ca-key.pem").read_bytes())
    Path("consul-agent-ca.pem").unlink()
    assert lictor("tls ca create").err == "consul-agent-ca-key.pem already exists.\n"
    assert not Path("consul-agent-ca.pem").exists()


def test_an_authority_s_names(lictor: Lictor) -> None:
    flags = (
        "-domain example.org -cluster-id abc -common-name 'Our CA' -name-constraint -additional-name-constraint ui.net"
    )
    assert lictor(f"tls ca create -days 3 {flags}").code == 0
    made = read("example.org-agent-ca.pem")
    assert common_name(made) == "Our CA"
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://abc.example.org"]
    constraints = made.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    permitted = constraints.value.permitted_subtrees
    assert permitted is not None and [row.value for row in permitted] == ["ui.net", "example.org", "localhost"]
    assert lictor("tls cert create -client -domain example.org -additional-dnsname www.ui.net").code == 0
    refused = lictor("tls cert create -client -domain example.org -additional-dnsname www.example.com")
    assert refused.code == 1 and "name constraints do not permit www.example.com" in refused.err
    assert not Path("dc1-client-example.org-1.pem").exists()


def test_certificates_and_their_names(lictor: Lictor) -> None:
    lictor("tls ca create")
    done = lictor("tls cert create -server")
    assert done.lines[0].startswith("==> WARNING: Whoever holds a server's certificate")
    assert done.lines[2:] == [
        "==> Using consul-agent-ca.pem and consul-agent-ca-key.pem",
        "==> Saved dc1-server-consul-0.pem",
        "==> Saved dc1-server-consul-0-key.pem",
    ]
    made = read("dc1-server-consul-0.pem")
    assert signed_by(made, read("consul-agent-ca.pem")) and common_name(made) == "server.dc1.consul"
    assert dns_names(made) == ["server.dc1.consul", "localhost"] and addresses(made) == ["127.0.0.1"]
    assert purposes(made) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert stat.S_IMODE(Path("dc1-server-consul-0-key.pem").stat().st_mode) == 0o600
    more = (
        "-additional-dnsname a.net -additional-dnsname b.net -additional-ipaddress 10.0.0.1 -additional-ipaddress ::1"
    )
    assert lictor(f"tls cert create -server -node n1 -dc dc2 -days 3 {more}").code == 0
    made = read("dc2-server-consul-0.pem")
    assert dns_names(made) == ["a.net", "b.net", "n1.server.dc2.consul", "server.dc2.consul", "localhost"]
    assert addresses(made) == ["10.0.0.1", "::1", "127.0.0.1"]
    done = lictor("tls cert create -client")
    assert done.lines[1:] == ["==> Saved dc1-client-consul-0.pem", "==> Saved dc1-client-consul-0-key.pem"]
    assert dns_names(read("dc1-client-consul-0.pem")) == ["client.dc1.consul", "localhost"]
    assert lictor("tls cert create -client").lines[1] == "==> Saved dc1-client-consul-1.pem"
    assert lictor("tls cert create -cli").code == 0
    assert dns_names(read("dc1-cli-consul-0.pem")) == ["cli.dc1.consul", "localhost"]
    assert purposes(read("dc1-cli-consul-0.pem")) == set()


def test_nothing_is_overwritten(lictor: Lictor) -> None:
    lictor("tls ca create")
    Path("dc1-client-consul-0-key.pem").write_text("mine")
    Path("dc1-client-consul-1.pem").write_text("mine")
    assert lictor("tls cert create -client").lines[1] == "==> Saved dc1-client-consul-2.pem"
    assert Path("dc1-client-consul-0-key.pem").read_text() == "mine" == Path("dc1-client-consul-1.pem").read_text()
    assert not Path("dc1-client-consul-0.pem").exists() and not Path("dc1-client-consul-1-key.pem").exists()


def test_authorities_elsewhere(lictor: Lictor) -> None:
    lictor("tls ca create")
    Path("ca.pem").write_bytes(Path("consul-agent-ca.pem").read_bytes())
    assert lictor("tls cert create -cli -ca ca.pem -key consul-agent-ca-key.pem").code == 0
    assert lictor("tls ca create -domain other -days 1").code == 0
    done = lictor("tls cert create -cli -ca other-agent-ca.pem -key consul-agent-ca-key.pem")
    assert (done.code, done.err) == (
        1,
        "other-agent-ca.pem with consul-agent-ca-key.pem: the key is not this authority's\n",
    )
    assert "valid only until" in lictor("tls cert create -cli -domain other").err


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("tls cert create", "Please provide either -server, -client, or -cli"),
        ("tls cert create -server -cli", "Please provide either -server, -client, or -cli"),
        ("tls cert create -client -node n", "-node requires -server"),
        ("tls cert create -client -ca ''", "Please provide the ca"),
        ("tls cert create -client -key ''", "Please provide the key"),
        ("tls cert create -client", "Error reading CA: Failed to read file consul-agent-ca.pem"),
        ("tls cert create -client -ca here.pem", "Error reading CA key: Failed to read file consul-agent-ca-key.pem"),
        ("tls cert create -client -dc ../x", 'invalid value "../x" for flag -dc'),
        ("tls cert create -client -days 0", 'invalid value "0" for flag -days'),
        ("tls cert create -client -additional-ipaddress x", 'invalid value "x" for flag -additional-ipaddress'),
        ("tls cert create -client -additional-dnsname 'a b'", 'invalid value "a b" for flag -additional-dnsname'),
        ("tls ca create -domain a/b", 'invalid value "a/b" for flag -domain'),
        ("tls ca create -days 99999999", "for flag -days"),
        ("tls ca create x", "Too many arguments"),
    ],
)
def test_what_cannot_be_made_is_refused(lictor: Lictor, line: str, reason: str) -> None:
    Path("here.pem").write_text("nonsense")
    done = lictor(line)
    assert done.code == 1 and reason in done.err, done
    assert [path.name for path in Path().iterdir()] == ["here.pem"]
