"""The quiet order: nearly every look at an order finds nothing to do, and has to cost next to nothing (facts/performance.md 4).

An ordinary order with one parcel on its way, between two of its dates, is told apart here by a handful of comparisons; so is one
that arrived and wants nothing more. Whatever is not plainly so goes the long way of `decider.weigh`, which alone knows the rules:
the dates here are the same rules' own, worked out once for each kind of order, and tests hold both ways against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import cast

import msgspec

from carriers.model import TrackingStatus
from tracker.compensation.matching import ANY_CARRIER
from tracker.dates import DAY, day0_bounds, on_leg
from tracker.model import (
    ActionKind,
    Capability,
    Considered,
    Dossier,
    Effect,
    Intent,
    Order,
    OrderState,
    OutboxState,
    Shipment,
    Verdict,
)
from tracker.policy.findings import Findings
from tracker.policy.ladder import COUNTED, climb
from tracker.policy.notices.delay import slow, slowed
from tracker.policy.notices.voice import Voice
from tracker.policy.opening import counts_from_promise, late_from
from tracker.policy.rounds import count_rounds
from tracker.policy.slots import sent_there
from tracker.policy.view import look
from tracker.policy.window import NO_EXTENSION
from tracker.rules import STAGES, Rules

Weigh = Callable[[Dossier, Rules, datetime], Verdict]

Brief = tuple[tuple[str, str, bool], ...]
"""Rule, reason, and whether it is about the parcel: what a verdict's reasons come to, without figures and dates."""

Situation = tuple[OrderState, TrackingStatus, bool, bool, bool, tuple[Intent, ...]]
"""Of orders of one kind, between two dates and without a season in sight: state, status, whether the window's end, a last scan
and that of the delivery are known, what was told."""

_MESSAGE, _SENT = ActionKind.MESSAGE, OutboxState.SENT
_MOVING, _DELIVERED = TrackingStatus.IN_TRANSIT, TrackingStatus.DELIVERED
_SHIPPED, _FINISHED = OrderState.SHIPPED, OrderState.FINISHED
_DAY0 = "day0"
_STAGE3 = STAGES.index(Intent.STAGE3)
_SAID_AFTERWARDS = (Intent.SHIPPED.value, Intent.DELIVERED.value, Intent.REVIEW.value)
"""What is said of an ordinary parcel that left or arrived; switched off as shipped."""


class Kind(msgspec.Struct, frozen=True, gc=False):
    """What one kind of order waits for: spans from day 0 (the stages), from the last scan (silence), to the window's end.

    `claims` counts from posting, with `watch` from the last scan (policy.early); `promise` from day 0. None: no such date.
    `warns`: the buyer is told of a season that his promised date falls into. `plain` is false where a date of this kind needs
    more than a span; `ends` says that a delivery ends it.
    """

    plain: bool
    ends: bool
    stages: tuple[timedelta, ...]
    investigate: timedelta
    watch: timedelta
    lead: timedelta | None
    claims: timedelta | None
    claims_from: timedelta
    promise: timedelta
    warns: bool
    late: bool
    """A case opens after the promised date there: lateness alone is a risk (policy.opening)."""
    briefs: dict[Situation, Brief]
    """The reasons of quiet orders of this kind, by what alone tells them apart: worked out once each."""


class Unsaid(msgspec.Struct, eq=False):
    """The reasons of a quiet verdict: they are worked out when somebody asks. A sequence of Considered, as it is elsewhere."""

    dossier: Dossier
    rules: Rules
    now: datetime
    weigh: Weigh
    kind: Kind | None = None
    """Where a brief that was worked out for another order of this kind serves."""
    told: tuple[Considered, ...] | None = None

    def gist(self) -> tuple[str, ...]:
        """Each as rule/reason/parcel, without figures and dates."""
        number = self.dossier.shipments[0].number
        return tuple([f"{rule}/{reason}/{number if about else None}" for rule, reason, about in self._brief()])

    def _brief(self) -> Brief:
        """Nearly always that of an order seen before: to work the reasons out costs twenty times as much."""
        if self.kind is None:
            return _brief(self._all())
        order, parcel = self.dossier.order, self.dossier.shipments[0]
        situation = (
            order.state,
            parcel.status,
            order.window is None,
            parcel.last_scan is None,
            parcel.delivered_scan is None,
            tuple([effect.intent for effect in self.dossier.effects]),
        )
        known = self.kind.briefs.get(situation)
        if known is None:
            known = self.kind.briefs[situation] = _brief(self._all())
        return known

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


