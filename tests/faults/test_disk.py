"""The disk is full, read-only or rots: at start, at work, with a message in hand (faults row 4).

Sending stops first, the reason is shown, work is tried again; a damaged file ends the daemon (74). Nothing lost, nothing twice.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests import house
from tests.daemon.conftest import Child, Home, furnished
from tests.faults.breaking import (
    Trap,
    all_can_grow,
    copy_of,
    fill,
    flip_bytes,
    nothing_can_grow,
    set_read_only,
    set_writable,
    small_disk,
)
from tests.waiting import until
from tracker import config
from tracker.keeping.restore import Wish, restore
from tracker.model import OutboxState

ORDERS = 6
FULL = Path("/dev/full")


@pytest.fixture
async def busy(tmp_path: object) -> AsyncIterator[Home]:
    """Six orders whose first texts are due, on a small disk of their own."""
    with small_disk(6) as folder:
        async with furnished(folder, ORDERS) as made:
            yield made


async def states(home: Home) -> dict[str, int]:
    async with home.store() as store:
        found = await store.outbox(tuple(OutboxState), 50)
    return {state.value: count for state in OutboxState if (count := sum(view.row.state is state for view in found))}


async def stopped(daemon: Child) -> None:
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0


async def test_a_disk_that_fills_up_with_a_message_in_hand(busy: Home) -> None:
    """Fault 4, I1: what is in hand ends as it should once there is space; what was not begun waits; all leave once."""
    busy.mailbox = trap = Trap(lambda: ballasts.append(fill(busy.folder)))
    ballasts: list[object] = []
    daemon = busy.start()
    await until(lambda: bool(trap.ids))
    await until(lambda: any("disk is full" in str(line.get("error")) for line in busy.lines))
    begun = trap.sprung
    await until(lambda: sum(line["event"] == "unit.failed" for line in busy.lines) >= 1)
    assert trap.sprung == begun <= 3, "no lane takes another message"
    (busy.folder / "ballast").unlink()
    await until(lambda: len(trap.ids) == ORDERS)
    await stopped(daemon)
    assert trap.twice == []
    assert await states(busy) == {"sent": ORDERS}


async def test_a_disk_that_is_full_at_the_start(busy: Home, tmp_path: Path) -> None:
    """Fault 4: it says so and ends, to be started again; with space it does all of it, once."""
    busy.mailbox = trap = Trap(lambda: None)
    busy.errors = tmp_path / "stderr.jsonl"
    ballast = fill(busy.folder)
    assert await busy.start().ended() == 74
    assert "is the disk full?" in busy.lines[-1]["reason"]
    assert "Traceback" not in busy.errors.read_text()
    ballast.unlink()
    daemon = busy.start()
    await until(lambda: len(trap.ids) == ORDERS)
    await stopped(daemon)
    assert trap.twice == []


async def test_a_file_system_that_is_read_only_at_the_start(busy: Home, tmp_path: Path) -> None:
    """Fault 4: no daemon starts, nothing is sent; writable again, all of it goes once."""
    busy.mailbox = trap = Trap(lambda: None)
    busy.errors = tmp_path / "stderr.jsonl"
    set_read_only(busy.folder)
    assert await busy.start().ended() == 74
    assert "cannot be opened" in busy.lines[-1]["reason"]
    assert "Traceback" not in busy.errors.read_text()
    set_writable(busy.folder)
    daemon = busy.start()
    await until(lambda: len(trap.ids) == ORDERS)
    await stopped(daemon)
    assert trap.twice == []


async def test_no_file_can_grow_any_more_with_a_message_in_hand(home: Home) -> None:
    """Fault 4: neither database nor journal nor log can be written; the daemon lives, and writes down what it did later."""
    home.mailbox = trap = Trap(lambda: nothing_can_grow(daemon))
    daemon = home.start()
    await until(lambda: len(trap.ids) == 1)
    assert await states(home) == {"sending": 1}
    await asyncio.sleep(2.5)  # several ticks of everything
    all_can_grow(daemon)
    await until(lambda: "outbox.sent" in home.events())
    await stopped(daemon)
    assert (len(trap.ids), await states(home)) == (1, {"sent": 1})


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
async def test_a_log_that_cannot_be_written_stops_nothing(home: Home) -> None:
    """Fault 4: the line is lost, the work is not; no unit, no signs of life and no send hang on it."""
    errors, home.errors = home.errors, FULL
    daemon = home.start()
    await until(lambda: len(home.mailbox.ids) == 1)
    await stopped(daemon)
    home.errors = errors
    assert await states(home) == {"sent": 1}


async def test_killed_before_it_could_write_down_what_it_sent(home: Home) -> None:
    """Fault 4 with fault 1: no line of the end anywhere, so it is doubtful, shown, and never sent again."""
    home.mailbox = trap = Trap(lambda: nothing_can_grow(daemon))
    daemon = home.start()
    await until(lambda: len(trap.ids) == 1)
    daemon.kill()
    home.children.clear()
    assert await home.start("one_pass").ended() == 0
    assert (len(trap.ids), await states(home)) == (1, {"unknown": 1})


async def test_a_database_that_rots_with_a_message_in_hand(home: Home) -> None:
    """Fault 4, row 36: 74, and 74 again; a backup is put back, and the journal knows what left since."""
    home.mailbox = trap = Trap(lambda: flip_bytes(home.database))
    backup = copy_of(home.database, home.folder / "backup.db")
    assert await home.start().ended() == 74
    assert "damaged" in home.lines[-1]["reason"]
    assert await home.start().ended() == 74
    assert "Traceback" not in home.errors.read_text()
    assert len(trap.ids) == 1
    settings = config.load(home.config, environ={"TRACKS_KEY": house.TOKEN}).settings
    restore(settings, Wish(file=backup, now=datetime.now(UTC), by="mei"))
    daemon = home.start()
    await until(lambda: home.asked() > 1)
    await stopped(daemon)
    assert len(trap.ids) == 1


async def test_a_database_that_rots_while_it_idles(home: Home) -> None:
    """Fault 4: found at the next tick that reads it."""
    daemon = home.start()
    await until(lambda: "outbox.sent" in home.events())
    flip_bytes(home.database)
    assert await daemon.ended() == 74
    assert "damaged" in home.lines[-1]["reason"]
