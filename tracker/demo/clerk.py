"""The demo's clerk: every working morning she decides what waits for review and does the tasks, with the desk's own functions.

She is thorough but human: two refunds she refuses, one text she cannot say whether she pasted, one extension she does at the
last moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from tracker.demo.cast import Cast
from tracker.demo.files import SHANGHAI
from tracker.desk import effects, review, tasks
from tracker.desk.orders import tell
from tracker.model import OutboxState, TaskState
from tracker.rules import Rules
from tracker.store import OrderPatch, OutboxView, Store, TaskResult, TaskView

NAME = "Lin"
SECOND = "Mei"
"""Who looks at large refunds as well (D23)."""

MORNING = 10
"""Local hour at which she looks; she is off on Sundays."""

REFUSES = {
    "12-04001-10004": "the buyer wrote that he would rather wait two more weeks",
    "8180000000000105": "a registered parcel: eight silent weeks are normal, and the window is open for long",
}
"""Order -> why she says no to its refund."""

CANNOT_SAY = frozenset({"8180000000000109"})
"""Orders whose second text she may or may not have pasted before the telephone rang."""

LATE: Mapping[str, float] = {"8180000000000102": 36.1}
"""Order -> story day before which she does not get round to its extension (the window closes on day 38)."""

OPTS_OUT = {"J-1014": 4.0}
"""Order -> story day on which the buyer asks for no more messages."""

EXTENDS_BY = timedelta(days=15)


class Worked(msgspec.Struct, frozen=True):
    """What a morning came to."""

    worked: int = 0
    more: bool = False


class Clerk:
    """Works once a morning, on the simulated clock."""

    def __init__(self, cast: Cast, store: Store, rules: Rules) -> None:
        self._cast = cast
        self._store = store
        self._rules = rules
        self._next = _morning_after(cast.start)
        self._told: set[str] = set()

    @property
    def next_morning(self) -> datetime:
        """When she looks again (aware UTC)."""
        return self._next

    async def work(self, now: datetime) -> Worked:
        """Do a morning's work if it is time for it."""
        if now < self._next:
            return Worked()
        self._next = _morning_after(now)
        done = await self._tell(now)
        for view in await review.waiting(self._store):
            done += await self._decide(view, now)
        for view in await effects.held(self._store):
            await effects.release(self._store, view.row.id, by=NAME, reason="late, but still worth saying", now=now)
            done += 1
        for task in await tasks.listed(self._store):
            done += await self._do(task, now)
        return Worked(worked=done)

    async def _tell(self, now: datetime) -> int:
        due = [order for order, day in OPTS_OUT.items() if order not in self._told and self._cast.at(day) <= now]
        for order in due:
            self._told.add(order)
            await tell(self._store, order, OrderPatch(opted_out=True), by=NAME, reason="asked for no more messages", now=now)
        return len(due)

    async def _decide(self, view: OutboxView, now: datetime) -> int:
        why_not = REFUSES.get(view.order.number)
        reason = why_not or "parcel checked, the recommendation is right"
        said = await self._say(view, NAME, reason, now, approve=why_not is None)
        if said.row.state is OutboxState.HELD:
            await self._say(said, SECOND, "looked at it too", now, approve=True)
        return 1

    async def _say(self, view: OutboxView, by: str, reason: str, now: datetime, *, approve: bool) -> OutboxView:
        seen = view.order.version
        return await review.decide(
            self._store, view.row.id, approve=approve, by=by, reason=reason, seen=seen, rules=self._rules, now=now
        )

    async def _do(self, task: TaskView, now: datetime) -> int:
        day = (now - self._cast.start) / timedelta(days=1)
        if "window_end" in task.wants and day < LATE.get(task.order, 0):
            return 0
        if task.state is TaskState.OPEN:
            await tasks.take(self._store, task.id, by=NAME, now=now)
        await tasks.done(self._store, task.id, self._result(task, now), by=NAME, now=now)
        return 1

    def _result(self, task: TaskView, now: datetime) -> TaskResult:
        if "window_end" in task.wants:
            sale = next(sale for sale in self._cast.sale if sale.number == task.order)
            end = self._cast.at(sale.window) if sale.window is not None else (task.deadline or now)
            return TaskResult(window_end=max(end, now) + EXTENDS_BY, note="extended on the order's page")
        if "amount" in task.wants:
            return TaskResult(amount=Decimal(task.items[0].facts["amount"]), reference=f"RF-{task.id:04d}")
        if "tracking_number" in task.wants:
            return TaskResult(tracking_number=task.items[0].facts["shipment"], note="the carrier tries the corrected address")
        if task.kind == "stage2" and task.order in CANNOT_SAY:
            return TaskResult(unsure=True)
        return TaskResult(note="done")


def _morning_after(now: datetime) -> datetime:
    local = now.astimezone(SHANGHAI)
    morning = local.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    while morning <= local or morning.isoweekday() == 7:  # noqa: PLR2004 -- Sunday
        morning += timedelta(days=1)
    return morning.astimezone(now.tzinfo)
