"""The etcd that the suite runs against: one for each process of pytest, started when it is first wanted.

Every test has a prefix of its own there. Tests that hurt an etcd run members of their own.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from lictor import limits
from lictor.store.etcd import launch
from lictor.store.etcd.config import EtcdConfig
from lictor.store.etcd.member_config import MemberConfig, Peer

HAVE_ETCD = shutil.which("etcd") is not None
HOST = "127.0.0.1"


def free_ports(count: int, host: str = HOST) -> list[int]:
    """Ports on which nobody listens, all different."""
    held = [socket.create_server((host, 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def members(directory: Path, count: int) -> list[MemberConfig]:
    """What `count` members of one new cluster are started with."""
    ports = free_ports(2 * count)
    addresses = [(f"m{n}", ports[2 * n], ports[2 * n + 1]) for n in range(count)]
    peers = tuple(
        Peer(name, f"http://{HOST}:{peer_port}", f"http://{HOST}:{client_port}")
        for name, client_port, peer_port in addresses
    )
    return [
        MemberConfig(
            name=name,
            data_dir=directory / name,
            peers=peers,
            bind=HOST,
            client_port=client_port,
            peer_port=peer_port,
            election_ms=500,
            heartbeat_ms=50,
            max_request_bytes=4 * limits.MIB,
        )
        for name, client_port, peer_port in addresses
    ]


@cache
def shared_etcd() -> MemberConfig:
    """The etcd of this process, running."""
    memory = Path("/dev/shm")
    directory = tempfile.mkdtemp(prefix="lictor-etcd-", dir=memory if os.access(memory, os.W_OK) else None)
    (config,) = members(Path(directory), 1)
    program = shutil.which(config.program)
    assert program is not None
    config.data_dir.mkdir(mode=0o700)
    command = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), program, *config.arguments()]
    with open(Path(directory) / "log", "wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop() -> None:
        process.kill()
        process.wait()
        shutil.rmtree(directory, ignore_errors=True)

    atexit.register(stop)
    _wait_for(config, process, Path(directory) / "log")
    return config


def shared_config(path: Path) -> EtcdConfig:
    """How to reach it, with a prefix that stands for a path."""
    prefix = f"test/{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}/"
    return shared_etcd().store_config(prefix)


def _wait_for(config: MemberConfig, process: subprocess.Popen[bytes], log: Path) -> None:
    opener = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with opener.open(f"{config.own.client_url}/health", timeout=1) as response:
                if b'"true"' in response.read():
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"etcd did not start: {log.read_text()}")
