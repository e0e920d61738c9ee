"""`tracker db copy`: a whole shop there and back, row for row; what is refused; a crash leaves the target empty (fault 36)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.postgres import Server
from tests.store.build import NOW, batch, order, parcel
from tests.store.story import tell
from tracker import config
from tracker.clock import FixedClock
from tracker.policy import decide
from tracker.rules import Rules
from tracker.store import AnotherDaemon, BackupRefused, Conflict, Retired, copying, create, open_store
from tracker.store.connection import Tx
from tracker.store.moving import move
from tracker.store.outside import outside
from tracker.store.retiring import Retirement, retire
from tracker.store.tables import METADATA

pytestmark = pytest.mark.postgres


@pytest.fixture
async def shop(tmp_path: Path) -> str:
    """A file with a story: asked, decided, sent, a task, a claim."""
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    create(url, rehearsal=False, now=NOW)
    store = await open_store(url, clock=FixedClock(NOW), daemon=True)
    await store.know_journal("tracker", str(tmp_path / "journal"))
    await tell(store, tmp_path / "postbox")
    await store.close()
    return url


@pytest.fixture
def empty(postgres_server: Server) -> str:
    """A PostgreSQL database without any table."""
    return postgres_server.database()


def _rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, as both databases read them."""
    with outside(url) as tx:
        found = {each.name: [tuple(row) for row in tx.rows(f"SELECT * FROM {each.name}")] for each in METADATA.sorted_tables}  # noqa: S608 - our own names
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def _same(value: object) -> object:
    return int(value) if isinstance(value, bool) else value


def _plain(rows: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    return {name: sorted((tuple(map(_same, row)) for row in found), key=repr) for name, found in rows.items()}


async def _verdicts(url: str) -> tuple[str, str, list[object]]:
    """What the database is, and what would be decided about each of its orders in a month."""
    rules: Rules = config.load(None, environ={}).rules
    store = await open_store(url, clock=FixedClock(NOW))
    try:
        due = await store.due_dossiers(NOW + timedelta(days=400), 100)
        dossiers = await store.load_dossiers([each for _, each in due])
        verdicts = [decide(each, rules, NOW + timedelta(days=35)) for each in dossiers]
        return await store.identity(), repr(dossiers), list(verdicts)
    finally:
        await store.close()


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("back.db*"))


async def test_a_shop_there_and_back_is_the_same_shop(shop: str, empty: str, tmp_path: Path) -> None:
    """Every row of every table, the identity, and what decide() says: nothing is lost on the way to a fleet, nor back."""
    back = f"sqlite:///{tmp_path / 'back.db'}"
    there = move(shop, empty, NOW)
    again = move(empty, back, NOW)
    assert there.tables == again.tables
    assert there.rows > 20
    assert there.journals == {"tracker": str(tmp_path / "journal")}
    assert _plain(_rows(shop)) == _plain(_rows(empty)) == _plain(_rows(back))
    assert await _verdicts(shop) == await _verdicts(empty) == await _verdicts(back)
    assert _files(tmp_path) == ["back.db"]


async def test_a_copied_shop_goes_on_where_it_was(shop: str, empty: str) -> None:
    """New rows are numbered above those that came along, on the fleet too; and the sent effect stays sent."""
    move(shop, empty, NOW)
    store = await open_store(empty, clock=FixedClock(NOW), daemon=True, worker="a")
    try:
        await store.save_import(batch(order("9001"), parcel("LX009CN", order="9001")), NOW)
        sent = {view.row.key for view in await store.outbox()}
        assert len(sent) == len(await store.outbox())
        orders = [each for _, each in await store.due_dossiers(NOW + timedelta(days=400), 100)]
        assert len(set(orders)) == len(orders) == 2
    finally:
        await store.close()


async def test_a_target_with_rows_a_running_daemon_a_retired_source_are_refused(
    shop: str, empty: str, postgres_url: str, tmp_path: Path
) -> None:
    """A copy overwrites nothing, and nobody works on either side meanwhile; then nothing was written."""
    move(shop, empty, NOW)
    with pytest.raises(Conflict, match="is not empty"):
        move(shop, empty, NOW)
    with pytest.raises(Conflict, match="overwrites nothing"):
        move(empty, shop, NOW)
    with pytest.raises(Conflict, match="is both"):
        move(shop, shop, NOW)
    daemon = await open_store(shop, clock=FixedClock(NOW), daemon=True)
    with pytest.raises(AnotherDaemon):
        move(shop, postgres_url, NOW)
    await daemon.close()
    worker = await open_store(empty, clock=FixedClock(NOW), daemon=True, worker="a")
    with pytest.raises(AnotherDaemon, match="stop tracker\\.target"):
        move(empty, f"sqlite:///{tmp_path / 'back.db'}", NOW)
    await worker.close()
    retire(shop, Retirement(at=NOW, by="Mei", reason="moved"))
    with pytest.raises(Retired):
        move(shop, postgres_url, NOW)
    with outside(postgres_url) as tx:
        assert copying.is_empty(tx)
    assert _files(tmp_path) == []


def test_a_row_that_was_lost_on_the_way_is_noticed(shop: str, empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts alone would not see a changed value: every row is summed up on both sides."""
    real = copying._copy_in

    def careless(target: Tx, table: object, batches: object) -> None:
        real(target, table, batches)  # type: ignore[arg-type]
        target.run("UPDATE outbox SET attempts = attempts + 1")

    monkeypatch.setattr(copying, "_copy_in", careless)
    with pytest.raises(BackupRefused, match="outbox differs"):
        move(shop, empty, NOW)
    with outside(empty) as tx:
        assert copying.is_empty(tx)


_MOVE = """
import sys
from tests.store.build import NOW
from tracker.store.moving import move
move(sys.argv[1], sys.argv[2], NOW)
"""


@pytest.mark.parametrize("back", [False, True])
def test_a_copy_that_is_killed_leaves_the_target_empty(shop: str, empty: str, tmp_path: Path, *, back: bool) -> None:
    """Fault 5: SIGKILL after the last row and before the commit; the same command again then does it."""
    if back:
        move(shop, empty, NOW)
        shop, empty = empty, f"sqlite:///{tmp_path / 'back.db'}"
    command = [sys.executable, "-c", _MOVE, shop, empty]
    killed = subprocess.run(command, env={**os.environ, "TRACKER_CRASH_AT": "copy_before_commit"}, check=False)
    assert killed.returncode == -signal.SIGKILL
    if back:
        assert not (tmp_path / "back.db").exists()
    else:
        with outside(empty) as tx:
            assert copying.is_empty(tx)
    assert move(shop, empty, NOW).rows > 20
