"""The outbox and the guards' holds, as people handle them: settle what is doubtful, release what is held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tracker.desk.errors import Refused
from tracker.model import OutboxState
from tracker.store import Store
from tracker.store.rows import OutboxView

SETTLED = {"sent": OutboxState.SENT, "failed": OutboxState.FAILED}
"""What a doubtful send can turn out to be. Neither is ever sent again by itself."""


async def listed(
    store: Store, *, states: Sequence[OutboxState] = (), of_store: str | None = None, limit: int | None = None
) -> list[OutboxView]:
    """Rows in these states (all where none is named), newest first."""
    found = await store.outbox(states=states, limit=None if of_store else limit)
    return [view for view in found if of_store in {None, view.row.store}][:limit]


async def resolve(store: Store, row_id: int, *, to: str, by: str, reason: str, now: datetime) -> OutboxView:
    """Say what became of a doubtful send; `reason` tells how the person knows. Raises `Refused`, `NotThere`, `Conflict`."""
    if not reason.strip():
        raise Refused("missing_reason", "settling a doubtful send needs a reason: --reason 'how you know'")
    return await store.resolve_row(row_id, SETTLED[to], by=by, reason=reason.strip(), now=now)


async def held(store: Store, *, of_store: str | None = None) -> list[OutboxView]:
    """What a guard holds back, longest first."""
    views = [view for view in await store.holds() if of_store in {None, view.row.store}]
    return sorted(views, key=lambda view: (view.held_since or view.row.created_at, view.row.id))


async def release(store: Store, row_id: int, *, by: str, reason: str, now: datetime) -> OutboxView:
    """Let a held row go on; it still passes the guards on fresh facts before anything leaves. Raises `NotThere`, `Conflict`."""
    return await store.release_hold(row_id, by=by, reason=reason.strip(), now=now)
