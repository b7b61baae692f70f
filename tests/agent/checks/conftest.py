"""What the tests of checks share: a clock that stands still, the kit, and a certificate for loopback servers."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lictor.agent.checks import CheckKit, CheckTLS

HERE = Path(__file__).parent
CERT, KEY = HERE / "loopback.crt", HERE / "loopback.key"
"""Self-signed for `check.example` and `localhost`; made for these tests only."""


@pytest.fixture
async def kit() -> AsyncIterator[CheckKit]:
    kit = CheckKit()
    yield kit
    await kit.close()


@pytest.fixture
async def trusting_kit() -> AsyncIterator[CheckKit]:
    """A kit that trusts the loopback certificate."""
    kit = CheckKit(tls=CheckTLS(ca_file=str(CERT)))
    yield kit
    await kit.close()


@pytest.fixture
def server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERT, KEY)
    return context
