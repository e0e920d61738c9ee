"""Forgetting (fault 27): whom an order names goes when it is settled for long; what keeps a promise or a sum stays."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.keeping.conftest import DAY, Keep
from tests.store.build import NOW, batch, change, decided, decision, dossier, given, order, parcel, pending, polled, scan, tasked
from tracker import journal
from tracker.clock import FixedClock
from tracker.keeping import retention
from tracker.keeping.retention import Purged, prune_unless_running, purge
from tracker.model import Case, CaseKind, Channel, Intent, OutboxState
from tracker.store import OrderPatch, Store, TaskResult
from tracker.store.rows import AnswerWrite

LONG = 300
"""Days after which all that is settled is forgotten by the shipped rules."""

SECRETS = ("Ana Kanarie", "ana.kanarie@buyers.example", "529.982.247-25", "signed by Ana", "Dear Ana", "rings twice", "call her")


async def settled(store: Store) -> None:
    """An order that names its buyer everywhere: facts, scan, a task's text and note, a refused mail. Nothing is open."""
    named = order(buyer_name="Ana Kanarie", buyer_email="ana.kanarie@buyers.example", tax_number="529.982.247-25")
    await given(store, named, parcel())
    (found,) = await store.due_shipments(NOW, 10)
    seen = scan("s1", description="signed by Ana")
    await store.write_poll(polled(change(found.id, found.number, seen, next_poll_at=None)))
    facts = {"last_scan": "signed by Ana", "age_days": "31"}
    task = await tasked(store, decision(evidence=facts), text="Dear Ana", facts={"buyer": "Ana Kanarie"})
    await store.take_task(task, by="mei", now=NOW)
    await store.done_task(task, TaskResult(note="rings twice"), by="mei", now=NOW)
    told = await decided(store, pending(decision(Intent.STAGE2, evidence=facts)))
    (row,) = [row for row in await store.due_rows(NOW, 10) if row.intent is Intent.STAGE2]
    assert await store.claim_row(row.id, who="test", version=told.version, now=NOW)
    await store.finish_row(row.id, OutboxState.FAILED, NOW, result="550 <ana.kanarie@buyers.example> unknown")
    patch = OrderPatch(note="call her")
    await store.set_order_facts(1, patch, by="mei", reason="asked by ana.kanarie@buyers.example", now=NOW)


@pytest.fixture
async def named(tmp_path: Path) -> Keep:
    keep = Keep(tmp_path, inbox='path = "inbox"')
    async with keep.store(daemon=True) as store:
        await settled(store)
    return keep


async def _purged(keep: Keep, days: float = LONG, **wish: Any) -> Purged:
    at = NOW + days * DAY
    async with keep.store(at=at) as store:
        cut = prune_unless_running(keep.settings)
        return await purge(store, keep.settings, FixedClock(at), by="test", prune=cut, **wish)


def _dump(keep: Keep) -> str:
    with closing(sqlite3.connect(keep.database)) as raw:
        blobs = [str(bytes(row[0] or b"")) for row in raw.execute("SELECT journey FROM shipment")]
        return "\n".join([*raw.iterdump(), *blobs])


async def test_a_settled_order_names_nobody_any_more(named: Keep) -> None:
    """Names, mail, tax numbers, texts, notes and what carriers wrote are nowhere in the file; the story is still there."""
    dump = _dump(named)
    assert [secret for secret in SECRETS if secret not in dump] == []
    done = await _purged(named)
    assert (done.orders, done.parcels) == (1, 1)
    dump = _dump(named)
    assert [secret for secret in SECRETS if secret in dump] == []
    async with named.store() as store:
        told = await dossier(store)
        assert {effect.intent: effect.state for effect in told.effects} == {
            Intent.STAGE1: OutboxState.SENT,
            Intent.STAGE2: OutboxState.FAILED,
        }
        assert told.order.buyer_name is None
        assert await store.events_of(1) == []
        assert [row.row.evidence for row in await store.outbox()] == [{"age_days": "31"}] * 2
        assert any(line.what == "order_facts_set" for line in await store.audit_of(1))


async def test_d10_raw_answers_are_kept_for_their_own_days(named: Keep) -> None:
    """Evidence: what a source said, byte for byte, while a dispute may still come."""
    said = AnswerWrite(account="17track", number="LX001CN", digest=b"d", status=None, slice=b'{"scan": "signed by Ana"}')
    async with named.store(daemon=True) as store:
        await store.write_poll(replace(polled(), answers=(said,)))
        (kept,) = await store.raw_answers(["LX001CN"])
        assert (kept.body, kept.size, kept.account) == (said.slice, len(said.slice or b""), "17track")
    assert (await _purged(named, 180, dry_run=True)).answers == 0
    assert (await _purged(named, 181, dry_run=True)).answers == 1
    await _purged(named, 181)
    async with named.store() as store:
        assert await store.raw_answers(["LX001CN"]) == []


