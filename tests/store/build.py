"""Small orders, parcels and verdicts for the store's tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from carriers.model import TrackingEvent, TrackingStatus
from tests import canaries
from tracker.clock import epoch
from tracker.model import (
    ActionKind,
    Channel,
    Decision,
    DecisionReason,
    Dossier,
    HoldReason,
    ImportBatch,
    ImportOutcome,
    Intent,
    Journey,
    OrderFacts,
    OutboxRow,
    OutboxState,
    Rank,
    Scan,
    ShipmentFacts,
    Task,
    Verdict,
)
from tracker.store import NewRow, PollChange, PollWrite, Store, VerdictWrite

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
AT = epoch(NOW)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
PERSON = {"buyer_name": canaries.BUYER, "tax_number": canaries.TAX_NUMBER}
"""Whom no log may name (faults row 27)."""

Row: TypeAlias = OrderFacts | ShipmentFacts


def _first(**told: Any) -> dict[str, Any]:
    return told


def order(number: str = "8001", **facts: Any) -> OrderFacts:
    """An AliExpress order of 30.00 USD to Brazil."""
    told: dict[str, Any] = {"amount": Decimal("30.00"), "currency": "USD", "country": "BR", "paid_at": NOW, **PERSON}
    return OrderFacts(**(_first(store="shop", platform="aliexpress", number=number, row=1) | told | facts))


def parcel(number: str = "LX001CN", order: str | None = "8001", **facts: Any) -> ShipmentFacts:
    """A parcel of that order, by Yanwen."""
    told: dict[str, Any] = {"store": "shop", "service_text": "Yanwen economy", "carrier": "yanwen", "matched": True}
    return ShipmentFacts(**(_first(number=number, row=1, order=order) | told | facts))


def batch(*rows: Row, digest: str = "d1", **settings: Any) -> ImportBatch:
    """A marketplace's file with these rows."""
    told: dict[str, Any] = {"rank_orders": Rank.MARKETPLACE, "rank_tracking": Rank.FORWARDER, "file": f"{digest}.xls"}
    return ImportBatch(
        format="test",
        digest=digest,
        rows=len(rows),
        orders=tuple(row for row in rows if isinstance(row, OrderFacts)),
        shipments=tuple(row for row in rows if isinstance(row, ShipmentFacts)),
        **(told | settings),
    )


def forwarders(*rows: ShipmentFacts, digest: str = "f1", **settings: Any) -> ImportBatch:
    """A forwarder's sheet: the last word about tracking, the least about orders."""
    return batch(*rows, digest=digest, rank_orders=Rank.FORWARDER, rank_tracking=Rank.MARKETPLACE, **settings)


async def given(store: Store, *rows: Row, digest: str = "d1", now: datetime = NOW) -> ImportOutcome:
    """Import these rows; by default one order with one parcel."""
    return await store.save_import(batch(*(rows or (order(), parcel())), digest=digest), now)


async def dossier(store: Store, order_id: int = 1) -> Dossier:
    """The dossier as it stands."""
    (found,) = await store.load_dossiers([order_id])
    return found


def scan(key: str, at: datetime = NOW, **facts: Any) -> TrackingEvent:
    """A scan with an eight-byte key."""
    told: dict[str, Any] = {"status": TrackingStatus.IN_TRANSIT, "description": "Departed", "location": "Shenzhen"}
    return TrackingEvent(**(_first(key=key.encode().ljust(8, b"_"), time=epoch(at), local_time=None) | told | facts))


def travelled(at: datetime = NOW, status: TrackingStatus = TrackingStatus.IN_TRANSIT) -> Journey:
    """A journey with one scan."""
    seen = Scan(earliest=at, latest=at, status=status, description="Departed", location="Shenzhen")
    return Journey(status=status, first_scan=seen, last_scan=seen, moved_at=epoch(at))


def change(shipment_id: int, number: str, *events: TrackingEvent, **facts: Any) -> PollChange:
    """An answer with new scans."""
    told: dict[str, Any] = {"next_poll_at": AT + 3600, "journey": travelled(), "source": "17track"}
    return PollChange(**(_first(id=shipment_id, number=number, events=events) | told | facts))


def polled(*changes: PollChange, at: int = AT, **facts: Any) -> PollWrite:
    """A write of those answers."""
    return PollWrite(at=at, changed=changes, answered=("17track",), **facts)


def decision(intent: Intent = Intent.STAGE1, subject: str = "order/shop/8001", **facts: Any) -> Decision:
    """A message of stage one, a refund recommendation, or a claim, by its intent."""
    kinds = {
        Intent.REFUND: (ActionKind.REFUND, DecisionReason.NEVER_SCANNED),
        Intent.COMPENSATION: (ActionKind.COMPENSATION, DecisionReason.CARRIER_SAYS_LOST),
        Intent.EXTENSION: (ActionKind.EXTENSION, DecisionReason.WINDOW_CLOSES_SOON),
    }
    kind, reason = kinds.get(intent, (ActionKind.MESSAGE, DecisionReason.STAGE_DUE))
    told: dict[str, Any] = {"kind": kind, "reason": reason, "rule": f"rule.{intent.value}", "shipment": "LX001CN"}
    return Decision(**(_first(intent=intent, subject=subject) | told | facts))


def pending(wanted: Decision, channel: Channel = Channel.SMTP) -> NewRow:
    """The decision as a row that may go."""
    return NewRow(decision=wanted, channel=channel, state=OutboxState.PENDING)


def held(wanted: Decision, hold: HoldReason = HoldReason.MONEY_NEEDS_APPROVAL, channel: Channel = Channel.TASK) -> NewRow:
    """The decision as a row that waits for a person."""
    return NewRow(decision=wanted, channel=channel, state=OutboxState.HELD, hold=hold)


def verdict(told: Dossier, *rows: NewRow, **facts: Any) -> VerdictWrite:
    """What decide() said about this dossier."""
    said: dict[str, Any] = {"decisions": tuple(row.decision for row in rows), "next_at": NOW + DAY}
    return VerdictWrite(
        order_id=told.order.id, version=told.version, verdict=Verdict(**(said | facts)), rows=rows, config_version="c1"
    )


async def decided(store: Store, *rows: NewRow, order_id: int = 1, now: datetime = NOW, **facts: Any) -> Dossier:
    """Write a verdict on the present facts; the dossier afterwards."""
    written = await store.write_verdicts([verdict(await dossier(store, order_id), *rows, **facts)], now)
    assert written.written == 1
    return await dossier(store, order_id)


async def only_row(store: Store, now: datetime = NOW) -> OutboxRow:
    """The one row that is due."""
    (row,) = await store.due_rows(now, 10)
    return row


async def sending(store: Store, now: datetime = NOW) -> OutboxRow:
    """A claimed message: between claim and answer."""
    await given(store)
    told = await decided(store, pending(decision()))
    row = await only_row(store, now)
    assert await store.claim_row(row.id, who="test", version=told.version, now=now)
    return row


async def tasked(store: Store, wanted: Decision, *, now: datetime = NOW, **task: Any) -> int:
    """A decision of order 1 as an open task; its id."""
    told = await decided(store, pending(wanted, Channel.TASK), now=now)
    row = next(row for row in await store.due_rows(now, 10) if row.key == wanted.key)
    settings: dict[str, Any] = {"kind": wanted.intent.value, "title": "To do", "store": "shop", "order": "8001"}
    task_id = await store.open_task(row.id, Task(**(settings | task)), version=told.version, now=now)
    assert task_id is not None
    return task_id
