from __future__ import annotations

import ipaddress
from pathlib import Path

from lictor.agent.config.machine import interfaces, this_machine


def test_this_machine_has_a_loopback_and_a_name() -> None:
    host = this_machine()
    assert host.hostname()
    found = [interface for interface in host.interfaces() if interface.address == "127.0.0.1"]
    assert found and found[0].loopback and found[0].up and found[0].prefix == 8


def test_every_address_is_one() -> None:
    for interface in interfaces():
        network = ipaddress.ip_network(f"{interface.address}/{interface.prefix}", strict=False)
        assert ipaddress.ip_address(interface.address) in network


def test_files_and_directories_are_told_apart(tmp_path: Path) -> None:
    is_file = this_machine().is_file
    (tmp_path / "f").write_text("")
    assert is_file(str(tmp_path / "f"))
    assert not is_file(str(tmp_path))
    assert not is_file(str(tmp_path / "none"))
