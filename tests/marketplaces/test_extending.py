"""Windows are extended by the marketplace's own call: R7, D2, D15, D20, D22, I1; the stand-in counts what was really done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from tests.house import SHOP
from tests.marketplaces.conftest import DAY, END, ENDS, ORDER, START, Desk, rules_of
from tests.marketplaces.standins import AliExpressStandIn
from tracker.model import Channel, Mode, OutboxState, TaskState, WindowSource
from tracker.store import OrderPatch

DUE = END - 10 * DAY
MINUTE = timedelta(minutes=1)


async def test_r7_the_whole_way_from_the_read_window_to_the_buyers_text(desk: Desk) -> None:
    """R7: read by API, extended ten days before the end, proven by reading it back; then the buyer is told."""
    await desk.at(DUE - timedelta(hours=2))
    assert await desk.ends() == (END, "api", 0)
    assert await desk.rows() == [], "the end is not near yet"
    await desk.at(DUE + timedelta(minutes=1))
    assert await desk.ends() == (END + 15 * DAY, "api", 1)
    assert desk.stand_in.extended == {(ORDER, ENDS): 1}
    (row,) = await desk.rows()
    assert (row.state, row.channel, row.occasion) == (OutboxState.SENT, Channel.MARKETPLACE, "2026-11-18")
    assert row.result is not None
    assert "over_time_left 2026-12-03 03:12:11" in row.result
    (told,) = await desk.rows("extended")
    assert (told.evidence["old_end"], told.evidence["window_end"]) == ("2026-11-18", "2026-12-03T11:12:11Z")


async def test_r7_every_end_is_kept_with_its_source_and_proof(desk: Desk) -> None:
    """R7: window history, evidence in a dispute: who showed which end, and by how many days we moved it."""
    await desk.at(DUE + timedelta(minutes=1))
    ref = await desk.store.order_ref(ORDER)
    first, second = await desk.store.window_history(ref.id)
    assert (first.end, first.source, first.days) == (END, WindowSource.API, None)
    assert (second.end, second.source, second.days, second.by) == (END + 15 * DAY, WindowSource.API, 15, "daemon")
    assert second.proof is not None
    assert "findorderbyid" in second.proof


@pytest.mark.parametrize("most", [10, 7, 5, 3])
async def test_r7_longer_than_allowed_steps_down(desk: Desk, most: int) -> None:
    """R7: 15, 10, 7, 5, 3 days within one claim; each step is a journalled attempt, one extension is made."""
    desk.stand_in.most_days = most
    await desk.at(DUE + timedelta(minutes=1))
    steps = [days for days in (15, 10, 7, 5, 3) if days >= most]
    assert desk.stand_in.asked_days == steps
    assert await desk.ends() == (END + most * DAY, "api", 1)
    (row,) = await desk.rows()
    assert (row.state, row.attempts) == (OutboxState.SENT, len(steps))
    assert desk.journal.ends()[row.key].attempt == len(steps)


@pytest.mark.parametrize("code", ["210", "601", "100"])
async def test_r7_a_permanent_refusal_becomes_a_task_with_the_reason(desk: Desk, code: str) -> None:
    """R7: nothing is asked twice; the person reads why."""
    desk.stand_in.script["extendsbuyeracceptgoodstime"].append(code)
    await desk.at(DUE + timedelta(minutes=1))
    (row,) = await desk.rows()
    (task,) = [task for task in await desk.store.tasks() if task.kind == "extension"]
    assert (row.state, row.channel, row.tried) == (OutboxState.SENT, Channel.TASK, ("marketplace",))
    assert f"15 days refused: {code}" in task.items[0].facts["refused_because"]
    assert desk.stand_in.calls["extendsbuyeracceptgoodstime"] == 1


async def test_r7_no_length_is_allowed(desk: Desk) -> None:
    desk.stand_in.most_days = 2
    await desk.at(DUE + timedelta(minutes=1))
    assert desk.stand_in.asked_days == [15, 10, 7, 5, 3]
    (task,) = [task for task in await desk.store.tasks() if task.kind == "extension"]
    assert task.state is TaskState.OPEN


async def test_r7_a_connection_that_breaks_off_after_the_deed_is_read_back_and_not_repeated(desk: Desk) -> None:
    """R7, I1: the answer is lost, the end has moved: the read-back proves it, nobody asks again."""
    desk.stand_in.script["extendsbuyeracceptgoodstime"].append("drop")
    desk.clock.advance_to(DUE + timedelta(minutes=1))
    await desk.read()
    await desk.sweep()
    await desk.dispatch()
    (row,) = await desk.rows()
    assert row.state is OutboxState.UNKNOWN
    assert (await desk.rows("extended")) == []
    await desk.at(desk.clock.now() + timedelta(minutes=1))
    (row,) = await desk.rows()
    assert row.state is OutboxState.SENT
    assert await desk.ends() == (END + 15 * DAY, "api", 1)
    assert desk.stand_in.extended == {(ORDER, ENDS): 1}
    assert len(await desk.rows("extended")) == 1
    ref = await desk.store.order_ref(ORDER)
    assert (await desk.store.window_history(ref.id))[-1].days == 15


async def test_r7_an_extension_that_provably_was_not_made_is_asked_for_once_more(desk: Desk) -> None:
    """R7: the connection broke off before anything was done. Only a quarter of an hour later is the unmoved end a proof."""
    desk.stand_in.script["extendsbuyeracceptgoodstime"].append("lose")
    await desk.at(DUE + timedelta(minutes=1))
    (row,) = await desk.rows()
    assert row.state is OutboxState.UNKNOWN, "a call may still be worked on there"
    await desk.at(desk.clock.now() + timedelta(minutes=15))
    first, second = await desk.rows()
    assert (first.state, first.occasion) == (OutboxState.FAILED, "2026-11-18")
    assert first.result is not None
    assert "the window still ends 2026-11-18 11:12 UTC" in first.result
    assert (second.state, second.occasion) == (OutboxState.SENT, "2026-11-18/2")
    assert desk.stand_in.extended == {(ORDER, ENDS): 1}
    assert len(await desk.rows("extended")) == 1


async def test_r7_two_attempts_that_came_to_nothing_are_enough(desk: Desk) -> None:
    """R7: then a person does it, while there is time."""
    desk.stand_in.script["extendsbuyeracceptgoodstime"] += ["lose", "lose"]
    for hours in (0, 1, 2, 3):
        await desk.at(DUE + timedelta(hours=hours, minutes=1))
    *_, last = await desk.rows()
    assert (last.occasion, last.channel, last.reason.value) == ("2026-11-18/person", Channel.TASK, "extension_failed")
    assert sum(desk.stand_in.extended.values()) == 0


async def test_r7_a_window_that_somebody_extended_meanwhile_is_not_extended_again(desk: Desk) -> None:
    """R7: read afresh before the call: a clerk was quicker in the marketplace's own pages."""
    desk.clock.advance_to(DUE + timedelta(minutes=1))
    await desk.read()
    await desk.sweep()
    desk.stand_in.move(ORDER, 7)
    desk.stand_in.extended.clear()
    await desk.at(desk.clock.now())
    assert sum(desk.stand_in.extended.values()) == 0
    assert await desk.ends() == (END + 7 * DAY, "api", 0)
    (row,) = await desk.rows()
    assert row.state is OutboxState.CANCELLED


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"frozen": "IN_FROZEN"}, "WAIT_BUYER_ACCEPT_GOODS and frozen"),
        ({"status": "FUND_PROCESSING"}, "FUND_PROCESSING"),
    ],
)
async def test_r7_where_no_call_can_extend_a_person_is_asked(desk: Desk, facts: dict[str, str], word: str) -> None:
    """R7: only while the goods are awaited, and not frozen."""
    desk.clock.advance_to(DUE + timedelta(minutes=1))
    await desk.read()
    await desk.sweep()
    desk.stand_in.orders[ORDER] |= facts
    await desk.dispatch()
    (task,) = [task for task in await desk.store.tasks() if task.kind == "extension"]
    assert word in task.items[0].facts["refused_because"]
    assert desk.stand_in.calls["extendsbuyeracceptgoodstime"] == 0


