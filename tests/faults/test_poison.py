"""A row that nobody can read or work on, one of each kind: it is put aside and told, all others go on (faults row 33).

The rubbish stands in the database itself, as after a bad disk, a repair by hand or a mistake of ours.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.daemon.conftest import Home, furnished
from tests.faults.test_clock import Run, Running

ORDERS = 4
RUBBISH = "\x01{rubbish"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    async with furnished(tmp_path, ORDERS) as made:
        yield made


def poison(home: Home, table: str, column: str) -> None:
    """Spoil one column of a table's first row."""
    with closing(sqlite3.connect(home.database, isolation_level=None)) as raw:
        done = raw.execute(f"UPDATE {table} SET {column} = ? WHERE id = 1", (RUBBISH,))  # noqa: S608 - our own words
        assert done.rowcount == 1


async def work(run: Run, *names: str) -> None:
    for _ in range(2):
        await run.work(*(names or ("rules", "pushes", "poll", "sweep", "dispatch", "errands")))


@pytest.mark.parametrize(
    ("table", "column", "event"),
    [
        ("shipment", "shipped_at", "poll.parked"),
        ("shipment", "status", "poll.parked"),
        ("dossier", "paid_at", "sweep.parked"),
        ("dossier", "country", None),
        ("dossier", "amount", "sweep.parked"),
        ("dossier", "state", "sweep.parked"),
    ],
)
async def test_an_order_or_a_parcel_that_cannot_be_read(home: Home, table: str, column: str, event: str | None) -> None:
    """Fault 33: before anything was asked or decided."""
    poison(home, table, column)
    with capture_logs() as lines:
        async with Running(home) as run:
            await work(run)
    assert len(set(home.mailbox.ids)) == len(home.mailbox.ids) >= ORDERS - 1
    assert event is None or sum(line["event"] == event for line in lines) == 1, "told once, then it rests"


@pytest.mark.parametrize(
    "column", ["intent", "kind", "channel", "reason", "amount", "deadline", "evidence", "tried", "created_at"]
)
async def test_an_effect_that_cannot_be_read(home: Home, column: str) -> None:
    """Fault 33: of the most urgent row of the outbox nobody knows what it means; the others leave."""
    async with Running(home) as run:
        await work(run, "poll", "sweep")
    poison(home, "outbox", column)
    with capture_logs() as lines:
        async with Running(home) as run:
            await work(run, "dispatch")
    assert len(set(home.mailbox.ids)) == len(home.mailbox.ids) == ORDERS - 1
    assert [line["key"] for line in lines if line["event"] == "outbox.parked"] == ["1"]


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("UPDATE errand SET occasion = ?, at = ?", (RUBBISH, RUBBISH)),
        ("UPDATE account SET memory = ?, breaker_kind = ?", (RUBBISH, RUBBISH)),
        ("UPDATE decision SET verdict = ?", (RUBBISH,)),
        ("INSERT INTO pushed (account, number, slice, at) VALUES ('tracks', 'LZ000000001CN', ?, ?)", (RUBBISH.encode(), 1)),
        ("INSERT INTO pushed (account, number, slice, at) VALUES (?, 'nobody', X'00', 1)", (RUBBISH,)),
    ],
    ids=["errand", "account", "verdict", "push", "push for nobody"],
)
async def test_what_is_kept_beside_the_orders(home: Home, statement: str, values: tuple[object, ...]) -> None:
    """Fault 33: a schedule, an adapter's memory, an old verdict, a push: no order waits for them."""
    async with Running(home) as run:
        await run.work("errands")
    with closing(sqlite3.connect(home.database, isolation_level=None)) as raw:
        raw.execute(statement, values)
    async with Running(home) as run:
        await work(run)
    assert len(set(home.mailbox.ids)) == len(home.mailbox.ids) == ORDERS


async def test_a_file_in_the_inbox_that_nobody_can_read(home: Home) -> None:
    """Fault 33: it goes to failed/ with a reason, the next one is read."""
    inbox = home.folder / "inbox"
    inbox.mkdir()
    (inbox / "a-broken.xlsx").write_bytes(b"PK\x03\x04" + b"\x00" * 50)
    (inbox / "b-odd.csv").write_bytes(b"\xff\xfe\x00\x01;;;\n" * 9)
    (inbox / "c-good.csv").write_text("Order ID,Tracking Number\n", encoding="utf-8")
    async with Running(home, patient=False) as run:
        await work(run, "inbox")
        await work(run)
    assert sorted(path.name for path in (inbox / "failed").iterdir() if path.suffix != ".txt")[:2] == [
        "a-broken.xlsx",
        "b-odd.csv",
    ]
    assert not [path for path in inbox.iterdir() if path.is_file()]
    assert len(home.mailbox.ids) == ORDERS
