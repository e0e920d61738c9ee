"""The journal against the rows, attempt by attempt (faults row 36): what is written down again, what is noticed, what is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.keeping.conftest import Keep
from tests.store.build import NOW, decided, decision, dossier, given, order, parcel, pending
from tracker.model import ActionKind, Attempt, Channel, DecisionReason, Intent, JournalEnd, OutboxState
from tracker.store import Store
from tracker.store.replay import NO_END, TASK_LOST, Settled, replay

AT = NOW + timedelta(hours=3)
STAGE2 = "order/shop/8001:stage2:0"


@pytest.fixture
async def store(keep: Keep) -> AsyncIterator[Store]:
    """Stage 1 is sent (attempt 1), stage 2 is on its way."""
    async with keep.store(daemon=True) as store:
        await decided(store, pending(decision(Intent.STAGE2)))
        yield store


def tried(
    key: str, attempt: int = 1, end: OutboxState | None = OutboxState.SENT, channel: Channel = Channel.SMTP
) -> dict[str, Attempt]:
    """What the journal says about one key."""
    ended = None if end is None else JournalEnd(attempt=attempt, state=end, provider_id="queue-9", result="said so")
    return {key: Attempt(key=key, attempt=attempt, channel=channel, at=AT, end=ended)}


async def replayed(store: Store, attempts: dict[str, Attempt]) -> list[Settled]:
    return await store._db.write(lambda tx: replay(tx, attempts, AT))


@pytest.mark.parametrize(
    ("channel", "end", "state", "result"),
    [
        (Channel.SMTP, OutboxState.SENT, OutboxState.SENT, "said so"),
        (Channel.SMTP, OutboxState.FAILED, OutboxState.FAILED, "said so"),
        (Channel.SMTP, OutboxState.UNKNOWN, OutboxState.UNKNOWN, "said so"),
        (Channel.SMTP, OutboxState.PENDING, OutboxState.PENDING, "said so"),
        (Channel.SMTP, None, OutboxState.UNKNOWN, NO_END),
        (Channel.TASK, OutboxState.SENT, OutboxState.UNKNOWN, TASK_LOST),
        (Channel.TASK, None, OutboxState.UNKNOWN, NO_END),
    ],
)
async def test_a_row_becomes_what_the_journal_says(
    store: Store, channel: Channel, end: OutboxState | None, state: OutboxState, result: str
) -> None:
    """*end* -> its state; *begin* alone -> unknown; a task is gone with the database, so only people know whether it was done."""
    (settled,) = await replayed(store, tried(STAGE2, end=end, channel=channel))
    assert settled == Settled(key=STAGE2, state=state, channel=channel, order=True)
    (view,) = [view for view in await store.outbox() if view.row.key == STAGE2]
    assert (view.row.state, view.row.result, view.row.attempts, view.row.channel) == (state, result, 1, channel)
    assert (view.sent_at == AT) is (state in {OutboxState.SENT, OutboxState.UNKNOWN})
    assert await replayed(store, tried(STAGE2, end=end, channel=channel)) == []


async def test_what_the_database_knows_as_well_is_left_alone(store: Store) -> None:
    """A person may have resolved it since: the journal's old word counts no more."""
    before = [view.row for view in await store.outbox()]
    assert await replayed(store, tried("order/shop/8001:stage1:0", end=None)) == []
    assert [view.row for view in await store.outbox()] == before


async def test_a_missing_row_is_made_with_its_key_used_up(store: Store) -> None:
    """Its order is in the backup: stage 3 was decided and sent afterwards, and decide() must see that."""
    key = "order/shop/8001:stage3:0"
    await replayed(store, tried(key))
    (effect,) = [effect for effect in (await dossier(store)).effects if effect.key == key]
    assert (effect.acted, effect.reason, effect.done_at) == (True, DecisionReason.KNOWN_FROM_JOURNAL, AT)
    assert "outbox_restored" in {line.what for line in await store.audit_of(1)}


@pytest.mark.parametrize(
    ("intent", "occasion", "kind"),
    [
        ("stage3", "0", ActionKind.MESSAGE),
        ("customs", "0", ActionKind.MESSAGE),
        ("nudge", "0", ActionKind.MESSAGE),
        ("extension", "2026-11-18", ActionKind.EXTENSION),
        ("extension", "2026-11-18/2", ActionKind.EXTENSION),
        ("extension", "2026-11-18/person", ActionKind.TASK),
        ("refund_task", "0", ActionKind.TASK),
        ("case_answer", "5", ActionKind.TASK),
        ("reship", "0", ActionKind.TASK),
        ("rounds_over", "0", ActionKind.TASK),
    ],
)
async def test_a_missing_row_is_of_its_own_kind(store: Store, intent: str, occasion: str, kind: ActionKind) -> None:
    """Faults row 36: a person's task that the journal knows is no message to a buyer, and holds none back."""
    await replayed(store, tried(f"order/shop/8001:{intent}:{occasion}"))
    (effect,) = [each for each in (await dossier(store)).effects if each.reason is DecisionReason.KNOWN_FROM_JOURNAL]
    assert effect.kind is kind


