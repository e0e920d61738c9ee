"""The review queue: recommendations of money and, for stores that are not live yet, messages. People approve; the daemon acts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from babel.numbers import get_currency_precision

from tracker.desk import limits
from tracker.desk.errors import Refused
from tracker.model import ActionKind, OutboxState, Remedy
from tracker.policy.remedies import OPTION, partial
from tracker.rules import Rules
from tracker.store import Store
from tracker.store.rows import OutboxView


async def waiting(
    store: Store, *, of_store: str | None = None, now: datetime | None = None, snoozed: bool | None = False
) -> list[OutboxView]:
    """What waits for a person's word: nearest deadline first, what has none after it.

    What somebody has put off is left out until then, as of `now`; `snoozed` True gives only that, None both.
    """
    found = [view for view in await store.reviews() if of_store in {None, view.row.store}]
    return sorted((view for view in found if snoozed in {None, is_snoozed(view, now)}), key=_by_deadline)


def is_snoozed(view: OutboxView, now: datetime | None) -> bool:
    """Whether somebody has put it off beyond `now`."""
    return now is not None and view.snoozed_until is not None and view.snoozed_until > now


async def decide(
    store: Store, row_id: int, *, approve: bool, by: str, reason: str, seen: int | None, rules: Rules, now: datetime
) -> OutboxView:
    """Approve or reject one row, always with a reason: the next recommendation, and whoever explains it, read it.

    `seen` is the facts version that the person had before the eyes; None takes the present one. A large refund stays held after
    the first person's yes, with `first_approved_by` (D23). Raises `Refused` (no reason, above the person's own limit),
    `NotThere`, `Conflict` (decided meanwhile, facts moved, the same person twice, or more than the buyer paid).
    """
    said = _said(reason, "a decision")
    view = await store.outbox_view(row_id)
    version = view.order.version if seen is None else seen
    return await store.decide_row(row_id, version, approve=approve, by=by, reason=said, now=now, second=_wants(by, rules, now))


async def approve_amount(
    store: Store, row_id: int, *, amount: Decimal, by: str, reason: str, seen: int, rules: Rules, now: datetime
) -> OutboxView:
    """Change a recommended refund's amount and approve it: one word, so both or neither. Raises as `edit` and `decide`."""
    said = _said(reason, "another amount")
    view = await store.outbox_view(row_id)
    _check_amount(view, amount)
    return await store.approve_amount(row_id, seen, amount, by=by, reason=said, now=now, second=_wants(by, rules, now))


async def approve_as(  # noqa: PLR0913 - a decision with everything that makes it one
    store: Store,
    row_id: int,
    *,
    remedy: Remedy,
    amount: Decimal | None = None,
    by: str,
    reason: str,
    seen: int | None,
    rules: Rules,
    now: datetime,
) -> OutboxView:
    """Approve something else than was proposed: another remedy, and with a refund its sum where it is not plain (R37, R40, D7).

    `wait` is a no: it is not proposed again for the same reason before the parcel was scanned. Raises as `edit` and `decide`.
    """
    said = _said(reason, "a decision")
    view = await store.outbox_view(row_id)
    sum_ = _sum_of(view, remedy, amount, rules, now)
    if amount is None and remedy is Remedy.FULL_REFUND and sum_ is not None:
        sum_ = await _at_most_left(store, view, sum_)
    version = view.order.version if seen is None else seen
    second = _wants(by, rules, now)
    return await store.approve_as(row_id, version, remedy, sum_, by=by, reason=said, now=now, second=second)


def _sum_of(view: OutboxView, remedy: Remedy, amount: Decimal | None, rules: Rules, now: datetime) -> Decimal | None:
    """What is paid, or the worth of what is sent: as told, else what the recommendation knows."""
    row = view.row
    if row.kind is not ActionKind.REFUND:
        raise Refused("unexpected_value", f"row {row.id} recommends no money: approve it as it is")
    _check_listed(view, remedy)
    if amount is not None:
        if not remedy.pays:
            raise Refused("unexpected_value", f"{remedy.value} pays nothing back: leave out --amount")
        _check_amount(view, amount)
        return amount
    known = row.evidence.get("worth")
    worth = row.amount if known is None else Decimal(known)
    if remedy is not Remedy.PARTIAL_REFUND:
        return worth
    part = row.amount if row.remedy is remedy else partial(worth, row.currency, rules, now.date())
    if part is None:
        raise Refused("missing_value", "how much of it is paid back? --amount AMOUNT, or [refunds] partial_share in tracker.toml")
    return part


