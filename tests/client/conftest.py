from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from lictor.client import Address, Client, Config, SyncClient
from tests.client.fake_agent import FakeAgent


@pytest.fixture
def agent() -> Iterator[FakeAgent]:
    agent = FakeAgent()
    yield agent
    agent.close()


@pytest.fixture
def config(agent: FakeAgent) -> Config:
    return Config(address=Address.parse(agent.address), timeout=5.0)


@pytest.fixture
def sync(config: Config) -> SyncClient:
    return SyncClient(config)


@pytest.fixture
async def client(config: Config) -> AsyncIterator[Client]:
    async with Client(config) as client:
        yield client
