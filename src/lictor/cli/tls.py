"""`lictor tls`: certificates for agents, as the reference's command of that name makes and names them."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from lictor.cli.command import Command, Failure, UsageError
from lictor.cli.console import read_file
from lictor.cli.flags import number, switch, text, texts

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from lictor.runtime.certificates import Lifetime, Names

DOMAIN_MARK = "#DOMAIN#"
"""Stands for the domain in the names of files."""
DAYS_MAX = 100 * 366
NUMBERS = 10_000
_NAME = re.compile(r"[A-Za-z0-9_*-]+(\.[A-Za-z0-9_-]+)*\Z")
WARNING = """==> WARNING: Whoever holds a server's certificate can be a server and see all that the cluster
    knows, tokens and root keys included. Keep it on server nodes only, as safe as the authority's key."""


class CACreate(Command):
    """Makes an authority that signs the certificates of a cluster's agents: its certificate and its key.

        $ lictor tls ca create
        ==> Saved consul-agent-ca.pem
        ==> Saved consul-agent-ca-key.pem

    The key stays where certificates are made; agents need only the certificate (ca_file).
    """

    words = "tls ca create"
    synopsis = "Create an authority"

    additional_name_constraint = texts("With -name-constraint: another domain to allow. May be repeated.")
    cluster_id = text("The cluster's id: the authority is then also named by spiffe://<id>.<domain>.")
    common_name = text('The authority\'s common name. Default: "Consul Agent CA" and its serial number.')
    days = number("For how many days the authority is valid.", 1825)
    domain = text("The cluster's domain.", "consul")
    name_constraint = switch("Make the authority good only for names in -domain, in localhost and in those added.")

    def run(self, arguments: list[str]) -> int:
        self.none(arguments)
        from lictor.runtime import certificates

        lifetime, serial = _lifetime(self.days), _serial()
        _check("-domain", self.domain)
        domains: tuple[str, ...] = ()
        if self.name_constraint:
            domains = (*self.additional_name_constraint, self.domain, "localhost")
        for domain in self.additional_name_constraint:
            _check("-additional-name-constraint", domain)
        if self.cluster_id:
            _check("-cluster-id", self.cluster_id)
        uris = (f"spiffe://{self.cluster_id}.{self.domain}",) if self.cluster_id else ()
        names = certificates.Names(common=self.common_name or f"Consul Agent CA {serial}", uris=uris)
        key = certificates.new_key()
        made = certificates.new_authority(names, lifetime, serial, key, domains)
        file, key_file = f"{self.domain}-agent-ca.pem", f"{self.domain}-agent-ca-key.pem"
        if not _save(file, certificates.certificate_pem(made), key_file, certificates.key_pem(key)):
            raise Failure(f"{file if os.path.exists(file) else key_file} already exists.")
        _tell(self, file, key_file)
        return 0


