"""The handover of a shift (R53, R89): due before noon first, what happened, what waits, the money at risk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.carriers.loopback import http, serving
from tests.desk.world import NOW, STORE, World
from tracker import config
from tracker.clock import SimulatedClock
from tracker.config import Loaded
from tracker.engine.base import full_pass
from tracker.model import Channel, Intent, OutboxState
from tracker.reports import handover
from tracker.store import Store, create, open_store
from tracker.wiring import assemble

SHOP = 'platform = "aliexpress"\nname = "Lume"\nzone = "Asia/Shanghai"\ncurrency = "USD"\nmode = "live"\n'


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOW)


@pytest.fixture
async def store(tmp_path: Path, clock: SimulatedClock) -> AsyncIterator[Store]:
    url = f"sqlite:///{tmp_path / 'tracker.db'}"
    create(url, rehearsal=False, now=NOW)
    opened = await open_store(url, clock=clock, daemon=True)
    yield opened
    await opened.close()


def _loaded(folder: Path, text: str = "", **environ: str) -> Loaded:
    (folder / "stores").mkdir(exist_ok=True)
    (folder / "stores" / f"{STORE}.toml").write_text(SHOP, encoding="utf-8")
    (folder / "tracker.toml").write_text(text, encoding="utf-8")
    return config.load(folder / "tracker.toml", environ=environ)


@pytest.mark.parametrize(
    ("now", "noon"),
    [
        ("2026-03-02T00:30:00+00:00", "2026-03-02T12:00:00+08:00"),
        ("2026-03-02T03:59:00+00:00", "2026-03-02T12:00:00+08:00"),
        ("2026-03-02T04:00:00+00:00", "2026-03-03T12:00:00+08:00"),
        ("2026-03-02T16:30:00+00:00", "2026-03-03T12:00:00+08:00"),
    ],
)
def test_noon_is_the_desks_own(now: str, noon: str) -> None:
    """R89: due 12:00 local time, whatever the server's zone."""
    assert handover.next_noon(datetime.fromisoformat(now), "Asia/Shanghai") == datetime.fromisoformat(noon)


async def test_what_is_due_before_noon_stands_first_and_money_is_never_added_across_currencies(
    store: Store, tmp_path: Path
) -> None:
    world = World(store)
    noon = handover.next_noon(NOW, "Asia/Shanghai")
    first, second, third = [await world.order(f"A-{number}", f"RB12345678{number}CN") for number in (1, 2, 3)]
    await world.refund(first, Decimal("12.50"), deadline=noon - timedelta(hours=2))
    await world.refund(second, Decimal("9.00"), deadline=noon + timedelta(hours=2))
    await world.task(third, Intent.STAGE2, deadline=noon - timedelta(hours=3))
    await world.doubtful(second)
    found = await handover.hand_over(store, _loaded(tmp_path), NOW)
    assert [(each.about, each.what) for each in found.due] == [("A-3", "stage2"), ("A-1", "refund")]
    assert found.at_risk == {"USD": "21.50"}
    assert {each.what: each.count for each in found.waits} == {"reviews": 2, "tasks": 1, "doubtful": 1}
    told = handover.lines(found, _loaded(tmp_path).phrases)
    assert told[0].startswith("Due before ")
    assert told[0].endswith("(Asia/Shanghai), first things first:")
    assert "A-3" in told[1]
    assert "tracker review list" in "\n".join(told)


async def test_a_window_that_closes_before_noon_is_due(store: Store, tmp_path: Path) -> None:
    """R7, R89: an end that passes unextended is not waited for by anybody else."""
    noon = handover.next_noon(NOW, "Asia/Shanghai")
    world = World(store)
    await world.order("A-1", "RB123456785CN", window_end=noon - timedelta(hours=1))
    await world.order("A-2", "RB123456794CN", window_end=noon + timedelta(hours=1))
    loaded = _loaded(tmp_path)
    found = await handover.hand_over(store, loaded, NOW)
    assert [(each.about, each.what) for each in found.due] == [("A-1", "window")]
    assert "delivery window closes" in handover.lines(found, loaded.phrases)[1]


