from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from lictor.cli.main import MODULES
from lictor.client.config import Config
from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent


def test_every_word_has_its_module_and_help(lictor: Lictor) -> None:
    for word, (home, _) in MODULES.items():
        module = import_module(f"lictor.cli.{home}")
        commands = [command for command in module.COMMANDS if command.words.split()[0] == word]
        assert commands, word
        for command in commands:
            done = lictor(f"{command.words} -help")
            assert done.code == 0
            assert done.out.startswith(f"Usage: lictor {command.words} [options]")
            assert command.synopsis and not command.synopsis.endswith(".")


def test_no_command(lictor: Lictor) -> None:
    for line in ("", "nonsense", "nonsense -help"):
        done = lictor(line)
        assert (done.code, done.out) == (127, "")
        assert "Usage: lictor" in done.err
        assert "    kv " in done.err


def test_help_for_all(lictor: Lictor) -> None:
    for line in ("-h", "-help", "--help"):
        done = lictor(line)
        assert done.code == 0
        assert "    catalog " in done.out


def test_help_for_groups(lictor: Lictor) -> None:
    done = lictor("operator")
    assert (done.code, done.out) == (1, "")
    assert "    autopilot " in done.err and "    raft " in done.err and "list-peers" not in done.err
    done = lictor("operator raft -help")
    assert done.code == 0
    assert "    list-peers " in done.out
    assert lictor("kv frobnicate").code == 1
    assert lictor("operator raft frobnicate").code == 1


def test_flags_before_the_command(lictor: Lictor) -> None:
    assert lictor("-http-addr=x kv get a").code == 1


@pytest.mark.parametrize("line", ["-v", "-version", "--version", "version"])
def test_version(lictor: Lictor, line: str) -> None:
    done = lictor(line)
    assert done.code == 0
    assert done.out.startswith("lictor v")


def test_usage_errors_say_how_to_go_on(lictor: Lictor) -> None:
    done = lictor("kv get -bogus a")
    assert (done.code, done.out) == (1, "")
    assert "flag provided but not defined: -bogus" in done.err
    assert "lictor kv get -help" in done.err


def test_help_after_arguments(lictor: Lictor) -> None:
    assert lictor("kv put a -h").code == 0
    assert lictor("kv put a -- -h").code == 1


def test_an_agent_that_is_not_there(lictor: Lictor) -> None:
    done = lictor("kv get a", CONSUL_HTTP_ADDR="127.0.0.1:1")
    assert done.code == 1
    assert "http://127.0.0.1:1" in done.err and "refused" in done.err
    assert "-http-addr" in done.err and "CONSUL_HTTP_ADDR" in done.err


def test_a_token_without_the_right(lictor: Lictor, agent: FakeAgent) -> None:
    agent.answer("GET /v1/kv/a", b"Permission denied", 403)
    done = lictor("kv get a")
    assert done.code == 1
    assert "Permission denied" in done.err and "CONSUL_HTTP_TOKEN" in done.err


def test_an_address_that_is_none(lictor: Lictor) -> None:
    done = lictor("kv get -http-addr=ftp://x a")
    assert done.code == 1
    assert "unknown scheme 'ftp'" in done.err


def test_common_flags_and_variables(lictor: Lictor, agent: FakeAgent) -> None:
    env = {"CONSUL_HTTP_ADDR": "127.0.0.1:1", "CONSUL_HTTP_TOKEN": "from-env"}
    lictor(f"kv get -http-addr={agent.address} -token=flag -datacenter=dc9 -stale a", **env)
    assert agent.asked[-1].headers["X-Consul-Token"] == "flag"
    assert agent.asked[-1].target == "/v1/kv/a?dc=dc9&stale="
    lictor("kv get a", CONSUL_HTTP_TOKEN="from-env")
    assert agent.asked[-1].headers["X-Consul-Token"] == "from-env"


def test_token_files(lictor: Lictor, agent: FakeAgent) -> None:
    with open("token", "w") as file:
        file.write("secret\n")
    lictor("kv get -token-file=token a")
    assert agent.asked[-1].headers["X-Consul-Token"] == "secret"
    lictor("kv get a", CONSUL_HTTP_TOKEN_FILE="token")
    assert agent.asked[-1].headers["X-Consul-Token"] == "secret"
    lictor("kv get -token=flag a", CONSUL_HTTP_TOKEN_FILE="token")
    assert agent.asked[-1].headers["X-Consul-Token"] == "flag"
    assert lictor("kv get -token-file=none a").code == 1


def test_tls_flags() -> None:
    from lictor.cli.console import Console
    from lictor.cli.flags import parse
    from lictor.cli.kv import Get

    command = Get(Console.real()._replace(env={"CONSUL_HTTP_SSL": "true", "CONSUL_CACERT": "env.pem"}))
    words = "-http-addr=h:1 -ca-path=/ca -client-cert=c -client-key=k -tls-server-name=n -namespace=t"
    parse(command, words.split())
    config: Config = command.config()
    assert str(config.address) == "https://h:1"
    assert config.tls == ("env.pem", "/ca", "c", "k", "n", True)
    assert config.namespace == "t"


def test_little_is_imported_for_little() -> None:
    code = (
        "import sys; from lictor.cli.main import run; from lictor.cli.console import Console;"
        "run(['version'], Console.real());"
        "heavy = {'aiohttp', 'msgspec', 'asyncio', 'ssl', 'http', 'json', 'urllib', 'dataclasses', 'inspect'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_request_does_without_an_event_loop() -> None:
    code = (
        "import sys; from lictor.cli.main import run; from lictor.cli.console import Console;"
        "run(['kv', 'get', '-http-addr=127.0.0.1:1', 'a'], Console.real());"
        "heavy = {'aiohttp', 'msgspec', 'asyncio'}; assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
