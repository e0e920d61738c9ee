"""The facts that a decision rests on: about the order or a parcel, who says each, and when it was so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from tracker import compensation
from tracker.model import Scan, Shipment, WindowChange
from tracker.phrases import Phrases
from tracker.policy.opening import openings
from tracker.policy.slowdown import advisories_for
from tracker.policy.view import Parcel, View
from tracker.rules import STAGES
from tracker.times import case_due


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One fact that was used: about the order or a parcel's number, who says it, and when it was so (aware UTC)."""

    about: str
    name: str
    value: str
    source: str
    at: datetime | None = None


def found_facts(view: View, phrases: Phrases, windows: Sequence[WindowChange] = ()) -> Iterator[Fact]:
    """Those of the order, then every end that its window had, then those of each parcel."""
    yield from _about_order(view, phrases)
    if len(windows) > 1:
        for change in windows:
            yield _end(view.order.number, change, phrases)
    for parcel in view.parcels:
        yield from _about_parcel(view, parcel, phrases)


def _end(number: str, change: WindowChange, phrases: Phrases) -> Fact:
    """What was shown as the window's end once, and whose doing that was (R7)."""
    days = "" if change.days is None else f" +{change.days}"
    value = f"{'-' if change.end is None else _day(change.end)}{days}, {change.by}"
    source = phrases.word("source", change.source or "typed")
    return Fact(about=number, name=phrases.name("window_shown"), value=value, source=source, at=change.at)


def _about_order(view: View, phrases: Phrases) -> Iterator[Fact]:
    order, window = view.order, view.window()

    def fact(name: str, value: str, source: str = "order", at: datetime | None = None) -> Fact:
        return Fact(about=order.number, name=phrases.name(name), value=value, source=phrases.word("source", source), at=at)

    told = {
        "state": phrases.word("order_state", order.state),
        "destination": order.country,
        "payment": order.payment,
        "address": ", ".join(order.address_problems) or None,
        "amount": None if order.amount is None else f"{order.amount} {order.currency or ''}".strip(),
        **{name: phrases.say("explain.yes") for name in ("opted_out", "vip", "risky") if getattr(order, name)},
    }
    yield from (fact(name, value) for name, value in told.items() if value is not None)
    instants = {
        "ordered": order.ordered_at,
        "paid": order.paid_at,
        "shipped": order.shipped_at,
        "ship_by": order.ship_by,
        "confirmed": order.confirmed_at,
        "promised": order.promised_at,
        "received_by_buyer": order.received_at,
        "buyer_waits_since": order.waiting_since,
        "unread_since": order.unread_since,
        "on_hold_until": order.hold_until,
        "cut_over": order.cutover_at,
    }
    yield from (fact(name, _day(instant), at=instant) for name, instant in instants.items() if instant is not None)
    if order.refunded_at is not None:
        paid = "" if order.refunded_amount is None else f", {order.refunded_amount} {order.currency or ''}".rstrip()
        yield fact("refunded", f"{_day(order.refunded_at)}{paid}", at=order.refunded_at)
    for stage, at in order.contacted.items():
        yield fact("contacted_outside", f"{phrases.word('intent', stage)}, {_day(at)}", at=at)
    for stage, word in order.settled.items():
        value = f"{phrases.word('intent', stage)}: {phrases.word('settle', word.how)}, {word.by}"
        yield fact("backlog", value, at=word.at)
    if window is not None:
        value = phrases.say("explain.extended_times", day=_day(window.end), times=window.extensions)
        yield fact("window_ends", value, window.source.value, window.end)
    for opening in openings(view.dossier, view.rules):
        until = "" if opening.closes is None else f" - {_day(opening.closes)}"
        kinds = ", ".join(sorted(phrases.word("case", kind) for kind in opening.kinds))
        value = f"{kinds}: {_day(opening.opens)}{until}; {opening.rule}: {opening.why}"
        yield fact("case_can_open", value, "time-rules.toml", opening.opens)
    for case in view.dossier.cases:
        state = (
            phrases.say("explain.case_open")
            if case.closed_at is None
            else phrases.say("explain.case_closed", day=_day(case.closed_at))
        )
        name = phrases.say("explain.case", kind=phrases.word("case", case.kind))
        yield Fact(about=order.number, name=name, value=state, source=case.id, at=case.opened_at)
        due = case_due(case, view.dossier, view.rules) if case.closed_at is None else None
        if due is not None:
            yield fact("answer_due", f"{_day(due.at)}; {due.why}", "time-rules.toml" if due.rule else "order", due.at)
    for claim in view.dossier.claims:
        span = f"{claim.earliest_on or '-'} - {claim.latest_on or '-'}"
        value = f"{phrases.word('claim', claim.state)}, {span}"
        yield Fact(about=claim.shipment, name=phrases.name("claim"), value=value, source=claim.rule, at=claim.opened_at)