class CertCreate(Command):
    """Makes a certificate for a server, a client or the command line, signed by an authority.

        $ lictor tls cert create -server -dc dc1
        ==> Saved dc1-server-consul-0.pem
        ==> Saved dc1-server-consul-0-key.pem

        $ lictor tls cert create -client

    Files that exist are never overwritten: the number in the name counts up.
    """

    words = "tls cert create"
    synopsis = "Create a certificate"

    additional_dnsname = texts("Another DNS name to be valid for; localhost always is one. May be repeated.")
    additional_ipaddress = texts("Another IP address to be valid for; 127.0.0.1 always is one. May be repeated.")
    ca = text("The authority's certificate.", f"{DOMAIN_MARK}-agent-ca.pem")
    cli = switch("Make a certificate for the command line.")
    client = switch("Make a client's certificate.")
    days = number("For how many days the certificate is valid.", 365)
    dc = text("The datacenter.", "dc1")
    domain = text("The cluster's domain.", "consul")
    key = text("The authority's key.", f"{DOMAIN_MARK}-agent-ca-key.pem")
    node = text("With -server: the node's name; <node>.server.<dc>.<domain> is then valid too.")
    server = switch("Make a server's certificate.")

    def run(self, arguments: list[str]) -> int:
        self.none(arguments)
        from lictor.errors import ConfigError
        from lictor.runtime import certificates

        kind, names = self._names()
        lifetime = _lifetime(self.days)
        ca, ca_key = (path.replace(DOMAIN_MARK, self.domain, 1) for path in (self.ca, self.key))
        pems = _read("Error reading CA", ca), _read("Error reading CA key", ca_key)
        if kind == "server":
            self.console.line(WARNING)
        self.console.line(f"==> Using {ca} and {ca_key}")
        key = certificates.new_key()
        try:
            issuer = certificates.authority(*pems)
            made = certificates.new_certificate(issuer, names, lifetime, _serial(), key.public_key(), tls=kind != "cli")
        except ConfigError as error:
            raise Failure(f"{ca} with {ca_key}: {error}") from None
        if made.not_valid_after_utc > issuer.certificate.not_valid_after_utc:
            until = f"{issuer.certificate.not_valid_after_utc:%Y-%m-%d}"
            self.console.complain(f"==> WARNING: {ca} itself is valid only until {until}")
        pem, secret = certificates.certificate_pem(made), certificates.key_pem(key)
        for count in range(NUMBERS):
            stem = f"{self.dc}-{kind}-{self.domain}-{count}"
            if _save(f"{stem}.pem", pem, f"{stem}-key.pem", secret):
                _tell(self, f"{stem}.pem", f"{stem}-key.pem")
                return 0
        raise Failure("Could not find a filename that doesn't already exist")

    def _names(self) -> tuple[str, Names]:
        """Whom the certificate is for, and all its names. Raises UsageError."""
        from lictor.runtime.certificates import Names

        kinds = [kind for kind in ("server", "client", "cli") if getattr(self, kind)]
        if len(kinds) != 1:
            raise UsageError("Please provide either -server, -client, or -cli")
        for flag, value in (("-ca", self.ca), ("-key", self.key)):
            if not value:
                raise UsageError(f"Please provide the {flag[1:]}")
        if self.node and not self.server:
            raise UsageError("-node requires -server")
        _check("-dc", self.dc)
        _check("-domain", self.domain)
        own = f"{kinds[0]}.{self.dc}.{self.domain}"
        dns = [name.strip() for name in self.additional_dnsname if name.strip()]
        for name in dns:
            _check("-additional-dnsname", name)
        if self.node:
            _check("-node", self.node)
            dns.append(f"{self.node}.{own}")
        addresses = [_address(row) for row in self.additional_ipaddress if row.strip()]
        return kinds[0], Names(
            common=own,
            dns=list(dict.fromkeys((*dns, own, "localhost"))),
            addresses=list(dict.fromkeys((*addresses, _address("127.0.0.1")))),
        )


def _check(flag: str, name: str) -> None:
    """Refuses what can stand in no DNS name (and so would reach outside the directory as part of a file's name)."""
    if not _NAME.match(name):
        raise UsageError(f'invalid value "{name}" for flag {flag}: not a DNS name')


def _address(word: str) -> IPv4Address | IPv6Address:
    from ipaddress import ip_address

    try:
        return ip_address(word.strip())
    except ValueError:
        raise UsageError(f'invalid value "{word}" for flag -additional-ipaddress: not an IP address') from None


def _lifetime(days: int) -> Lifetime:
    from datetime import UTC, datetime

    from lictor.runtime.certificates import Lifetime

    if not 0 < days <= DAYS_MAX:
        raise UsageError(f'invalid value "{days}" for flag -days: must be from 1 to {DAYS_MAX}')
    return Lifetime(datetime.now(UTC), days)


def _serial() -> int:
    from secrets import randbits

    from lictor.runtime.certificates import SERIAL_BITS

    return randbits(SERIAL_BITS - 1) + 1


def _read(what: str, path: str) -> bytes:
    try:
        return read_file(path)
    except Failure as error:
        raise Failure(f"{what}: {error}") from None


def _save(file: str, content: bytes, key_file: str, key: bytes) -> bool:
    """Writes both, or neither when one of them exists. Only the owner may read the key. Raises Failure."""
    try:
        if os.path.exists(file) or not _write(key_file, key, 0o600):
            return False
        if not _write(file, content, 0o644):
            os.unlink(key_file)
            return False
    except OSError as error:
        raise Failure(f"{error.filename or file} cannot be written: {error.strerror or error}") from None
    return True


def _write(path: str, content: bytes, mode: int) -> bool:
    """Writes a file that must not exist yet; False when it does."""
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return False
    with open(opened, "wb") as file:
        file.write(content)
    return True


def _tell(command: Command, *files: str) -> None:
    for file in files:
        command.console.line(f"==> Saved {file}")


COMMANDS = (CACreate, CertCreate)
GROUPS = {
    "tls": "Make certificates for agents",
    "tls ca": "Make the authority that signs them",
    "tls cert": "Make certificates",
}