def _brief(considered: Iterable[Considered]) -> Brief:
    return tuple([(each.rule, each.reason.value, each.shipment is not None) for each in considered])


def quiet(dossier: Dossier, rules: Rules, now: datetime, weigh: Weigh) -> Verdict | None:
    """The verdict on an order that plainly wants nothing now; None where it must be weighed. KeyError as in decide()."""
    if dossier.cases or dossier.claims or dossier.advisories or len(dossier.shipments) != 1:
        return None
    told = _told(dossier.effects) if dossier.effects else _NOTHING
    if told is None:
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
        or order.unread_since is not None
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
    looks, alike = None, True
    if parcel.status is _DELIVERED:
        if not kind.ends or not (order.state is _SHIPPED or order.state is _FINISHED):
            return None
    elif parcel.status is _MOVING and order.state is _SHIPPED and kind.plain:
        looks, word = _other_date(order, parcel, kind, rules, now), _word_date(order, parcel, kind, rules, now, told)
        if looks is None or word is None:
            return None
        speaks, alike = word
        if speaks <= now:
            return _speak(dossier, rules, now, looks, told, weigh)
        looks = min(looks, speaks)
    else:
        return None
    unsaid = Unsaid(dossier, rules, now, weigh, kind if alike else None)
    return Verdict(next_at=looks, considered=cast("tuple[Considered, ...]", unsaid))


def _speak(dossier: Dossier, rules: Rules, now: datetime, looks: datetime, told: Told, weigh: Weigh) -> Verdict:
    """Nothing is due but a word: the rules that write to the buyer are asked, and no other. `looks` is the others' next date."""
    view, out = look(dossier, rules, now), Findings(now)
    out.again(looks)
    climb(view, out)
    if slowed(view, out) or told.anything:
        slow(view, Voice(view, out))
    count_rounds(view, out)
    return out.verdict(cast("tuple[Considered, ...]", Unsaid(dossier, rules, now, weigh)))


class Told(msgspec.Struct, frozen=True, gc=False):
    """How many stages the buyer was told, of which delays, in how many messages that count, and whether of anything at all."""

    stages: int
    anything: bool
    delays: tuple[str, ...] = ()
    rounds: int = 0


_NOTHING = Told(0, anything=False)


def _told(effects: Sequence[Effect]) -> Told | None:
    """What the buyer was told, where stages and delays are all that ever happened to the order; None else."""
    told = rounds = 0
    delays: tuple[str, ...] = ()
    for effect in effects:
        if effect.done_at is None or effect.task is not None or effect.kind is not _MESSAGE or effect.state is not _SENT:
            return None
        rounds += effect.intent in COUNTED
        if effect.intent is Intent.STAGE1:
            told = told or 1
        elif effect.intent is Intent.STAGE2:
            told = 2
        elif effect.intent is Intent.DELAY:
            delays = (*delays, effect.occasion)
        else:
            return None
    return Told(told, anything=True, delays=delays, rounds=rounds)


