"""Advisories as people handle them: what one would touch, making it, ending it early (R35, D19)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, time, timedelta

import msgspec
from msgspec.structs import replace

from tracker.dates import on_leg
from tracker.desk.errors import Refused
from tracker.model import Advisory, Dossier, Intent, Verdict
from tracker.policy import decide, look
from tracker.policy.slowdown import advisories_for
from tracker.rules import Rules
from tracker.store import Store
from tracker.store.advisories import named

LONGEST = timedelta(days=366)
MOST_DAYS = 60
"""More than that is no delay, it is a loss."""

_PAGE = 200
_NEW = 0
"""Number of an advisory that is not written yet."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What an advisory touches: parcels on their way in its place, messages `delay` to their buyers, orders decided otherwise."""

    parcels: int
    messages: int
    orders: tuple[int, ...]


def checked(wanted: Advisory, now: datetime) -> Advisory:
    """An advisory that can well be. Raises Refused."""
    if wanted.end < wanted.start:
        raise Refused("bad_value", f"--to {wanted.end} lies before --from {wanted.start}")
    if wanted.end < now.astimezone(UTC).date():
        raise Refused("bad_value", f"--to {wanted.end} has passed: an advisory is about parcels on their way now")
    if wanted.end - wanted.start > LONGEST:
        raise Refused("bad_value", "an advisory lasts a year at most; what comes back each year is a [[season]] of calendar.toml")
    if not 0 < wanted.add_days <= MOST_DAYS:
        raise Refused("bad_value", f"--days {wanted.add_days}: from 1 to {MOST_DAYS} days that parcels take longer")
    if wanted.region is not None and wanted.country is None:
        raise Refused("missing_value", "--state needs its --country")
    _check_causes(wanted.causes)
    return wanted


def _check_causes(causes: Mapping[str, str]) -> None:
    if not causes:
        raise Refused("missing_value", "say why, in the buyers' languages: --cause en='a strike at the post'")
    empty = next((language for language, words in causes.items() if not words.strip()), None)
    if empty is not None:
        raise Refused("bad_value", f"--cause {empty}= says nothing")


async def preview(store: Store, rules: Rules, wanted: Advisory, now: datetime) -> Reach:
    """What it would touch, without writing anything."""
    return await _reach(store, rules, checked(wanted, now), now)


async def add(store: Store, rules: Rules, wanted: Advisory, now: datetime) -> tuple[Advisory, Reach]:
    """Make it; the orders that it touches are decided again at once. Raises Refused; one that stands already is refused, too."""
    twin = next((each for each in await store.advisories() if each.ended_at is None and _same(each, wanted)), None)
    if twin is not None:
        raise Refused("exists", f"advisory {twin.id} says that already: see tracker advisory list; to change it, end it first")
    reach = await preview(store, rules, wanted, now)
    return await store.add_advisory(wanted, reach.orders, now), reach


def _same(one: Advisory, other: Advisory) -> bool:
    """Whether both say the same of the same parcels."""
    return _content(one) == _content(other)


def _content(each: Advisory) -> tuple[object, ...]:
    place = (each.leg, each.country, (each.region or "").casefold(), each.carrier)
    return place, each.start, each.end, each.add_days, dict(each.causes)


async def end(store: Store, rules: Rules, advisory_id: int, *, by: str, reason: str, now: datetime) -> tuple[Advisory, int]:
    """End it today, and have what it touched decided again. Raises Refused, NotThere, Conflict.

    A `delay` that waits is taken back; one that was sent stays true: it told what was known.
    """
    if not reason.strip():
        raise Refused("missing_reason", "ending an advisory needs a reason: --reason 'the strike is over'")
    standing = named(await store.advisories(), advisory_id)
    touched = []
    async for dossier in _open_orders(store):
        rest = tuple(each for each in dossier.advisories if each.id != standing.id)
        ended = (*rest, replace(standing, ended_at=now))
        if _differs(dossier, replace(dossier, advisories=ended), rules, now):
            touched.append(dossier.order.id)
    return await store.end_advisory(advisory_id, touched, by=by, reason=reason.strip(), now=now), len(touched)


async def _reach(store: Store, rules: Rules, wanted: Advisory, now: datetime) -> Reach:
    new = replace(wanted, id=_NEW, created_at=now)
    then = max(now, datetime.combine(new.start, time(), UTC))
    parcels = messages = 0
    touched = []
    async for dossier in _open_orders(store):
        concerned = _concerned(dossier, rules, new, now)
        if not concerned:
            continue
        parcels += concerned
        warned = replace(dossier, advisories=(*dossier.advisories, new))
        messages += _tells(warned, rules, then)
        if _differs(dossier, warned, rules, now):
            touched.append(dossier.order.id)
    return Reach(parcels=parcels, messages=messages, orders=tuple(touched))


async def _open_orders(store: Store) -> AsyncIterator[Dossier]:
    after: int | None = 0
    while after is not None:
        page = await store.open_dossiers(after, _PAGE)
        for dossier in await store.load_dossiers([each.id for each in page.found]):
            yield dossier
        after = page.last


def _concerned(dossier: Dossier, rules: Rules, advisory: Advisory, now: datetime) -> int:
    """How many parcels are on their way on its leg and in its place."""
    if dossier.order.platform not in rules.marketplaces:
        return 0
    alone = replace(dossier, advisories=(advisory,))
    view = look(alone, rules, now)
    going = () if view.over is not None else view.expected
    return sum(
        bool(advisories_for(alone, each.shipment)) and on_leg(advisory, each.shipment, each.shipment.last_scan) for each in going
    )


def _tells(dossier: Dossier, rules: Rules, then: datetime) -> int:
    """Whether the buyer would be told once it has begun, by sources that answered just before."""
    fresh = tuple(replace(each, last_answer_at=then) for each in dossier.shipments)
    decided = decide(replace(dossier, shipments=fresh), rules, then).decisions
    return sum(each.intent is Intent.DELAY and each.occasion == str(_NEW) for each in decided)


def _differs(before: Dossier, after: Dossier, rules: Rules, now: datetime) -> bool:
    """Whether it is decided otherwise, or looked at at another time."""
    if before.order.platform not in rules.marketplaces:
        return False
    return _said(decide(before, rules, now)) != _said(decide(after, rules, now))


def _said(verdict: Verdict) -> tuple[object, ...]:
    considered = [(each.rule, each.reason, each.shipment, each.looks_again) for each in verdict.considered]
    return [each.key for each in verdict.decisions], considered, verdict.withdraw, verdict.next_at, verdict.waits_for_answer


def lasts(advisory: Advisory, today: date) -> str:
    """`ahead`, `holds` or `over`, in one word for lists."""
    last = advisory.end
    if advisory.ended_at is not None:
        last = min(last, advisory.ended_at.astimezone(UTC).date() - timedelta(days=1))
    if last < today or last < advisory.start:
        return "over"
    return "ahead" if today < advisory.start else "holds"