async def test_what_happened_is_counted_since_the_last_handover(store: Store, tmp_path: Path, clock: SimulatedClock) -> None:
    """R53: the digest of a day."""
    world = World(store)
    order = await world.order("A-1", "RB123456785CN")
    row = await world.refund(order)
    version = (await store.outbox_view(row)).order.version
    await store.decide_row(row, version, approve=False, by="mei", reason="buyer waits", now=NOW + timedelta(hours=1))
    task = await world.task(order, Intent.STAGE2)
    await store.drop_task(task, by="mei", reason="pasted elsewhere", now=NOW + timedelta(hours=2))
    clock.advance_to(NOW + timedelta(hours=3))
    found = await handover.hand_over(store, _loaded(tmp_path), clock.now())
    assert found.decided == {"rejected": 1}
    assert found.closed == {"mei": 1}
    assert found.sent == {"stage2": 1}
    await store.finish_errand("handover", "2026-03-02", clock.now(), "told desk")
    clock.advance_to(NOW + timedelta(hours=4))
    later = await handover.hand_over(store, _loaded(tmp_path), clock.now())
    assert (later.sent, later.decided, later.closed) == ({}, {}, {})
    assert later.since == NOW + timedelta(hours=3)


async def test_a_message_that_could_not_be_sent_is_told_once(store: Store, tmp_path: Path) -> None:
    """A definite refusal is the end of a message: without a line here nobody but the log would know."""
    world = World(store)
    row = await world.effect(await world.order("A-1", "RB123456785CN"), Intent.STAGE1, channel=Channel.SMTP)
    version = (await store.outbox_view(row)).order.version
    assert await store.claim_row(row, who="w", version=version, now=NOW, cap=None)
    at = NOW + timedelta(hours=1)
    assert await store.finish_row(row, OutboxState.FAILED, at, result="550 no such mailbox")
    loaded = _loaded(tmp_path)
    found = await handover.hand_over(store, loaded, at)
    assert found.failed == 1
    assert "  could not be sent: 1  -> tracker outbox list --state failed" in handover.lines(found, loaded.phrases)
    later = await handover.hand_over(store, loaded, at + timedelta(days=1), since=at)
    assert later.failed == 0


async def test_it_goes_out_by_itself_once_a_morning_and_again_where_nobody_took_it(
    store: Store, tmp_path: Path, clock: SimulatedClock
) -> None:
    """The whole way: schedule, report, webhook; in the operators' language."""
    answers, got = [500], list[bytes]()

    def desk(_method: str, _path: str, _headers: object, body: bytes) -> bytes:
        status = answers.pop(0) if answers else 204
        if status < 300:
            got.append(body)
        return http(status)

    async with serving(desk) as url:
        text = (
            '[operators]\nlanguage = "zh-CN"\n[reports.handover]\nat = "08:30"\nzone = "Asia/Shanghai"\n'
            '[[target]]\nid = "desk"\nkind = "webhook"\nurl = "env:DESK"\nkinds = ["disk_low"]\n'
        )
        house = assemble(_loaded(tmp_path, text, DESK=url), store, clock)
        clock.advance_to(datetime(2026, 3, 2, 0, 31, tzinfo=UTC))
        await full_pass(house.units)
        assert got == [], "the desk answered 500"
        assert (await store.errands())["handover"].error is not None
        clock.advance_to(datetime(2026, 3, 2, 1, 35, tzinfo=UTC))
        await full_pass(house.units)
        assert len(got) == 1
        assert "交接 2026-03-02 09:35" in got[0].decode()
        clock.advance_to(datetime(2026, 3, 2, 15, 0, tzinfo=UTC))
        await full_pass(house.units)
        assert len(got) == 1
        await house.close()