def _check_listed(view: OutboxView, remedy: Remedy) -> None:
    """Only what the recommendation lists with its cost can be chosen (D11): nobody forwards, or waits for, what is lost (R37).

    A partial refund is listed where the rules know its sum; elsewhere a person names it (D7).
    """
    listed = [name.removeprefix(OPTION) for name in view.row.evidence if name.startswith(OPTION)]
    if listed and remedy.value not in listed and remedy is not Remedy.PARTIAL_REFUND:
        open_ways = ", ".join(listed)
        raise Refused("bad_value", f"row {view.row.id} does not offer {remedy.value}: choose --as {open_ways}")


async def _at_most_left(store: Store, view: OutboxView, worth: Decimal) -> Decimal:
    """All of the parcel's worth that is not paid back or promised otherwise (I7); the worth where nothing is: it is refused."""
    [dossier] = await store.load_dossiers([view.order.id])
    paid_left = dossier.order.paid_left
    if paid_left is None:
        return worth
    others = [each for each in dossier.effects if each.kind is ActionKind.REFUND and each.key != view.row.key and each.open]
    left = paid_left - sum((each.amount or Decimal(0) for each in others if each.state is not OutboxState.HELD), Decimal(0))
    return min(worth, left) if left > 0 else worth


def _wants(by: str, rules: Rules, now: datetime) -> Callable[[OutboxView], bool]:
    """Asked where it is written: who has said the first yes decides whether this person may say the second."""
    return lambda view: limits.wants_second(view, by, rules, now.date())


async def snooze(
    store: Store, row_id: int, *, until: datetime, by: str, reason: str, seen: int | None, now: datetime
) -> OutboxView:
    """Put a row off; it leaves the list until then. Never past its deadline. Raises `Refused`, `NotThere`, `Conflict`."""
    said = _said(reason, "putting it off")
    view = await store.outbox_view(row_id)
    if until <= now:
        raise Refused("bad_value", f"{until:%Y-%m-%d %H:%M}Z has passed: put it off until a time to come")
    if view.row.deadline is not None and until >= view.row.deadline:
        raise Refused("bad_value", f"row {row_id} has to be decided before {view.row.deadline:%Y-%m-%d %H:%M}Z, its deadline")
    version = view.order.version if seen is None else seen
    return await store.snooze_row(row_id, version, until=until, by=by, reason=said, now=now)


async def edit(
    store: Store, row_id: int, *, amount: Decimal, by: str, reason: str, seen: int | None, now: datetime
) -> OutboxView:
    """Change a recommended refund's amount: more than nothing, at most what was paid less refunded and approved (I7).

    A first person's yes was to another amount, and is gone. Raises `Refused`, `NotThere`, `Conflict`.
    """
    said = _said(reason, "another amount")
    view = await store.outbox_view(row_id)
    _check_amount(view, amount)
    version = view.order.version if seen is None else seen
    return await store.edit_amount(row_id, version, amount, by=by, reason=said, now=now)


def _check_amount(view: OutboxView, amount: Decimal) -> None:
    if view.row.kind is not ActionKind.REFUND:
        raise Refused("unexpected_value", f"row {view.row.id} is no refund: it has no amount")
    digits = get_currency_precision(view.row.currency or "")
    if not amount.is_finite() or amount <= 0 or amount != round(amount, digits):
        raise Refused("bad_value", f"{amount} is no amount that can be paid in {view.row.currency or 'money'}")


def _said(reason: str, what: str) -> str:
    if not reason.strip():
        raise Refused("missing_reason", f"{what} needs a reason: --reason 'why'")
    return reason.strip()


def _by_deadline(view: OutboxView) -> tuple[bool, datetime, int]:
    row = view.row
    return row.deadline is None, row.deadline or row.created_at, row.id
