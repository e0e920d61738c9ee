"""The scripted fake: answers as of a moment, from a real folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from carriers.base import Account, Batch, Memory, Query
from carriers.drop import DropTransport
from carriers.errors import CarrierError, ErrorKind
from carriers.fake import Fake
from carriers.model import TrackingStatus
from tests.carriers.loopback import converse

ONE = "RB000000711CN"
SCRIPT: dict[str, Any] = {
    "outages": [{"since": "2026-04-10T00:00:00Z", "until": "2026-04-12T00:00:00Z", "kind": "unavailable"}],
    "numbers": {
        ONE: [
            {"at": "2026-04-01T10:00:00+08:00", "status": "info_received", "text": "label printed"},
            {"at": "2026-04-03T10:00:00+08:00", "status": "in_transit", "code": "P1", "text": "posted"},
            {"at": "2026-04-15T00:00:00Z", "error": "rate_limited"},
            {"at": "2026-04-16T00:00:00Z", "code": "X1", "text": "a code nobody knows"},
            {"at": "2026-05-10T00:00:00Z", "answer": "expired"},
            {"at": "2026-05-20T10:00:00-03:00", "status": "delivered", "text": "delivered"},
        ]
    },
}


async def ask(root: Path, day: datetime, *numbers: str) -> Batch:
    queries = [Query(number=number) for number in numbers or (ONE,)]
    return await converse(Fake(), queries, Account(id="fake", base_url=""), Memory(), day, DropTransport(root))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "script.json").write_text(json.dumps(SCRIPT), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("month", "day", "status", "events"),
    [
        (3, 31, TrackingStatus.NOT_FOUND, 0),
        (4, 2, TrackingStatus.INFO_RECEIVED, 1),
        (4, 9, TrackingStatus.IN_TRANSIT, 2),
        (4, 12, TrackingStatus.IN_TRANSIT, 2),
        (4, 17, TrackingStatus.UNKNOWN, 3),
        (5, 11, TrackingStatus.EXPIRED, 3),
        (5, 21, TrackingStatus.DELIVERED, 4),
    ],
)
async def test_a_script_answers_as_of_the_moment_it_is_asked(
    root: Path, month: int, day: int, status: TrackingStatus, events: int
) -> None:
    answer = (await ask(root, datetime(2026, month, day, tzinfo=UTC))).answers[ONE]
    assert isinstance(answer, bytes)
    told = Fake().read(answer)
    assert (told.status, len(told.events), told.stopped) == (status, events, status is TrackingStatus.EXPIRED)
    assert told.unmapped == (("X1",) if events > 2 else ())


async def test_an_error_holds_until_the_next_step(root: Path) -> None:
    answer = (await ask(root, datetime(2026, 4, 15, 12, tzinfo=UTC))).answers[ONE]
    assert isinstance(answer, CarrierError)
    assert answer.kind is ErrorKind.RATE_LIMITED


async def test_an_outage_fails_the_whole_request(root: Path) -> None:
    with pytest.raises(CarrierError, match="a scripted outage") as failed:
        await ask(root, datetime(2026, 4, 10, tzinfo=UTC))
    assert failed.value.kind is ErrorKind.UNAVAILABLE


async def test_a_number_that_the_script_leaves_out_is_an_error(root: Path) -> None:
    answer = (await ask(root, datetime(2026, 4, 2, tzinfo=UTC), "OTHER")).answers["OTHER"]
    assert isinstance(answer, CarrierError)
    assert answer.kind is ErrorKind.BAD_RESPONSE


async def test_a_missing_script_is_an_unavailable_source(tmp_path: Path) -> None:
    with pytest.raises(CarrierError, match="HTTP 404"):
        await ask(tmp_path, datetime(2026, 4, 2, tzinfo=UTC))
