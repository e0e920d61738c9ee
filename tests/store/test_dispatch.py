"""From pending to sent: claims, caps, holds, recovery (facts/engine.md 2.5, facts/faults.md rows 1 and 35)."""

from __future__ import annotations

import pytest

from tests.store.build import (
    DAY,
    HOUR,
    NOW,
    Row,
    decided,
    decision,
    dossier,
    given,
    held,
    only_row,
    order,
    parcel,
    pending,
    sending,
)
from tracker.clock import FixedClock, epoch
from tracker.model import Channel, DecisionReason, HoldReason, Intent, JournalEnd, OutboxState
from tracker.store import Store, open_store


async def test_a_row_is_claimed_exactly_once(store: Store, command: Store) -> None:
    """I1: exactly one row changed, or somebody else was quicker."""
    await given(store)
    told = await decided(store, pending(decision()))
    row = await only_row(store)
    assert await store.claim_row(row.id, who="a", version=told.version, now=NOW)
    assert not await command.claim_row(row.id, who="b", version=told.version, now=NOW)
    claimed = await store.row(row.id)
    assert claimed is not None
    assert (claimed.state, claimed.attempts) == (OutboxState.SENDING, 1)
    assert await store.due_rows(NOW, 10) == []


async def test_what_is_urgent_then_nearest_its_deadline_then_oldest_goes_first(store: Store) -> None:
    await given(store)
    await decided(
        store,
        pending(decision(Intent.STAGE1)),
        pending(decision(Intent.STAGE2, deadline=NOW + 3 * DAY)),
        pending(decision(Intent.EXTENDED, deadline=NOW + DAY)),
        pending(decision(Intent.REFUND_ISSUED, urgent=True)),
        pending(decision(Intent.LATE_ARRIVAL, not_before=NOW + HOUR)),
    )
    rows = await store.due_rows(NOW, 10)
    assert [row.intent for row in rows] == [Intent.REFUND_ISSUED, Intent.EXTENDED, Intent.STAGE2, Intent.STAGE1]
    assert [row.id for row in await store.due_rows(NOW, 1, skip={rows[0].id})] == [rows[1].id]


@pytest.mark.parametrize(
    ("to", "settled"),
    [(OutboxState.SENT, True), (OutboxState.FAILED, False), (OutboxState.UNKNOWN, True)],
)
async def test_every_call_ends_in_a_state_of_its_own(store: Store, to: OutboxState, settled: bool) -> None:
    row = await sending(store)
    assert await store.finish_row(row.id, to, NOW, result="said the server", provider_id="q1")
    assert not await store.finish_row(row.id, OutboxState.SENT, NOW)
    view = await store.outbox_view(row.id)
    assert (view.row.state, view.row.result, view.provider_id) == (to, "said the server", "q1")
    assert (view.sent_at is not None) is settled
    assert (await dossier(store)).effects[0].acted is settled
    assert (await store.next_due()).decide == epoch(NOW)


async def test_a_definite_refusal_that_allows_a_retry_goes_back_to_pending(store: Store) -> None:
    """Fault 18: greylisting; the attempt is counted, the key stays."""
    row = await sending(store)
    assert await store.finish_row(row.id, OutboxState.PENDING, NOW, result="451", not_before=NOW + HOUR)
    assert await store.due_rows(NOW, 10) == []
    again = await only_row(store, NOW + HOUR)
    assert (again.id, again.attempts) == (row.id, 1)