def _about_parcel(view: View, parcel: Parcel, phrases: Phrases) -> Iterator[Fact]:
    shipment = parcel.shipment

    def fact(name: str, value: str, source: str, at: datetime | None = None) -> Fact:
        return Fact(about=shipment.number, name=phrases.name(name), value=value, source=phrases.word("source", source), at=at)

    reason = "" if shipment.reason is None else f", {phrases.word('status_reason', shipment.reason)}"
    yield fact("status", f"{phrases.word('status', shipment.status)}{reason}", "carrier", shipment.last_answer_at)
    yield from _followed(shipment, phrases)
    yield fact("profile", parcel.profile.id, "destinations.toml")
    limits = view.silence(parcel)
    days = f"{limits.watch}/{limits.investigate}/{limits.probable_loss}"
    capability = phrases.word("capability", shipment.capability)
    yield fact("silence_limits", phrases.say("explain.silence", days=days, capability=capability), "destinations.toml")
    yield from _advisories(view, parcel, phrases)
    if parcel.day0 is not None:
        yield fact("day_0", phrases.say("explain.day0", day=_day(parcel.day0), age=parcel.age), "D1", parcel.day0)
        dues = [f"{phrases.word('intent', stage)} {_day(due)}" for stage, due in zip(STAGES, parcel.dues, strict=True) if due]
        yield fact("stages", ", ".join(dues), parcel.profile.id)
    for name, scan in (
        ("first_scan", shipment.first_scan),
        ("last_scan", shipment.last_scan),
        ("delivery", shipment.delivered_scan),
    ):
        if scan is not None:
            yield fact(name, _scanned(scan, phrases), "carrier", scan.latest)
    if shipment.not_found is not None:
        run = shipment.not_found
        value = phrases.say("explain.not_found", answers=run.answers, sources=run.sources)
        yield fact("not_found", value, "carrier", run.since)
    if shipment.suspect is not None:
        yield fact("suspect", phrases.word("suspect", shipment.suspect), "carrier")
    yield from _claim_window(view, parcel, phrases)
    if shipment.settled_by is not None:
        yield fact("settled_by", phrases.word("settled_by", shipment.settled_by), "services.toml")
    if not shipment.matched:
        yield fact("service", phrases.say("explain.not_matched", text=shipment.service_text or ""), "services.toml")


def _followed(shipment: Shipment, phrases: Phrases) -> Iterator[Fact]:
    """Where its sources are with it: no longer looking, or at a number of the last mile."""

    def fact(name: str, value: str, at: datetime | None = None) -> Fact:
        return Fact(about=shipment.number, name=phrases.name(name), value=value, source=phrases.word("source", "carrier"), at=at)

    if shipment.stopped_at is not None:
        value = phrases.say("explain.stopped", day=_day(shipment.stopped_at))
        yield fact("source_stopped_looking", value, shipment.stopped_at)
    if shipment.last_mile is not None:
        number, carrier = shipment.last_mile
        yield fact("last_mile", number if carrier is None else f"{number} ({carrier})")


def _advisories(view: View, parcel: Parcel, phrases: Phrases) -> Iterator[Fact]:
    """What people told of its way: silence counts longer by the longest of those on its leg (D19)."""
    for each in advisories_for(view.dossier, parcel.shipment):
        value = phrases.say("explain.advisory", start=each.start, end=each.end, days=each.add_days)
        name, source = phrases.name("advisory"), f"advisory {each.id}"
        yield Fact(about=parcel.shipment.number, name=name, value=value, source=source, at=each.created_at)


def _claim_window(view: View, parcel: Parcel, phrases: Phrases) -> Iterator[Fact]:
    """From when until when the carrier would take a claim, by the terms that hold today (R86)."""
    shipment = parcel.shipment
    terms = compensation.match(shipment, view.rules)
    if terms is not None:
        span = compensation.window(terms, shipment, view.order)
        value = f"{span.earliest_on or '-'} - {span.latest_on or '-'}; {span.why}"
        yield Fact(about=shipment.number, name=phrases.name("claim_window"), value=value, source=terms.id)


def _scanned(scan: Scan, phrases: Phrases) -> str:
    told = scan.description or phrases.word("status", scan.status)
    return told if scan.exact else phrases.say("explain.zone_unknown", what=told)


def _day(instant: datetime) -> str:
    return instant.date().isoformat()
