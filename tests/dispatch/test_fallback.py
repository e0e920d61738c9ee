"""R25, R81, D12, D16: a message that its channel refused for good goes on to the store's next one, and never to two."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.conftest import Lines
from tests.dispatch.conftest import Office, Post
from tests.house import SHOP
from tracker.channels.base import Ambiguous, Refused
from tracker.model import Channel, OutboxState, TaskState
from tracker.store import StoreError


@pytest.fixture
def consent(due: Office) -> Post:
    """The shop's buyers agreed to WhatsApp."""
    shop = due.rules.stores[SHOP]
    other = replace(shop, fallback=(Channel.WHATSAPP, Channel.TASK), messenger_consent=True)
    due.rules = replace(due.rules, stores={SHOP: other})
    return Post()


@pytest.fixture
def offers(due: Office, consent: Post) -> Post:
    """The same at noon of the buyer."""
    due.clock.advance_to(due.clock.now().replace(hour=15, minute=0) + timedelta(days=1))
    return consent


def both(due: Office, other: Post) -> dict[Channel, Post]:
    return {Channel.MAILDIR: due.post, Channel.WHATSAPP: other}


async def test_after_a_refusal_for_good_the_same_row_goes_on(due: Office, offers: Post, log_lines: Lines) -> None:
    """R25, D12: channel and tried are columns, the key stays: the buyer gets one message."""
    due.post.outcomes = [Refused("550 no such user", retry=False)]
    await due.dispatch(channels=both(due, offers))
    row = await due.only(OutboxState.SENT)
    assert (row.channel, row.tried, row.key) == (Channel.WHATSAPP, ("maildir",), "order/lamps/100000:stage1:0")
    assert (len(due.post.sent), len(offers.sent)) == (0, 1)
    assert (offers.sent[0].template, offers.sent[0].blanks["tracking"]) == ("stage1", "LZ000000001CN")
    [line] = [line for line in log_lines() if line["event"] == "outbox.fell_back"]
    assert (line["channel"], line["next"], line["reason"]) == ("maildir", "whatsapp", "550 no such user")


async def test_a_task_at_the_end_is_a_call_by_phone(due: Office, offers: Post) -> None:
    """R81: whom, why, and between which hours of the buyer's own day."""
    due.post.outcomes = [Refused("550 no such user", retry=False)]
    offers.outcomes = [Refused("no number", retry=False)]
    await due.dispatch(channels=both(due, offers))
    row = await due.only(OutboxState.SENT)
    assert (row.channel, row.tried) == (Channel.TASK, ("maildir", "whatsapp"))
    (task,) = await due.store.tasks(states=(TaskState.OPEN,))
    facts = task.items[0].facts
    assert (facts["refused_by"], facts["call_between"]) == ("maildir, whatsapp", "09:00-20:00")
    assert "America/" in facts["buyers_zone"]
    assert "LZ000000001CN" in (task.items[0].text or "")


async def test_a_messenger_that_is_not_set_up_is_passed_over(due: Office, offers: Post) -> None:
    """R25."""
    due.post.outcomes = [Refused("550 no such user", retry=False)]
    await due.dispatch()
    assert (await due.only(OutboxState.SENT)).channel is Channel.TASK
    assert offers.sent == []


@pytest.mark.parametrize("doubt", [Ambiguous("no answer after DATA"), RuntimeError("nobody foresaw this")])
async def test_a_doubtful_send_goes_nowhere_else(due: Office, offers: Post, doubt: Exception) -> None:
    """R25, I1: the buyer may have read it."""
    due.post.outcomes = [doubt]
    await due.dispatch(channels=both(due, offers))
    assert (await due.only(OutboxState.UNKNOWN)).channel is Channel.MAILDIR
    assert offers.sent == []


async def test_a_refusal_for_now_stays_with_its_channel(due: Office, offers: Post) -> None:
    """R25: greylisting is no reason to ring."""
    due.post.outcomes = [Refused("450 later", retry=True)]
    await due.dispatch(channels=both(due, offers))
    assert (await due.only(OutboxState.PENDING)).channel is Channel.MAILDIR
    assert offers.sent == []


async def test_a_messenger_waits_for_the_buyers_morning(due: Office, consent: Post) -> None:
    """D16: deferred, never dropped; the mail before it went at night."""
    due.clock.advance_to((due.clock.now() + timedelta(days=1)).replace(hour=4))
    due.post.outcomes = [Refused("550 no such user", retry=False)]
    await due.dispatch(channels=both(due, consent))
    row = await due.only(OutboxState.PENDING)
    assert (row.channel, row.result, consent.sent) == (Channel.WHATSAPP, "quiet_hours", [])
    assert row.not_before.hour in {12, 13, 14}, "nine o'clock in Brazil"
    await due.dispatch(days=0.5, channels=both(due, consent))
    assert len(consent.sent) == 1


async def test_an_outcome_that_waits_to_be_written_still_goes_on(
    due: Office, offers: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 8 with R25: a full disk between refusal and database delays the next channel, it loses nothing."""
    due.post.outcomes = [Refused("550 no such user", retry=False)]
    real = due.store.fall_back_row
    failures = ["disk full"]

    async def full(*args: object) -> bool:
        if failures:
            raise StoreError(failures.pop())
        return await real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(due.store, "fall_back_row", full)
    dispatcher = due.dispatcher(channels=both(due, offers))
    with pytest.raises(StoreError, match="disk full"):
        await dispatcher.dispatch_once()
    while (await dispatcher.dispatch_once()).more:
        pass
    assert len(offers.sent) == 1


async def test_a_crash_between_the_refusal_and_the_next_channel_writes_once(
    due: Office, offers: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I1, R25, fault 1: the journal has the refusal, the database not yet: it is refused again, and the next one writes once."""
    due.post.outcomes = [Refused("550 no such user", retry=False)] * 2

    async def died(*_args: object) -> bool:
        raise StoreError("killed")

    with monkeypatch.context() as killed:
        killed.setattr(due.store, "fall_back_row", died)
        with pytest.raises(StoreError, match="killed"):
            await due.dispatcher(channels=both(due, offers)).dispatch_once()
    assert await due.rows(OutboxState.SENDING)
    again = due.dispatcher(channels=both(due, offers))
    await again.recover()
    while (await again.dispatch_once()).more:
        pass
    row = await due.only(OutboxState.SENT)
    assert (row.channel, row.tried, row.attempts) == (Channel.WHATSAPP, ("maildir",), 3)
    assert (len(due.post.sent), len(offers.sent)) == (0, 1)
