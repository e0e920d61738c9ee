"""Writing verdicts: each effect once, each change of mind recorded, no change of facts lost (facts/engine.md 2.4)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.store.build import (
    AT,
    DAY,
    HOUR,
    NOW,
    Row,
    batch,
    change,
    decided,
    decision,
    dossier,
    forwarders,
    given,
    held,
    only_row,
    order,
    parcel,
    pending,
    polled,
    scan,
    tasked,
    verdict,
)
from tracker.clock import epoch
from tracker.model import (
    Channel,
    Claim,
    ClaimState,
    Considered,
    DecisionReason,
    Intent,
    OutboxState,
    Phase,
    TaskState,
)
from tracker.store import NotThere, OrderPatch, PollWrite, Store, TaskResult
from tracker.store.rows import PollFailure


async def test_an_effect_is_decided_once_however_often_it_is_written(store: Store) -> None:
    """I1, I5, D12: the dedup key is UNIQUE; rule, channel and template are columns, so renaming a rule writes to nobody again."""
    await given(store)
    first = verdict(await dossier(store), pending(decision()))
    assert (await store.write_verdicts([first], NOW)).opened == ("order/shop/8001:stage1:0",)
    renamed = decision(rule="another.name", template="stage1.kinder")
    assert (await store.write_verdicts([verdict(await dossier(store), pending(renamed, Channel.TASK))], NOW)).opened == ()
    row = await only_row(store)
    assert (row.rule, row.channel) == ("rule.stage1", Channel.SMTP)


async def test_a_verdict_on_older_facts_is_dropped_whole(store: Store) -> None:
    """A poll that commits between load and write sets the dossier due again: no change slips through."""
    await given(store)
    stale = verdict(await dossier(store), pending(decision()))
    await store.write_poll(polled(change(1, "LX001CN", scan("a"))))
    written = await store.write_verdicts([stale], NOW)
    assert (written.written, written.stale, written.opened) == (0, 1, ())
    assert await store.due_dossiers(NOW, 10) == [(AT, 1)]


async def test_only_a_verdict_that_says_something_else_is_recorded(store: Store) -> None:
    """One record a change, not one a sweep; what only counts days (detail, when it looks again) is no change."""
    await given(store)
    for day in range(3):
        waits = Considered(rule="ladder", reason=DecisionReason.NOT_YET_DUE, detail=f"day {day}", looks_again=NOW + day * DAY)
        await decided(store, considered=(waits,), now=NOW + day * DAY)
    due = Considered(rule="ladder", reason=DecisionReason.STILL_MOVING)
    await decided(store, considered=(due,), now=NOW + 3 * DAY)
    told = await store.verdicts_of(1)
    assert [each.at for each in told] == [NOW, NOW + 3 * DAY]
    assert told[1].verdict.considered == (due,)
    assert told[1].config_version == "c1"


async def test_a_dossier_is_due_again_when_its_verdict_says_so(store: Store) -> None:
    await given(store)
    await decided(store, next_at=NOW + 5 * DAY)
    assert await store.due_dossiers(NOW + 5 * DAY - HOUR, 10) == []
    assert await store.due_dossiers(NOW + 5 * DAY, 10) == [(epoch(NOW + 5 * DAY), 1)]
    await decided(store, next_at=None)
    assert await store.due_dossiers(NOW + 500 * DAY, 10) == []


async def test_facts_that_are_too_old_are_asked_for_at_once(store: Store) -> None:
    """D20: `ask_now` pulls the next poll forward, also of a parcel that nobody asks about any more."""
    await given(store)
    await store.write_poll(polled(change(1, "LX001CN", next_poll_at=None)))
    await decided(store, ask_now=("LX001CN",))
    assert [due.number for due in await store.due_shipments(NOW, 10)] == ["LX001CN"]


async def test_d20_a_source_that_just_failed_keeps_its_pause(store: Store) -> None:
    """D20, facts/carriers.md politeness: who waits for facts is decided again and again; the source is not asked as often."""
    await given(store)
    (due, *_) = await store.due_shipments(NOW, 9)
    later = epoch(NOW + HOUR)
    await store.write_poll(PollWrite(at=epoch(NOW), failed=(PollFailure(due.id, due.number, later, "unavailable"),)))
    await decided(store, ask_now=(due.number,))
    assert due.number not in [each.number for each in await store.due_shipments(NOW, 9)]
    assert due.number in [each.number for each in await store.due_shipments(NOW + HOUR, 9)]


async def test_a_dossier_that_cannot_be_decided_is_parked_and_counted(store: Store) -> None:
    """Fault 33: the next one goes on."""
    await given(store)
    await store.park_dossier(1, NOW + HOUR, "KeyError('x')", NOW)
    assert await store.due_dossiers(NOW, 10) == []
    assert (await store.status(NOW)).parked == 1
    await decided(store)
    assert (await store.status(NOW)).parked == 0


# --------------------------------------------------------------------------------------------------------------- withdrawn


async def test_what_the_facts_no_longer_want_is_taken_back_before_it_reaches_anyone(store: Store) -> None:
    await given(store)
    await decided(store, pending(decision()), held(decision(Intent.REFUND)))
    keys = ("order/shop/8001:stage1:0", "order/shop/8001:refund:0")
    told = verdict(await dossier(store), withdraw=tuple((key, DecisionReason.DELIVERED) for key in keys))
    assert (await store.write_verdicts([told], NOW)).closed == keys
    assert {row.row.state for row in await store.outbox()} == {OutboxState.CANCELLED}
    assert {entry.what for entry in await store.audit_of(1)} >= {"effect_withdrawn"}


async def test_a_revoked_delivery_wants_its_message_again_in_the_same_slot(store: Store) -> None:
    """D15, I4: "delivered" revoked re-opens. The row never reached anyone, so the same key may go: still at most once."""
    await given(store)
    await decided(store, pending(decision()))
    await decided(store, withdraw=(("order/shop/8001:stage1:0", DecisionReason.DELIVERED),))
    told = verdict(await dossier(store), pending(decision(reason=DecisionReason.STAGE_DUE)))
    assert (await store.write_verdicts([told], NOW + DAY)).opened == ("order/shop/8001:stage1:0",)
    assert (await only_row(store, NOW + DAY)).created_at == NOW + DAY


@pytest.mark.parametrize("end", ["rejected", "sent"])
async def test_a_slot_that_a_person_closed_or_that_was_used_is_never_opened_again(store: Store, end: str) -> None:
    """I1: at most once per dedup key."""
    await given(store)
    told = await decided(store, held(decision(Intent.REFUND)))
    row_id = (await store.reviews())[0].row.id
    await store.decide_row(row_id, told.version, approve=end == "sent", by="Mei", reason="so", now=NOW)
    if end == "sent":
        assert await store.claim_row(row_id, who="t", version=(await dossier(store)).version, now=NOW)
        await store.finish_row(row_id, OutboxState.SENT, NOW)
    key = "order/shop/8001:refund:0"
    await decided(store, withdraw=((key, DecisionReason.DELIVERED),))
    again = verdict(await dossier(store), held(decision(Intent.REFUND)))
    assert (await store.write_verdicts([again], NOW)).opened == ()


async def test_an_open_task_drops_with_its_facts_and_one_in_hand_stays_with_its_clerk(store: Store) -> None:
    """D17: tasks cancel themselves when the facts change; one in hand is locked: the text may be pasted already."""
    await given(store)
    first = await tasked(store, decision())
    second = await tasked(store, decision(Intent.STAGE2))
    await store.take_task(second, by="Mei", now=NOW)
    gone = tuple((f"order/shop/8001:{stage}:0", DecisionReason.DELIVERED) for stage in ("stage1", "stage2"))
    written = await store.write_verdicts([verdict(await dossier(store), withdraw=gone)], NOW)
    assert written.closed == ("order/shop/8001:stage1:0",)
    assert (await store.task(first)).state is TaskState.DROPPED
    assert (await store.task(second)).state is TaskState.IN_HAND
    assert not next(each for each in (await dossier(store)).effects if each.intent is Intent.STAGE1).acted


# ---------------------------------------------------------------------------------------------------------------- day zero


async def test_day_zero_is_fixed_when_a_stage_acts_and_may_only_move_earlier(store: Store) -> None:
    """D1: it may move earlier, never later once a stage has acted. A decided stage that was taken back has not acted."""
    await given(store)
    await decided(store, pending(decision()), day0={"LX001CN": NOW - 30 * DAY})
    assert (await dossier(store)).shipments[0].day0 is None
    row = await only_row(store)
    assert await store.claim_row(row.id, who="t", version=(await dossier(store)).version, now=NOW)
    assert (await dossier(store)).shipments[0].day0 == NOW - 30 * DAY
    await decided(store, pending(decision(Intent.STAGE2)), day0={"LX001CN": NOW - 20 * DAY})
    row = await only_row(store)
    assert await store.claim_row(row.id, who="t", version=(await dossier(store)).version, now=NOW)
    assert (await dossier(store)).shipments[0].day0 == NOW - 30 * DAY


async def test_a_stage_in_a_task_acts_when_the_task_is_done(store: Store) -> None:
    await given(store)
    told = await decided(store, pending(decision(), Channel.TASK), day0={"LX001CN": NOW - 30 * DAY})
    assert told.shipments[0].day0 is None
    task_id = await tasked(store, decision())
    assert (await dossier(store)).shipments[0].day0 is None
    await store.done_task(task_id, TaskResult(), by="Mei", now=NOW)
    assert (await dossier(store)).shipments[0].day0 == NOW - 30 * DAY


# ------------------------------------------------------------------------------------------------------------------ claims


async def test_a_parcel_of_two_orders_is_claimed_once_and_both_know(store: Store) -> None:
    """I5: money records are unique per dedup key; the subject of a claim is the parcel."""
    await given(store, order(), order("8002"), parcel(), parcel(order="8002"))
    lost = decision(Intent.COMPENSATION, "shipment/LX001CN", occasion="1")
    for order_id in (1, 2):
        told = verdict(await dossier(store, order_id), pending(lost, Channel.REGISTER))
        await store.write_verdicts([told], NOW)
    row = await only_row(store)
    claim = Claim(
        shipment="LX001CN",
        attempt=1,
        state=ClaimState.DRAFT,
        rule="yanwen",
        phase=Phase.IN_TRANSIT,
        cause="lost",
        earliest_on=NOW.date(),
        latest_on=None,
        payable=None,
        currency=None,
        opened_at=NOW,
    )
    version = (await dossier(store, row.order_id)).version
    assert await store.open_claim(row.id, claim, version=version - 1, now=NOW) is None
    with pytest.raises(NotThere, match="no parcel LX404"):
        await store.open_claim(row.id, replace(claim, shipment="LX404"), version=version, now=NOW)
    assert await store.open_claim(row.id, claim, version=version, now=NOW) is not None
    for order_id in (1, 2):
        known = await dossier(store, order_id)
        assert [replace(each, id=0) for each in known.claims] == [claim]
        assert [effect.state for effect in known.effects] == [OutboxState.SENT]
    assert (await store.status(NOW)).claims == {"draft": 1}


async def test_a_renumbered_parcels_claim_is_found_under_its_present_number(store: Store) -> None:
    """A last-mile number must not make a second claim: earlier effects are told under the number of today."""
    await given(store)
    await decided(store, pending(decision(Intent.COMPENSATION, "shipment/LX001CN", occasion="1"), Channel.REGISTER))
    await store.save_import(forwarders(parcel("BR9001", None, aliases=("LX001CN",))), NOW)
    (effect,) = (await dossier(store)).effects
    assert (effect.key, effect.subject) == ("shipment/BR9001:compensation:1", "shipment/BR9001")
    gone = verdict(await dossier(store), withdraw=((effect.key, DecisionReason.DELIVERED),))
    assert len((await store.write_verdicts([gone], NOW)).closed) == 1


async def test_many_dossiers_in_one_transaction(store: Store) -> None:
    count = 400
    rows: list[Row] = [*(order(str(n)) for n in range(count)), *(parcel(f"LX{n:03}CN", str(n)) for n in range(count))]
    await store.save_import(batch(*rows), NOW)
    due = [order_id for _, order_id in await store.due_dossiers(NOW, 1000)]
    told = await store.load_dossiers(due)
    writes = [verdict(each, pending(decision(subject=each.order.subject))) for each in told]
    assert len((await store.write_verdicts(writes, NOW)).opened) == count


async def test_a_persons_word_between_load_and_claim_stops_the_send(store: Store) -> None:
    """I4: nothing goes out after an opt-out, however close: the claim names the version of the facts."""
    await given(store)
    told = await decided(store, pending(decision()))
    row = await only_row(store)
    await store.set_order_facts(1, OrderPatch(opted_out=True), by="Mei", reason="asked", now=NOW)
    assert not await store.claim_row(row.id, who="t", version=told.version, now=NOW)
