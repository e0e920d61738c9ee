"""Faults row 36 from end to end: back up, send 200, restore, run a week on; the mail server counts, and counts nothing twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.keeping.conftest import BEFORE, DUE, Shop
from tracker.keeping import backup
from tracker.model import DecisionReason, HoldReason, OutboxState

_WEEK = DUE + 7


async def _sent(shop: Shop, *, pending: bool) -> Path:
    """A backup, and then 200 texts; at the backup they were decided already (`pending`), or not yet."""
    if pending:
        await shop.live(DUE - 0.05, units=("poll", "sweep"))
        assert len(await shop.rows(OutboxState.PENDING)) == shop.orders
    made = backup.make(shop.loaded.settings, None, shop.clock.now())
    await shop.live(DUE)
    assert len(shop.mailbox.accepted) == shop.orders
    return Path(made.path)


@pytest.mark.parametrize("pending", [False, True])
async def test_a_restored_backup_sends_nothing_twice(busy: Shop, pending: bool) -> None:
    """I1: the journal is replayed, a week of work follows, and 200 messages stay 200."""
    file = await _sent(busy, pending=pending)
    done = busy.restore(file)
    assert (done.sent, done.unknown, done.lost, done.held) == (busy.orders, (), (), 0)
    await busy.live(_WEEK)
    assert (len(busy.mailbox.accepted), busy.mailbox.twice) == (busy.orders, [])
    rows = await busy.rows(OutboxState.SENT)
    assert len(rows) == busy.orders
    if not pending:
        assert {view.row.reason for view in rows} == {DecisionReason.KNOWN_FROM_JOURNAL}


@pytest.mark.parametrize("pending", [False, True])
async def test_a_torn_last_line_is_one_doubtful_send(shop: Shop, pending: bool) -> None:
    """The end of the last send is unreadable: a person is asked about that one, nothing is sent again."""
    file = await _sent(shop, pending=pending)
    torn = shop.journal.read_bytes()
    shop.journal.write_bytes(torn[: len(torn) - len(torn.splitlines()[-1]) // 2])
    done = shop.restore(file)
    assert (done.sent, len(done.unknown), done.lost) == (shop.orders - 1, 1, ())
    await shop.live(_WEEK)
    assert (len(shop.mailbox.accepted), shop.mailbox.twice) == (shop.orders, [])
    (doubtful,) = await shop.rows(OutboxState.UNKNOWN)
    assert doubtful.row.key == done.unknown[0]


@pytest.mark.parametrize("pending", [False, True])
async def test_a_copy_put_back_by_hand_is_noticed_and_sends_nothing(shop: Shop, pending: bool) -> None:
    """The journal knows sends that the database does not: nothing goes out until `db restore` has run, and nothing twice then."""
    if pending:
        await shop.live(DUE - 0.05, units=("poll", "sweep"))
    by_hand = shutil.copy(shop.database, shop.folder / "copied-by-hand.db")
    await shop.live(DUE)
    for side in ("-wal", "-shm"):
        shop.database.with_name(shop.database.name + side).unlink(missing_ok=True)
    shutil.copy(by_hand, shop.database)
    with capture_logs() as lines:
        await shop.live(DUE + 2)
    (told,) = [line for line in lines if line["event"] == "database.behind"]
    assert told["keys"] == shop.orders
    assert (len(shop.mailbox.accepted), shop.mailbox.twice) == (shop.orders, [])
    async with shop.store() as store:
        assert await store.behind_since() is not None

    done = shop.restore(shop.database)
    assert done.sent == shop.orders
    await shop.live(_WEEK)
    assert (len(shop.mailbox.accepted), shop.mailbox.twice) == (shop.orders, [])
    async with shop.store() as store:
        assert await store.behind_since() is None


async def test_an_order_that_the_backup_lacks_finds_its_key_used(shop: Shop) -> None:
    """The order came by a file after the backup, was written to, and comes by the same file again after the restore."""
    made = Path(backup.make(shop.loaded.settings, None, shop.clock.now()).path)
    await _forget_orders(made)
    await shop.live(DUE)
    assert len(shop.mailbox.accepted) == 4
    done = shop.restore(made)
    assert (done.sent, len(await shop.rows())) == (4, 0)
    from tests import house

    async with shop.store() as store:
        await house.bring_parcels(store, 4)
    await shop.live(_WEEK)
    assert (len(shop.mailbox.accepted), shop.mailbox.twice) == (4, [])
    rows = await shop.rows(OutboxState.SENT)
    assert {view.row.reason for view in rows} == {DecisionReason.STAGE_DUE}
    assert all(view.provider_id for view in rows)


async def _forget_orders(file: Path) -> None:
    """A backup of before the orders came."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(file)) as raw:
        tables = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in set(tables) - {"meta", "daemon", "alembic_version"}:
            raw.execute(f"DELETE FROM {table}")  # noqa: S608 - names out of the file itself
        raw.commit()


async def test_what_came_due_between_backup_and_restore_waits(shop: Shop) -> None:
    """The daemon was down meanwhile, so the journal knows nothing: a person looks first, then it goes out as a backlog (D21)."""
    made = Path(backup.make(shop.loaded.settings, None, shop.clock.now()).path)
    await shop.live(DUE + 1, units=("poll",))
    done = shop.restore(made)
    assert (done.sent, done.held) == (0, 0)
    await shop.live(DUE + 2)
    held = await shop.rows(OutboxState.HELD)
    assert {view.row.hold for view in held} == {HoldReason.RESTORED}
    assert (len(held), len(shop.mailbox.accepted)) == (4, 0)
    async with shop.store() as store:
        for view in held:
            released = await store.release_hold(view.row.id, by="mei", reason="looked", now=shop.clock.now())
            assert released.row.overdue
    await shop.live(DUE + 3)
    assert shop.mailbox.twice == []
    assert len(shop.mailbox.accepted) > 0


async def test_what_comes_due_after_the_restore_goes_as_ever(shop: Shop) -> None:
    """Nobody can have sent it before: no person is needed."""
    made = Path(backup.make(shop.loaded.settings, None, shop.clock.now()).path)
    shop.restore(made)
    await shop.live(DUE)
    assert len(shop.mailbox.accepted) == 4


async def test_what_was_on_its_way_at_the_backup_is_held(shop: Shop) -> None:
    """Pending then, and never begun: what people said about it since is gone with the rest."""
    await shop.live(DUE - 0.05, units=("poll", "sweep"))
    made = Path(backup.make(shop.loaded.settings, None, shop.clock.now()).path)
    done = shop.restore(made)
    assert done.held == 4
    await shop.live(DUE + 1)
    assert [view.row.hold for view in await shop.rows(OutboxState.HELD)] == [HoldReason.RESTORED] * 4
    assert not shop.mailbox.accepted


async def test_the_harness_would_notice(shop: Shop) -> None:
    """Without the journal's word the same story writes to everybody a second time: the counts above can fail."""
    by_hand = shutil.copy(shop.database, shop.folder / "copied-by-hand.db")
    await shop.live(DUE)
    shutil.copy(by_hand, shop.database)
    shop.journal.unlink()
    await shop.live(DUE + 1)
    assert len(shop.mailbox.twice) == 4


def test_the_days_of_this_story() -> None:
    """Backup, then the first text, then a week."""
    assert BEFORE < DUE < _WEEK
