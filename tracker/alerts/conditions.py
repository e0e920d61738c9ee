"""What may need a person, found in one look at everything. Level-triggered: the same look twice raises nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from tracker.alerts.claims import closing, expired
from tracker.alerts.clusters import clusters
from tracker.config import Loaded
from tracker.dates import utc_text
from tracker.health import Freshness
from tracker.metrics import Count, DueCase
from tracker.model import CaseKind, Intent
from tracker.model.alerts import AlertKind
from tracker.store.alerts import Raised
from tracker.store.brake import Deadline
from tracker.store.claims import ClaimView
from tracker.store.quota import Forecast
from tracker.store.rows import OutboxView, TaskView, Waiting
from tracker.store.stuck import Standing

QUOTA_AHEAD = timedelta(days=3)
"""A quota that ends within so many days leaves time to buy more."""

SECOND_AFTER = timedelta(hours=24)
"""A refund that one person approved waits so long for the second one before it is told (D23)."""

REVIEW_LEAD = timedelta(hours=24)

_OF_CASES = frozenset({Intent.CASE_CLOSE.value, Intent.CASE_EVIDENCE.value})
"""Work about a case; where its date is that of the answer, it is told as the case (CASE_ANSWER always is)."""

_LAST_HOUR = timedelta(hours=1)
"""What of a store that the configuration does not know any more is told."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that conditions are found in."""

    counted: Count
    loaded: Loaded
    deadlines: Sequence[Deadline] = ()
    cases: Sequence[DueCase] = ()
    claims: Sequence[ClaimView] = ()
    doubtful: Sequence[OutboxView] = ()
    reviews: Sequence[OutboxView] = ()
    seconds: Sequence[Waiting] = ()
    tasks: Sequence[TaskView] = ()
    problems: Sequence[TaskView] = ()
    """Open tasks about problems on the way, and what is proposed about others (R83)."""
    proposals: Sequence[OutboxView] = ()
    standing: Sequence[Standing] = ()
    """Parcels under way by carrier and country, as counted within the last hour."""
    quota: Sequence[Forecast] = ()
    told_until: Mapping[str, datetime] = {}
    """Store -> `Team.told_until`: work that has to be done by then is told now."""
    failed_files: Sequence[str] = ()
    free_bytes: int | None = None
    distrusted_since: datetime | None = None
    failing: Mapping[str, str] = {}
    """Units of work that have failed for minutes, with the error."""

    @property
    def now(self) -> datetime:
        """When everything was looked at."""
        return self.counted.at


def conditions(look: Look) -> dict[AlertKind, list[Raised]]:
    """Everything that holds now, by kind; a kind of which nothing holds has an empty list."""
    return {kind: list(find(look)) for kind, find in _FINDERS.items()}


def _doubtful(look: Look) -> Iterator[Raised]:
    for view in sorted(look.doubtful, key=lambda each: each.row.id):
        row = view.row
        occasion = f"{row.id}/{row.attempts}"
        yield _now(look, AlertKind.DOUBTFUL_SEND, occasion, view.order.number, row.store, intent=row.intent.value)


def _sources(look: Look) -> Iterator[Raised]:
    health = {each.account: each.breaker for each in look.counted.counts.sources}
    for each in look.counted.sources:
        if each.state not in {Freshness.LATE, Freshness.DOWN}:
            continue
        breaker = health.get(each.name)
        since = utc_text((breaker.since if breaker and each.state is Freshness.DOWN else None) or each.last or look.now)
        why = breaker.kind if breaker and breaker.kind else each.state.value
        yield _now(look, AlertKind.SOURCE_DOWN, f"{each.name}/{since}", each.name, None, since=since, cause=why)


def _order_files(look: Look) -> Iterator[Raised]:
    for each in look.counted.order_files:
        if each.state in {Freshness.LATE, Freshness.DOWN} and each.last is not None:
            last = utc_text(each.last)
            yield _now(look, AlertKind.ORDER_FILES_LATE, f"{each.name}/{last}", each.name, each.name, last=last)


def _files(look: Look) -> Iterator[Raised]:
    for name in look.failed_files:
        yield _now(look, AlertKind.FILE_FAILED, name, name, None)


def _deadlines(kind: AlertKind, name: str) -> Callable[[Look], Iterator[Raised]]:
    def find(look: Look) -> Iterator[Raised]:
        lead = look.loaded.settings.alerts.leads[name]
        for each in look.deadlines:
            if each.kind == name:
                told = {} if each.what is None else {"case_kind": each.what}
                yield from _before(look, kind, each.subject, each.store, each.at, lead, **told)

    return find


