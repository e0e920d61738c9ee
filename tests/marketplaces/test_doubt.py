"""What a strange answer or a fault at the wrong moment must not do to windows and cases: R7, R42, I1, faults rows 8 and 33."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from tests import house
from tests.marketplaces.conftest import DAY, END, ENDS, ORDER, START, Desk, rules_of
from tests.marketplaces.test_adapters import Kept, Played, account
from tests.marketplaces.test_reading import ISSUE
from tracker.clock import FixedClock
from tracker.marketplaces.base import CaseList
from tracker.marketplaces.errors import Fault, MarketplaceError
from tracker.marketplaces.registry import KNOWN
from tracker.marketplaces.session import Session
from tracker.model import Case, CaseKind, CaseReason, Channel, Mode, OrderState, OutboxState
from tracker.polling import markets
from tracker.store import StoreError

DUE = END - 10 * DAY
OTHER = "8190000000000005"


async def doubtful(desk: Desk) -> None:
    """The call's answer was lost."""
    desk.stand_in.script["extendsbuyeracceptgoodstime"].append("lose")
    desk.clock.advance_to(DUE + timedelta(minutes=1))
    await desk.read()
    await desk.sweep()
    await desk.dispatch()
    assert [row.state for row in await desk.rows()] == [OutboxState.UNKNOWN]


async def test_r7_an_order_that_vanished_keeps_no_other_from_being_read(desk: Desk) -> None:
    """R7, R42, faults row 33: the doubtful one waits for a person; windows and disputes of the account are read all the same."""
    await doubtful(desk)
    del desk.stand_in.orders[ORDER]
    desk.stand_in.order(OTHER, ENDS)
    await desk.bring(OTHER)
    desk.stand_in.cases.append({**ISSUE, "parent_order_id": int(OTHER)})
    await desk.at(desk.clock.now() + timedelta(hours=1), rounds=1)
    assert (await desk.rows())[0].state is OutboxState.UNKNOWN
    assert await desk.ends(OTHER) == (END, "api", 0)
    assert (await desk.dossier(OTHER)).dispute_open


async def test_r7_a_dispute_that_hides_the_end_proves_nothing(desk: Desk) -> None:
    """R7, I1: in a dispute no end is shown; the extension may have been made, so it is not called failed. Later the end tells."""
    desk.stand_in.script["extendsbuyeracceptgoodstime"].append("drop")
    desk.clock.advance_to(DUE + timedelta(minutes=1))
    await desk.read()
    await desk.sweep()
    await desk.dispatch()
    desk.stand_in.orders[ORDER]["status"] = "IN_ISSUE"
    await desk.at(desk.clock.now() + timedelta(hours=1), rounds=1)
    assert [row.state for row in await desk.rows()] == [OutboxState.UNKNOWN]
    desk.stand_in.orders[ORDER]["status"] = desk.stand_in.status
    await desk.at(desk.clock.now() + timedelta(hours=1), rounds=1)
    assert (await desk.rows())[0].state is OutboxState.SENT
    assert await desk.ends() == (END + 15 * DAY, "api", 1)


async def test_r7_an_order_that_is_over_settles_the_doubt(desk: Desk) -> None:
    """R7: no unknown for ever: a finished order has no window any more."""
    await doubtful(desk)
    desk.stand_in.orders[ORDER]["status"] = "FINISH"
    await desk.at(desk.clock.now() + timedelta(hours=1), rounds=1)
    (row,) = await desk.rows()
    assert row.state is OutboxState.FAILED
    assert row.result is not None
    assert "the window is over" in row.result