def _other_date(order: Order, parcel: Shipment, kind: Kind, rules: Rules, now: datetime) -> datetime | None:
    """When the next date comes that no word to the buyer answers; None where one has come, or needs a closer look."""
    last, started, window = parcel.last_scan, day0_bounds(order, parcel), order.window
    if last is None or started is None or parcel.last_answer_at is None or parcel.stopped_at is not None:
        return None
    silent = last.latest + kind.investigate
    looks = min(started[1] + kind.stages[_STAGE3], silent)
    posted = parcel.shipped_at or order.shipped_at
    if kind.claims is not None and posted is not None and silent > posted + kind.claims:
        watched = max(last.latest + kind.watch, posted + kind.claims_from)
        # Nobody's terms hold for a carrier that is not known: past that date there is nothing to ask either.
        if watched < looks and not (parcel.carrier is None and watched <= now):
            looks = watched
    if kind.late and order.promised_at is not None:
        looks = min(looks, late_from(order.promised_at, parcel, rules))
    if kind.lead is not None:
        if window is None or window.extensions:
            return None
        looks = min(looks, window.end - kind.lead)
    return looks if now < looks else None


def _word_date(
    order: Order, parcel: Shipment, kind: Kind, rules: Rules, now: datetime, told: Told
) -> tuple[datetime, bool] | None:
    """When the next word to the buyer comes due, or has come due, and that no season has a say; None: it needs a closer look."""
    started = day0_bounds(order, parcel)
    if started is None or told.rounds >= rules.manners.rounds:
        return None
    day0 = started[1]
    if told.stages and now < day0 + kind.stages[told.stages - 1]:
        return None
    looks, alike = day0 + kind.stages[told.stages], True
    if kind.warns or told.anything:
        expected = order.promised_at or day0 + kind.promise
        for season in rules.seasons_on(expected.date()):
            alike = False
            # It is worth telling until the promised date, which lies inside.
            begins, ends = _midnight(season.start), _midnight(expected.date() + DAY)
            if ends <= now or not on_leg(season, parcel, parcel.last_scan):
                continue
            looks = min(looks, begins if begins > now or season.occasion not in told.delays else ends)
    return looks, alike


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _kind(order: Order, parcel: Shipment, rules: Rules) -> Kind:
    """Worked out once for all orders that share what it depends on. KeyError: the marketplace is not configured."""
    market = rules.marketplace(order.platform)
    country = parcel.country or order.country
    profile = rules.profile(country, parcel.service, store=order.store, tracking=parcel.capability)
    silence = profile.silence
    if parcel.capability is Capability.ARRIVAL_AND_DELIVERY:
        silence = rules.profile(country, "registered").silence
    extends = market.extension.mode != NO_EXTENSION
    days = rules.shortest_claims.get(parcel.carrier or "", rules.shortest_claims[ANY_CARRIER])
    warning = max(rules.timing.warn_days, default=0)
    off = all(name in rules.messages_off or name in market.messages_off for name in _SAID_AFTERWARDS)
    # While it is news that the parcel left, a marketplace that says it itself is a reason to tell, a rule of the house is none.
    off = off and Intent.SHIPPED.value in rules.messages_off
    return Kind(
        plain=(off and parcel.capability is not Capability.EXPORT_ONLY and (not extends or _plain_window(order, rules))),
        ends=off and market.release_funds_days is None,
        stages=profile.steps,
        investigate=silence.investigate * DAY,
        watch=silence.watch * DAY,
        lead=market.extension.trigger_days * DAY if extends else None,
        claims=None if days is None else (days - 1) * DAY,
        claims_from=DAY if days is None else (days - 1 - warning) * DAY,
        promise=profile.promise_by_platform.get(order.platform, profile.promise_days) * DAY,
        late=counts_from_promise(order, rules),
        warns=sent_there(rules, market, order.store, Intent.DELAY.value),
        briefs={},
    )


def _plain_window(order: Order, rules: Rules) -> bool:
    """Whether the extension comes due a fixed span before the window's end: no team holiday, no rule that counts otherwise."""
    market = rules.marketplace(order.platform)
    if any(person.leave for person in rules.team.responsible(order.store)):
        return False
    complaints = market.extension.complaints
    if complaints is None:
        return True
    named = [rule for each in rules.times_of(order.store).values() for rule in each if rule.id == complaints]
    return all(rule.anchor != _DAY0 for rule in named)