def _answers(look: Look) -> Iterator[Raised]:
    """A first answer that the platform wants within minutes (R82, R83), and whatever endangers the account (R43).

    A buyer whose message nobody answers within a day escalates, where no marketplace gives it a date (D15, R44).
    """
    within = timedelta(minutes=look.loaded.rules.cases.target_minutes)
    longest = timedelta(hours=look.loaded.rules.manners.buyer_waiting_hours)
    for each in look.cases:
        case, account = each.case, each.case.kind is CaseKind.ACCOUNT_ALERT
        soon = each.at is not None and each.at - case.opened_at <= within
        long = each.at is None and case.kind is CaseKind.BUYER_MESSAGE and look.now - case.opened_at >= longest
        if each.waits and (account or soon or long):
            number, store = each.order.number, each.order.store
            raised = _now(look, AlertKind.ANSWER_NOW, case.id, number, store, case_kind=case.kind.value)
            yield msgspec.structs.replace(raised, deadline=each.at)


def _problems(look: Look) -> Iterator[Raised]:
    """A problem on the way: an operator hears of it within minutes, and has 48 hours to solve it (R83)."""
    for task in look.problems:
        raised = _now(look, AlertKind.ANSWER_NOW, f"task {task.id}", task.order, task.store, what=task.kind)
        yield msgspec.structs.replace(raised, deadline=task.deadline)
    for view in look.proposals:
        row = view.row
        raised = _now(look, AlertKind.ANSWER_NOW, f"row {row.id}", view.order.number, row.store, what=row.reason.value)
        yield msgspec.structs.replace(raised, deadline=row.deadline)


def _at_once(look: Look) -> Iterator[Raised]:
    yield from _answers(look)
    yield from _problems(look)


def _stuck(look: Look) -> Iterator[Raised]:
    """Told once a week while it lasts."""
    year, week, _ = look.now.isocalendar()
    for each in clusters(look.standing, look.loaded.rules.manners):
        carrier, country = each.carrier or "?", each.country or "?"
        route = carrier if country == "*" else f"{carrier} - {country}"
        facts = {"stuck": str(each.stuck), "under_way": str(each.moving)}
        yield _now(look, AlertKind.STUCK_CLUSTER, f"{carrier}/{country}/{year}-W{week:02}", route, None, **facts)


def _claims(look: Look) -> Iterator[Raised]:
    warn_days = {*look.loaded.rules.timing.warn_days, look.loaded.settings.alerts.leads["claim"].days}
    for each in look.claims:
        yield from closing(each, warn_days, look.told_until.get(each.store, look.now + _LAST_HOUR), look.now)


def _tasks(look: Look) -> Iterator[Raised]:
    lead = look.loaded.settings.alerts.leads["task"]
    told = {(each.order.store, each.order.number, each.at) for each in look.cases if each.waits}
    for task in look.tasks:
        about_case = task.kind in _OF_CASES and (task.store, task.order, task.deadline) in told
        if task.deadline is not None and task.kind != Intent.CASE_ANSWER.value and not about_case:
            yield from _before(look, AlertKind.TASK_DUE, f"task {task.id}", task.store, task.deadline, lead, what=task.kind)


def _reviews(look: Look) -> Iterator[Raised]:
    for view in look.reviews:
        row = view.row
        if row.deadline is not None:
            amount = "" if row.amount is None else f"{row.amount} {row.currency or ''}".strip()
            subject = f"{view.order.number} ({row.id})"
            yield from _before(look, AlertKind.REVIEW_DUE, subject, row.store, row.deadline, REVIEW_LEAD, amount=amount)


def _seconds(look: Look) -> Iterator[Raised]:
    for waiting in look.seconds:
        if look.now - waiting.since >= SECOND_AFTER:
            row = waiting.view.row
            since = utc_text(waiting.since)
            yield _now(look, AlertKind.SECOND_PERSON, f"{row.id}/{since}", waiting.view.order.number, row.store, since=since)


def _rules(look: Look) -> Iterator[Raised]:
    if look.counted.config_waits:
        yield _now(look, AlertKind.RULES_WAIT, look.counted.config, look.counted.config, None)


def _errands(look: Look) -> Iterator[Raised]:
    for name, errand in look.counted.errands.items():
        if errand.error is not None and errand.failed_at is not None:
            day = errand.failed_at.date().isoformat()
            yield _now(look, AlertKind.ERRAND_FAILED, f"{name}/{day}", name, None, error=errand.error)


