"""Work that only a person can do: taken in hand (a lock with a name), done with what it wants to know, or dropped."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from tracker.desk.errors import Refused
from tracker.model import TaskState
from tracker.store import Store
from tracker.store.rows import TaskItem, TaskResult, TaskView
from tracker.team import Team, folded

OPEN = (TaskState.OPEN, TaskState.IN_HAND)

LONG_PAST, FAR_AHEAD = timedelta(days=30), timedelta(days=400)
"""A window's end beyond these is a wrong year or a wrong order, and would silence or raise every deadline of the order."""

_TRACKING_NUMBER = re.compile(r"(?=(?:[A-Z]*\d){5})[A-Z0-9]{8,40}")
"""What a person types by hand: stricter than for files, which a machine wrote; five digits keep words out."""

OPTION = {
    "window_end": "--window-end DATE",
    "amount": "--amount AMOUNT",
    "reference": "--ref TEXT",
    "tracking_number": "--tracking-number NUMBER",
}
"""How the command line calls what a task wants to know."""


async def listed(store: Store, *, states: Collection[TaskState] = OPEN, of_store: str | None = None) -> list[TaskView]:
    """Tasks, nearest deadline first; those still to do by default."""
    return await store.tasks(states=states, store=of_store)


def owner(task: TaskView, team: Team, now: datetime) -> str | None:
    """Whose work it is today: who has it in hand, else whom it was assigned to; the deputy of one who is on leave."""
    whose = task.taken_by or task.assigned_to
    person = team.person(whose)
    return whose if person is None else team.reachable(person, now).id


async def take(store: Store, task_id: int, *, by: str, now: datetime) -> TaskView:
    """Take it in hand: nobody else can close it by mistake, and it is not cancelled under the fingers.

    Somebody else's task can be taken; whose it was stays to be read in `assigned_to`.
    """
    return await store.take_task(task_id, by=by, now=now)


async def assign(store: Store, task_id: int, *, to: str, by: str, now: datetime) -> TaskView:
    """Make it somebody's work; what is in hand changes hands. `to`: as `people.named` gives it. Raises `NotThere`, `Conflict`."""
    return await store.assign_task(task_id, to, by=by, now=now)


async def of_person(store: Store, person: str) -> list[TaskView]:
    """The open tasks that are this person's own, leave or not: what a handing over is about."""
    return [task for task in await store.tasks(states=OPEN) if folded(task.taken_by or task.assigned_to or "") == folded(person)]


async def done(
    store: Store, task_id: int, result: TaskResult, *, by: str, now: datetime, seen: int | None = None, force: bool = False
) -> TaskView:
    """Close it. An extension wants the new end (R7), a refund amount and reference (D13); `unsure` makes rows `unknown` (D17).

    `seen` is how many items the person saw of a grouped task that nobody has taken: it may have grown since. `force`
    takes a new end that cannot well be.
    """
    task = await store.task(task_id)
    if not result.unsure:
        result = _as_written(result)
        _check(task, result, now, force=force)
    return await store.done_task(task_id, result, by=by, now=now, seen=seen)


async def done_item(store: Store, row_id: int, result: TaskResult, *, by: str, now: datetime, seen: int) -> TaskView:
    """Close one line of a task: that one is done, the others stay open in it. `seen` is the facts version on its sheet."""
    view = await store.outbox_view(row_id)
    if view.task_id is not None and not result.unsure:
        result = _as_written(result)
        _check(await store.task(view.task_id, row_id), result, now)
    return await store.done_item(row_id, seen, result, by=by, now=now)


async def drop_item(store: Store, row_id: int, *, by: str, reason: str, now: datetime, seen: int) -> TaskView:
    """Give one line of a task up; `seen` as in `done_item`."""
    return await store.drop_item(row_id, seen, by=by, reason=_said(reason), now=now)


async def drop(store: Store, task_id: int, *, by: str, reason: str, now: datetime, seen: int | None = None) -> TaskView:
    """Give it up. The reason is kept; what it was for is not done again by itself. `seen` as in `done`."""
    return await store.drop_task(task_id, by=by, reason=_said(reason), now=now, seen=seen)


def _said(reason: str) -> str:
    if not reason.strip():
        raise Refused("missing_reason", "dropping a task needs a reason: --reason 'why'")
    return reason.strip()


def _check(task: TaskView, result: TaskResult, now: datetime, *, force: bool = False) -> None:
    given = {name: getattr(result, name) for name in OPTION}
    missing = [OPTION[want] for want in task.wants if given.get(want) in (None, "")]
    if missing:
        raise Refused("missing_value", f"task {task.id} ({task.kind}) needs {' and '.join(missing)}")
    surplus = [OPTION[name] for name, value in given.items() if value not in (None, "") and name not in task.wants]
    if surplus:
        raise Refused("unexpected_value", f"task {task.id} ({task.kind}) has no use for {' or '.join(surplus)}")
    if result.tracking_number:
        tracking_number(result.tracking_number)
    if result.window_end is not None and not force:
        if result.window_end <= now:
            says = f"the new end {result.window_end.date()} of the window has passed: is the date right? --force takes it"
            raise Refused("bad_value", says)
        check_end(result.window_end, now)
    if result.amount is not None:
        _check_paid(task, positive(result.amount), result.note)


def _as_written(result: TaskResult) -> TaskResult:
    """A number with its spaces and hyphens is the number; whether it is one is looked at where it is wanted."""
    said = result.tracking_number
    return replace(result, tracking_number=_bare(said)) if said else result


def _bare(said: str) -> str:
    return re.sub(r"[\s-]+", "", said).upper()


def tracking_number(said: str) -> str:
    """The number as it is stored: upper case, without spaces and hyphens (R84, R85). Raises `Refused`: it looks like none."""
    found = _bare(said)
    if not _TRACKING_NUMBER.fullmatch(found):
        raise Refused("bad_value", f"{said!r} is no tracking number: 8 to 40 letters and digits, at least 5 digits among them")
    return found


def _check_paid(task: TaskView, paid: Decimal, note: str | None) -> None:
    for item in task.items:
        approved = approved_amount(item)
        if approved not in {None, paid} and not (note or "").strip():
            of = f"{approved} {item.facts.get('currency', '')}".strip()
            raise Refused("missing_reason", f"{of} was approved, {paid} paid: --note WHY says why, if that is right")


def approved_amount(item: TaskItem) -> Decimal | None:
    """What was approved to be paid back, where it is known."""
    amount = item.facts.get("amount")
    return Decimal(amount) if amount else None


def check_end(end: datetime, now: datetime) -> None:
    """A window's end that can well be. Raises `Refused`."""
    if now - end > LONG_PAST:
        raise Refused(
            "bad_value", f"{end.date()} passed {(now - end).days} days ago: is the year right? --force takes it all the same"
        )
    if end - now > FAR_AHEAD:
        raise Refused(
            "bad_value", f"{end.date()} lies {(end - now).days} days ahead: is the year right? --force takes it all the same"
        )


def end_of_day(day: date, zone: str) -> datetime:
    """The last second of a day that a person read on a marketplace's page: its own zone, never ours (D9). Aware UTC.

    Counted back from the next day's first: where the clocks jump, there may be no 23:59:59.
    """
    return datetime.combine(day + timedelta(days=1), time(0), ZoneInfo(zone)).astimezone(UTC) - timedelta(seconds=1)


def positive(amount: Decimal) -> Decimal:
    """An amount of money that can have been paid. Raises `Refused`."""
    if not amount.is_finite() or amount <= 0:
        raise Refused("bad_value", f"{amount} is no amount that can have been paid")
    return amount
