"""A member of etcd as a child: its command line, its life, its cluster, and how stores reach it by TLS and password."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lictor.errors import ConfigError, StoreError
from lictor.store.base import Put, Txn
from lictor.store.etcd import member as module
from lictor.store.etcd.cluster import Cluster
from lictor.store.etcd.config import EtcdConfig
from lictor.store.etcd.member import EtcdMember
from lictor.store.etcd.member_config import MemberConfig, Peer
from lictor.store.etcd.member_log import read_line
from lictor.store.etcd.membership import add_member, list_members, promote_member, remove_member
from lictor.store.etcd.store import EtcdStore
from tests.store.backends import Follower
from tests.store.etcd_process import HAVE_ETCD, members

needs_etcd = pytest.mark.skipif(not HAVE_ETCD, reason="etcd is not installed")


@asynccontextmanager
async def running(*configs: MemberConfig) -> AsyncIterator[list[EtcdMember]]:
    started = [EtcdMember(config) for config in configs]
    try:
        for member in started:
            await member.start()
        yield started
    finally:
        for member in started:
            if member.pid is not None:
                os.kill(member.pid, signal.SIGKILL)
        await asyncio.gather(*(member.stop() for member in started))


async def write_and_read(config: EtcdConfig) -> None:
    store = EtcdStore(config, "s1")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        await store.open()
        assert await store.commit(Txn((), (Put(b"a", b""),))) == await store.barrier()
        assert await store.keep_alive(await store.grant(10))


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_command_line(tmp_path: Path) -> None:
    first, second = (Peer(f"m{n}", f"http://10.0.0.{n}:2380", f"http://10.0.0.{n}:2379") for n in (1, 2))
    config = MemberConfig(
        name="m2", data_dir=tmp_path, peers=(first, second), bind="::", compaction="5m", existing=True
    )
    arguments = config.arguments()
    for expected in (
        "--name=m2",
        f"--data-dir={tmp_path}",
        "--listen-client-urls=http://[::]:2379",
        "--advertise-client-urls=http://10.0.0.2:2379",
        "--listen-peer-urls=http://[::]:2380",
        "--initial-advertise-peer-urls=http://10.0.0.2:2380",
        "--initial-cluster=m1=http://10.0.0.1:2380,m2=http://10.0.0.2:2380",
        "--initial-cluster-state=existing",
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=5m",
    ):
        assert expected in arguments
    assert not any("cert" in argument for argument in arguments)
    assert "--auto-compaction-mode=revision" in msgspec.structs.replace(config, compaction="1000").arguments()
    store = config.store_config()
    assert store.endpoints == ("http://10.0.0.2:2379", "http://10.0.0.1:2379")
    assert store.max_txn_ops == config.max_txn_ops


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": "other"}, "m1"),
        ({"peers": ()}, "none"),
        ({"peers": (Peer("m1", "http://a:1", "http://a:2"), Peer("a,b", "http://a:3"))}, "a,b"),
        ({"peers": (Peer("m1", "http://a:1", "http://a:2"), Peer("m2", "http://a:1"))}, "same URL"),
        ({"peers": (Peer("m1", "http://a", "http://a:2"),)}, "http://host:port"),
        ({"peers": (Peer("m1", "https://a:1", "https://a:2"),)}, "http://host:port"),
        ({"compaction": "never"}, "compaction"),
        ({"cert_file": "c", "key_file": "k"}, "go together"),
        ({"election_ms": 100}, "election_ms"),
    ],
)
def test_a_member_that_cannot_be(tmp_path: Path, fields: dict[str, Any], named: str) -> None:
    fields = {"name": "m1", "peers": (Peer("m1", "http://a:1", "http://a:2"),), **fields}
    if "cert_file" in fields:
        fields["peers"] = (Peer("m1", "https://a:1", "https://a:2"),)
    with pytest.raises(ConfigError, match=named):
        MemberConfig(data_dir=tmp_path, bind="127.0.0.1", **fields).arguments()


@pytest.mark.parametrize(
    ("line", "level", "text"),
    [
        (
            b'{"level":"info","ts":"2026","caller":"x.go:1","msg":"ready","peer":"m1"}\n',
            logging.DEBUG,
            "ready: peer=m1",
        ),
        (b'{"level":"warn","msg":"lost a stream"}', logging.DEBUG, "lost a stream"),
        (b'{"level":"warn","msg":"apply request took too long"}', logging.WARNING, "apply request took too long"),
        (b'{"level":"fatal","msg":"no","error":"why","stacktrace":"long"}', logging.ERROR, "no: error=why"),
        (b"not JSON \xff\n", logging.INFO, "not JSON \ufffd"),
        (b"[1, 2]\n", logging.INFO, "[1, 2]"),
    ],
)
def test_what_a_member_says(line: bytes, level: int, text: str) -> None:
    assert read_line(line) == (level, text)
    assert read_line(b" \n") is None


async def test_a_program_that_is_not_installed(tmp_path: Path) -> None:
    (config,) = members(tmp_path, 1)
    with pytest.raises(ConfigError, match="apt-get install etcd-server"):
        await EtcdMember(msgspec.structs.replace(config, program="no-such-etcd")).start()


@needs_etcd
async def test_a_member_lives_and_ends(tmp_path: Path) -> None:
    (config,) = members(tmp_path, 1)
    async with running(config) as (member,):
        await member.ready(20)
        await write_and_read(config.store_config())
        pid = member.pid
        assert pid is not None
        assert config.data_dir.stat().st_mode & 0o777 == 0o700
        for port in (config.client_port, config.peer_port):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.2", port)).close()
        os.kill(pid, signal.SIGTERM)  # whoever ends it, it is started again
        async with asyncio.timeout(20):
            while member.pid in (pid, None):
                await asyncio.sleep(0.05)
        await member.ready(20)
        await write_and_read(config.store_config())
        again = member.pid
        await member.stop()
        assert member.pid is None
        assert again is not None and gone(again)


@needs_etcd
async def test_a_member_goes_when_its_parent_is_killed(tmp_path: Path) -> None:
    (config,) = members(tmp_path, 1)
    (tmp_path / "config").write_bytes(
        msgspec.msgpack.encode(msgspec.structs.replace(config, data_dir=str(tmp_path / "d")))
    )
    program = """
