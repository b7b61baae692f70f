from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Lictor

GOOD = '{"datacenter": "dc1", "node_name": "n", "data_dir": "/tmp/data", "bind_addr": "127.0.0.1"}'


def test_files_and_directories(lictor: Lictor, tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/good.json").write_text(GOOD)
    assert lictor("validate conf.d/good.json").out == "Configuration is valid!\n"
    assert lictor("validate conf.d").out == "Configuration is valid!\n"
    assert lictor("validate -quiet conf.d").out == ""
    (tmp_path / "good.conf").write_text(GOOD)
    assert lictor("validate -config-format=json good.conf").out == "Configuration is valid!\n"


def test_what_is_wrong(lictor: Lictor, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"datacenter": "dc1", "no_such_option": true}')
    done = lictor("validate bad.json")
    assert (done.code, done.out) == (1, "")
    assert "no_such_option" in done.err
    assert lictor("validate none.json").code == 1
    assert lictor("validate").code == 1
