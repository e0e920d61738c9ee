"""A fleet's polls: what is due is claimed in portions, each a work item for whoever is free; deadlines go first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from tracker.polling.poller import Poller, PollReport
from tracker.polling.writing import TRANSACTION
from tracker.store.rows import DueShipment

URGENT = 10
"""Priority of a work item whose parcels are near a date that people or money must meet."""

Enqueue: TypeAlias = Callable[[Any, str, int], Awaitable[None]]
"""(The transaction's own connection, the claim's token, the priority.)"""


class PollPlan:
    """Claims for the poller, and lets it work on them."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller

    async def plan(self, enqueue: Enqueue, room: int) -> None:
        """Make at most `room` work items: those near a deadline first, then all others, longest due first."""
        near = timedelta(days=self._poller.cadence.deadline_days)
        now = self._poller.clock.now()
        room = await self._claim(enqueue, room, URGENT, now, now + near)
        await self._claim(enqueue, room, 0, now, None)

    async def work(self, token: str) -> PollReport:
        """Ask about the parcels of one."""
        return await self._poller.poll_claimed(token)

    async def _claim(self, enqueue: Enqueue, room: int, priority: int, now: datetime, near: datetime | None) -> int:
        async def item(connection: Any, token: str, _parcels: Sequence[DueShipment]) -> None:  # noqa: ANN401 - the driver's own
            await enqueue(connection, token, priority)

        while room > 0:
            claim = await self._poller.store.claim_due(now, TRANSACTION, item, near=near)
            room -= bool(claim.shipments)
            if len(claim.shipments) < TRANSACTION:
                break
        return room
