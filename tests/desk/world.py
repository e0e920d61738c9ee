"""A small real database for the desk and the command line: orders, and effects in every state that a person meets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests import canaries
from tracker import config
from tracker.clock import FixedClock
from tracker.model import (
    ActionKind,
    Channel,
    Considered,
    Decision,
    DecisionReason,
    HoldReason,
    ImportBatch,
    Intent,
    OrderFacts,
    OrderState,
    OutboxState,
    Rank,
    ShipmentFacts,
    Task,
    Verdict,
)
from tracker.store import NewRow, Store, VerdictWrite, create, open_store

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
STORE = "lume"
PAID = Decimal("12.50")
RULES = config.load(None, environ={}).rules
"""As shipped: no team, a second person above 50 USD, many at once up to 8 USD."""


class World:
    """One database. Orders are called by their numbers, effects by the ids of their outbox rows."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def order(self, number: str = "A-1", *parcels: str, **facts: Any) -> int:
        """An order of 12.50 USD with its parcels; its id."""
        values: dict[str, Any] = {
            "store": STORE,
            "platform": "aliexpress",
            "number": number,
            "row": 1,
            "state": OrderState.SHIPPED,
            "country": "BR",
            "amount": PAID,
            "currency": "USD",
            "paid_at": NOW - timedelta(days=60),
            "tax_number": canaries.TAX_NUMBER,
        }
        shipments = tuple(
            ShipmentFacts(number=parcel, row=1, store=STORE, order=number, shipped_at=NOW - timedelta(days=58))
            for parcel in parcels
        )
        batch = ImportBatch(
            file=f"{number}.xls",
            format="test",
            digest=number.encode().hex(),
            rank_orders=Rank.MARKETPLACE,
            rank_tracking=Rank.ERP,
            rows=1,
            orders=(OrderFacts(**(values | facts)),),
            shipments=shipments,
        )
        await self.store.save_import(batch, NOW)
        return (await self.store.order_ref(f"{STORE}/{number}")).id

    async def effect(self, order: int, intent: Intent, **changes: Any) -> int:
        """A decided effect, held or pending; the id of its row."""
        hold: HoldReason | None = changes.pop("hold", None)
        channel: Channel = changes.pop("channel", Channel.TASK)
        [dossier] = await self.store.load_dossiers([order])
        values: dict[str, Any] = {
            "kind": ActionKind.MESSAGE,
            "reason": DecisionReason.STAGE_DUE,
            "rule": "br-ladder",
            "subject": dossier.order.subject,
            "intent": intent,
        }
        decision = Decision(**(values | changes))
        row = NewRow(decision=decision, channel=channel, state=OutboxState.HELD if hold else OutboxState.PENDING, hold=hold)
        considered = (Considered(rule="br-window", reason=DecisionReason.WINDOW_FAR),)
        verdict = Verdict(decisions=(decision,), considered=considered)
        await self.store.write_verdicts(
            [VerdictWrite(order_id=order, version=dossier.version, verdict=verdict, rows=(row,), config_version="test")], NOW
        )
        return next(view.row.id for view in await self.store.outbox() if view.row.key == decision.key)

    async def refund(self, order: int, amount: Decimal | None = PAID, occasion: str = "0", **changes: Any) -> int:
        """A refund recommendation that waits for approval."""
        values: dict[str, Any] = {
            "kind": ActionKind.REFUND,
            "occasion": occasion,
            "reason": DecisionReason.NOT_FOUND_CONFIRMED,
            "amount": amount,
            "currency": "USD",
            "hold": HoldReason.MONEY_NEEDS_APPROVAL,
            "evidence": {"not_found_since": "2026-02-01", "answers": "5"},
        }
        return await self.effect(order, Intent.REFUND, **(values | changes))

    async def task(self, order: int, intent: Intent = Intent.STAGE2, *wants: str, **changes: Any) -> int:
        """An open task; its id."""
        kind = {Intent.EXTENSION: ActionKind.EXTENSION, Intent.REFUND: ActionKind.REFUND}.get(intent, ActionKind.MESSAGE)
        row = await self.effect(order, intent, kind=kind, **changes)
        [dossier] = await self.store.load_dossiers([order])
        task = Task(
            kind=intent.value,
            title=f"{intent.value} for {dossier.order.number}",
            store=STORE,
            order=dossier.order.number,
            facts={"reason": "stage_due"},
            text="Olá",
            twin="Hello",
            url="https://shop.example/A-1",
            wants=wants,
            deadline=changes.get("deadline"),
        )
        made = await self.store.open_task(row, task, version=dossier.version, now=NOW)
        assert made is not None
        return made

    async def doubtful(self, order: int, intent: Intent = Intent.STAGE1) -> int:
        """A send whose outcome nobody knows; the id of its row."""
        row = await self.effect(order, intent, channel=Channel.MAILDIR)
        [dossier] = await self.store.load_dossiers([order])
        assert await self.store.claim_row(row, who="test", version=dossier.version, now=NOW)
        assert await self.store.finish_row(row, OutboxState.UNKNOWN, NOW, result="no answer after the message was handed over")
        return row


@asynccontextmanager
async def new_world(path: Path) -> AsyncIterator[World]:
    """An empty rehearsal database, open as the daemon has it."""
    url = f"sqlite:///{path}"
    create(url, rehearsal=True, now=NOW)
    store = await open_store(url, clock=FixedClock(NOW), daemon=True)
    try:
        yield World(store)
    finally:
        await store.close()
