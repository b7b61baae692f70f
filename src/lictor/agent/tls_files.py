"""The files of TLS that the configuration names: what they hold, and what is or will be wrong with them.

Raises ConfigError naming the key and the file. Makes no contexts; `agent.tls` does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from lictor.agent.config import RuntimeConfig
from lictor.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

SOON_SECONDS = 14 * 86400.0
"""How long before its end a certificate is warned of."""
Stamps = tuple[tuple[str, int, int, int], ...]
"""What shows that a file is another than before: its path, inode, time of change and size."""


class TLSFiles(NamedTuple):
    """What the files hold. `authorities` are files with the certificates in them, `own` the agent's certificates."""

    authorities: list[tuple[str, list[Certificate]]]
    own: list[Certificate]


def read(config: RuntimeConfig) -> TLSFiles:
    """Reads all files. Raises ConfigError for one that cannot be used, and when a setting needs one that is missing."""
    _complete(config)
    return TLSFiles(_authorities(config), _own(config))


def server_name(config: RuntimeConfig) -> str:
    """The name that every server's certificate is valid for."""
    return f"server.{config.datacenter}.{config.domain.rstrip('.')}"


def between_agents(config: RuntimeConfig) -> bool:
    """Whether agents are to speak TLS with each other."""
    return config.verify_incoming or config.verify_incoming_rpc or config.verify_outgoing


def warnings(config: RuntimeConfig, files: TLSFiles, now: float) -> Iterator[str]:
    """What will not do, or not for long, at a time (seconds since 1970)."""
    authorities, certificates = files
    from_files = [(f"certificate in cert_file {config.cert_file}", certificates)]
    from_files += [(f"authority in {file}", rows) for file, rows in authorities]
    for what, rows in from_files:
        for row in rows:
            yield from _outdated(what, row, now)
    if config.tls_min_version in ("tls10", "tls11"):
        yield f"tls_min_version {config.tls_min_version} means tls12: older versions are not safe"
    if not between_agents(config):
        return
    if config.store.kind == "etcd" and not config.store.endpoints:
        yield (
            "the servers' etcd members talk to each other without TLS: let only servers reach "
            f"ports {config.store.client_port} and {config.store.peer_port}"
        )
    if not certificates:
        yield "this agent has no certificate (cert_file): other agents cannot join through it"
        return
    yield from _names(config, files)


def stamps(config: RuntimeConfig) -> Stamps:
    """Of all files that the configuration names; those that are not there are left out."""
    found = []
    for file in (config.cert_file, config.key_file, *_authority_files(config)):
        try:
            status = os.stat(file)
        except OSError:
            continue
        found.append((file, status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(found)


def _complete(config: RuntimeConfig) -> None:
    """Raises ConfigError when files are missing that other settings need."""
    for key in ("verify_incoming", "verify_incoming_rpc", "verify_incoming_https", "verify_outgoing"):
        if getattr(config, key) and not (config.ca_file or config.ca_path):
            raise ConfigError(f"{key} is on: ca_file or ca_path must say whose certificates are accepted")
    if config.cert_file:
        return
    if config.listen.https:
        raise ConfigError("ports.https is set: HTTPS needs the agent's certificate (cert_file, key_file)")
    for key in ("verify_incoming", "verify_incoming_rpc"):
        if getattr(config, key):
            raise ConfigError(f"{key} is on: the agent needs a certificate of its own (cert_file, key_file)")
    if config.server and config.verify_outgoing:
        raise ConfigError("verify_outgoing is on: the server port speaks TLS and needs cert_file and key_file")


def _authorities(config: RuntimeConfig) -> list[tuple[str, list[Certificate]]]:
    """The files of authorities with what they hold: `ca_file`, or all below `ca_path`."""
    key = "ca_file" if config.ca_file else "ca_path"
    found = [(file, _certificates(key, file)) for file in _authority_files(config)]
    if config.ca_path and not found:
        raise ConfigError(f"ca_path: there are no files in {config.ca_path}")
    return found


def _authority_files(config: RuntimeConfig) -> list[str]:
    if config.ca_file:
        return [config.ca_file]
    return sorted(os.path.join(at, name) for at, _, names in os.walk(config.ca_path or os.devnull) for name in names)


def _own(config: RuntimeConfig) -> list[Certificate]:
    """The agent's certificate and those that follow it in its file; none without `cert_file`."""
    if not config.cert_file:
        return []
    from lictor.runtime.certificates import read_key

    certificates = _certificates("cert_file", config.cert_file)
    try:
        key = read_key(_read(config.key_file))
    except ConfigError as error:
        raise ConfigError(f"key_file {config.key_file}: {error}") from None
    if key.public_key() != certificates[0].public_key():
        raise ConfigError(
            f"key_file {config.key_file} is not the key of the certificate in cert_file {config.cert_file}"
        )
    return certificates


def _certificates(key: str, file: str) -> list[Certificate]:
    # Only here, since it takes a while to import and most agents on one machine have no certificates.
    from lictor.runtime.certificates import read_certificates

    try:
        return read_certificates(_read(file))
    except ConfigError as error:
        raise ConfigError(f"{key} {file}: {error}") from None


def _read(file: str) -> bytes:
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}") from None


def _names(config: RuntimeConfig, files: TLSFiles) -> Iterator[str]:
    """What will make others refuse this agent."""
    from lictor.runtime.certificates import dns_names, signed_by

    known = [row for _, rows in files.authorities for row in rows]
    if not any(signed_by(own, issuer) for own in files.own for issuer in known):
        yield f"cert_file {config.cert_file} is signed by none of this agent's own authorities (ca_file, ca_path)"
    name = server_name(config)
    if config.server and config.verify_server_hostname and name not in dns_names(files.own[0]):
        yield f"cert_file {config.cert_file} is not valid for {name}: agents with verify_server_hostname refuse it"


def _outdated(what: str, certificate: Certificate, now: float) -> Iterator[str]:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    moment = datetime.fromtimestamp(now, UTC)
    if moment > ends:
        yield f"the {what} expired on {ends:%Y-%m-%d %H:%M} UTC"
    elif moment < begins:
        yield f"the {what} is not valid before {begins:%Y-%m-%d %H:%M} UTC"
    elif (ends - moment).total_seconds() < SOON_SECONDS:
        yield f"the {what} expires on {ends:%Y-%m-%d %H:%M} UTC"
