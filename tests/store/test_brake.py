"""The brake in the database: what waits, what is let go, what the indexes answer (D21; performance.md section 9)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.store.build import AT, DAY, HOUR, NOW, batch, decided, decision, dossier, given, held, order, parcel, pending
from tracker.clock import epoch
from tracker.model import Channel, HoldReason, Intent, OutboxRow, OutboxState, Pause
from tracker.policy.release import PAUSED
from tracker.store import NotThere, Store, counting
from tracker.store import brake as brake_room
from tracker.store import holds as holds_room
from tracker.store.connection import driver
from tracker.store.holds import HeldRow


def pause(**change: Any) -> Pause:
    values: dict[str, Any] = {"id": 0, "reason": "new templates", "by": "Mei", "since": NOW}
    return Pause(**(values | change))


async def braked(store: Store, *stages: Intent, now: Any = NOW) -> list[OutboxRow]:
    """One order with these stages pending, each turned away by the brake."""
    await given(store)
    await decided(store, *(pending(decision(stage, template=stage.value)) for stage in stages), now=now)
    rows = await store.due_rows(now, 10)
    for row in rows:
        await store.defer_row(row.id, now + 9 * DAY, f"{PAUSED}: by Mei", now, in_line=True)
    return rows


async def test_pauses_are_kept_told_and_noted(store: Store, command: Store) -> None:
    made = await command.pause(pause(store="shop", until=NOW + DAY, deadlines=True), NOW)
    assert await store.pauses(NOW) == [made]
    assert (made.id, made.store, made.country, made.until, made.deadlines) == (1, "shop", None, NOW + DAY, True)
    assert await store.pauses(NOW + DAY) == []
    told = await store._db.read(lambda tx: tx.row("SELECT who, what, subject, reason FROM audit"))
    assert tuple(told) == ("Mei", "paused", "pause/1", "new templates")


@pytest.mark.sqlite_only
async def test_release_is_told_of_pauses_and_pays_nothing_for_none(store: Store) -> None:
    await given(store)
    await decided(store, pending(decision()))
    (row,) = await store.due_rows(NOW, 10)
    asked: list[str] = []

    async def totals() -> Any:
        asked.clear()
        raw = driver(store._db._connection)  # type: ignore[attr-defined]
        raw.set_trace_callback(asked.append)
        found = await store.totals(row, NOW)
        raw.set_trace_callback(None)
        return found

    assert (await totals()).paused == ()
    quiet = len(asked)
    made = await store.pause(pause(country="BR"), NOW)
    assert (await totals()).paused == (made,)
    assert len(asked) == quiet + 1
    await store.resume([made.id], by="Mei", now=NOW)
    assert (await totals()).paused == ()
    assert len(asked) == quiet


async def test_a_resumed_row_is_due_at_once_and_part_of_a_backlog_when_it_is_late(store: Store) -> None:
    """D21: what is more than a day late is counted for the ramp; what came due since yesterday is not."""
    made = await store.pause(pause(), NOW)
    late, fresh = await braked(store, Intent.STAGE1, Intent.STAGE2)
    await store._db.write(lambda tx: tx.run("UPDATE outbox SET due_at = ? WHERE id = ?", AT + 86_400, fresh.id))
    then = NOW + 1.5 * DAY
    freed = await store.freed_by([made.id], then)
    assert [(row.id, row.late, row.counted, row.ready) for row in freed] == [
        (late.id, True, False, True),
        (fresh.id, False, False, True),
    ]
    assert (freed[0].worth, freed[0].worth_currency) == (Decimal("30.00"), "USD")
    assert await store.resume([made.id], by="Li", now=then) == freed
    rows = {row.id: row for row in await store.due_rows(then, 10)}
    assert {row_id: (row.overdue, row.result, row.in_line_since) for row_id, row in rows.items()} == {
        late.id: (True, None, NOW),
        fresh.id: (False, None, NOW),
    }
    assert (await store.backlogs(then))["shop"].waiting == 1
    assert await store.pauses(then) == []
    with pytest.raises(NotThere, match="tracker pause"):
        await store.resume([made.id], by="Li", now=then)


async def test_what_another_pause_stops_or_nobody_paused_stays(store: Store) -> None:
    mine = await store.pause(pause(template="stage1"), NOW)
    await store.pause(pause(carrier="yanwen", template="stage2"), NOW)
    both = await store.pause(pause(store="shop"), NOW)
    await braked(store, Intent.STAGE1, Intent.STAGE2)
    assert await store.freed_by([mine.id], NOW) == []
    assert [row.intent for row in await store.freed_by([mine.id, both.id], NOW)] == ["stage1"]
    later = await store.pause(pause(channel="smtp"), NOW)
    assert await store.freed_by([mine.id, both.id], NOW) == []
    assert [row.intent for row in await store.freed_by([mine.id, both.id, later.id], NOW)] == ["stage1"]
    elsewhere = await store.pause(pause(country="US"), NOW)
    assert await store.freed_by([elsewhere.id], NOW) == []


async def test_what_waits_for_its_own_day_is_not_pulled_ahead(store: Store) -> None:
    made = await store.pause(pause(), NOW)
    await given(store)
    await decided(store, pending(decision(not_before=NOW + 3 * DAY)))
    assert await store.resume([made.id], by="Mei", now=NOW) == []
    assert [row.ready for row in await store.waiting(NOW)] == [False]
    assert await store.due_rows(NOW + DAY, 10) == []


async def test_a_pause_that_is_over_is_ended_by_the_daemon_once(store: Store) -> None:
    made = await store.pause(pause(until=NOW + 3 * DAY), NOW)
    (row,) = await braked(store, Intent.STAGE1)
    assert await store.settle_brake(NOW + 2 * DAY) == []
    assert await store.settle_brake(NOW + 3 * DAY) == [made]
    assert await store.settle_brake(NOW + 3 * DAY) == []
    (free,) = await store.due_rows(NOW + 3 * DAY, 10)
    assert (free.id, free.overdue) == (row.id, True)


async def test_whatever_made_a_message_late_it_is_counted_when_its_time_has_come(store: Store) -> None:
    """D21: a dead mail server or a daemon that stood still is a cliff like any other; what a person let go by itself is none."""
    await given(store)
    await decided(store, pending(decision()), held(decision(Intent.STAGE2), HoldReason.MESSAGE_NEEDS_APPROVAL))
    review = (await store.reviews())[0]
    await store.decide_row(review.row.id, review.order.version, approve=True, by="Mei", reason="r", now=NOW)
    await store.settle_brake(NOW + DAY)
    assert [row.overdue for row in await store.due_rows(NOW + DAY, 10)] == [False, False]
    await store.settle_brake(NOW + DAY + HOUR)
    assert {row.intent: row.overdue for row in await store.due_rows(NOW + 2 * DAY, 10)} == {
        Intent.STAGE1: True,
        Intent.STAGE2: False,
    }


async def test_only_messages_are_ever_overdue(store: Store) -> None:
    """Deadlines are no part of a ramp, so its backlog is counted by the index alone."""
    await given(store)
    old = NOW - 5 * DAY
    await decided(store, pending(decision(Intent.EXTENSION, not_before=old), Channel.TASK), pending(decision(not_before=old)))
    assert {row.intent: row.overdue for row in await store.due_rows(NOW, 10)} == {Intent.EXTENSION: False, Intent.STAGE1: True}


async def test_the_deadlines_that_a_pause_would_let_pass(store: Store) -> None:
    await given(store, order(window_end=NOW + 3 * DAY), order("8002", window_end=NOW + 30 * DAY), parcel())
    until = NOW + 9 * DAY

    async def found(**change: Any) -> list[tuple[str, str]]:
        told = await store.deadlines(pause(deadlines=True, **change), until, NOW)
        return [(each.kind, each.subject) for each in told]

    assert await found() == [("window", "8001")]
    assert await found(country="US") == []
    assert await found(rule="window") == [("window", "8001")]
    assert await found(channel="register") == []


# ------------------------------------------------------------------------------------------------------------------- holds


async def heap(store: Store) -> list[HeldRow]:
    """Three held rows: two of a first start, one of an observing store."""
    await given(store, *(order(str(n)) for n in range(3)), *(parcel(f"LX{n}CN", str(n)) for n in range(3)))
    holds = (HoldReason.FIRST_START, HoldReason.FIRST_START, HoldReason.STORE_OBSERVES)
    for n, hold in enumerate(holds):
        told = await dossier(store, n + 1)
        wanted = decision(subject=told.order.subject, shipment=f"LX{n}CN", template="stage1_noscan")
        await decided(store, held(wanted, hold, Channel.SMTP), order_id=n + 1)
    return await store.held_rows()


async def test_held_rows_are_told_by_what_many_are_chosen_by(store: Store) -> None:
    rows = await heap(store)
    assert [(row.hold, row.store, row.carrier, row.type, row.message) for row in rows] == [
        (HoldReason.FIRST_START, "shop", "yanwen", "stage1", True),
        (HoldReason.FIRST_START, "shop", "yanwen", "stage1", True),
        (HoldReason.STORE_OBSERVES, "shop", "yanwen", "stage1", True),
    ]


async def test_many_holds_are_released_at_once_as_a_backlog(store: Store, command: Store) -> None:
    """D21, I6: each is audited, and who was quicker is not overruled."""
    first, second, observed = await heap(store)
    await store.release_hold(first.id, by="Li", reason="", now=NOW)
    assert await command.release_rows([first, second], by="Mei", reason="read", now=NOW + HOUR) == [second.id]
    view = await store.outbox_view(second.id)
    assert (view.row.state, view.row.approved_by, view.row.overdue) == (OutboxState.PENDING, "Mei", True)
    entry = (await store.audit_of(second.order_id))[-1]
    assert (entry.who, entry.what, entry.reason, entry.before["hold"]) == ("Mei", "hold_released", "read", "first_start")
    assert [row.id for row in await store.held_rows()] == [observed.id]


async def test_only_what_waited_for_the_mode_is_looked_at_again(store: Store) -> None:
    """D22: back to pending without a person's word, so that every guard asks anew."""
    *_, observed = await heap(store)
    assert await store.look_again(lambda _store, _type: False, NOW) == {}
    assert await store.look_again(lambda name, kind: (name, kind) == ("shop", "stage1"), NOW + 2 * DAY) == {"shop": 1}
    row = (await store.outbox_view(observed.id)).row
    assert (row.state, row.approved_by, row.overdue, row.hold) == (OutboxState.PENDING, None, True, None)


