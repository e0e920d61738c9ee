"""What becomes a task for a person: the row, its ready text and twin, the link, until when, and what closing it must tell.

Pure: no I/O. The outbox row is `sent` when the task exists; store/ writes both in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from tracker.model import ActionKind, Order, OutboxRow, Task
from tracker.phrases import Phrases, task_title
from tracker.rules import Marketplace, Store

WANTS: Mapping[ActionKind, tuple[str, ...]] = {
    ActionKind.EXTENSION: ("window_end",),
    ActionKind.REFUND: ("amount", "reference"),
}
"""What `tasks done` must be given: the new end of the window (R7); what was paid and where it can be found (D13)."""


def build(
    row: OutboxRow,
    order: Order,
    store: Store,
    marketplace: Marketplace,
    phrases: Phrases,
    *,
    now: datetime,
    text: str | None = None,
    twin: str | None = None,
) -> Task:
    """Build the task of one outbox row. `text` is what to paste for the buyer, `twin` the same in the operators' language.

    `now` (aware) dates the group: what a marketplace lists under `grouped` becomes one worksheet per store and local day (D17).
    The title is in English, as `--json` tells it for ever; who shows it says it in the operators' language (phrases.task_title).
    """
    group, facts = _group(row, store, marketplace, now), _facts(row, order)
    return Task(
        kind=row.intent.value,
        title=task_title(phrases.plain(), row.intent.value, order.number, facts, group) or row.intent.value,
        store=row.store,
        order=order.number,
        facts=facts,
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