async def test_a_parcels_key_finds_its_order(store: Store) -> None:
    key = "shipment/LX001CN:forwarder_inquiry:1"
    (settled,) = await replayed(store, tried(key, channel=Channel.TASK))
    assert settled.order
    (view,) = [view for view in await store.outbox() if view.row.key == key]
    assert (view.order.number, view.row.kind.value) == ("8001", "task")


@pytest.mark.parametrize("key", ["order/shop/9999:stage1:0", "service/Some line:service_unmatched:0", "order/shop/8001:poke:0"])
async def test_what_cannot_become_a_row_yet_is_kept_aside(store: Store, key: str) -> None:
    """An order that the backup lacks, a text that is nobody's, a purpose that this version does not know."""
    await replayed(store, tried(key))
    assert key not in {view.row.key for view in await store.outbox()}
    assert await store.forgotten(tried(key)) == []
    assert await replayed(store, tried(key)) == []


@pytest.mark.parametrize(
    ("end", "state", "goes"), [(OutboxState.SENT, "sent", 0), (None, "unknown", 0), (OutboxState.PENDING, "pending", 1)]
)
async def test_an_order_that_comes_back_finds_its_key_used(store: Store, end: OutboxState | None, state: str, goes: int) -> None:
    """The sweep decides it again, and the row is born with what the journal knows; one that was only refused may still go."""
    key = "order/shop/9999:stage1:0"
    await replayed(store, tried(key, attempt=3, end=end))
    await given(store, order("9999"), parcel("LX009CN", "9999"), digest="d9")
    await decided(store, pending(decision(subject="order/shop/9999")), order_id=2)
    (view,) = [view for view in await store.outbox() if view.row.key == key]
    assert (view.row.state.value, view.row.attempts, view.row.reason) == (state, 3, DecisionReason.STAGE_DUE)
    assert len([row for row in await store.due_rows(AT, 10) if row.key == key]) == goes
    assert await store.forgotten(tried(key, attempt=3, end=end)) == []


async def test_a_send_that_the_copy_caught_half_way_is_settled(store: Store) -> None:
    """Claimed when the copy was taken: the journal's end counts; without any line nobody knows."""
    told = await dossier(store)
    (row,) = await store.due_rows(NOW, 1)
    assert await store.claim_row(row.id, who="test", version=told.version, now=NOW)
    (settled,) = await replayed(store, tried(STAGE2))
    assert settled.state is OutboxState.SENT
    await decided(store, pending(decision(Intent.STAGE3)))
    told = await dossier(store)
    (row,) = await store.due_rows(AT, 1)
    assert await store.claim_row(row.id, who="test", version=told.version, now=AT)
    (settled,) = await replayed(store, {})
    assert (settled.key, settled.state) == ("order/shop/8001:stage3:0", OutboxState.UNKNOWN)


@pytest.mark.parametrize(
    ("attempts", "noticed"),
    [
        (tried("order/shop/8001:stage1:0"), False),
        (tried("order/shop/8001:stage1:0", attempt=2), True),
        (tried(STAGE2), True),
        (tried(STAGE2, end=None), True),
        (tried("order/shop/8001:stage3:0"), True),
        # A task's first line stands before its transaction: one that a crash kept from committing is no sign of an old copy.
        (tried(STAGE2, end=None, channel=Channel.TASK), False),
        (tried(STAGE2, end=OutboxState.PENDING, channel=Channel.TASK), False),
        (tried(STAGE2, end=OutboxState.SENT, channel=Channel.TASK), True),
        (tried(STAGE2, attempt=2, end=None, channel=Channel.TASK), True),
        (tried("order/shop/8001:stage3:0", end=None, channel=Channel.TASK), True),
    ],
)
async def test_a_database_older_than_its_journal_is_noticed(store: Store, attempts: dict[str, Attempt], noticed: bool) -> None:
    assert (await store.forgotten(attempts) == list(attempts)) is noticed


async def test_the_mark_comes_and_goes(store: Store) -> None:
    """Status and alerts read it."""
    for since in (AT, AT + timedelta(hours=1)):
        await store.mark_behind(since)
        assert await store.behind_since() == AT
    await store.mark_behind(None)
    assert await store.behind_since() is None
