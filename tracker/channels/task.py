"""What becomes a task for a person: the row, its ready text and twin, the link, until when, and what closing it must tell.

Pure: no I/O. The outbox row is `sent` when the task exists; store/ writes both in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from tracker.model import ActionKind, DecisionReason, Intent, Order, OutboxRow, Task
from tracker.rules import Marketplace, Store

WANTS: Mapping[ActionKind, tuple[str, ...]] = {
    ActionKind.EXTENSION: ("window_end",),
    ActionKind.REFUND: ("amount", "reference"),
}
"""What `tasks done` must be given: the new end of the window (R7); what was paid and where it can be found (D13)."""

TITLES: Mapping[Intent, str] = {
    Intent.STAGE1: "Send the first text to the buyer of order {order}",
    Intent.STAGE2: "Send the second text to the buyer of order {order}",
    Intent.STAGE3: "Tell the buyer of order {order} that the refund is done",
    Intent.REFUND_ISSUED: "Tell the buyer of order {order} that the refund is done",
    Intent.EXTENDED: "Tell the buyer of order {order} that the delivery window is longer now",
    Intent.LATE_ARRIVAL: "Tell the buyer of order {order} that the refunded parcel arrived",
    Intent.EXTENSION: "Extend the delivery window of order {order}",
    Intent.REFUND: "Refund {amount} of order {order}",
    Intent.REFUND_TASK: "Refund {amount} of order {order}",
    Intent.COMPENSATION: "File the claim for parcel {shipment} with its carrier",
    Intent.FORWARDER_INQUIRY: "Ask the forwarder about parcel {shipment}: no scan yet",
    Intent.BUYER_WAITING: "Answer the buyer of order {order}: he has waited too long",
    Intent.SUSPECT: "Check parcel {shipment}: its number looks used before",
    Intent.SERVICE_UNMATCHED: "Say which carrier and service this is: {service}",
}

_LOOK_UP_FIRST = "Look up the delivery window of order {order} and extend it: its end is only an estimate"


def build(
    row: OutboxRow,
    order: Order,
    store: Store,
    marketplace: Marketplace,
    *,
    now: datetime,
    text: str | None = None,
    twin: str | None = None,
) -> Task:
    """Build the task of one outbox row. `text` is what to paste for the buyer, `twin` the same in the operators' language.

    `now` (aware) dates the group: what a marketplace lists under `grouped` becomes one worksheet per store and local day (D17).
    """
    group = _group(row, store, marketplace, now)
    return Task(
        kind=row.intent.value,
        title=_title(row, order) if group is None else f"Send these texts to their buyers, one by one: {group}",
        store=row.store,
        order=order.number,
        facts=_facts(row, order),
        text=text,
        twin=twin,
        url=order_url(marketplace, order.number),
        deadline=row.deadline,
        valid_until=row.deadline,
        group=group,
        wants=WANTS.get(row.kind, ()),
    )


def order_url(marketplace: Marketplace, number: str) -> str | None:
    """The order's page in the seller's back office, where the marketplace has one that can be linked."""
    return marketplace.order_url.replace("{order}", number) if marketplace.order_url else None


def _title(row: OutboxRow, order: Order) -> str:
    estimated = row.reason is DecisionReason.WINDOW_ESTIMATED_CLOSES_SOON
    pattern = _LOOK_UP_FIRST if estimated else TITLES[row.intent]
    return pattern.format(
        order=order.number,
        shipment=row.shipment or "of this order",
        amount=f"{row.amount} {row.currency}" if row.amount is not None else "the buyer's payment",
        service=row.evidence.get("service_text", row.occasion),
    )


def _facts(row: OutboxRow, order: Order) -> dict[str, str]:
    known = {
        "reason": row.reason.value,
        "country": order.country,
        "buyer": order.buyer_name,
        "shipment": row.shipment,
        "amount": str(row.amount) if row.amount is not None else None,
        "currency": row.currency if row.amount is not None else None,
        "window_end": order.window.end.date().isoformat() if order.window else None,
        "window_source": order.window.source.value if order.window else None,
    }
    return {name: value for name, value in known.items() if value} | dict(row.evidence)


def _group(row: OutboxRow, store: Store, marketplace: Marketplace, now: datetime) -> str | None:
    if row.kind is not ActionKind.MESSAGE or row.intent.value not in marketplace.grouped:
        return None
    return f"{row.intent.value}:{row.store}:{now.astimezone(ZoneInfo(store.zone)).date().isoformat()}"
