"""The API's part of the configuration."""

from __future__ import annotations

import pytest

from lictor.api.context import APIConfig
from lictor.limits import HEADER_BYTES, Limits


@pytest.mark.parametrize(
    ("remote", "may"),
    [
        ("10.1.2.3:4000", True),
        ("10.2.0.1:4000", False),
        ("fd00::1:4000", True),
        ("fe80::1:4000", False),
        ("unix:0", True),
    ],
)
def test_who_may_write(remote: str, may: bool) -> None:
    config = APIConfig("dc1", "n", Limits(), writers=("10.1.0.0/16", "fd00::/8"))
    assert config.may_write(remote) is may
    assert APIConfig("dc1", "n", Limits()).may_write(remote)


def test_standards() -> None:
    config = APIConfig("dc1", "n", Limits(), response_headers={"X-A": "b"})
    assert config.header_bytes == HEADER_BYTES and config.connections_per_client == 0
    assert ("X-A", "b") in config.common_headers
    assert APIConfig("dc1", "n", Limits(), header_bytes=9).header_bytes == 9