async def test_r7_many_doubts_all_get_their_turn(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """R7: those that cannot be settled yet keep nobody from the read-back."""
    monkeypatch.setattr("tracker.polling.markets.CHUNK", 1)
    desk.stand_in.order(OTHER, ENDS)
    await desk.bring(OTHER)
    await desk.at(START + timedelta(hours=1))
    desk.stand_in.script["extendsbuyeracceptgoodstime"] += ["drop", "drop"]
    desk.clock.advance_to(DUE + timedelta(minutes=1))
    await desk.sweep()
    await desk.dispatch()
    first, second = await desk.rows()
    assert {first.state, second.state} == {OutboxState.UNKNOWN}
    hidden = (await desk.dossier()).order.id if first.order_id == (await desk.dossier()).order.id else None
    desk.stand_in.orders[OTHER if hidden is None else ORDER]["status"] = "IN_ISSUE"
    reader = desk.reader()
    for _ in range(3):
        await reader.read_once()
    assert [row.state for row in await desk.rows()] == [OutboxState.UNKNOWN, OutboxState.SENT]


async def test_an_answer_nobody_understands_goes_to_the_end_of_the_line(desk: Desk) -> None:
    """Faults row 33: "9999" stands for never there, and moved by a zone it is no date; the next order gets its turn."""
    desk.stand_in.orders[ORDER]["end"] = "9999-12-31 23:59:59"
    desk.stand_in.order(OTHER, ENDS)
    await desk.bring(OTHER)
    for minutes in (0, 6, 12):
        await desk.at(START + timedelta(minutes=minutes), rounds=1)
    assert (await desk.dossier()).order.window is None
    assert await desk.ends(OTHER) == (END, "api", 0)


async def test_a_throttled_account_is_left_alone_as_long_as_it_says(desk: Desk) -> None:
    """Faults row 7: whoever says "7 more seconds" is not asked in the next second."""
    desk.stand_in.script["findorderbyid"].append("ApiCallLimit")
    await desk.read()
    await desk.read()
    assert desk.stand_in.calls["findorderbyid"] == 1
    desk.clock.advance_to(desk.clock.now() + timedelta(minutes=11))
    await desk.read()
    assert await desk.ends() == (END, "api", 0)


async def test_r42_a_case_that_is_listed_again_is_open_again_at_once(desk: Desk) -> None:
    """R42: only a person's word stands for a day; a page that moved while we leafed through closes nothing for long."""
    desk.stand_in.cases.append(ISSUE)
    await desk.at(START + DAY, rounds=1)
    desk.stand_in.cases.clear()
    await desk.at(START + DAY + timedelta(hours=1), rounds=1)
    assert not (await desk.dossier()).dispute_open
    desk.stand_in.cases.append(ISSUE)
    await desk.at(START + DAY + timedelta(hours=2), rounds=1)
    dossier = await desk.dossier()
    assert dossier.dispute_open
    assert dossier.cases[0].outcome is None


async def test_r7_an_api_that_knows_the_order_no_more_yields_to_the_file(desk: Desk) -> None:
    """R7: api > typed > file, but an end that the API refuses to tell for two weeks is history."""
    await desk.at(START + DAY, rounds=1)
    assert await desk.ends() == (END, "api", 0)
    del desk.stand_in.orders[ORDER]
    for days in range(2, 34):
        await desk.at(START + days * DAY, rounds=1)
    told = START + 60 * DAY
    facts = house.order(ORDER, platform="aliexpress", shipped_at=START, window_end=told)
    await house.bring(desk.store, [facts], [], desk.clock.now())
    assert await desk.ends() == (told, "file", 0)


async def test_d22_a_store_that_is_live_no_more_calls_no_more(desk: Desk) -> None:
    """D22: decided while the store was live, due after somebody set it back: a person extends."""
    desk.clock.advance_to(DUE + timedelta(minutes=1))
    await desk.read()
    await desk.sweep()
    assert [row.channel for row in await desk.rows()] == [Channel.MARKETPLACE]
    desk.rules = rules_of("aliexpress", mode=Mode.OBSERVE)
    await desk.dispatch()
    (row,) = await desk.rows()
    assert row.channel is Channel.TASK
    assert "mode is observe" in row.evidence["refused_because"]
    assert desk.stand_in.calls["extendsbuyeracceptgoodstime"] == 0


@pytest.mark.parametrize("error", [StoreError("disk full"), RuntimeError("nobody foresaw this")])
async def test_i1_a_fault_between_claim_and_answer_is_a_doubt_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """I1, faults row 4: the row must not stay `sending`, seen by nobody, until the next start; the read-back settles it."""
    desk.clock.advance_to(DUE + timedelta(minutes=1))
    await desk.read()
    await desk.sweep()
    real, left = desk.store.begin_extension, [error]

    async def broken(*args: object, **given: object) -> None:
        if left:
            raise left.pop()
        await real(*args, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.store, "begin_extension", broken)
    dispatcher = desk.dispatcher()
    with suppress(StoreError):
        await dispatcher.dispatch_once()
    await dispatcher.dispatch_once()
    assert [row.state for row in await desk.rows()] == [OutboxState.UNKNOWN]
    assert sum(desk.stand_in.extended.values()) == 0
    for _ in range(2):
        await desk.at(desk.clock.now() + timedelta(minutes=16), rounds=1)
    assert [row.state for row in await desk.rows()] == [OutboxState.FAILED, OutboxState.SENT]
    assert desk.stand_in.extended == {(ORDER, ENDS): 1}


LISTS = {
    "aliexpress": b'{"aliexpress_issue_issuelist_get_response": {"request_id": "5"}}',
    "taobao": b'{"refunds_receive_get_response": {"request_id": "5"}}',
    "ebay": b"{}",
}


@pytest.mark.parametrize("platform", LISTS)
async def test_r42_an_answer_that_is_no_list_closes_no_case(platform: str) -> None:
    """R42, promise 2: only a list that says it is whole tells which cases are over."""
    market = KNOWN[platform].make(Session(account(), Played(LISTS[platform], LISTS[platform]), Kept()), FixedClock(START))
    assert not (await market.disputes(START)).complete


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b'{"error_response": {"type": "ISP", "code": "Whatever", "msg": "it broke"}}', Fault.AMBIGUOUS),
        (b'{"error_response": {"type": "SYSTEM", "code": "ServiceTimeout", "msg": "timed out"}}', Fault.AMBIGUOUS),
        (b'{"error_response": {"code": 15, "msg": "Remote service error", "sub_code": "isp.top-remote-error"}}', Fault.AMBIGUOUS),
        (b'{"error_response": {"code": 15, "msg": "Remote service error"}}', Fault.AMBIGUOUS),
        (b'{"error_response": {"type": "ISV", "code": "MissingParameter", "msg": "days"}}', Fault.REFUSED),
    ],
)
async def test_i1_their_side_that_broke_says_nothing_about_a_write(body: bytes, fault: Fault) -> None:
    """I1, R7: a clerk who is told "refused" extends once more; only a definite no may say so."""
    market = KNOWN["aliexpress"].make(Session(account(), Played(body), Kept()), FixedClock(START))
    with pytest.raises(MarketplaceError) as caught:
        await market.extend(ORDER, 15)
    assert caught.value.fault is fault


