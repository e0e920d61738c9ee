"""`db check`: everything that is wrong, each with what to do."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from tests.keeping.conftest import DAY, Keep
from tests.store.build import NOW
from tracker.keeping.check import OLDEST_BACKUP, check
from tracker.model import Intent
from tracker.store import Damaged, create
from tracker.store.retiring import Retirement, retire


def _found(keep: Keep, days: float = 0) -> list[str]:
    return [finding.what for finding in check(keep.settings, NOW + days * DAY).findings]


async def test_nothing_is_wrong_with_a_young_house(keep: Keep) -> None:
    assert _found(keep) == []
    assert check(keep.settings, NOW).last_backup is None


async def test_a_missed_backup_is_told(keep: Keep) -> None:
    """Two days without one: the schedule stands still, or its disk is full."""
    assert _found(keep, 3) == ["backup_old"]
    keep.back_up(NOW + 2 * DAY)
    assert _found(keep, 3) == []
    checked = check(keep.settings, NOW + 2 * DAY + OLDEST_BACKUP + timedelta(seconds=1))
    (finding,) = checked.findings
    assert "2 days old" in finding.message
    assert "tracker db backup" in finding.todo


async def test_a_failing_backup_is_told_with_its_reason(keep: Keep) -> None:
    async with keep.store(daemon=True) as store:
        await store.fail_errand("backup", NOW, "No space left on device")
    (finding,) = check(keep.settings, NOW).findings
    assert finding.what == "backup_failed"
    assert "No space left on device" in finding.message


async def test_a_copy_put_back_by_hand_is_told(keep: Keep) -> None:
    """Fault 36: before any daemon starts on it."""
    shutil.copy(keep.database, keep.folder / "by-hand.db")
    await keep.work(Intent.STAGE2)
    shutil.copy(keep.folder / "by-hand.db", keep.database)
    (finding,) = check(keep.settings, NOW).findings
    assert finding.what == "behind_journal"
    assert "stage2" in finding.message
    assert "tracker db restore" in finding.todo


async def test_a_lost_journal_is_told(keep: Keep) -> None:
    lines = keep.settings.journal.read_text()
    keep.settings.journal.write_text("")
    assert _found(keep) == ["journal_cut"]
    keep.settings.journal.unlink()
    assert _found(keep) == ["journal_missing"]
    keep.settings.journal.write_text(lines)
    assert _found(keep) == []


async def test_a_reference_to_nowhere_is_told(keep: Keep) -> None:
    with closing(sqlite3.connect(keep.database)) as raw:
        raw.execute("INSERT INTO order_shipment (order_id, shipment_id) VALUES (77, 78)")
        raw.commit()
    (finding,) = check(keep.settings, NOW).findings
    assert (finding.what, "order_shipment" in finding.message) == ("references", True)


async def test_a_damaged_file_is_told(keep: Keep) -> None:
    """Fault 4: flipped bytes in the middle of the file."""
    data = bytearray(keep.database.read_bytes())
    data[60 * 4096 : 62 * 4096] = b"\xff" * 2 * 4096
    keep.database.write_bytes(data)
    try:
        assert "damaged" in _found(keep)
    except Damaged as error:
        assert "put a backup back" in str(error)  # noqa: PT017 - either way it is told


async def test_a_retired_one_says_so_and_wants_no_backup(keep: Keep) -> None:
    retire(keep.url, Retirement(at=NOW, by="mei", reason="moved"))
    assert _found(keep, 30) == ["retired"]


async def test_a_rehearsal_wants_no_backup(keep: Keep) -> None:
    keep.database.unlink()
    keep.settings.journal.unlink()
    create(keep.url, rehearsal=True, now=NOW)
    assert _found(keep, 30) == []


@pytest.mark.parametrize("version", ["0001", "9999"])
async def test_of_another_schema_only_that_is_said(keep: Keep, version: str) -> None:
    with closing(sqlite3.connect(keep.database)) as raw:
        raw.execute("UPDATE alembic_version SET version_num = ?", (version,))
        raw.commit()
    checked = check(keep.settings, NOW + 30 * DAY)
    assert (checked.schema.found, checked.findings) == (version, ())
