"""Sending: at most once, every doubtful send is shown, every outcome is written down (I1; engine.md 2.5; faults 1, 4, 18)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from tests import house
from tests.conftest import Lines
from tests.dispatch.conftest import Office, slow
from tracker import journal
from tracker.channels.base import Ambiguous, Refused
from tracker.dispatch.sending import MOST_ATTEMPTS
from tracker.model import HoldReason, Mode, OutboxRow, OutboxState
from tracker.store import OrderPatch, Unwritable

MINUTE = timedelta(minutes=1)


async def test_a_due_text_leaves_once(due: Office, log_lines: Lines) -> None:
    """R1 on day 30, I1."""
    assert await due.dispatch() == 1
    assert await due.dispatch(days=5) == 0
    (message,) = due.post.sent
    assert message.recipient == "ana.kanarie@buyers.example"
    assert message.sender == "Lamps <care@lamps.example>"
    assert message.language == "pt-BR"
    assert "LZ000000001CN" in message.body
    row = await due.only(OutboxState.SENT)
    assert (row.key, row.attempts) == ("order/lamps/100000:stage1:0", 1)
    assert [line["key"] for line in log_lines() if line["event"] == "outbox.sent"] == [row.key]


async def test_the_claim_is_committed_and_the_journal_written_before_the_call(due: Office) -> None:
    """Fault 1: the state that a crash in the middle of the call leaves behind."""
    seen: list[object] = []

    def look() -> None:
        entries = [(entry.mark, entry.attempt) for entry in journal.read(due.journal.path)]
        seen.append(entries)

    due.post.before_answering = look
    await due.dispatch()
    assert seen == [[("begin", 1)]]
    assert [(entry.mark, entry.state) for entry in journal.read(due.journal.path)] == [("begin", None), ("end", OutboxState.SENT)]


async def test_two_lanes_send_one_message_once(due: Office) -> None:
    one, other = due.dispatcher(), due.dispatcher()
    await asyncio.gather(one.dispatch_once(), one.dispatch_once(), other.dispatch_once())
    assert len(due.post.sent) == 1


async def test_a_refusal_that_allows_a_retry_is_tried_again_with_the_same_message_id(due: Office, log_lines: Lines) -> None:
    """Fault 18: greylisting. 5-30 minutes later, same Message-ID."""
    due.post.outcomes = [Refused("451 greylisted", retry=True), Refused("451 greylisted", retry=True)]
    await due.dispatch()
    row = await due.only(OutboxState.PENDING)
    assert row.result == "451 greylisted"
    assert row.not_before == due.clock.now() + 5 * MINUTE
    assert await due.dispatch() == 0
    await due.dispatch(days=10 / 1440)
    assert (await due.only(OutboxState.PENDING)).not_before == due.clock.now() + 10 * MINUTE
    await due.dispatch(days=15 / 1440)
    assert len(due.post.sent) == 1
    assert (await due.only(OutboxState.SENT)).attempts == 3
    assert [line["event"] for line in log_lines() if line["event"].startswith("outbox.")] == [
        "outbox.refused",
        "outbox.refused",
        "outbox.sent",
    ]


async def test_a_refusal_for_good_is_failed_and_never_tried_again(due: Office, log_lines: Lines) -> None:
    due.post.outcomes = [Refused("550 no such user", retry=False)]
    await due.dispatch()
    assert (await due.only(OutboxState.FAILED)).result == "550 no such user"
    assert await due.dispatch(days=1) == 0
    assert due.post.sent == []
    assert "outbox.failed" in {line["event"] for line in log_lines()}


async def test_refusals_end_after_about_a_day(due: Office) -> None:
    due.post.outcomes = [Refused("450 later", retry=True)] * (MOST_ATTEMPTS + 5)
    while not await due.rows(OutboxState.FAILED):
        await due.dispatch(days=31 / 1440)
    assert (await due.only(OutboxState.FAILED)).attempts == MOST_ATTEMPTS


@pytest.mark.parametrize("doubt", [Ambiguous("no answer after DATA"), RuntimeError("nobody foresaw this")])
async def test_a_doubtful_send_is_unknown_shown_and_never_sent_again(doubt: Exception, due: Office, log_lines: Lines) -> None:
    due.post.outcomes = [doubt]
    await due.dispatch()
    row = await due.only(OutboxState.UNKNOWN)
    assert row.result
    await due.sweep()
    assert await due.dispatch(days=3) == 0
    assert due.post.sent == []
    assert "outbox.unknown" in {line["event"] for line in log_lines()}


async def test_without_a_journal_nothing_is_sent(due: Office, log_lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 4: stop sending first."""

    def full(*_args: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(due.journal, "begin", full)
    await due.dispatch()
    assert due.post.sent == []
    assert (await due.only(OutboxState.PENDING)).not_before > due.clock.now()
    assert "journal.unwritable" in {line["event"] for line in log_lines()}
    monkeypatch.undo()
    await due.dispatch(days=1)
    assert len(due.post.sent) == 1


async def test_an_end_line_that_cannot_be_written_does_not_hide_that_it_was_sent(
    due: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(due.journal, "end", full)
    await due.dispatch()
    assert len(due.post.sent) == 1
    assert (await due.only(OutboxState.SENT)).attempts == 1


async def test_what_a_dead_daemon_left_sending_is_unknown_at_the_next_start(due: Office, log_lines: Lines) -> None:
    row = await due.only(OutboxState.PENDING)
    (dossier,) = await due.store.load_dossiers([row.order_id])
    assert await due.store.claim_row(row.id, who="dead", version=dossier.version, now=due.clock.now())
    due.journal.begin(row.key, attempt=1, channel=row.channel, now=due.clock.now())
    await due.store._db.write(lambda tx: tx.run("UPDATE outbox SET epoch = epoch - 1"))
    await due.dispatcher().recover()
    assert (await due.only(OutboxState.UNKNOWN)).key == row.key
    assert await due.dispatch(days=1) == 0
    assert "outbox.unknown" in {line["event"] for line in log_lines()}


async def test_the_time_guard_holds_a_text_for_a_person(due: Office, log_lines: Lines) -> None:
    """Fault 13: a clock that jumped must not write to buyers."""
    due.guard = True
    await due.dispatch()
    assert due.post.sent == []
    assert (await due.only(OutboxState.HELD)).hold is HoldReason.TIME_GUARD
    assert [line["reason"] for line in log_lines() if line["event"] == "outbox.held"] == ["time_guard"]


async def test_a_parcel_that_arrived_meanwhile_cancels_the_text(due: Office) -> None:
    """I4: fresh facts are looked at before the call."""
    await due.store.set_order_facts(1, OrderPatch(received_at=due.clock.now()), by="ana", reason="said so", now=due.clock.now())
    await due.dispatch()
    assert due.post.sent == []
    assert [view.row.key for view in await due.rows(OutboxState.CANCELLED)] == ["order/lamps/100000:stage1:0"]


async def test_a_channel_that_is_not_set_up_keeps_the_text_waiting(due: Office, log_lines: Lines) -> None:
    await due.dispatch(channels={})
    assert (await due.only(OutboxState.PENDING)).not_before > due.clock.now()
    assert "not set up" in next(line["reason"] for line in log_lines() if line["event"] == "outbox.refused")


async def test_a_row_that_raises_is_parked_and_the_others_go_on(
    due: Office, log_lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 33."""
    row = await due.only(OutboxState.PENDING)

    async def stumble(*_args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(due.store, "totals", stumble)
    assert await due.dispatch() == 1
    assert [line["key"] for line in log_lines() if line["event"] == "outbox.parked"] == [row.key]
    monkeypatch.undo()
    assert await due.dispatch() == 0
    await due.dispatch(days=1 / 24)
    assert len(due.post.sent) == 1


async def test_a_store_that_only_observes_sends_nothing(office: Office) -> None:
    """D22."""
    watching = replace(office.rules.stores[house.SHOP], mode=Mode.OBSERVE)
    office.rules = replace(office.rules, stores={house.SHOP: watching})
    await house.bring_parcels(office.store, 1)
    await office.follow(slow(), until=31.5)
    assert await office.dispatch(days=1) == 0
    assert (await office.only(OutboxState.HELD)).hold is HoldReason.STORE_OBSERVES


async def test_an_outcome_that_the_database_could_not_take_is_written_down_later(
    due: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 4: the text left, the disk was full; the row must not stay `sending`, seen by nobody, until the next start."""

    async def full(*_args: object, **_more: object) -> bool:
        raise Unwritable("the disk is full")

    dispatcher = due.dispatcher()
    monkeypatch.setattr(due.store, "finish_row", full)
    with pytest.raises(Unwritable):
        await dispatcher.dispatch_once()
    with pytest.raises(Unwritable):
        await dispatcher.dispatch_once()
    assert await due.rows(OutboxState.SENDING)
    monkeypatch.undo()
    await dispatcher.dispatch_once()
    assert (len(due.post.sent), len(await due.rows(OutboxState.SENT))) == (1, 1)


async def test_many_due_rows_are_put_in_order_once_and_each_is_looked_at_afresh(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Performance: ordering 10,000 rows for every one of them takes minutes. What a person decides meanwhile counts."""
    await house.bring_parcels(office.store, 12)
    await office.follow(*[slow(number) for number in house.numbers(12)], until=31.5)
    looks, due_rows = [], office.store.due_rows

    async def counted(now: datetime, limit: int, *, skip: Collection[int] = ()) -> list[OutboxRow]:
        looks.append(limit)
        return await due_rows(now, limit, skip=skip)

    monkeypatch.setattr(office.store, "due_rows", counted)
    dispatcher = office.dispatcher()
    await dispatcher.dispatch_once()
    (late,) = [view.row for view in await office.rows(OutboxState.PENDING) if view.order.number == "100011"]
    assert await office.store.cancel_row(late.id, "a person said so", office.clock.now())
    while (await dispatcher.dispatch_once()).more:
        pass
    assert len(office.post.sent) == 11
    assert len(looks) == 2, "one page, and the look that finds nothing more"