async def test_d15_a_dispute_that_was_opened_just_now_stops_it(desk: Desk) -> None:
    """D15, R42: seen at the last look before the call; the dispute is read next, and the extension is taken back."""
    desk.clock.advance_to(DUE + timedelta(minutes=1))
    await desk.read()
    await desk.sweep()
    desk.stand_in.orders[ORDER]["issue"] = "IN_ISSUE"
    desk.stand_in.cases.append({"issue_id": 60000000000001, "parent_order_id": int(ORDER), "gmt_create": "2026-11-08 01:00:00"})
    await desk.dispatch()
    await desk.at(desk.clock.now() + timedelta(minutes=31))
    assert (await desk.dossier()).dispute_open
    (row,) = await desk.rows()
    assert row.state is OutboxState.CANCELLED
    assert desk.stand_in.calls["extendsbuyeracceptgoodstime"] == 0


async def _decided(desk: Desk) -> None:
    """The extension is due and decided; the marketplace has not been asked for it yet."""
    desk.clock.advance_to(DUE + timedelta(minutes=1))
    await desk.read()
    await desk.sweep()


@pytest.mark.parametrize(
    ("code", "channel", "minutes", "off"),
    [
        ("ApiCallLimit", Channel.MARKETPLACE, 15, None),
        ("lose", Channel.MARKETPLACE, 15, None),
        ("InvalidAppKey", Channel.MARKETPLACE, 60, "auth"),
        ("InvalidApiPath", Channel.TASK, 0, "gone"),
    ],
)
async def test_r7_what_cannot_be_read_just_before_the_call_is_not_extended_blind(
    desk: Desk, code: str, channel: Channel, minutes: int, off: str | None
) -> None:
    """R7, promise 1: there is time to read it again; a person has it where no later reading can help."""
    await _decided(desk)
    desk.stand_in.script["findorderbyid"].append(code)
    await desk.dispatch()
    (row,) = await desk.rows()
    state = (await desk.store.capabilities()).get(("market", "window"))
    assert (row.channel, None if state is None else state.fault) == (channel, off)
    assert desk.stand_in.calls["extendsbuyeracceptgoodstime"] == 0
    if channel is Channel.MARKETPLACE:
        assert (row.state, round((row.not_before - desk.clock.now()) / MINUTE)) == (OutboxState.PENDING, minutes)
        await desk.at(desk.clock.now() + timedelta(minutes=minutes + 1))
        assert desk.stand_in.extended == {(ORDER, ENDS): 1}