async def test_the_hours_cap_holds_in_the_transaction_that_claims(store: Store) -> None:
    """Fault 35: a cap for the whole fleet cannot be counted outside the claim."""
    await given(store, *(order(str(n)) for n in range(3)), *(parcel(f"LX{n}CN", str(n)) for n in range(3)))
    for order_id in (1, 2, 3):
        told = await dossier(store, order_id)
        await decided(store, pending(decision(subject=told.order.subject)), order_id=order_id)
    took = []
    for row in await store.due_rows(NOW, 10):
        version = (await dossier(store, row.order_id)).version
        took.append(await store.claim_row(row.id, who="t", version=version, now=NOW, cap=2))
    assert took == [True, True, False]
    left = await only_row(store)
    assert (await store.totals(left, NOW)).sent_this_hour == 2
    version = (await dossier(store, left.order_id)).version
    assert await store.claim_row(left.id, who="t", version=version, now=NOW + HOUR, cap=2)


async def test_release_is_told_when_the_buyer_was_last_written_to(store: Store) -> None:
    row = await sending(store)
    await store.finish_row(row.id, OutboxState.SENT, NOW)
    await decided(store, pending(decision(Intent.STAGE2)))
    totals = await store.totals(await only_row(store, NOW + DAY), NOW + DAY)
    assert (totals.last_message_at, totals.store_since) == (NOW, NOW)


async def test_a_backlog_is_counted_for_the_ramp(store: Store) -> None:
    """D21: what was due a day before it could be decided is overdue; what came out of a hold at first start is too."""
    await given(store)
    late = decision(Intent.STAGE1, not_before=NOW - 9 * DAY)
    fresh = decision(Intent.STAGE2, not_before=NOW - HOUR)
    await decided(store, pending(late), pending(fresh), held(decision(Intent.EXTENDED), HoldReason.FIRST_START))
    first = (await store.holds())[0]
    await store.release_hold(first.row.id, by="Mei", reason="looked through", now=NOW)
    rows = {row.intent: row for row in await store.due_rows(NOW, 10)}
    assert {intent: row.overdue for intent, row in rows.items()} == {
        Intent.STAGE1: True,
        Intent.STAGE2: False,
        Intent.EXTENDED: True,
    }
    assert (await store.totals(rows[Intent.STAGE2], NOW)).overdue_backlog == 2
    assert await store.claim_row(rows[Intent.STAGE1].id, who="t", version=(await dossier(store)).version, now=NOW)
    totals = await store.totals(rows[Intent.STAGE2], NOW)
    assert (totals.overdue_backlog, totals.released_today) == (1, 1)


async def test_parcels_that_turn_bad_are_counted_by_carrier_once_each(store: Store) -> None:
    """D25: more than three times the usual rate of one carrier stops the money and calls a person."""
    count = 6
    rows: list[Row] = [*(order(str(n)) for n in range(count)), *(parcel(f"LX{n}CN", str(n)) for n in range(count))]
    await given(store, *rows, parcel("CP1", "0", carrier="china_post"))
    for n in range(count):
        at = NOW - 10 * DAY if n < 2 else NOW
        for reason in (DecisionReason.NEVER_SCANNED, DecisionReason.SILENT_BEYOND_LIMIT):
            bad = decision(Intent.REFUND, f"order/shop/{n}", shipment=f"LX{n}CN", reason=reason, occasion=reason.value)
            await decided(store, held(bad), order_id=n + 1, now=at)
    row = (await store.reviews())[0].row
    totals = await store.totals(row, NOW)
    assert totals.turned_bad_24h == 4
    assert totals.bad_per_day_28d == pytest.approx(2 / 28)


async def test_a_clock_behind_our_newest_row_is_not_trusted(store: Store) -> None:
    """Fault 13: across restarts only *now earlier than our newest row* stops outreach; a week of downtime does not."""
    await given(store)
    await decided(store, pending(decision()))
    row = await only_row(store)
    assert not (await store.totals(row, NOW + 7 * DAY)).time_guard
    assert (await store.totals(row, NOW - HOUR)).time_guard