async def test_no_dedup_key_is_ever_freed(named: Keep) -> None:
    """I1: the same decision after the purge is the same row, and goes to nobody."""
    await _purged(named)
    async with named.store(daemon=True) as store:
        await decided(store, pending(decision()), pending(decision(Intent.STAGE2)))
        assert await store.due_rows(NOW + LONG * DAY, 10) == []


async def test_twice_changes_nothing_and_a_dry_run_only_counts(named: Keep) -> None:
    before = _dump(named)
    dry = await _purged(named, dry_run=True)
    assert (dry.orders, dry.parcels, dry.journal_bytes) == (1, 1, None)
    assert _dump(named) == before
    await _purged(named)
    assert (await _purged(named)).orders == 0


async def test_a_file_that_brings_the_name_again_is_no_way_around(named: Keep) -> None:
    """An export that reaches far back names the buyer of a settled order: the next purge forgets it at once."""
    await _purged(named)
    async with named.store(daemon=True, at=NOW + LONG * DAY) as store:
        late = order(buyer_name="Ana Kanarie", buyer_email="ana.kanarie@buyers.example")
        await store.save_import(batch(late, digest="d2"), NOW + LONG * DAY)
    assert "Ana Kanarie" in _dump(named)
    assert (await _purged(named)).orders == 1
    assert "Ana Kanarie" not in _dump(named)


async def _open_case(store: Store) -> None:
    await store.save_case(1, Case(id="c1", kind=CaseKind.DISPUTE, opened_at=NOW), NOW)


async def _open_task(store: Store) -> None:
    await tasked(store, decision(Intent.REFUND))


async def _doubtful(store: Store) -> None:
    told = await decided(store, pending(decision(Intent.STAGE3)))
    (row,) = [row for row in await store.due_rows(NOW, 10) if row.intent is Intent.STAGE3]
    assert await store.claim_row(row.id, who="test", version=told.version, now=NOW)
    await store.finish_row(row.id, OutboxState.UNKNOWN, NOW)


async def _on_its_way(store: Store) -> None:
    await decided(store, pending(decision(Intent.EXTENSION), Channel.TASK))


async def _buyer_waits(store: Store) -> None:
    await store.set_order_facts(1, OrderPatch(waiting_since=NOW), by="mei", reason="", now=NOW)


async def _window_open(store: Store) -> None:
    await store.set_order_facts(1, OrderPatch(window_end=NOW + 299 * DAY), by="mei", reason="", now=NOW)


async def _still_followed(store: Store) -> None:
    await given(store, order(), parcel("LX002CN"), digest="d2")


async def _claimed(store: Store) -> None:
    from tests.store.story import claim

    wanted = decision(Intent.COMPENSATION, "shipment/LX001CN", occasion="1")
    told = await decided(store, pending(wanted, Channel.REGISTER))
    (row,) = [row for row in await store.due_rows(NOW, 10) if row.intent is Intent.COMPENSATION]
    assert await store.open_claim(row.id, claim(), version=told.version, now=NOW)


@pytest.mark.parametrize(
    "opening",
    [_open_case, _open_task, _doubtful, _on_its_way, _buyer_waits, _window_open, _still_followed, _claimed],
    ids=lambda opening: opening.__name__.strip("_"),
)
async def test_what_is_open_is_left_alone(named: Keep, opening: Callable[[Store], Awaitable[None]]) -> None:
    """Cases, claims, tasks, doubtful sends, money that is not settled: whoever works on them needs the names."""
    async with named.store(daemon=True) as store:
        await opening(store)
    done = await _purged(named, days=LONG)
    assert done.orders == 0
    assert "Ana Kanarie" in _dump(named)


@pytest.mark.parametrize(("days", "orders"), [(199, 0), (201, 1)])
async def test_the_days_count_from_the_last_thing_that_happened(named: Keep, days: int, orders: int) -> None:
    assert (await _purged(named, days=days)).orders == orders


async def test_a_parcel_of_two_orders_waits_for_the_last_of_them(named: Keep) -> None:
    """Its scans are the other order's story too."""
    async with named.store(daemon=True) as store:
        await given(store, order("8002"), parcel(order="8002"), digest="d2")
        await store.save_case(2, Case(id="c1", kind=CaseKind.DISPUTE, opened_at=NOW), NOW)
        with closing(sqlite3.connect(named.database)) as raw:
            raw.execute("UPDATE shipment SET next_poll_at = NULL")
            raw.commit()
    done = await _purged(named)
    assert (done.orders, done.parcels) == (1, 0)


