"""`db retire`: an old copy after a move is read for ever and works no more."""

from __future__ import annotations

import asyncio

import pytest

from tests.keeping.conftest import DAY, Keep
from tests.store.build import NOW, decided, decision, pending
from tracker import daemon
from tracker.keeping.restore import BLIND
from tracker.model import HoldReason, Intent
from tracker.store import AnotherDaemon, Conflict, Retired
from tracker.store.retiring import Retirement, retire, take_back

MARK = Retirement(at=NOW, by="mei", reason="moved to the new server", to="tracker@warehouse")


async def test_a_retired_database_is_read_and_nothing_writes_to_it(keep: Keep) -> None:
    """Who, when, why and where to stand in the refusal."""
    retire(keep.url, MARK)
    async with keep.store() as store:
        assert await store.retirement() == MARK
        assert (await store.status(NOW)).orders == 1
        with pytest.raises(Retired, match=r"by mei: moved to the new server\. Its work goes on at tracker@warehouse"):
            await store.wake([1], NOW)
    with pytest.raises(Retired):
        async with keep.store(daemon=True):
            pass
    assert await asyncio.to_thread(daemon.run, keep.folder / "tracker.toml", {}) == 78


async def test_the_mark_travels_with_a_backup_and_not_without(keep: Keep) -> None:
    before = keep.back_up()
    retire(keep.url, MARK)
    after = keep.back_up(NOW + DAY)
    keep.database.rename(keep.folder / "away.db")
    assert keep.restore(after).retired
    keep.database.rename(keep.folder / "away-too.db")
    assert not keep.restore(before).retired


async def test_not_while_a_daemon_works_and_not_twice(keep: Keep) -> None:
    async with keep.store(daemon=True):
        with pytest.raises(AnotherDaemon):
            retire(keep.url, MARK)
    retire(keep.url, MARK)
    with pytest.raises(Retired):
        retire(keep.url, MARK)


async def test_taking_it_back_trusts_nothing(keep: Keep) -> None:
    """Another copy may have written to buyers meanwhile: it counts as a backup whose journal is lost."""
    async with keep.store() as store:
        await decided(store, pending(decision(Intent.STAGE2)))
    with pytest.raises(Conflict, match="in service"):
        take_back(keep.url, by="mei", reason="not moved after all", now=NOW, hold_for=BLIND)
    retire(keep.url, MARK)
    assert take_back(keep.url, by="mei", reason="not moved after all", now=NOW, hold_for=BLIND) == 1
    async with keep.store() as store:
        (row,) = await store.holds()
        assert row.row.hold is HoldReason.RESTORED
        assert (await store.totals(row.row, NOW)).restored_until == NOW + BLIND
        assert await store.retirement() is None
