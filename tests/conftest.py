"""What every test gets: a strict log that refuses a line outside the catalogue, kept in memory."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from tracker import log

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def log_lines() -> Lines:
    """All lines logged so far in this test, parsed."""
    stream = io.StringIO()
    log.configure("json", stream, strict=True)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