async def test_keeping_for_ever_is_a_choice(tmp_path: Path) -> None:
    keep = Keep(tmp_path, retention="personal_days = 0\nscans_days = 0")
    async with keep.store(daemon=True) as store:
        await settled(store)
    done = await _purged(keep, days=3_000)
    assert (done.orders, done.parcels) == (0, 0)


async def test_windows_of_ids_reach_the_end(named: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small transactions, one after the other."""
    monkeypatch.setattr("tracker.store.retention.WINDOW", 2)
    async with named.store(daemon=True) as store:
        orders = [order(str(number), buyer_name="Ana Kanarie") for number in range(9_000, 9_006)]
        await given(store, *orders, digest="d2")
    assert (await _purged(named)).orders == 7


async def test_read_files_go_only_where_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They hold buyers' data, but they are the seller's own."""
    for days, left in ((0, 3), (90, 1)):
        folder = tmp_path / str(days)
        folder.mkdir()
        keep = Keep(folder, inbox='path = "inbox"', retention=f"files_days = {days}")
        for name, age in (("done/old.csv", 100), ("failed/old.csv", 100), ("done/young.csv", 10)):
            file = folder / "inbox" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("Ana Kanarie")
            os.utime(file, ((NOW - age * DAY).timestamp(),) * 2)
        monkeypatch.setattr("tracker.keeping.retention._moved_at", lambda file: file.stat().st_mtime)
        assert (await _purged(keep, days=0)).files == 3 - left
        assert len(list((folder / "inbox").rglob("*.csv"))) == left


async def test_the_days_of_a_read_file_count_from_its_move(tmp_path: Path) -> None:
    """An export of last year that failed this morning is not gone tomorrow, with the rows that nobody has mended yet."""
    keep = Keep(tmp_path, inbox='path = "inbox"', retention="files_days = 90")
    file = tmp_path / "inbox" / "orders.csv"
    file.parent.mkdir()
    file.write_text("Ana Kanarie")
    os.utime(file, (0, 0))
    failed = file.parent / "failed" / "orders.csv"
    failed.parent.mkdir()
    file.rename(failed)
    moved = (datetime.fromtimestamp(failed.stat().st_ctime, UTC) - NOW).days
    assert (await _purged(keep, days=moved + 89)).files == 0
    assert (await _purged(keep, days=moved + 92)).files == 1


def _journal(keep: Keep, *days: int) -> None:
    with journal.Journal(keep.settings.journal) as book:
        for day in days:
            book.begin(f"order/shop/{day}:stage1:0", attempt=1, channel=Channel.SMTP, now=NOW + day * DAY)


def _days(keep: Keep) -> list[int]:
    return [int(entry.key.split(":")[0].rpartition("/")[2]) for entry in journal.read(keep.settings.journal)]


async def test_the_journal_reaches_back_to_the_oldest_backup(tmp_path: Path) -> None:
    """Else that backup could never be put back; and never less than [retention] journal_days."""
    keep = Keep(tmp_path, retention="journal_days = 10")
    _journal(keep, 0, 10, 20, 30, 40)
    keep.back_up(NOW + 21 * DAY)
    keep.back_up(NOW + 39 * DAY)
    assert ((await _purged(keep, days=40)).journal_bytes or 0) > 0
    assert _days(keep) == [10, 20, 30, 40]
    (keep.settings.backup.dir / "tracker-20260922T080000Z.db").unlink()
    await _purged(keep, days=41)
    assert _days(keep) == [30, 40]
    keep.restore(*keep.settings.backup.dir.iterdir())


async def test_a_command_leaves_the_journal_to_the_daemon_that_holds_it(named: Keep) -> None:
    _journal(named, 0, 1)
    async with named.store(daemon=True):
        assert (await _purged(named, days=1_000)).journal_bytes is None
    assert _days(named) == [0, 1]


def test_the_oldest_backup_is_told_by_its_name(named: Keep) -> None:
    folder = named.settings.backup.dir
    folder.mkdir()
    for name in ("tracker-20250101T000000Z-before-upgrade.db", "tracker-20260801T000000Z.db", "monday.db"):
        (folder / name).write_text("")
    oldest = retention.oldest_backup(named.settings)
    assert oldest == datetime(2025, 1, 1, tzinfo=NOW.tzinfo)
    assert retention.journal_from(named.settings, NOW, oldest) == oldest - timedelta(days=1)
