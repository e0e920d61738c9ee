"""How each account at a source stands: alive, answering, affordable; what of it wants a person. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from carriers import registry
from carriers.errors import ErrorKind
from tracker.alerts.conditions import QUOTA_AHEAD
from tracker.clock import epoch, instant
from tracker.config import Loaded
from tracker.config.settings import Source
from tracker.health import Freshness
from tracker.metrics import Count
from tracker.polling.budget import Day, Turn
from tracker.polling.routing import ANY, choices
from tracker.store.gate import ToldQuota
from tracker.store.quota import Forecast, forecast, plan_of
from tracker.store.rows import Breaker, Followed
from tracker.store.unmapped import UnmappedCode

HALF_OPEN, PAUSED = "half_open", "paused"

UNMAPPED_SHOWN = timedelta(days=30)
"""Codes that came no more for so long are nobody's concern."""

_REFUSED = {
    ErrorKind.AUTH.value: "the source refuses the key: [[source]] secrets in tracker.toml",
    ErrorKind.QUOTA_EXHAUSTED.value: "the source says that the quota is used up: your plan with it, daily_quota in tracker.toml",
}


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of the database at one time."""

    counted: Count
    followed: Sequence[Followed]
    days: Mapping[str, Mapping[Any, int]]
    told: Mapping[str, ToldQuota]
    unmapped: Sequence[UnmappedCode]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One account. `unit` is what its quota counts; `used_today` None: nothing limits it, so nobody counts.

    `state`: up, new (nobody asked yet), idle (nothing is due), late, paused (the source asked for a pause), half_open (the pause
    is over, one batch tries), down. `classes` and `waiting`: class of parcel -> how many are followed, and how many wait.
    """

    account: str
    adapter: str
    title: str
    tier: str
    state: str
    since: datetime | None
    until: datetime | None
    because: str | None
    last_answer_at: datetime | None
    calls_a_second: float
    followed: int
    answered_today: int
    without_answer: int
    classes: Mapping[str, int]
    waiting: Mapping[str, int]
    unit: str
    used_today: int | None
    daily: int | None
    left_today: int | None
    reserve: int | None
    left: int | None
    a_day: int
    ends_on: Any
    forecast: str
    unmapped: tuple[UnmappedCode, ...]
    needs_person: tuple[str, ...]
    hints: tuple[str, ...]


def standings(loaded: Loaded, seen: Seen) -> list[Standing]:
    """Every configured account, in the order of tracker.toml."""
    return [_standing(source, loaded, seen) for source in loaded.settings.sources]


def stranded(loaded: Loaded, seen: Seen) -> dict[str, int]:
    """Carrier (`*`: none is known) -> parcels that are followed, and that no configured source can be asked about."""
    lost: dict[str, int] = {}
    for each in seen.followed:
        if _asked_about(each, loaded) is None:
            lost[each.carrier or ANY] = lost.get(each.carrier or ANY, 0) + each.count
    return lost


def _standing(source: Source, loaded: Loaded, seen: Seen) -> Standing:
    now = seen.counted.at
    health = next((each for each in seen.counted.counts.sources if each.account == source.id), None)
    breaker = Breaker() if health is None else health.breaker
    fresh = next(each for each in seen.counted.sources if each.name == source.id)
    described = registry.describe(source.adapter)
    mine = [each for each in seen.followed if _asked_about(each, loaded) == source.id]
    days, told = seen.days.get(source.id, {}), seen.told.get(source.id)
    quota = forecast(source.id, days, plan_of(source, told), now.date())
    waiting = _by_turn(mine, "waiting") if source.daily_quota is not None else {}
    unmapped = tuple(each for each in seen.unmapped if each.account == source.id)
    state = _state(breaker, fresh.state, now)
    return Standing(
        account=source.id,
        adapter=source.adapter,
        title=described.title,
        tier=described.tier,
        state=state,
        since=breaker.since,
        until=breaker.open_until,
        because=breaker.kind,
        last_answer_at=None if health is None or health.last_answer_at is None else instant(health.last_answer_at),
        calls_a_second=source.rps,
        followed=sum(each.count for each in mine),
        answered_today=sum(each.answered_today for each in mine),
        without_answer=sum(each.failing for each in mine),
        classes=_by_turn(mine, "count"),
        waiting=waiting,
        unit="registrations" if described.registers else "calls",
        used_today=quota.used_today if described.registers or source.daily_quota is not None else None,
        daily=source.daily_quota,
        left_today=quota.left_today,
        reserve=_reserve(source, loaded, now),
        left=quota.left,
        a_day=quota.mean,
        ends_on=quota.ends_on,
        forecast=quota.said(),
        unmapped=unmapped,
        needs_person=tuple(_needs(state, breaker, quota, waiting, now)),
        hints=tuple(_hints(unmapped, waiting)),
    )


def _asked_about(followed: Followed, loaded: Loaded) -> str | None:
    """The first source that is asked about a carrier's parcels: what it says counts first."""
    known = {source.id for source in loaded.settings.sources}
    return next((each for each in choices("", followed.carrier, loaded.rules) if each in known), None)


def _by_turn(mine: Sequence[Followed], what: str) -> dict[str, int]:
    sums = {turn.value: sum(getattr(each, what) for each in mine if each.turn == turn.value) for turn in Turn}
    return {turn: count for turn, count in sums.items() if count}


def _reserve(source: Source, loaded: Loaded, now: datetime) -> int | None:
    if source.daily_quota is None:
        return None
    return Day(daily=source.daily_quota, used=0, at=epoch(now), reserve=float(loaded.settings.poll.reserve_share)).kept


def _state(breaker: Breaker, fresh: Freshness, now: datetime) -> str:
    """The breaker goes before how fresh the answers are."""
    if breaker.open_until is None:
        return fresh.value
    if now >= breaker.open_until:
        return HALF_OPEN
    return PAUSED if breaker.since is None else Freshness.DOWN.value


def _needs(state: str, breaker: Breaker, quota: Forecast, waiting: Mapping[str, int], now: datetime) -> Iterator[str]:
    refused = _REFUSED.get(breaker.kind or "")
    if refused is not None:
        yield refused
    elif breaker.since is not None:
        yield f"it does not answer ({breaker.kind}): source.down in the log"
    elif state == Freshness.LATE:
        yield "parcels are due and nothing was answered for long: does the daemon run? poll.failed in the log"
    if quota.ends_on is not None and quota.ends_on - now.date() <= QUOTA_AHEAD:
        yield f"its quota ends on {quota.ends_on.isoformat()}: buy more before"
    if waiting.get(Turn.DEADLINE):
        yield f"{waiting[Turn.DEADLINE]} parcels near a deadline wait: a larger plan (daily_quota), or a second source"


def _hints(unmapped: Sequence[UnmappedCode], waiting: Mapping[str, int]) -> Iterator[str]:
    if unmapped:
        yield f"{len(unmapped)} codes that no table knows: add them to the source's table, or report them"
    others = sum(count for turn, count in waiting.items() if turn != Turn.DEADLINE)
    if others:
        yield f"{others} parcels wait for their turn: nothing ages by it; a larger plan asks them sooner"
