"""How to reach an etcd, checked. Imports nothing of gRPC, so that a configuration can be read without it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from lictor.errors import ConfigError

DEFAULT_TXN_OPS = 128
"""etcd's own --max-txn-ops, where nobody said otherwise."""
DEFAULT_REQUEST_BYTES = 1_572_864
"""etcd's own --max-request-bytes."""
DEFAULT_PORT = 2379


class EtcdConfig(msgspec.Struct, frozen=True, kw_only=True):
    """An etcd cluster and what lictor may do there.

    `endpoints` are URLs or host:port, the one to be preferred first; all keys begin with `prefix`. The files are PEM;
    `cert_file` and `key_file` go together and show who we are. `max_txn_ops` and `max_request_bytes` are what the
    cluster was started with: etcd tells them to nobody. `wait_seconds` is how long a call waits for an etcd that
    does not answer.
    """

    endpoints: tuple[str, ...]
    prefix: str = "lictor/"
    username: str = ""
    password: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    max_txn_ops: int = DEFAULT_TXN_OPS
    max_request_bytes: int = DEFAULT_REQUEST_BYTES
    wait_seconds: float = 10.0

    def __repr__(self) -> str:
        return f"EtcdConfig(endpoints={self.endpoints!r}, prefix={self.prefix!r})"

    @property
    def tls(self) -> bool:
        """Whether endpoints are spoken to over TLS."""
        return bool(self.ca_file or self.cert_file) or any(end.startswith("https://") for end in self.endpoints)

    def targets(self) -> tuple[str, ...]:
        """The endpoints as host:port. Raises ConfigError."""
        if not self.endpoints:
            raise ConfigError("store.endpoints: at least one is needed")
        return tuple(_target(endpoint, self.tls) for endpoint in self.endpoints)

    def key_prefix(self) -> bytes:
        """The prefix as it stands before keys, ending in a slash."""
        return self.prefix.strip("/").encode() + b"/"

    def read(self, field: str) -> bytes | None:
        """The content of the file that a field names, None where it names none. Raises ConfigError."""
        path = getattr(self, field)
        if not path:
            return None
        try:
            return Path(path).read_bytes()
        except OSError as error:
            raise ConfigError(f"store.{field}: cannot read {path}: {error.strerror}") from None

    def check(self) -> None:
        """Raises ConfigError with the field that cannot be used."""
        self.targets()
        if bool(self.cert_file) != bool(self.key_file):
            raise ConfigError("store.cert_file and store.key_file go together")
        if bool(self.username) != bool(self.password):
            raise ConfigError("store.username and store.password go together")
        if not self.prefix.strip("/"):
            raise ConfigError("store.prefix must not be empty")
        if self.max_txn_ops < 16:
            raise ConfigError(f"store.max_txn_ops must be at least 16, not {self.max_txn_ops}")


def _target(endpoint: str, tls: bool) -> str:
    url = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")
    try:
        host, port = url.hostname, url.port
    except ValueError:
        host, port = None, None
    if not host or url.scheme not in ("", "http", "https") or url.path.strip("/") or url.query or url.username:
        raise ConfigError(f"store.endpoints: {endpoint!r} is not of the form http://host:port")
    if tls and url.scheme == "http":
        raise ConfigError(f"store.endpoints: {endpoint!r} is not https, and others or the certificates ask for TLS")
    return f"[{host}]:{port or DEFAULT_PORT}" if ":" in host else f"{host}:{port or DEFAULT_PORT}"