async def test_a_confirmed_clock_counts_what_comes_after(store: Store) -> None:
    """Faults row 13: rows from a future that a person has seen say nothing more; newer ones do."""
    await given(store)
    await decided(store, pending(decision()), now=NOW + DAY)
    (row,) = await store.due_rows(NOW + DAY, 10)
    assert (await store.totals(row, NOW)).time_guard
    await store.confirm_clock(by="Mei", reason="it was set wrong", now=NOW)
    assert not (await store.totals(row, NOW)).time_guard
    await decided(store, pending(decision(Intent.STAGE2)), now=NOW + DAY)
    assert (await store.totals(row, NOW)).time_guard


async def test_d20_release_is_told_when_a_stores_file_was_read(store: Store) -> None:
    await given(store)
    await decided(store, pending(decision()))
    (row,) = await store.due_rows(NOW, 10)
    assert (await store.totals(row, NOW)).order_file_at == NOW
    await store._db.write(lambda tx: tx.run("DELETE FROM order_file"))
    assert (await store.totals(row, NOW)).order_file_at is None
    await store.save_import(batch(order("9"), digest="d9"), NOW + HOUR)
    assert (await store.totals(row, NOW)).order_file_at == NOW + HOUR


# ----------------------------------------------------------------------------------------------------------------- indexes