async def test_a_refusal_without_the_envelope_of_the_other_methods_is_for_a_person() -> None:
    """A refresh token that is refused at the top of the answer: it is the account's, not their side's being down."""
    bodies = (
        b'{"error_response": {"type": "ISV", "code": "IllegalAccessToken", "msg": "expired"}}',
        b'{"type": "ISV", "code": "IllegalRefreshToken", "message": "expired", "request_id": "5"}',
    )
    known = account(refresh_token="kanarie-refresh-1")
    market = KNOWN["aliexpress"].make(Session(known, Played(*bodies), Kept()), FixedClock(START))
    with pytest.raises(MarketplaceError, match="IllegalRefreshToken") as caught:
        await market.window(ORDER)
    assert caught.value.fault is Fault.AUTH


async def test_r7_a_call_that_is_throttled_for_days_becomes_a_persons(desk: Desk) -> None:
    """R7: it waits what the marketplace says while there is time; the last third of it is a person's."""
    desk.stand_in.script["extendsbuyeracceptgoodstime"] += ["ApiCallLimit"] * 100
    await desk.at(DUE + timedelta(minutes=1))
    (row,) = await desk.rows()
    assert (row.state, row.channel) == (OutboxState.PENDING, Channel.MARKETPLACE)
    await desk.at(END - 2 * DAY)
    (row,) = await desk.rows()
    assert (row.channel, row.tried) == (Channel.TASK, ("marketplace",))
    assert desk.stand_in.extended == {}


async def test_i1_nobody_takes_a_row_from_one_who_is_calling(desk: Desk) -> None:
    """I1, faults row 21: a second dispatcher whose read failed must not hand a claimed extension to a person as well."""
    desk.clock.advance_to(DUE + timedelta(minutes=1))
    await desk.read()
    await desk.sweep()
    (row,) = await desk.rows()
    now = desk.clock.now()
    assert await desk.store.claim_row(row.id, who="other", version=(await desk.dossier()).version, now=now)
    assert not await desk.store.extension_by_hand(row.id, "down", now)
    assert [each.state for each in await desk.rows()] == [OutboxState.SENDING]


async def test_r42_a_list_of_ninety_days_says_nothing_about_an_older_case(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """R42: eBay lists payment disputes of the last 90 days; a chargeback that takes longer is not over for that."""
    ref = await desk.store.order_ref(ORDER)
    for number, days in (("50001", 95), ("50002", 5)):
        case = Case(id=number, kind=CaseKind.CHARGEBACK, opened_at=START - days * DAY, reason=CaseReason.OTHER)
        await desk.store.save_case(ref.id, case, START)
    monkeypatch.setitem(markets._LISTED, "aliexpress", frozenset({"chargeback"}))
    empty = CaseList(cases=(), complete=True, since={CaseKind.CHARGEBACK: START - 90 * DAY})

    async def listed(_now: datetime) -> CaseList:
        return empty

    monkeypatch.setattr(desk.connected.market, "disputes", listed)
    await desk.at(START + timedelta(hours=1), rounds=1)
    assert {case.id: case.closed_at is not None for case in (await desk.dossier()).cases} == {"50001": False, "50002": True}


async def test_an_order_whose_cancellation_was_asked_for_may_go_on(desk: Desk) -> None:
    """R7: refused there, it still has a window, which is read and extended as ever."""
    desk.stand_in.orders[ORDER]["status"] = "IN_CANCEL"
    await desk.at(START + DAY)
    assert (await desk.dossier()).order.state is not OrderState.FINISHED
    desk.stand_in.orders[ORDER]["status"] = desk.stand_in.status
    await desk.at(START + 3 * DAY)
    assert await desk.ends() == (END, "api", 0)
