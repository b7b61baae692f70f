from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lictor.store.base import Store
from tests.store.backends import BACKENDS, Backend


@pytest.fixture(params=BACKENDS, ids=lambda backend: backend.name)
def backend(request: pytest.FixtureRequest) -> Backend:
    backend: Backend = request.param
    return backend


@pytest.fixture
async def store(backend: Backend, tmp_path: Path) -> AsyncIterator[Store]:
    store = backend.create(tmp_path, None)
    await store.open()
    yield store
    await store.close()
