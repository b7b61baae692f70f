from __future__ import annotations

from collections.abc import Callable

import pytest

from lictor.agent.config import Built, Flags, Host, Source, build
from lictor.agent.config.addresses import Interface

ETH0 = Interface(name="eth0", address="10.1.2.3", prefix=24, default=True)
LO = Interface(name="lo", address="127.0.0.1", prefix=8, loopback=True)

Build = Callable[..., Built]


@pytest.fixture
def host() -> Host:
    return Host(hostname=lambda: "machine", interfaces=lambda: [LO, ETH0], is_file=lambda path: path == "/a/file")


@pytest.fixture
def make(host: Host) -> Build:
    """Builds from pieces of HCL; with a data directory unless `bare`."""

    def make(*texts: str, dev: bool = False, bare: bool = False, host: Host = host) -> Built:
        first = [] if dev or bare else ['data_dir = "/data"']
        sources = [Source(name=f"{n}.hcl", text=text, format="hcl") for n, text in enumerate([*first, *texts])]
        return build(Flags(dev=dev), sources, host)

    return make
