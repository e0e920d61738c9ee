"""Windows and cases are read from the marketplace itself: R42, D3, D20; unknown stays unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests import house
from tests.marketplaces.conftest import DAY, END, ORDER, START, Desk, rules_of
from tests.marketplaces.test_adapters import sample
from tracker.marketplaces.base import WindowRead
from tracker.model import CaseOutcome, CaseReason, DateSource, OrderState, WindowSource
from tracker.polling.markets import next_read
from tracker.store import OrderPatch

ISSUE = {
    "issue_id": 60000000000001,
    "order_id": 8190000000000022,
    "parent_order_id": int(ORDER),
    "gmt_create": "2026-10-02 08:00:00",
    "reason_english": "Package is still in transit",
}
TRADE = "2231958349000001"


async def test_r42_a_dispute_is_found_without_any_mail_and_stops_outreach(desk: Desk) -> None:
    """R42, D15: read at every look; the table of time rules dates it, because the list tells no date."""
    desk.stand_in.cases.append(ISSUE)
    await desk.at(START + DAY, rounds=1)
    dossier = await desk.dossier()
    (case,) = dossier.cases
    assert dossier.dispute_open
    assert (case.id, case.reason, case.due_at) == ("60000000000001", CaseReason.IN_TRANSIT, None)
    version = dossier.version
    await desk.at(START + DAY + timedelta(hours=2), rounds=1)
    assert (await desk.dossier()).version == version, "what says nothing new wakes nobody"


async def test_r42_a_dispute_that_is_no_longer_listed_is_over(desk: Desk) -> None:
    """R42: a complete list closes what it no longer holds."""
    desk.stand_in.cases.append(ISSUE)
    await desk.at(START + DAY, rounds=1)
    desk.stand_in.cases.clear()
    await desk.at(START + DAY + timedelta(hours=1), rounds=1)
    (case,) = (await desk.dossier()).cases
    assert case.closed_at is not None
    assert case.outcome is CaseOutcome.GONE_FROM_LIST


async def test_r42_the_due_date_of_the_api_wins(taobao: Desk) -> None:
    """R42, D3: Taobao tells until when an answer is due; a person's date does not replace it."""
    refund = {"refund_id": 7000000000001, "tid": int(TRADE), "status": "WAIT_SELLER_AGREE", "created": "2026-10-02 09:00:00"}
    taobao.stand_in.cases.append(
        refund | {"reason": "未收到货", "refund_fee": "35.00", "refund_remind_timeout": {"timeout": "2026-10-04 09:00:00"}}
    )
    await taobao.at(START + DAY, rounds=1)
    (case,) = (await taobao.dossier(TRADE)).cases
    assert (case.due_at, case.due_source) == (datetime(2026, 10, 4, 1, tzinfo=UTC), DateSource.API)
    assert (case.amount, case.currency) == (Decimal("35.00"), "CNY")


async def test_r42_a_case_of_an_unknown_order_is_told_once_and_harms_nothing(desk: Desk) -> None:
    desk.stand_in.cases += [{**ISSUE, "parent_order_id": 1}, {**ISSUE, "issue_id": 60000000000002}]
    reader = desk.reader()
    await reader.read_once()
    assert [case.id for case in (await desk.dossier()).cases] == ["60000000000002"]


async def test_the_api_beats_a_file_and_a_typed_end(desk: Desk) -> None:
    """Api > typed > file: what the marketplace shows goes before anybody's word, and no later file takes it back."""
    ref = await desk.store.order_ref(ORDER)
    typed = START + 30 * DAY
    await desk.store.set_order_facts(ref.id, OrderPatch(window_end=typed), by="mei", reason="", now=desk.clock.now())
    await desk.read()
    assert await desk.ends() == (END, "api", 0)
    facts = house.order(ORDER, platform="aliexpress", shipped_at=START, window_end=START + 40 * DAY)
    await house.bring(desk.store, [facts], [], desk.clock.now() + timedelta(minutes=1))
    assert await desk.ends() == (END, "api", 0)
    told = [(each.source, each.by) for each in await desk.store.window_history(ref.id)]
    assert told == [(WindowSource.TYPED, "mei"), (WindowSource.API, "daemon")]


