"""The quiet order: nearly every look at an order finds nothing to do, and has to cost next to nothing (facts/performance.md 4).

An ordinary order with one parcel on its way, before its first date, is told apart here by a handful of comparisons; so is one that
arrived and wants nothing more. Whatever is not plainly so goes the long way of `decider.weigh`, which alone knows the rules: the
dates here are the same rules' own, worked out once for each kind of order, and the tests hold both ways against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import cast

import msgspec

from carriers.model import TrackingStatus
from tracker.compensation.matching import ANY_CARRIER
from tracker.dates import DAY, day0_bounds
from tracker.model import Capability, Considered, Dossier, Intent, Order, OrderState, Shipment, Verdict
from tracker.policy.window import NO_EXTENSION
from tracker.rules import STAGES, Rules

Weigh = Callable[[Dossier, Rules, datetime], Verdict]

_MOVING, _DELIVERED = TrackingStatus.IN_TRANSIT, TrackingStatus.DELIVERED
_SHIPPED, _FINISHED = OrderState.SHIPPED, OrderState.FINISHED
_DAY0 = "day0"
_SAID_AFTERWARDS = (Intent.SHIPPED.value, Intent.DELIVERED.value, Intent.REVIEW.value)
"""What is said of an ordinary parcel that left or arrived; switched off as shipped."""


class Kind(msgspec.Struct, frozen=True, gc=False):
    """What one kind of order waits for: spans from day 0 (first stage), from the last scan (silence), to the window's end.

    `claims` counts from posting, with `watch` from the last scan (policy.early); `promise` from day 0. None: no such date.
    `plain` is false where a date of this kind needs more than a span; `ends` says that a delivery ends it.
    """

    plain: bool
    ends: bool
    first: timedelta
    investigate: timedelta
    watch: timedelta
    lead: timedelta | None
    claims: timedelta | None
    claims_from: timedelta
    promise: timedelta


class Unsaid(msgspec.Struct, eq=False):
    """The reasons of a quiet verdict: they are worked out when somebody asks. A sequence of Considered, as it is elsewhere."""

    dossier: Dossier
    rules: Rules
    now: datetime
    weigh: Weigh
    told: tuple[Considered, ...] | None = None

    def __iter__(self) -> Iterator[Considered]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __getitem__(self, index: int) -> Considered:
        return self._all()[index]

    def __eq__(self, other: object) -> bool:
        return self._all() == tuple(cast("tuple[Considered, ...]", other))

    __hash__ = None  # type: ignore[assignment]

    def _all(self) -> tuple[Considered, ...]:
        if self.told is None:
            self.told = self.weigh(self.dossier, self.rules, self.now).considered
        return self.told


def quiet(dossier: Dossier, rules: Rules, now: datetime, weigh: Weigh) -> Verdict | None:
    """The verdict on an order that plainly wants nothing now; None where it must be weighed. KeyError as in decide()."""
    if dossier.effects or dossier.cases or dossier.claims or dossier.advisories or len(dossier.shipments) != 1:
        return None
    order, parcel = dossier.order, dossier.shipments[0]
    if (
        order.refunded_at is not None
        or order.received_at is not None
        or order.waiting_since is not None
        or order.cutover_at is not None
        or order.hold_until is not None
        or order.contacted
        or order.settled
        or order.stages
        or order.opted_out
        or order.vip
        or not parcel.matched
        or parcel.suspect is not None
        or parcel.reason is not None
    ):
        return None
    key = (order.platform, order.store, parcel.country or order.country, parcel.service, parcel.capability, parcel.carrier)
    kind: Kind | None = rules.kinds.get(key)
    if kind is None:
        kind = rules.kinds[key] = _kind(order, parcel, rules)
    looks = None
    if parcel.status is _DELIVERED:
        if not kind.ends or not (order.state is _SHIPPED or order.state is _FINISHED):
            return None
    elif parcel.status is _MOVING and order.state is _SHIPPED and kind.plain:
        looks = _first_date(order, parcel, kind, rules, now)
        if looks is None:
            return None
    else:
        return None
    return Verdict(next_at=looks, considered=cast("tuple[Considered, ...]", Unsaid(dossier, rules, now, weigh)))


def _first_date(order: Order, parcel: Shipment, kind: Kind, rules: Rules, now: datetime) -> datetime | None:
    """When the first of its dates comes; None where one has come, or needs a closer look."""
    last, started, window = parcel.last_scan, day0_bounds(order, parcel), order.window
    if last is None or started is None or parcel.last_answer_at is None or parcel.stopped_at is not None:
        return None
    promised, day0 = order.promised_at, started[1]
    if promised is None:
        expected = day0 + kind.promise
    elif promised <= now:
        return None
    else:
        expected = promised
    if rules.seasons_on(expected.date()):
        return None
    silent = last.latest + kind.investigate
    looks = min(day0 + kind.first, silent)
    posted = parcel.shipped_at or order.shipped_at
    if kind.claims is not None and posted is not None and silent > posted + kind.claims:
        watched = max(last.latest + kind.watch, posted + kind.claims_from)
        if watched < looks:
            looks = watched
    if kind.lead is not None:
        if window is None or window.extensions:
            return None
        opens = window.end - kind.lead
        if opens < looks:
            looks = opens
    return looks if now < looks else None


def _kind(order: Order, parcel: Shipment, rules: Rules) -> Kind:
    """Worked out once for all orders that share what it depends on. KeyError: the marketplace is not configured."""
    market = rules.marketplace(order.platform)
    country = parcel.country or order.country
    profile = rules.profile(country, parcel.service, store=order.store, tracking=parcel.capability)
    silence = profile.silence
    if parcel.capability is Capability.ARRIVAL_AND_DELIVERY:
        silence = rules.profile(country, "registered").silence
    first = profile.steps[0]
    extends = market.extension.mode != NO_EXTENSION
    days = rules.shortest_claims.get(parcel.carrier or "", rules.shortest_claims[ANY_CARRIER])
    warning = max(rules.timing.warn_days, default=0)
    off = all(name in rules.messages_off or name in market.messages_off for name in _SAID_AFTERWARDS)
    return Kind(
        plain=(
            first is not None
            and len(profile.steps) == len(STAGES)
            and off
            and parcel.capability is not Capability.EXPORT_ONLY
            and (not extends or _plain_window(order, rules))
        ),
        ends=off and market.release_funds_days is None,
        first=first or DAY,
        investigate=silence.investigate * DAY,
        watch=silence.watch * DAY,
        lead=market.extension.trigger_days * DAY if extends else None,
        claims=None if days is None else (days - 1) * DAY,
        claims_from=DAY if days is None else (days - 1 - warning) * DAY,
        promise=profile.promise_by_platform.get(order.platform, profile.promise_days) * DAY,
    )


def _plain_window(order: Order, rules: Rules) -> bool:
    """Whether the extension comes due a fixed span before the window's end: no holiday of the team, no rule that counts otherwise."""
    market = rules.marketplace(order.platform)
    if any(person.leave for person in rules.team.responsible(order.store)):
        return False
    complaints = market.extension.complaints
    if complaints is None:
        return True
    named = [rule for each in rules.times_of(order.store).values() for rule in each if rule.id == complaints]
    return all(rule.anchor != _DAY0 for rule in named)
