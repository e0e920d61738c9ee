"""A case played through: its events on their dates, decide() whenever an answer can change, what is decided done at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from carriers.model import TrackingStatus
from tracker.dates import whole_days
from tracker.model import (
    Capability,
    Decision,
    Dossier,
    NotFound,
    Order,
    Scan,
    Shipment,
    Verdict,
    Window,
)
from tracker.model import Case as OpenCase
from tracker.policy import decide
from tracker.rules import Rules
from tracker.ruletest.shape import Case, CaseError, Event, Moment, OrderFacts, ParcelFacts
from tracker.timeline import Assume, carry_out

SOONEST = timedelta(minutes=5)
"""As by the sweep: what was done is looked at again so much later."""

EVERY = timedelta(hours=12)
"""Sources answer so often while an answer is awaited."""

_PER_DAY = 2
_NO_SCAN = frozenset({TrackingStatus.NOT_FOUND, TrackingStatus.INFO_RECEIVED, TrackingStatus.EXPIRED})


class Happened(msgspec.Struct, frozen=True):
    """One decision, and when it was taken."""

    at: datetime
    decision: Decision


class Told(msgspec.Struct, frozen=True):
    """What a moment found: the actions since the moment before, and the verdict at its own instant."""

    moment: Moment
    happened: tuple[Happened, ...]
    verdict: Verdict
    dossier: Dossier


def play(case: Case, rules: Rules) -> tuple[Told, ...]:
    """Play one case. Raises CaseError: the rules do not know its marketplace, or a parcel that an event names is not there."""
    if case.order.platform not in rules.marketplaces:
        raise CaseError(f"no such marketplace: {case.order.platform!r}", ("order", "platform"))
    stage = _Stage(case, rules)
    moments = sorted(case.moment, key=lambda moment: case.at(moment.at))
    return tuple(stage.until(moment) for moment in moments)


class _Stage:
    """The dossier as it goes along, and the dates still to come."""

    def __init__(self, case: Case, rules: Rules) -> None:
        self._case, self._rules = case, rules
        self._assume = Assume(messages=case.assume.messages, extensions=case.assume.extensions, refunds=case.assume.refunds)
        self._dossier = Dossier(order=_order(case), shipments=tuple(_parcel(case, each, rules) for each in case.parcel))
        self._events = sorted(case.event, key=lambda event: case.at(event.at))
        dates = [case.at(event.at) for event in case.event] + [case.at(moment.at) for moment in case.moment]
        known = [each for each in (self._dossier.order.paid_at, *(one.shipped_at for one in self._dossier.shipments)) if each]
        self._now = min([*dates, *known])
        self._answering = True

    def until(self, moment: Moment) -> Told:
        """Everything up to and including this moment."""
        end, found = self._case.at(moment.at), list[Happened]()
        while True:
            self._learn()
            verdict = decide(self._dossier, self._rules, self._now)
            found += [Happened(self._now, decision) for decision in verdict.decisions]
            seen, before = self._dossier, self._dossier.effects
            self._dossier = carry_out(self._dossier, verdict, self._rules, self._now, self._assume)
            looks = self._looks(verdict, acted=self._dossier.effects != before)
            if self._now >= end:
                return Told(moment, tuple(found), verdict, seen)
            self._now = end if looks is None else min(looks, end)

    def _looks(self, verdict: Verdict, *, acted: bool) -> datetime | None:
        soon = self._now + SOONEST
        coming = [self._case.at(event.at) for event in self._events]
        dates = [max(verdict.next_at, soon)] if verdict.next_at is not None else []
        dates += coming[:1]
        if acted:
            dates.append(soon)
        if verdict.waits_for_answer and self._answering:
            dates.append(self._now + EVERY)
        return min(dates, default=None)

    def _learn(self) -> None:
        """The events of until now, then what the sources answer today."""
        while self._events and self._case.at(self._events[0].at) <= self._now:
            event = self._events.pop(0)
            at = self._case.at(event.at)
            self._answering = self._answering and not event.silent
            self._dossier = replace(
                self._dossier,
                order=_changed(self._dossier.order, event, self._case, at),
                shipments=tuple(_travelled(each, event, at) for each in self._named(event)),
                cases=_cases(self._dossier.cases, event, self._case, at),
            )
        if self._answering:
            shipments = tuple(_answered(each, self._now) for each in self._dossier.shipments)
            self._dossier = replace(self._dossier, shipments=shipments)

    def _named(self, event: Event) -> Sequence[Shipment]:
        if event.parcel is not None and event.parcel not in {each.number for each in self._dossier.shipments}:
            raise CaseError(f"no parcel {event.parcel!r} in this case", ("event", self._case.event.index(event), "parcel"))
        return self._dossier.shipments


def _order(case: Case) -> Order:
    facts: OrderFacts = case.order
    end = case.when(facts.window_end)
    first = next((each.shipped for each in case.parcel if each.shipped is not None), None)
    return Order(
        id=1,
        store=facts.store,
        platform=facts.platform,
        number="1",
        state=facts.state,
        country=facts.country,
        region=facts.region,
        language=facts.language,
        amount=facts.amount,
        currency=facts.currency,
        ordered_at=case.when(facts.ordered),
        paid_at=case.when(facts.paid),
        shipped_at=case.when(facts.shipped or first),
        promised_at=case.when(facts.promised),
        promised_from=case.when(facts.promised_from),
        ship_by=case.when(facts.ship_by),
        confirmed_at=case.when(facts.confirmed),
        window=None if end is None else Window(end=end, source=facts.window_source),
        payment=facts.payment,
        tax_number_known=facts.tax_number_known,
        opted_out=facts.opted_out,
        vip=facts.vip,
        cutover_at=case.when(facts.cutover),
        contacted={stage: case.at(text) for stage, text in facts.contacted.items()},
        stages=dict(facts.stages),
    )


def _parcel(case: Case, facts: ParcelFacts, rules: Rules) -> Shipment:
    known = None if facts.channel is None else rules.service(facts.channel)
    country = facts.country or case.order.country
    tracking = facts.tracking or (None if known is None else known.capability)
    return Shipment(
        id=1,
        number=facts.number,
        carrier=facts.carrier or (None if known is None else known.carrier),
        service=facts.service or ("standard" if known is None else known.service),
        service_text=facts.channel,
        matched=facts.matched and (facts.channel is None or known is not None),
        capability=tracking or (rules.capability(facts.number, country) if facts.channel else Capability.END_TO_END),
        settled_by=facts.settled_by or (None if known is None else known.settled_by),
        origin=facts.origin,
        country=country,
        shipped_at=case.when(facts.shipped),
        share=facts.share,
        declared_value=facts.declared,
        declared_currency=facts.declared_currency if facts.declared is not None else None,
    )


def _travelled(parcel: Shipment, event: Event, at: datetime) -> Shipment:
    """The parcel after an event that is about it, or about all of them."""
    if event.parcel not in {None, parcel.number}:
        return parcel
    if event.suspect is not None:
        parcel = replace(parcel, suspect=event.suspect)
    if event.not_found:
        return replace(parcel, status=TrackingStatus.NOT_FOUND, not_found=NotFound(answers=1, since=at, sources=event.sources))
    if event.scan is None:
        return parcel
    parcel = replace(parcel, status=event.scan, reason=event.reason, not_found=None)
    if event.scan in _NO_SCAN:
        return parcel
    country = event.country or (parcel.country if event.scan is TrackingStatus.DELIVERED else parcel.origin)
    scan = Scan(earliest=at, latest=at, status=event.scan, reason=event.reason, description=event.text, country=country)
    return replace(
        parcel,
        first_scan=parcel.first_scan or scan,
        last_scan=scan,
        delivered_scan=scan if event.scan is TrackingStatus.DELIVERED else parcel.delivered_scan,
    )


def _answered(parcel: Shipment, now: datetime) -> Shipment:
    """A source has answered just now, and said the same again."""
    run = parcel.not_found
    if run is not None:
        run = replace(run, answers=1 + _PER_DAY * whole_days(run.since, now))
    return replace(parcel, last_answer_at=now, not_found=run)


def _changed(order: Order, event: Event, case: Case, at: datetime) -> Order:
    change: dict[str, object] = {}
    if event.state is not None:
        change["state"] = event.state
    if event.refunded is not None:
        paid = (order.refunded_amount or Decimal(0)) + event.refunded
        change |= {"refunded_at": at, "refunded_amount": paid, "refund_reference": "outside"}
    if event.received:
        change["received_at"] = at
    if event.waiting is not None:
        change["waiting_since"] = at if event.waiting else None
    if event.opted_out is not None:
        change["opted_out"] = event.opted_out
    if event.hold_until is not None:
        change["hold_until"] = case.at(event.hold_until)
    if event.window_end is not None:
        count = 0 if order.window is None else order.window.extensions
        change["window"] = Window(end=case.at(event.window_end), source=event.window_source, extensions=count)
    return replace(order, **change) if change else order


def _cases(cases: tuple[OpenCase, ...], event: Event, case: Case, at: datetime) -> tuple[OpenCase, ...]:
    if event.case_closed:
        cases = tuple(replace(each, closed_at=each.closed_at or at) for each in cases)
    if event.case is None:
        return cases
    opened = OpenCase(
        id=f"case-{len(cases) + 1}", kind=event.case, opened_at=at, due_at=case.when(event.due), reason=event.case_reason
    )
    return (*cases, opened)


def language_of(dossier: Dossier, rules: Rules) -> str:
    """In which language a text to this buyer is wanted."""
    return dossier.order.language or rules.language(dossier.order.country)