async def test_r7_an_order_that_is_over_just_before_the_call_is_left_alone(desk: Desk) -> None:
    """R7: the buyer has confirmed it a minute ago."""
    await _decided(desk)
    desk.stand_in.orders[ORDER]["status"] = "FINISH"
    await desk.at(desk.clock.now())
    assert [row.state for row in await desk.rows()] == [OutboxState.CANCELLED]
    assert desk.stand_in.calls["extendsbuyeracceptgoodstime"] == 0


async def test_r7_a_call_whose_key_is_refused_waits_for_people_to_mend_it(desk: Desk) -> None:
    """R7: nothing was done; the account is left alone for an hour, and goes on by itself once the key is right."""
    await _decided(desk)
    desk.stand_in.script["extendsbuyeracceptgoodstime"].append("InvalidAppKey")
    await desk.dispatch()
    (row,) = await desk.rows()
    assert (row.state, round((row.not_before - desk.clock.now()) / MINUTE)) == (OutboxState.PENDING, 60)
    assert (await desk.store.capabilities())["market", "extend"].fault == "auth"
    await desk.at(desk.clock.now() + timedelta(minutes=61))
    assert desk.stand_in.extended == {(ORDER, ENDS): 1}


async def test_i1_a_yes_that_cannot_be_read_back_is_a_doubt_until_it_can(desk: Desk) -> None:
    """I1, promise 1: the proof is the end that moved; while nobody can read it, nobody asks again or tells the buyer."""
    await _decided(desk)
    desk.stand_in.script["findorderbyid"] += ["", "ApiCallLimit"]
    await desk.dispatch()
    (row,) = await desk.rows()
    assert row.state is OutboxState.UNKNOWN
    assert row.result is not None
    assert row.result.startswith("the marketplace said yes to 15 days; the new end is yet to be read back (")
    assert await desk.rows("extended") == []
    await desk.at(desk.clock.now() + timedelta(minutes=1))
    (row,) = await desk.rows()
    assert (row.state, desk.stand_in.extended) == (OutboxState.SENT, {(ORDER, ENDS): 1})


async def test_i1_a_yes_that_moves_nothing_is_no_extension(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """I1, R7: the marketplace said yes and the window stayed: after a quarter of an hour it is asked once more."""
    with monkeypatch.context() as idle:
        idle.setattr(desk.stand_in, "move", lambda *_: None)
        await desk.at(DUE + timedelta(minutes=1))
    assert [row.state for row in await desk.rows()] == [OutboxState.UNKNOWN]
    assert await desk.ends() == (END, "api", 0)
    await desk.at(desk.clock.now() + timedelta(minutes=15))
    assert [row.state for row in await desk.rows()] == [OutboxState.FAILED, OutboxState.SENT]
    assert desk.stand_in.extended == {(ORDER, ENDS): 1}


@pytest.mark.parametrize("fact", ["opted_out", "waiting"])
async def test_d15_it_goes_on_while_outreach_stops(desk: Desk, fact: str) -> None:
    """D15, D20: neither an opt-out, nor a waiting buyer, nor silent carriers keep it back."""
    ref = await desk.store.order_ref(ORDER)
    patch = OrderPatch(opted_out=True if fact == "opted_out" else UNSET, waiting_since=START if fact == "waiting" else UNSET)
    await desk.store.set_order_facts(ref.id, patch, by="mei", reason="", now=desk.clock.now())
    await desk.at(DUE + timedelta(minutes=1))
    assert sum(desk.stand_in.extended.values()) == 1


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.APPROVE])
async def test_d22_only_a_live_store_calls(desk: Desk, mode: Mode) -> None:
    """D22: the mode of a store stands above every capability: a person extends."""
    desk.rules = rules_of("aliexpress", mode=mode)
    await desk.at(DUE + timedelta(minutes=1))
    (row,) = await desk.rows()
    assert row.channel is Channel.TASK
    assert desk.stand_in.calls["extendsbuyeracceptgoodstime"] == 0