@pytest.mark.parametrize(
    ("statement", "values", "index"),
    [
        (counting.BACKLOG, ("shop",), "COVERING INDEX ix_outbox_backlog"),
        (counting.RELEASED, ("shop", "2026-09-01"), "ix_outbox_overdue"),
        (counting.PAUSES, (AT,), "ix_pause_standing"),
        (brake_room.LOOK, (AT, AT, AT), "ix_pause_standing"),
        (brake_room.LOOK, (AT, AT, AT), "ix_outbox_due"),
        (brake_room.WAITING, (), "ix_outbox_live"),
        (holds_room.HELD, (), "ix_outbox_live"),
    ],
)
@pytest.mark.sqlite_only
async def test_no_statement_of_the_brake_reads_the_whole_outbox(
    store: Store, statement: str, values: tuple[object, ...], index: str
) -> None:
    """performance.md section 9: the cost follows what waits, not what was ever sent."""
    plan = await _plan(store, statement, values)
    assert index in plan
    assert "SCAN outbox" not in plan
    assert "SCAN o " not in f"{plan} "


@pytest.mark.parametrize("queue", ["reviews", "holds"])
@pytest.mark.sqlite_only
async def test_the_queues_are_read_by_the_index_of_what_is_alive(store: Store, queue: str) -> None:
    said: list[str] = []
    raw = driver(store._db._connection)  # type: ignore[attr-defined]
    raw.set_trace_callback(said.append)
    await getattr(store, queue)()
    raw.set_trace_callback(None)
    (statement,) = [each for each in said if "FROM outbox" in each]
    plan = await _plan(store, statement, ())
    assert "ix_outbox_live" in plan
    assert "SCAN outbox" not in plan


async def _plan(store: Store, statement: str, values: tuple[object, ...]) -> str:
    rows = await store._db.read(lambda tx: tx.rows(f"EXPLAIN QUERY PLAN {statement}", *values))
    return "; ".join(str(row[3]) for row in rows)


async def test_the_clock_mark_is_the_time_that_was_not_trusted(store: Store) -> None:
    assert await store.clock_distrusted_at() is None
    await store.distrust_clock(NOW)
    found = await store.clock_distrusted_at()
    assert found is not None
    assert epoch(found) == AT
    await store.clock_mended()
    assert await store.clock_distrusted_at() is None
