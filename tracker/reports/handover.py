"""The handover of a shift (R53, R89): what is due before noon, what happened since the last one, what waits, money at risk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from tracker.config import Loaded
from tracker.health import Freshness
from tracker.metrics import Count, count, deadlines
from tracker.model import ActionKind, Intent, OutboxState, TaskState
from tracker.phrases import Phrases
from tracker.store import Store
from tracker.store.rows import OutboxView, TaskView

NOON = time(12)
"""R89: what the night shift left is handled first and finished within the morning."""

MOST = 30
"""Lines of what is due before noon; the rest is counted."""


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """One thing whose time ends before noon: since when it is due or until when it may be done (aware UTC), whose it is."""

    at: datetime
    what: str
    store: str
    about: str
    person: str | None = None


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """`count` things that wait for a person; `about` names some, `see` is the command that shows them."""

    what: str
    count: int
    see: str
    about: str = ""


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """A shift handed over at `at`. `sent` and `closed` count what happened since `since`; money is text by currency."""

    at: datetime
    since: datetime
    zone: str
    noon: datetime
    due: tuple[Due, ...]
    at_risk: Mapping[str, str]
    """Sums of the refunds that are recommended and not yet decided."""
    sent: Mapping[str, int]
    """Purpose -> how many left: messages, tasks handed out, claims written down."""
    failed: int
    """Messages that could not be sent; nobody tries them again."""
    decided: Mapping[str, int]
    """approved, rejected -> recommendations and texts that people decided."""
    closed: Mapping[str, int]
    """Person -> tasks done."""
    waits: tuple[Waits, ...]


async def hand_over(store: Store, loaded: Loaded, now: datetime, *, since: datetime | None = None) -> Handover:
    """Everything the next shift should know. `since` the last handover, else 24 hours ago."""
    last = (await store.errands()).get("handover")
    begin = since or (last.at if last is not None and last.occasion else now - timedelta(days=1))
    zone = loaded.settings.handover.zone
    noon = next_noon(now, zone)
    reviews = await store.reviews()
    tasks = await store.tasks((TaskState.OPEN, TaskState.IN_HAND))
    ends = await deadlines(store, loaded.rules, noon, now)
    due = [
        *(Due(at=each.at, what=each.kind, store=each.store, about=each.subject) for each in ends),
        *_due_reviews(reviews, noon),
        *_due_tasks(tasks, noon),
    ]
    happened = await store.happened(begin, now)
    return Handover(
        at=now,
        since=begin,
        zone=zone,
        noon=noon,
        due=tuple(sorted(due, key=lambda each: (each.at, each.store, each.about))),
        at_risk=_sums(reviews),
        sent=happened.sent,
        failed=happened.failed,
        decided=happened.decided,
        closed=happened.closed,
        waits=tuple(each for each in _waits(await count(store, loaded, now), reviews, tasks) if each.count),
    )


def next_noon(now: datetime, zone: str) -> datetime:
    """The next noon of the desk, as aware time in its zone; from noon on that of tomorrow."""
    local = now.astimezone(ZoneInfo(zone))
    day = local.date() if local.time() < NOON else local.date() + timedelta(days=1)
    return datetime.combine(day, NOON, ZoneInfo(zone))


def _due_reviews(reviews: Sequence[OutboxView], noon: datetime) -> Iterator[Due]:
    for view in reviews:
        row = view.row
        if row.deadline is not None and row.deadline <= noon:
            yield Due(at=row.deadline, what=row.intent.value, store=row.store, about=view.order.number)


def _due_tasks(tasks: Sequence[TaskView], noon: datetime) -> Iterator[Due]:
    for task in tasks:
        told = task.kind == Intent.CASE_ANSWER.value  # as the case that it is about
        if task.deadline is not None and task.deadline <= noon and not told:
            who = task.taken_by or task.assigned_to
            yield Due(at=task.deadline, what=task.kind, store=task.store, about=task.order, person=who)


def _sums(reviews: Sequence[OutboxView]) -> dict[str, str]:
    totals: dict[str, Decimal] = {}
    for row in (view.row for view in reviews if view.row.kind is ActionKind.REFUND):
        if row.amount is not None and row.currency is not None:
            totals[row.currency] = totals.get(row.currency, Decimal(0)) + row.amount
    return {currency: str(total) for currency, total in sorted(totals.items())}


def _waits(counted: Count, reviews: Sequence[OutboxView], tasks: Sequence[TaskView]) -> Iterator[Waits]:
    counts = counted.counts
    by_person = Counter(task.taken_by or task.assigned_to or "-" for task in tasks)
    late = [each.name for each in counted.sources if each.state in {Freshness.LATE, Freshness.DOWN}]
    files = [each.name for each in counted.order_files if each.state in {Freshness.LATE, Freshness.DOWN}]
    yield Waits(what="reviews", count=len(reviews), see="tracker review list")
    yield Waits(what="tasks", count=len(tasks), see="tracker tasks list", about=_listed(by_person))
    yield Waits(what="claims", count=counts.claims.get("ready", 0), see="tracker claims list --state ready")
    leak = ", ".join(f"{amount} {currency}" for currency, amount in counts.leak.items())
    yield Waits(what="expired_unfiled", count=counts.leaked, see="tracker claims list --state expired", about=leak)
    yield Waits(what="doubtful", count=counts.outbox.get(OutboxState.UNKNOWN.value, 0), see="tracker outbox list --state unknown")
    yield Waits(what="held", count=sum(counts.holds.values()), see="tracker hold list", about=_listed(counts.holds))
    yield Waits(what="pauses", count=len(counted.pauses), see="tracker pause", about=", ".join(p.reason for p in counted.pauses))
    yield Waits(what="sources", count=len(late), see="tracker status", about=", ".join(late))
    yield Waits(what="order_files", count=len(files), see="tracker status", about=", ".join(files))
    yield Waits(what="rules", count=int(counted.config_waits), see=f"tracker config accept {counted.config}")
    yield Waits(what="services", count=counts.unmatched_texts, see="tracker services --unmatched")
    yield Waits(what="parked", count=counts.parked, see="journalctl -u tracker | grep sweep.parked")


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))


# ---------------------------------------------------------------------------------------------------------------- for people


def title(handover: Handover, phrases: Phrases) -> str:
    """The headline: `Handover, Sunday morning's desk` with the number of things due."""
    at = handover.at.astimezone(ZoneInfo(handover.zone))
    return phrases.say("handover.title", at=f"{at:%Y-%m-%d %H:%M}", count=len(handover.due))


def lines(handover: Handover, phrases: Phrases) -> list[str]:
    """All of it as text; times in the desk's zone."""
    zone = ZoneInfo(handover.zone)
    told = [phrases.say("handover.due", at=f"{handover.noon:%Y-%m-%d %H:%M}", zone=handover.zone)]
    told += [f"  {_due_line(each, phrases, zone)}" for each in handover.due[:MOST]] or [f"  {phrases.say('handover.nothing')}"]
    if len(handover.due) > MOST:
        told.append(f"  {phrases.say('alert.more', count=len(handover.due) - MOST)}")
    told.append(phrases.say("handover.at_risk", sums=_money(handover.at_risk) or "-"))
    told.append(phrases.say("handover.since", at=f"{handover.since.astimezone(zone):%Y-%m-%d %H:%M}"))
    happened = [f"  {phrases.word('intent', name)}: {number}" for name, number in sorted(handover.sent.items())]
    happened += [f"  {phrases.say(f'handover.{name}')}: {number}" for name, number in sorted(handover.decided.items())]
    happened += [f"  {phrases.say('handover.done_by', name=name)}: {number}" for name, number in sorted(handover.closed.items())]
    if handover.failed:
        happened.append(f"  {phrases.say('handover.failed')}: {handover.failed}  -> tracker outbox list --state failed")
    told += happened or [f"  {phrases.say('handover.nothing')}"]
    told.append(phrases.say("handover.waits"))
    told += [f"  {_wait_line(each, phrases)}" for each in handover.waits] or [f"  {phrases.say('handover.nothing')}"]
    return told


def _due_line(due: Due, phrases: Phrases, zone: ZoneInfo) -> str:
    what = phrases.say(f"brake.{due.what}") if phrases.knows(f"brake.{due.what}") else phrases.word("intent", due.what)
    person = f"  ({due.person})" if due.person else ""
    return f"{due.at.astimezone(zone):%m-%d %H:%M}  {due.store}  {due.about}  {what}{person}"


def _wait_line(waits: Waits, phrases: Phrases) -> str:
    about = f" ({waits.about})" if waits.about else ""
    return f"{phrases.say(f'handover.{waits.what}')}: {waits.count}{about}  -> {waits.see}"


def _money(sums: Mapping[str, str]) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in sums.items())
