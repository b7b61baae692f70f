from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Lictor
from tests.client.fake_agent import FakeAgent


def test_put_and_get(lictor: Lictor, agent: FakeAgent) -> None:
    assert lictor("kv put app/name demo") == (0, "Success! Data written to: app/name\n", "")
    assert lictor("kv get app/name") == (0, "demo\n", "")
    assert lictor("kv get /app/name").out == "demo\n"
    assert lictor("kv put -flags=42 app/flagged 'two words'").code == 0
    assert agent.keys["app/flagged"]["Flags"] == 42


def test_where_data_comes_from(lictor: Lictor, tmp_path: Path) -> None:
    (tmp_path / "value").write_bytes(b"\xffbytes")
    lictor("kv put file @value")
    lictor("kv put stdin -", stdin=b"piped")
    lictor("kv put -base64 encoded AAECAw==")
    lictor("kv put empty")
    lictor("kv put minus -x")
    assert (
        lictor("kv get -recurse").out == "empty:\nencoded:\x00\x01\x02\x03\nfile:\udcffbytes\nminus:-x\nstdin:piped\n"
    )
    assert lictor("kv get -base64 encoded").out == "AAECAw==\n"
    assert "Failed to read file none" in lictor("kv put a @none").err
    assert "Cannot base 64 decode" in lictor("kv put -base64 a '!'").err


def test_keys(lictor: Lictor, agent: FakeAgent) -> None:
    for key in ("app/a", "app/sub/b", "app/sub/c", "root"):
        agent.change(key, b"x")
    assert lictor("kv get -keys app/").lines == ["app/a", "app/sub/"]
    assert lictor("kv get -keys -separator= app").lines == ["app/a", "app/sub/b", "app/sub/c"]
    assert lictor("kv get -keys").lines == ["app/", "root"]
    assert lictor("kv get -keys none") == (0, "", "")
    assert json.loads(lictor("kv get -keys -format=json app/").out) == ["app/a", "app/sub/"]


def test_details(lictor: Lictor, agent: FakeAgent) -> None:
    agent.change("a/1", b" spaced ", Session="abc", Flags=3)
    agent.change("a/2", b"y")
    assert lictor("kv get -detailed a/1").out == (
        "CreateIndex      11\nFlags            3\nKey              a/1\nLockIndex        0\n"
        "ModifyIndex      11\nSession          abc\nValue             spaced \n"
    )
    lines = lictor("kv get -recurse -detailed -base64 a/").lines
    assert lines[6:9] == ["Value IHNwYWNlZCA=", "", "CreateIndex 12"]
    assert lines[13:] == ["Session -", "Value eQ=="]
    assert json.loads(lictor("kv get -format=json a/2").out) == [
        {"LockIndex": 0, "Key": "a/2", "Flags": 0, "Value": "eQ==", "Session": "", "CreateIndex": 12, "ModifyIndex": 12}
    ]


def test_what_is_not_there(lictor: Lictor) -> None:
    assert lictor("kv get none") == (1, "", "Error! No key exists at: none\n")
    assert lictor("kv get -recurse none") == (0, "", "")


def test_check_and_set(lictor: Lictor, agent: FakeAgent) -> None:
    assert lictor("kv put -cas -modify-index=0 a 1").code == 0
    done = lictor("kv put -cas -modify-index=0 a 2")
    assert (done.code, done.err) == (1, "Error! Did not write to a: CAS failed\n")
    index = agent.keys["a"]["ModifyIndex"]
    assert lictor("kv delete -cas -modify-index=1 a") == (1, "", "Error! Did not delete key a: CAS failed\n")
    assert lictor(f"kv delete -cas -modify-index={index} a").out == "Success! Deleted key: a\n"


def test_locks(lictor: Lictor, agent: FakeAgent) -> None:
    agent.sessions["s"] = {}
    assert lictor("kv put -acquire -session=s a").out == "Success! Lock acquired on: a\n"
    assert lictor("kv put -acquire -session=other a").code == 1
    assert lictor("kv put -release -session=other a").code == 1
    assert lictor("kv put -release -session=s a").out == "Success! Lock released on: a\n"


def test_delete(lictor: Lictor, agent: FakeAgent) -> None:
    for key in ("a/1", "a/2", "b"):
        agent.change(key, b"")
    assert lictor("kv delete none").out == "Success! Deleted key: none\n"
    assert lictor("kv delete -recurse a/").out == "Success! Deleted keys with prefix: a/\n"
    assert list(agent.keys) == ["b"]
    assert lictor("kv delete -recurse").code == 0
    assert agent.keys == {}


@pytest.mark.parametrize(
    "line",
    [
        "kv get",
        "kv get a b",
        "kv put",
        "kv put a b c",
        "kv put /a b",
        "kv put -acquire a",
        "kv put -release a",
        "kv put -flags=-1 a",
        "kv delete",
        "kv delete -cas a",
        "kv delete -modify-index=3 a",
        "kv delete -cas -recurse -modify-index=3 a",
        "kv export a b",
        "kv import",
        "kv import nonsense",
        "kv import '[{}]'",
        "kv import '{}x'",
    ],
)
def test_what_cannot_be_done(lictor: Lictor, agent: FakeAgent, line: str) -> None:
    done = lictor(line)
    assert (done.code, done.out) == (1, "")
    assert done.err
    assert not agent.keys


def test_export_and_import(lictor: Lictor, agent: FakeAgent) -> None:
    agent.change("a/1", b"one", Flags=3)
    agent.change("a/dir/", b"")
    exported = lictor("kv export a").out
    assert exported.startswith('[\n\t{\n\t\t"key": "a/1",\n\t\t"flags": 3,\n\t\t"value": "b25l"\n\t},')
    done = lictor("kv import -prefix copy -", stdin=exported.encode())
    assert done.lines == ["Imported: copy/a/1", "Imported: copy/a/dir/"]
    assert agent.keys["copy/a/1"]["Flags"] == 3
    Path("export.json").write_text(exported)
    agent.keys.clear()
    assert lictor("kv import @export.json").lines == ["Imported: a/1", "Imported: a/dir/"]
    assert lictor("kv export none").out == "[]\n"
