"""The review queue: recommendations of money and, for stores that are not live yet, messages. People approve; the daemon acts."""

from __future__ import annotations

from datetime import datetime

from tracker.desk.errors import Refused
from tracker.store import Store
from tracker.store.rows import OutboxView


async def waiting(store: Store, *, of_store: str | None = None) -> list[OutboxView]:
    """What waits for a person's word: nearest deadline first, what has none after it."""
    return sorted([view for view in await store.reviews() if of_store in {None, view.row.store}], key=_by_deadline)


async def decide(
    store: Store, row_id: int, *, approve: bool, by: str, reason: str, seen: int | None, now: datetime
) -> OutboxView:
    """Approve or reject one row, always with a reason: the next recommendation, and whoever explains it, read it.

    `seen` is the facts version that the person had before the eyes; None takes the present one. Raises `Refused`, `NotThere`,
    `Conflict` (decided meanwhile, facts moved, or more than the buyer paid).
    """
    if not reason.strip():
        raise Refused("missing_reason", "a decision needs a reason: --reason 'why'")
    version = (await store.outbox_view(row_id)).order.version if seen is None else seen
    return await store.decide_row(row_id, version, approve=approve, by=by, reason=reason.strip(), now=now)


def _by_deadline(view: OutboxView) -> tuple[bool, datetime, int]:
    row = view.row
    return row.deadline is None, row.deadline or row.created_at, row.id