async def test_held_deferred_cancelled_failed_and_rerouted_rows_say_why(store: Store) -> None:
    await given(store)
    intents = (Intent.STAGE1, Intent.STAGE2, Intent.EXTENDED, Intent.REFUND_ISSUED, Intent.LATE_ARRIVAL)
    await decided(store, *(pending(decision(intent)) for intent in intents))
    hold, defer, cancel, fail, reroute = [row.id for row in sorted(await store.due_rows(NOW, 10), key=lambda row: row.id)]
    assert await store.hold_row(hold, HoldReason.PLAUSIBILITY, "twenty turned bad", NOW)
    assert await store.defer_row(defer, NOW + HOUR, "hourly cap", NOW)
    assert await store.cancel_row(cancel, "delivered", NOW)
    assert await store.fail_row(fail, "no variable buyer_name", NOW)
    assert await store.reroute_row(reroute, Channel.TASK, "lint: compensation for a review", NOW)
    views = {view.row.id: view for view in await store.outbox()}
    assert (views[hold].row.state, views[hold].row.hold, views[hold].held_since) == (
        OutboxState.HELD,
        HoldReason.PLAUSIBILITY,
        NOW,
    )
    assert (views[defer].row.state, views[defer].row.not_before) == (OutboxState.PENDING, NOW + HOUR)
    assert (views[cancel].row.state, views[cancel].row.result) == (OutboxState.CANCELLED, "delivered")
    assert (views[fail].row.state, views[fail].row.result) == (OutboxState.FAILED, "no variable buyer_name")
    assert (views[reroute].row.channel, views[reroute].row.key) == (Channel.TASK, "order/shop/8001:late_arrival:0")
    for row_id in (hold, cancel, fail):
        assert not await store.defer_row(row_id, NOW, "too late", NOW)


# ---------------------------------------------------------------------------------------------------------------- recovery


@pytest.mark.parametrize(
    ("ends", "state"),
    [
        ({}, OutboxState.UNKNOWN),
        ({"order/shop/8001:stage1:0": JournalEnd(attempt=1, state=OutboxState.SENT, provider_id="q1")}, OutboxState.SENT),
        ({"order/shop/8001:stage1:0": JournalEnd(attempt=1, state=OutboxState.PENDING)}, OutboxState.PENDING),
        ({"order/shop/8001:stage1:0": JournalEnd(attempt=0, state=OutboxState.PENDING)}, OutboxState.UNKNOWN),
    ],
    ids=["nobody knows", "the journal saw it leave", "it was refused", "that was an earlier attempt"],
)
async def test_what_a_dead_daemon_left_sending(url: str, store: Store, ends: dict[str, JournalEnd], state: OutboxState) -> None:
    """Fault 1: the journal's end line of that very attempt, else `unknown`; never sent again by itself."""
    row = await sending(store)
    await store.close()
    heir = await open_store(url, clock=FixedClock(NOW), daemon=True)
    (found,) = await heir.recover(ends, NOW + HOUR)
    assert (found.key, found.state) == (row.key, state)
    due = await heir.due_rows(NOW + DAY, 10)
    assert [each.id for each in due] == ([row.id] if state is OutboxState.PENDING else [])
    assert await heir.recover(ends, NOW + DAY) == []
    await heir.close()


async def test_what_a_reload_left_sending(store: Store) -> None:
    """A drain that took too long leaves a row of our own epoch: it must not wait, unseen, for the next start."""
    row = await sending(store)
    (found,) = await store.recover({}, NOW)
    assert (found.key, found.state) == (row.key, OutboxState.UNKNOWN)


async def test_a_second_message_of_the_order_that_was_released_beside_the_first_must_look_again(store: Store) -> None:
    """One message an order in 72 hours: the second claim comes after a look that did not see the first."""
    await given(store)
    told = await decided(store, pending(decision(Intent.STAGE1)), pending(decision(Intent.EXTENDED)))
    first, second = await store.due_rows(NOW, 2)
    assert await store.claim_row(first.id, who="a", version=told.version, now=NOW)
    assert not await store.claim_row(second.id, who="a", version=told.version, now=NOW)