def _quota(look: Look) -> Iterator[Raised]:
    for each in look.quota:
        if each.ends_on is not None and each.ends_on - look.now.date() <= QUOTA_AHEAD:
            yield _now(look, AlertKind.QUOTA_ENDS, f"{each.source}/{each.ends_on}", each.source, None, forecast=each.said())


def _parked(look: Look) -> Iterator[Raised]:
    if look.counted.counts.parked:
        day = look.now.date().isoformat()
        yield _now(look, AlertKind.PARKED, day, str(look.counted.counts.parked), None)


def _disk(look: Look) -> Iterator[Raised]:
    if look.free_bytes is not None and look.free_bytes < look.loaded.settings.alerts.free_bytes:
        day = look.now.date().isoformat()
        folder = str(look.loaded.settings.state_dir)
        yield _now(look, AlertKind.DISK_LOW, day, folder, None, free=f"{look.free_bytes // 1024**2} MB")


def _marketplaces(look: Look) -> Iterator[Raised]:
    """A method that vanished, an account that is refused, a marketplace that is down: told once, people extend meanwhile."""
    down = {each.account: each for each in look.counted.marketplaces if each.down_since is not None}
    for each in down.values():
        since = utc_text(each.down_since or look.now)
        yield _now(
            look, AlertKind.MARKETPLACE_STOPPED, f"{each.account}/{since}", each.account, each.store, since=since, cause="down"
        )
    for each in look.counted.marketplaces:
        if each.stopped_at is not None:
            since, name = utc_text(each.stopped_at), f"{each.account} {each.capability}"
            key = f"{each.account}/{each.capability}/{since}"
            yield _now(look, AlertKind.MARKETPLACE_STOPPED, key, name, each.store, since=since, cause=each.fault or "")


def _clock(look: Look) -> Iterator[Raised]:
    if look.distrusted_since is not None:
        since = utc_text(look.distrusted_since)
        yield _now(look, AlertKind.CLOCK, since, since, None)


def _failing(look: Look) -> Iterator[Raised]:
    for unit, error in look.failing.items():
        yield _now(look, AlertKind.WORK_FAILS, f"{unit}/{look.now.date().isoformat()}", unit, None, error=error)


_FINDERS: dict[AlertKind, Callable[[Look], Iterable[Raised]]] = {
    AlertKind.DOUBTFUL_SEND: _doubtful,
    AlertKind.SOURCE_DOWN: _sources,
    AlertKind.ORDER_FILES_LATE: _order_files,
    AlertKind.FILE_FAILED: _files,
    AlertKind.WINDOW_CLOSES: _deadlines(AlertKind.WINDOW_CLOSES, "window"),
    AlertKind.CLAIM_CLOSES: _claims,
    AlertKind.CLAIM_EXPIRED: lambda look: (one for each in look.claims for one in expired(each, look.now)),
    AlertKind.CASE_DUE: _deadlines(AlertKind.CASE_DUE, "case"),
    AlertKind.ANSWER_NOW: _at_once,
    AlertKind.TASK_DUE: _tasks,
    AlertKind.REVIEW_DUE: _reviews,
    AlertKind.SECOND_PERSON: _seconds,
    AlertKind.STUCK_CLUSTER: _stuck,
    AlertKind.RULES_WAIT: _rules,
    AlertKind.ERRAND_FAILED: _errands,
    AlertKind.QUOTA_ENDS: _quota,
    AlertKind.PARKED: _parked,
    AlertKind.DISK_LOW: _disk,
    AlertKind.CLOCK: _clock,
    AlertKind.MARKETPLACE_STOPPED: _marketplaces,
    AlertKind.WORK_FAILS: _failing,
}


def _now(look: Look, kind: AlertKind, occasion: str, subject: str, store: str | None, **facts: str) -> Raised:
    return Raised(key=f"{kind.value}/{occasion}", kind=kind.value, subject=subject, store=store, facts=facts, deliver_at=look.now)


def _before(
    look: Look, kind: AlertKind, subject: str, store: str, deadline: datetime, lead: timedelta, **facts: str
) -> Iterator[Raised]:
    """Told in the last working hour that still leaves time for the work; at once when that has passed (D24).

    Not raised before: most of what comes near is done by then, and needs nobody.
    """
    if deadline - lead <= look.told_until.get(store, look.now + _LAST_HOUR):
        yield Raised(
            key=f"{kind.value}/{store}/{subject}/{utc_text(deadline)}",
            kind=kind.value,
            subject=subject,
            store=store,
            facts=facts,
            deadline=deadline,
            deliver_at=look.now,
        )
