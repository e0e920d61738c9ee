"""Small refunds of one reason, approved many at once, with the total in sight before (D23)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from tracker.desk import limits, review
from tracker.desk.batch import Outcome, each
from tracker.model import DecisionReason
from tracker.rules import Rules
from tracker.store import Store
from tracker.store.rows import OutboxView


class Bulk(msgspec.Struct, frozen=True, kw_only=True):
    """What an approval in bulk is about. `above` are the refunds of this reason within the sum that only go one by one."""

    rows: tuple[OutboxView, ...]
    above: tuple[OutboxView, ...] = ()

    @property
    def totals(self) -> Mapping[str, Decimal]:
        """The sum by currency."""
        return limits.totals(self.rows)


async def gather(
    store: Store, *, reason: DecisionReason, up_to: Decimal, of_store: str | None, rules: Rules, now: datetime
) -> Bulk:
    """The refunds that wait for this reason with an amount of at most `up_to`, in whatever currency, and small in ours.

    What somebody has put off stays out, and what waits for a second person.
    """
    found = [
        view
        for view in await review.waiting(store, of_store=of_store, now=now)
        if view.row.reason is reason and view.row.amount is not None and view.row.amount <= up_to and not view.first_approved_by
    ]
    small = {view.row.id for view in found if limits.small(view, rules, now.date())}
    return Bulk(
        rows=tuple(view for view in found if view.row.id in small),
        above=tuple(view for view in found if view.row.id not in small),
    )


async def approve(store: Store, bulk: Bulk, *, by: str, note: str, rules: Rules, now: datetime) -> list[Outcome[OutboxView]]:
    """Approve them one by one, each on the facts that were gathered; one that has moved is refused, the others go on."""
    seen = {view.row.id: view.order.version for view in bulk.rows}

    async def one(row_id: int) -> OutboxView:
        return await review.decide(store, row_id, approve=True, by=by, reason=note, seen=seen[row_id], rules=rules, now=now)

    return await each(seen, one)
