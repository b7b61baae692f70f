from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from lictor.agent.config import Flags, Host, RuntimeConfig, Source, build
from lictor.agent.config.addresses import Interface
from lictor.agent.identity import NODE_ID_FILE, node_id
from lictor.errors import ConfigError
from lictor.runtime.clock import Entropy

ID = "40e4a748-2192-161a-0510-9bf59fe950b5"


def configured(directory: Path, more: str = "") -> RuntimeConfig:
    interface = Interface(name="eth0", address="10.1.2.3", prefix=24, default=True)
    host = Host(hostname=lambda: "machine", interfaces=lambda: [interface], is_file=lambda _: False)
    return build(Flags(), [Source(name="a.hcl", text=f'data_dir = "{directory}"\n{more}', format="hcl")], host).config


def test_an_id_is_made_once_and_kept(tmp_path: Path) -> None:
    config = configured(tmp_path / "data")
    made = node_id(config, Entropy(1))
    assert node_id(config, Entropy(2)) == made
    assert (tmp_path / "data" / NODE_ID_FILE).read_text() == made


def test_a_configured_id_is_kept_for_later(tmp_path: Path) -> None:
    assert node_id(configured(tmp_path, f'node_id = "{ID.upper()}"'), Entropy(1)) == ID
    assert node_id(configured(tmp_path), Entropy(1)) == ID


def test_a_kept_id_needs_no_room_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = node_id(configured(tmp_path), Entropy(1))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert node_id(configured(tmp_path), Entropy(2)) == kept
    with pytest.raises(ConfigError, match=r'data_dir ".*/other" cannot be written: No space left on device'):
        node_id(configured(tmp_path / "other"), Entropy(2))


def test_a_development_agent_keeps_nothing(tmp_path: Path) -> None:
    config = msgspec.structs.replace(configured(tmp_path / "data"), dev_mode=True)
    assert node_id(config, Entropy(1)) != node_id(config, Entropy(2))
    assert not (tmp_path / "data").exists()


def test_a_file_with_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / NODE_ID_FILE).write_text("something else")
    with pytest.raises(ConfigError, match="node-id holds no node id"):
        node_id(configured(tmp_path), Entropy(1))
