"""What becomes a task for a person: the row, its ready text and twin, the link, until when, and what closing it must tell.

Pure: no I/O. The outbox row is `sent` when the task exists; store/ writes both in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from tracker.model import ActionKind, Intent, Order, OutboxRow, Remedy, Task
from tracker.phrases import Phrases, task_title
from tracker.rules import Marketplace, Store

WANTS: Mapping[ActionKind, tuple[str, ...]] = {
    ActionKind.EXTENSION: ("window_end",),
    ActionKind.REFUND: ("amount", "reference"),
}
"""What `tasks done` must be given: the new end of the window (R7); what was paid and where it can be found (D13)."""

SENT: Mapping[Remedy | None, str] = {Remedy.RESHIP: "reship", Remedy.FORWARD: "forward"}
"""Remedies that send a parcel instead of money -> the kind of their task: it wants the number that travels now (R84, R85)."""

_STAYS = frozenset(
    {
        *(Intent.PROBLEM, Intent.CERTIFICATE, Intent.ROUNDS_OVER),
        *(Intent.CHECK_ADDRESS, Intent.DO_NOT_SHIP, Intent.SHIP_LATE),
        *(Intent.CASE_ANSWER, Intent.CASE_EVIDENCE, Intent.CASE_CLOSE),
        Intent.REFUND,
    }
)
"""Tasks whose deadline is a clock: the work is still there when it has run down.

An approved refund, and a parcel to be sent again or on, is owed until a person closes it or the facts end the matter (R3, D13).
"""


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
    sent = SENT.get(row.remedy)
    kind = sent or row.intent.value
    return Task(
        kind=kind,
        title=task_title(phrases.plain(), kind, order.number, facts, group) or kind,
        store=row.store,
        order=order.number,
        facts=facts,
        text=text,
        twin=twin,
        url=order_url(marketplace, order.number),
        deadline=row.deadline,
        valid_until=None if row.intent in _STAYS else row.deadline,
        group=group,
        wants=("tracking_number",) if sent else WANTS.get(row.kind, ()),
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


_BY_CARRIER = frozenset({Intent.CLAIM_INQUIRY, Intent.CLAIM_FOLLOW_UP})
"""What goes to a carrier goes there as one list, not parcel by parcel (D17)."""


_BY_DAY = frozenset(
    {
        *(Intent.RELEASE_FUNDS, Intent.VIP, Intent.CERTIFICATE),
        *(Intent.CHECK_ADDRESS, Intent.DO_NOT_SHIP, Intent.SHIP_LATE, Intent.CONFIRM_SHIPMENT, Intent.WINDOW_OPENS),
    }
)
"""Rounds that a person makes order by order: one worksheet a day and store (R14, R20, R30, R46, R60, R62, R91, D17)."""


def _group(row: OutboxRow, store: Store, marketplace: Marketplace, now: datetime) -> str | None:
    if row.intent in _BY_CARRIER:
        return f"{row.intent.value}:{row.store}:{row.evidence.get('carrier', '')}:{row.reason.value}"
    by_day = row.kind is ActionKind.TASK and row.intent in _BY_DAY
    if not by_day and (row.kind is not ActionKind.MESSAGE or row.intent.value not in marketplace.grouped):
        return None
    return f"{row.intent.value}:{row.store}:{now.astimezone(ZoneInfo(store.zone)).date().isoformat()}"
