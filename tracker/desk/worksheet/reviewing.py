"""A line of the review worksheet: approve, reject, put off, by the same rules as at the command line.

Another amount than was advised is an edit: it goes with the approval, and with a reason, or not at all (D11, D23).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from tracker.desk import limits, review
from tracker.desk.errors import Refused
from tracker.desk.worksheet.became import Acted, Asking, Ready, Same
from tracker.desk.worksheet.cells import amount, instant, text
from tracker.desk.worksheet.lines import note_of, row_of, unused, word_of
from tracker.desk.worksheet.problem import NotTaken
from tracker.desk.worksheet.reading import Filled
from tracker.model import OutboxState
from tracker.store.desk import REVIEW_HOLDS
from tracker.store.rows import OutboxView
from tracker.team import folded


async def look(asking: Asking, filled: Filled) -> Ready | Same | None:
    """What a line wants, looked at on today's facts; None: it is silent. Raises `NotTaken`."""
    word = word_of(asking, filled, ("until",))
    if word is None and not _edited(filled):
        return None
    view = await row_of(asking, filled)
    if word is None:
        raise NotTaken("no_decision", column="amount")
    if word == "approve":
        return _approve(asking, filled, view)
    unused(filled, () if word == "snooze" else ("until",))
    if _edited(filled):
        raise NotTaken("no_use", column="amount")
    return _reject(asking, filled, view) if word == "reject" else _snooze(asking, filled, view)


def _approve(asking: Asking, filled: Filled, view: OutboxView) -> Ready | Same:
    unused(filled, ("until",))
    new = _amount(filled, view)
    meant = view if new is None else replace(view, row=replace(view.row, amount=new), first_approved_by=None)
    same_sum = meant.row.amount == view.row.amount
    if view.row.state is not OutboxState.HELD and view.row.approved_by is not None and not view.rejected and same_sum:
        return Same(order_id=view.order.id, word="approve", steps=2 if _edited(filled) else 1)
    first = view.first_approved_by
    if view.row.state is OutboxState.HELD and first is not None and folded(first) == folded(asking.by) and same_sum:
        return Same(order_id=view.order.id, word="approve", steps=1 if _edited(filled) else 0, first=first)
    _waits(view)
    reason = _reason(filled)
    try:
        limits.wants_second(meant, asking.by, asking.rules, asking.now.date())
    except Refused as error:
        raise NotTaken("above_limit", message=str(error)) from error

    async def act(seen: int) -> Acted:
        by, rules, now = asking.by, asking.rules, asking.now
        if new is None:
            after = await review.decide(
                asking.store, view.row.id, approve=True, by=by, reason=reason, seen=seen, rules=rules, now=now
            )
        else:
            after = await review.approve_amount(
                asking.store, view.row.id, amount=new, by=by, reason=reason, seen=seen, rules=rules, now=now
            )
        held = after.row.state is OutboxState.HELD
        return Acted(version=after.order.version, first=after.first_approved_by if held else None)

    sum_ = meant.row.amount
    pays = None if sum_ is None else (sum_, meant.row.currency or "?")
    return Ready(order_id=view.order.id, version=view.order.version, word="approve", act=act, pays=pays)


def _reject(asking: Asking, filled: Filled, view: OutboxView) -> Ready | Same:
    if view.rejected:
        return Same(order_id=view.order.id, word="reject", steps=1)
    _waits(view)
    reason = _reason(filled)

    async def act(seen: int) -> Acted:
        after = await review.decide(
            asking.store, view.row.id, approve=False, by=asking.by, reason=reason, seen=seen, rules=asking.rules, now=asking.now
        )
        return Acted(version=after.order.version)

    return Ready(order_id=view.order.id, version=view.order.version, word="reject", act=act)


def _snooze(asking: Asking, filled: Filled, view: OutboxView) -> Ready | Same:
    until = _until(asking, filled, view)
    if view.snoozed_until == until and view.row.state is OutboxState.HELD:
        return Same(order_id=view.order.id, word="snooze", steps=0)
    _waits(view)
    reason = _reason(filled)
    if until <= asking.now:
        raise NotTaken("past", text=filled.text("until"))
    if view.row.deadline is not None and until >= view.row.deadline:
        raise NotTaken("too_late", text=f"{view.row.deadline:%Y-%m-%d %H:%M}Z")

    async def act(seen: int) -> Acted:
        after = await review.snooze(
            asking.store, view.row.id, until=until, by=asking.by, reason=reason, seen=seen, now=asking.now
        )
        return Acted(version=after.order.version)

    return Ready(order_id=view.order.id, version=view.order.version, word="snooze", act=act)


def _until(asking: Asking, filled: Filled, view: OutboxView) -> datetime:
    stores = asking.rules.stores
    zone = stores[view.row.store].zone if view.row.store in stores else "UTC"
    until = instant(filled.cells.get("until", ""), zone)
    if until is None:
        raise NotTaken("no_value", column="until")
    return until


def _waits(view: OutboxView) -> None:
    """It has to wait for review still."""
    if view.row.state is not OutboxState.HELD or view.row.hold not in REVIEW_HOLDS:
        state = "rejected" if view.rejected else view.row.state.value
        raise NotTaken("decided", state=state, row=view.row.id)


def _reason(filled: Filled) -> str:
    reason = note_of(filled)
    if not reason:
        raise NotTaken("no_reason", column="note")
    return reason


def _amount(filled: Filled, view: OutboxView) -> Decimal | None:
    """The amount where it was changed in the sheet, None where it stands as it was advised."""
    currency = filled.text("currency").upper()
    if currency and view.row.currency and currency != view.row.currency:
        raise NotTaken("wrong_currency", currency=view.row.currency, text=currency)
    said = amount(filled.cells.get("amount", ""), view.row.currency)
    advised = _advised(filled)
    if "amount" not in filled.cells or said == advised:
        return None
    if said is None:
        raise NotTaken("amount_gone", text=f"{advised} {view.row.currency or ''}".strip())
    if said <= 0:
        raise NotTaken("no_amount", text=filled.text("amount"))
    return said


def _edited(filled: Filled) -> bool:
    """Whether another amount stands in the sheet than was advised: never a slip that goes by in silence."""
    if "amount" not in filled.cells:
        return False
    try:
        return amount(filled.cells["amount"], None) != _advised(filled)
    except NotTaken:
        return True


def _advised(filled: Filled) -> Decimal | None:
    seen = text(filled.cells.get("tracker:amount", ""))
    return Decimal(seen) if seen else None
