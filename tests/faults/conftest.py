"""A configured house on disk with one order whose first text is due, as in tests/daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.conftest import Home, furnished


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    """One order."""
    async with furnished(tmp_path, 1) as made:
        yield made
