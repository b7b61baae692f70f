"""The API under test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.api.harness import API, start


@pytest.fixture
async def api() -> AsyncIterator[API]:
    api = await start(session_ttl_min_seconds=0.02)
    yield api
    await api.server.close()