async def test_r7_without_an_account_that_extends_it_is_a_task(desk: Desk) -> None:
    """R7: mode api falls back to people."""
    shop = replace(desk.rules.stores[SHOP], api=frozenset({"window"}))
    desk.rules = replace(desk.rules, stores={SHOP: shop})
    await desk.at(DUE + timedelta(minutes=1))
    (row,) = await desk.rows()
    assert row.channel is Channel.TASK


async def test_r7_an_estimated_end_leads_to_a_task_never_to_a_call(desk: Desk) -> None:
    """R7: nobody has shown the end: look it up and extend."""
    desk.stand_in.script["findorderbyid"] += ["InvalidApiPath"]
    await desk.at(START + 112 * DAY, rounds=2)
    (row,) = await desk.rows()
    assert (row.channel, row.evidence["window_source"]) == (Channel.TASK, "estimated")
    assert desk.stand_in.calls["extendsbuyeracceptgoodstime"] == 0


async def test_a_throttled_call_waits_what_it_says(desk: Desk) -> None:
    """ApiCallLimit with HTTP 200: definitely not done, so that the same row goes on by itself."""
    desk.stand_in.script["extendsbuyeracceptgoodstime"].append("ApiCallLimit")
    desk.clock.advance_to(DUE + timedelta(minutes=1))
    await desk.read()
    await desk.sweep()
    await desk.dispatch()
    (row,) = await desk.rows()
    assert (row.state, row.channel) == (OutboxState.PENDING, Channel.MARKETPLACE)
    assert (row.not_before - desk.clock.now()).total_seconds() == pytest.approx(7, abs=1.5)
    await desk.at(desk.clock.now() + timedelta(minutes=1))
    assert desk.stand_in.extended == {(ORDER, ENDS): 1}


async def test_a_vanished_method_is_told_once_and_people_extend(desk: Desk) -> None:
    """The capability is switched off, this row and the next go to a person; nobody calls again for a week."""
    assert isinstance(desk.stand_in, AliExpressStandIn)
    other = "8190000000000005"
    desk.stand_in.order(other, ENDS)
    await desk.bring(other)
    desk.stand_in.script["extendsbuyeracceptgoodstime"] += ["InvalidApiPath"]
    await desk.at(DUE + timedelta(minutes=1))
    assert [row.channel for row in await desk.rows()] == [Channel.TASK, Channel.TASK]
    assert desk.stand_in.calls["extendsbuyeracceptgoodstime"] == 1
    state = (await desk.store.capabilities())["market", "extend"]
    assert (state.fault, state.stopped_at is not None) == ("gone", True)


async def test_r7_taobao_extends_by_ten_days_three_days_before(taobao: Desk) -> None:
    """R7: TOP takes 10, 7, 5 or 3 days; its window is short, so that three days before are early enough (D9: UTC+8)."""
    end = datetime(2026, 10, 20, 2, tzinfo=UTC)
    await taobao.at(end - 3 * DAY - timedelta(hours=1))
    assert taobao.stand_in.calls["delay"] == 0
    await taobao.at(end - 3 * DAY + timedelta(minutes=1))
    assert taobao.stand_in.asked_days == [10]
    assert await taobao.ends("2231958349000001") == (end + 10 * DAY, "api", 1)


async def test_r7_after_two_extensions_a_person_decides(desk: Desk) -> None:
    """R7: an extension also delays the seller's payout: the third time a person is asked, once for that end."""
    for days in (0, 15, 30):
        await desk.at(DUE + days * DAY + timedelta(minutes=1))
        await desk.at(DUE + days * DAY + timedelta(hours=3))
    assert sum(desk.stand_in.extended.values()) == 2
    *_, last = await desk.rows()
    assert (last.channel, last.reason.value, last.occasion) == (Channel.TASK, "extensions_used_up", "2026-12-18/person")
