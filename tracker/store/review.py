"""What people do with a recommendation beside yes and no: put it off, change its amount; and what waits for a second person."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from tracker.clock import epoch
from tracker.model import ActionKind, Remedy
from tracker.store.connection import Database, Tx, instant_of
from tracker.store.desk import Second, record, say_no, say_yes, seen_view
from tracker.store.encoding import money, money_text
from tracker.store.errors import Conflict
from tracker.store.money import check_refund
from tracker.store.reading import outbox_view, outbox_views
from tracker.store.records import wake
from tracker.store.rows import OutboxView, Waiting
from tracker.store.tables import OUTBOX

_SNOOZE = "UPDATE outbox SET snoozed_until = ? WHERE id = ? AND state = 'held'"

_EDIT = "UPDATE outbox SET amount = ?, remedy = ?, first_approved_by = NULL WHERE id = ? AND state = 'held'"

_SINCE = "SELECT max(at) FROM audit WHERE order_id = ? AND subject = ? AND what = 'review_first_approved'"


class Review:
    """The store's further methods for the review queue."""

    _db: Database

    async def snooze_row(self, row_id: int, version: int, *, until: datetime, by: str, reason: str, now: datetime) -> OutboxView:
        """Put what waits for review off until a time (aware UTC). Raises NotThere; Conflict when decided or the facts moved."""

        def snooze(tx: Tx) -> OutboxView:
            view = seen_view(tx, row_id, version)
            tx.run(_SNOOZE, epoch(until), row_id)
            record(tx, view, "review_snoozed", by, reason, now, after={"until": until.isoformat()})
            return outbox_view(tx, row_id)

        return await self._db.write(snooze)

    async def edit_amount(self, row_id: int, version: int, amount: Decimal, *, by: str, reason: str, now: datetime) -> OutboxView:
        """Change the amount of a recommended refund; a first person's yes was to another amount and is gone.

        Raises NotThere; Conflict when it was decided, the facts moved, it is no refund, or it would exceed what was paid less
        what is refunded and approved (I7).
        """
        return await self._db.write(lambda tx: _edit(tx, seen_view(tx, row_id, version), amount, by, reason, now))

    async def approve_amount(
        self, row_id: int, version: int, amount: Decimal, *, by: str, reason: str, now: datetime, second: Second
    ) -> OutboxView:
        """Change the amount and approve it, both or neither. Raises as `edit_amount` and `decide_row`."""

        def both(tx: Tx) -> OutboxView:
            edited = _edit(tx, seen_view(tx, row_id, version), amount, by, reason, now)
            return say_yes(tx, edited, by=by, reason=reason, now=now, second=second)

        return await self._db.write(both)

    async def approve_as(
        self,
        row_id: int,
        version: int,
        remedy: Remedy,
        amount: Decimal | None,
        *,
        by: str,
        reason: str,
        now: datetime,
        second: Second,
    ) -> OutboxView:
        """Choose another remedy and approve it, both or neither; `wait` is a no that says so. Raises as `approve_amount`.

        `amount` is what is paid back, or the worth of what is sent again or on.
        """

        def choose(tx: Tx) -> OutboxView:
            view = seen_view(tx, row_id, version)
            if remedy is Remedy.WAIT:
                return say_no(tx, _propose(tx, view, remedy, view.row.amount, by, reason, now), by=by, reason=reason, now=now)
            if (view.row.remedy, view.row.amount) != (remedy, amount):
                view = _propose(tx, view, remedy, amount, by, reason, now)
            return say_yes(tx, view, by=by, reason=reason, now=now, second=second)

        return await self._db.write(choose)

    async def waiting_second(self) -> list[Waiting]:
        """The refunds that one person has approved and that want another's word, longest first (D23)."""

        def find(tx: Tx) -> list[Waiting]:
            views = outbox_views(tx, OUTBOX.c.state == "held", OUTBOX.c.first_approved_by.is_not(None))
            return [Waiting(view=view, since=_since(tx, view)) for view in views]

        return sorted(await self._db.read(find), key=lambda each: (each.since, each.view.row.id))


def _edit(tx: Tx, view: OutboxView, amount: Decimal, by: str, reason: str, now: datetime) -> OutboxView:
    row = view.row
    if row.kind is not ActionKind.REFUND:
        raise Conflict(f"Row {row.id} is no refund: it has no amount. See: tracker review show {row.id}")
    if row.remedy is not None and not row.remedy.pays:
        say = f"tracker review approve {row.id} --as partial_refund --amount {amount}"
        raise Conflict(f"Row {row.id} proposes {row.remedy.value}, which pays nothing back. To pay instead: {say}")
    check_refund(tx, view.order.id, amount, row.currency, row_id=row.id)
    worth = money(row.evidence.get("worth"))
    remedy = row.remedy
    if worth is not None:
        remedy = Remedy.PARTIAL_REFUND if amount < worth else Remedy.FULL_REFUND
    return _propose(tx, view, remedy, amount, by, reason, now)


def _propose(
    tx: Tx, view: OutboxView, remedy: Remedy | None, amount: Decimal | None, by: str, reason: str, now: datetime
) -> OutboxView:
    row = view.row
    if row.kind is not ActionKind.REFUND:
        raise Conflict(f"Row {row.id} recommends no money: it can be approved as it is. See: tracker review show {row.id}")
    tx.run(_EDIT, money_text(amount), remedy, row.id)
    before: dict[str, str | None] = {"amount": money_text(row.amount)}
    after: dict[str, str | None] = {"amount": money_text(amount)}
    if remedy is not row.remedy:
        before["remedy"], after["remedy"] = row.remedy, remedy
    record(tx, view, "review_edited", by, reason, now, before=before, after=after)
    wake(tx, [view.order.id], now)
    return outbox_view(tx, row.id)


def _since(tx: Tx, view: OutboxView) -> datetime:
    return instant_of(tx.value(_SINCE, view.order.id, view.row.key)) or view.row.created_at