async def test_an_order_that_is_finished_there_is_finished_here(desk: Desk) -> None:
    """It is read no more."""
    desk.stand_in.orders[ORDER]["status"] = "FINISH"
    await desk.at(START + DAY)
    assert (await desk.dossier()).order.state is OrderState.FINISHED
    calls = desk.stand_in.calls["findorderbyid"]
    await desk.at(START + 9 * DAY)
    assert desk.stand_in.calls["findorderbyid"] == calls


async def test_before_dispatch_the_date_shown_is_no_window(desk: Desk) -> None:
    """Until the goods are awaited `over_time_left` is the deadline for shipping."""
    desk.stand_in.orders[ORDER]["status"] = "WAIT_SELLER_SEND_GOODS"
    await desk.read()
    assert (await desk.dossier()).order.window is None


async def test_a_marketplace_that_is_down_moves_nothing(desk: Desk) -> None:
    """Promise 2: unknown stays unknown; after three failures the account rests."""
    desk.stand_in.script["findorderbyid"] += ["lose"] * 20
    for minutes in range(0, 90, 6):
        await desk.at(START + timedelta(minutes=minutes), rounds=1)
    assert (await desk.dossier()).order.window is None
    assert desk.stand_in.calls["findorderbyid"] < 10
    desk.stand_in.script.clear()
    await desk.at(START + DAY)
    assert await desk.ends() == (END, "api", 0)


async def test_a_refused_account_is_told_once_and_tried_hourly(desk: Desk) -> None:
    """Refresh once, repeat once, then a person: the alert's ground stands until it works again."""
    desk.stand_in.token = "another"
    desk.stand_in.script["refresh"] += ["IllegalRefreshToken"] * 3
    await desk.at(START + timedelta(minutes=1), rounds=2)
    state = (await desk.store.capabilities())["market", "window"]
    assert (state.fault, desk.stand_in.calls["findorderbyid"]) == ("auth", 1)
    desk.stand_in.token, desk.stand_in.script = "kanarie-token-1", {"refresh": []} | desk.stand_in.script
    desk.stand_in.script.clear()
    await desk.at(START + timedelta(hours=2), rounds=1)
    state = (await desk.store.capabilities())["market", "window"]
    assert (state.fault, state.stopped_at) == (None, None)
    assert await desk.ends() == (END, "api", 0)


async def test_an_order_that_the_account_does_not_know_waits_and_stops_nobody(desk: Desk) -> None:
    other = "8190000000000009"
    await desk.bring(other)
    await desk.at(START + DAY, rounds=2)
    assert await desk.ends() == (END, "api", 0)
    assert (await desk.dossier(other)).order.window is None
    assert desk.stand_in.calls["findorderbyid"] == 2


@pytest.mark.parametrize(("ahead", "hours"), [(60, 168), (20, 120), (11, 12), (10, 6), (1, 6)])
def test_windows_are_read_the_more_often_the_nearer_they_come(ahead: int, hours: int) -> None:
    """Politeness: half of the time until it matters, six hours at least and a week at most; up to a tenth is spread."""
    extension = rules_of("aliexpress").marketplaces["aliexpress"].extension
    read = WindowRead(order=ORDER, end=START + ahead * DAY, status="WAIT_BUYER_ACCEPT_GOODS")
    seconds = next_read(read, extension, START) - START.timestamp()
    assert hours * 3600 <= seconds <= hours * 3600 * 1.1 + 1
    unknown = next_read(replace(read, end=None), extension, START) - START.timestamp()
    assert 86_400 <= unknown <= 95_041


def test_the_samples_hold_no_live_person() -> None:
    assert b"Maria" in sample("aliexpress/findorderbyid_in_transit"), "an invented name, which no adapter lets through"