import asyncio, pathlib, sys, msgspec
from lictor.store.etcd.member import EtcdMember
from lictor.store.etcd.member_config import MemberConfig

def hook(kind, value):
    return pathlib.Path(value)

async def main():
    config = msgspec.msgpack.decode(pathlib.Path(sys.argv[1]).read_bytes(), type=MemberConfig, dec_hook=hook)
    member = EtcdMember(config)
    await member.start()
    await member.ready(20)
    print(member.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(tmp_path / "config"), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(await asyncio.wait_for(parent.stdout.readline(), 30))
    assert not gone(pid)
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(5):
        while not gone(pid):
            await asyncio.sleep(0.02)


@needs_etcd
async def test_a_cluster_that_does_not_form_says_whom_it_waits_for(tmp_path: Path) -> None:
    first, second, third = members(tmp_path, 3)
    async with running(first) as (member,):
        with pytest.raises(StoreError) as refused:
            await member.ready(1.5)
        text = str(refused.value)
        assert "more than half of 3 members must be up" in text
        assert second.own.peer_url in text and third.own.peer_url in text and first.own.peer_url not in text


@needs_etcd
async def test_a_port_that_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RESTART_SECONDS", (0.05, 0.1))
    (config,) = members(tmp_path, 1)
    with socket.create_server(("127.0.0.1", config.peer_port)):
        async with running(config) as (member,):
            with pytest.raises(StoreError, match="address already in use"):
                await member.ready(1.5)
    # Once it is free, the next start succeeds by itself.


@needs_etcd
async def test_members_come_and_go(tmp_path: Path) -> None:
    first, second = members(tmp_path, 1)[0], members(tmp_path / "more", 1)[0]
    second = msgspec.structs.replace(second, name="m9")
    new = Peer("m9", second.peers[0].peer_url, second.peers[0].client_url)
    cluster = Cluster(first.store_config())
    async with running(first) as (one,), AsyncExitStack() as stack:
        await one.ready(20)
        stack.push_async_callback(cluster.close)
        await cluster.open()
        peers = await add_member(cluster, new)
        assert peers == await add_member(cluster, new) == (*first.peers, new)
        await write_and_read(first.store_config())  # a learner that is not there yet is missed by nobody
        second = msgspec.structs.replace(second, peers=peers, existing=True)
        async with running(second) as (other,):
            await other.ready(20)
            with pytest.raises(StoreError, match="learner"):
                await write_and_read(
                    msgspec.structs.replace(second.store_config(), endpoints=(new.client_url,), wait_seconds=1)
                )
            await promote_member(cluster, new.peer_url, 20)
            await write_and_read(msgspec.structs.replace(second.store_config(), endpoints=(new.client_url,)))
            assert {(m.name, m.learner) for m in await list_members(cluster)} == {("m0", False), ("m9", False)}
            await remove_member(cluster, new.peer_url)
            await remove_member(cluster, new.peer_url)
            async with asyncio.timeout(20):
                while other.pid is not None or not other.removed:
                    await asyncio.sleep(0.05)
            with pytest.raises(StoreError, match="was removed"):
                await other.ready(5)
        await write_and_read(first.store_config())


async def openssl(directory: Path, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "openssl", *arguments, cwd=directory, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 0, said


async def certificates(directory: Path) -> dict[str, str]:
    """An authority and a certificate of 127.0.0.1, as the fields that name their files."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    await openssl(directory, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA")
    await openssl(directory, "req", *key[:-2], "-keyout", "one.key", "-out", "one.csr", "-subj", "/CN=one")
    (directory / "names").write_text("subjectAltName=IP:127.0.0.1")
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    await openssl(directory, "x509", "-req", "-in", "one.csr", *signing, "-out", "one.pem")
    names = {"ca_file": "ca.pem", "cert_file": "one.pem", "key_file": "one.key"}
    return {field: str(directory / name) for field, name in names.items()}


@needs_etcd
async def test_tls_in_both_directions(tmp_path: Path) -> None:
    (plain,) = members(tmp_path, 1)
    files = await certificates(tmp_path)
    own = plain.own
    peers = (Peer(own.name, own.peer_url.replace("http:", "https:"), own.client_url.replace("http:", "https:")),)
    config = msgspec.structs.replace(plain, peers=peers, **files)
    async with running(config) as (member,):
        await member.ready(20)
        await write_and_read(config.store_config())
        for changes in ({"cert_file": "", "key_file": ""}, {"ca_file": ""}):
            store = EtcdStore(msgspec.structs.replace(config.store_config(), wait_seconds=1, **changes), "s1")
            with pytest.raises(StoreError, match="does not answer"):
                await store.open()


@needs_etcd
async def test_a_user_with_a_password(tmp_path: Path) -> None:
    (config,) = members(tmp_path, 1)

    async def etcdctl(*arguments: str) -> None:
        process = await asyncio.create_subprocess_exec(
            "etcdctl",
            f"--endpoints={config.own.client_url}",
            *arguments,
            env={**os.environ, "ETCDCTL_API": "3"},
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert await process.wait() == 0

    async with running(config) as (member,):
        await member.ready(20)
        await etcdctl("user", "add", "root:secret")
        await etcdctl("user", "add", "lictor:key")
        await etcdctl("role", "add", "lictor")
        await etcdctl("role", "grant-permission", "lictor", "readwrite", "--prefix=true", "lictor/")
        await etcdctl("user", "grant-role", "lictor", "lictor")
        await etcdctl("user", "grant-role", "root", "root")
        await etcdctl("auth", "enable")
        given = msgspec.structs.replace(config.store_config(), username="lictor", password="key", wait_seconds=3)
        await write_and_read(given)
        for changes, said in (({"password": "wrong"}, "password"), ({"username": "", "password": ""}, "user name")):
            with pytest.raises(StoreError, match=said):
                await write_and_read(msgspec.structs.replace(given, wait_seconds=1, **changes))
        with pytest.raises(StoreError, match="permission denied"):
            await write_and_read(msgspec.structs.replace(given, prefix="elsewhere/", wait_seconds=1))
        # A restart of etcd forgets its tokens.
        store = EtcdStore(msgspec.structs.replace(given, wait_seconds=10), "s1")
        async with AsyncExitStack() as stack:
            stack.push_async_callback(store.close)
            await store.open()
            assert member.pid is not None
            os.kill(member.pid, signal.SIGKILL)
            assert await store.commit(Txn((), (Put(b"b", b""),))) == await store.barrier()
            # A token that ends while only the watch needs one.
            follower = await Follower().follow(store)
            store._cluster._metadata = (("token", "old.1"),)
            store._feed._stalled()
            await asyncio.sleep(0.1)
            await write_and_read(given)
            async with asyncio.timeout(10):
                while not follower.history:
                    await asyncio.sleep(0.02)
