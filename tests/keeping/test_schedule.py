"""The daemon's own schedule: one backup and one purge a day on a real database, none on a rehearsal."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.keeping.conftest import DAY, Keep
from tests.machine.clock import WallClock
from tests.store.build import NOW
from tracker import config
from tracker.clock import SimulatedClock
from tracker.engine.base import full_pass
from tracker.engine.guard import TimeGuard
from tracker.keeping import backup
from tracker.store import create, open_store
from tracker.wiring import assemble


async def _live(keep: Keep, days: int) -> dict[str, str]:
    """Look every six hours; errand -> its last occasion."""
    clock = SimulatedClock(NOW)
    loaded = config.load(keep.folder / "tracker.toml", environ={})
    store = await open_store(keep.url, clock=clock, daemon=True)
    rooms = assemble(loaded, store, clock)
    try:
        while clock.now() < NOW + days * DAY:
            clock.advance_to(clock.now() + timedelta(hours=6))
            await full_pass(rooms.units)
        return {name: done.occasion for name, done in (await store.errands()).items()}
    finally:
        await rooms.close()
        await store.close()


async def test_every_day_has_its_backup_and_its_purge(keep: Keep) -> None:
    """Fault 36 wants a backup, fault 27 a retention job: neither waits for a person."""
    last = f"{NOW + 3 * DAY:%Y-%m-%d}"
    assert await _live(keep, 3) == {"backup": last, "retention": last, "transit": f"{NOW + 3 * DAY:%Y-%m}"}
    taken = [file.name[:16] for file in backup.kept(keep.settings.backup.dir)]
    assert taken == [f"tracker-{NOW + day * DAY:%Y%m%d}" for day in (3, 2, 1, 0)]


async def test_a_rehearsal_has_neither(tmp_path: Path) -> None:
    keep = Keep(tmp_path)
    keep.database.unlink()
    create(keep.url, rehearsal=True, now=NOW)
    assert await _live(keep, 2) == {}
    assert not keep.settings.backup.dir.exists()


@pytest.mark.parametrize("section", ["backup", "retention"])
async def test_either_can_be_left_to_people(tmp_path: Path, section: str) -> None:
    keep = Keep(tmp_path, **{section: 'at = ""'})
    assert section not in await _live(keep, 1)


async def test_a_backup_that_fails_is_tried_again_and_stops_nobody(tmp_path: Path) -> None:
    """Fault 4: the folder is a file; everything else goes on, and the reason is kept for status, doctor and alerts."""
    keep = Keep(tmp_path, backup='dir = "blocked"')
    (tmp_path / "blocked").write_text("")
    assert (await _live(keep, 1))["retention"] == f"{NOW + DAY:%Y-%m-%d}"
    async with keep.store() as store:
        failed = (await store.errands())["backup"]
    assert failed.occasion == ""
    assert "blocked" in (failed.error or "")


async def test_a_clock_that_jumped_a_year_forward_forgets_nobody(keep: Keep) -> None:
    """Faults rows 13 and 27: what is purged by a wrong clock would not come back; the errand waits until the time is right."""
    clock = WallClock(NOW)
    loaded = config.load(keep.folder / "tracker.toml", environ={})
    store = await open_store(keep.url, clock=clock, daemon=True)
    rooms = assemble(loaded, store, clock, guard=TimeGuard(clock))
    try:
        clock.jump(timedelta(days=365))
        await full_pass(rooms.units)
        refused = (await store.errands())["retention"]
        clock.jump(-timedelta(days=365))
        clock.live(timedelta(hours=2))
        await full_pass(rooms.units)
        done = (await store.errands())["retention"]
    finally:
        await rooms.close()
        await store.close()
    assert (refused.occasion, "not trusted" in (refused.error or "")) == ("", True)
    assert (done.occasion != "", done.error) == (True, None)
