"""What a member of an etcd cluster is started with, as etcd's command line. Imports nothing of gRPC."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from lictor import limits
from lictor.errors import ConfigError
from lictor.store.etcd.config import EtcdConfig

_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")
_RETENTION = re.compile(r"[0-9]+(s|m|h)?")


class Peer(msgspec.Struct, frozen=True):
    """A member as the others know it: its name, where members reach it, where clients do."""

    name: str
    peer_url: str
    client_url: str = ""


class MemberConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A member that this server runs.

    `peers` are all members that the cluster begins with, this one among them by `name`; every one of them is given the
    same list. With `existing` they are those of a cluster that runs, to which this one was added. It listens at `bind`
    (an address) and is reached by the URLs in `peers`. `token` keeps clusters apart that were begun with the same
    list. With `cert_file` and `key_file` both clients and members need a certificate of `ca_file`. `compaction` is
    how much of the past is kept: a number of revisions, or a span such as 5m. Sizes are in bytes.
    """

    name: str
    data_dir: Path
    peers: tuple[Peer, ...]
    bind: str
    client_port: int = 2379
    peer_port: int = 2380
    existing: bool = False
    token: str = "lictor"
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    program: str = "etcd"
    max_txn_ops: int = limits.ETCD_MEMBER_TXN_OPS
    max_request_bytes: int = limits.ETCD_MEMBER_REQUEST_BYTES
    quota_bytes: int = limits.ETCD_MEMBER_QUOTA_BYTES
    compaction: str = "10000"
    heartbeat_ms: int = 100
    election_ms: int = 1000

    @property
    def own(self) -> Peer:
        """This member in the list. Raises ConfigError when it is not there, or not once."""
        found = [peer for peer in self.peers if peer.name == self.name]
        if len(found) != 1:
            names = ", ".join(peer.name for peer in self.peers) or "none"
            raise ConfigError(f"etcd: the member {self.name!r} must be among the peers once, which are: {names}")
        return found[0]

    def check(self) -> None:
        """Raises ConfigError with the field that cannot be used."""
        scheme = "https" if self.cert_file else "http"
        urls = [self.own.client_url, *(peer.peer_url for peer in self.peers)]
        for peer in self.peers:
            if not _NAME.fullmatch(peer.name):
                raise ConfigError(f"etcd: {peer.name!r} cannot be a member's name: letters, digits, '.', '_', '-'")
        for url in urls:
            parts = urlsplit(url)
            if parts.scheme != scheme or not parts.hostname or not parts.port:
                raise ConfigError(f"etcd: {url!r} is not of the form {scheme}://host:port")
        if len(set(urls)) != len(urls):
            raise ConfigError("etcd: two peers have the same URL")
        if bool(self.cert_file) != bool(self.key_file) or bool(self.cert_file) != bool(self.ca_file):
            raise ConfigError("etcd: ca_file, cert_file and key_file go together")
        if not _RETENTION.fullmatch(self.compaction):
            raise ConfigError(
                f"etcd: compaction must be a number of revisions or a span such as 5m: {self.compaction!r}"
            )
        if self.election_ms < 5 * self.heartbeat_ms:
            raise ConfigError("etcd: election_ms must be at least five times heartbeat_ms")

    def arguments(self) -> list[str]:
        """etcd's command line without the program. Raises ConfigError."""
        self.check()
        scheme = "https" if self.cert_file else "http"
        host = f"[{self.bind}]" if ":" in self.bind else self.bind
        mode = "revision" if self.compaction.isdigit() else "periodic"
        options = {
            "name": self.name,
            "data-dir": str(self.data_dir),
            "listen-client-urls": f"{scheme}://{host}:{self.client_port}",
            "advertise-client-urls": self.own.client_url,
            "listen-peer-urls": f"{scheme}://{host}:{self.peer_port}",
            "initial-advertise-peer-urls": self.own.peer_url,
            "initial-cluster": ",".join(f"{peer.name}={peer.peer_url}" for peer in self.peers),
            "initial-cluster-state": "existing" if self.existing else "new",
            "initial-cluster-token": self.token,
            "max-txn-ops": self.max_txn_ops,
            "max-request-bytes": self.max_request_bytes,
            "quota-backend-bytes": self.quota_bytes,
            "auto-compaction-mode": mode,
            "auto-compaction-retention": self.compaction,
            "heartbeat-interval": self.heartbeat_ms,
            "election-timeout": self.election_ms,
            # Whoever was cut off must not disturb a leader that the others have when it comes back.
            "pre-vote": "true",
            "logger": "zap",
            "log-outputs": "stderr",
            **self._tls(),
        }
        return [f"--{name}={value}" for name, value in options.items()]

    def store_config(self, prefix: str = "lictor/") -> EtcdConfig:
        """How a store reaches the cluster: through this member, and through the others while it is away."""
        others = (peer.client_url for peer in self.peers if peer.name != self.name)
        return EtcdConfig(
            endpoints=(self.own.client_url, *filter(None, others)),
            prefix=prefix,
            ca_file=self.ca_file,
            cert_file=self.cert_file,
            key_file=self.key_file,
            max_txn_ops=self.max_txn_ops,
            max_request_bytes=self.max_request_bytes,
        )

    def _tls(self) -> dict[str, str]:
        if not self.cert_file:
            return {}
        return {
            "trusted-ca-file": self.ca_file,
            "cert-file": self.cert_file,
            "key-file": self.key_file,
            "client-cert-auth": "true",
            "peer-trusted-ca-file": self.ca_file,
            "peer-cert-file": self.cert_file,
            "peer-key-file": self.key_file,
            "peer-client-cert-auth": "true",
        }
