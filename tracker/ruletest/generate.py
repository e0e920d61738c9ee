"""A rule test written from a real case: its dates as days, its numbers without their digits, nobody's name (no personal data)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from tracker.model import ActionKind, Dossier, Remedy, Shipment
from tracker.rules import STAGES, Rules
from tracker.ruletest.play import Happened, Told, language_of, play
from tracker.ruletest.shape import cases_of
from tracker.timeline import Seen

_HOUR = 3600


def generated(dossier: Dossier, seen: Mapping[str, Sequence[Seen]], rules: Rules, now: datetime) -> str:
    """The file: the facts as events, and what these rules decide about them as the expectation, until `now`.

    `seen` maps each parcel's number to its scans. What a marketplace, a file or a person said of the order stands as it is today.
    """
    names = {parcel.number: _numbered(parcel.number, at) for at, parcel in enumerate(dossier.shipments, start=1)}
    day0 = _day0(dossier, now)
    facts: dict[str, Any] = {
        "name": "a case of this shop",
        "start": day0.isoformat().replace("+00:00", "Z"),
        "order": _order(dossier, day0),
        "parcel": [_parcel(parcel, names[parcel.number], day0) for parcel in dossier.shipments],
        "event": [event for _, event in sorted(_events(dossier, seen, names, day0), key=lambda each: each[0])],
    }
    end = max(now, day0)
    trial = facts | {"moment": [{"at": _day(end, day0), "expect": []}]}
    [case] = cases_of({"case": [trial]})
    [told] = play(case, rules)
    facts["moment"] = [*_moments(told, rules, day0), {"at": _day(end, day0), "expect": []}]
    return _toml(facts)


def _day0(dossier: Dossier, now: datetime) -> datetime:
    order = dossier.order
    scans = [None if parcel.first_scan is None else parcel.first_scan.latest for parcel in dossier.shipments]
    shipped = [parcel.shipped_at for parcel in dossier.shipments]
    known = [each for each in (*shipped, *scans, order.shipped_at, order.paid_at, order.ordered_at) if each is not None]
    return (known[0] if known else now).replace(microsecond=0)


def _day(at: datetime, day0: datetime) -> str:
    hours = (at - day0).total_seconds() / _HOUR
    return f"day {hours / 24:.4f}".rstrip("0").rstrip(".")


def _numbered(number: str, place: int) -> str:
    """The shape of a number without what points at its buyer: letters stay, because rules look at them; digits are invented."""
    digits = sum(sign.isdigit() for sign in number)
    invented = iter(f"{place:0{digits}d}" if digits else "")
    return "".join(next(invented) if sign.isdigit() else sign for sign in number)


def _order(dossier: Dossier, day0: datetime) -> dict[str, Any]:
    order = dossier.order
    times = {
        "ordered": order.ordered_at,
        "paid": order.paid_at,
        "shipped": order.shipped_at,
        "promised": order.promised_at,
        "promised_from": order.promised_from,
        "ship_by": order.ship_by,
        "confirmed": order.confirmed_at,
        "window_end": None if order.window is None else order.window.end,
        "cutover": order.cutover_at,
    }
    facts: dict[str, Any] = {
        "platform": order.platform,
        "store": order.store,
        "state": order.state.value,
        "country": order.country,
        "language": order.language,
        "amount": order.amount,
        "currency": order.currency,
        "payment": order.payment,
        "tax_number_known": order.tax_number_known or None,
        "opted_out": order.opted_out or None,
        "vip": order.vip or None,
        "window_source": None if order.window is None else order.window.source.value,
        **{name: _day(at, day0) for name, at in times.items() if at is not None},
        "contacted": {stage.value: _day(at, day0) for stage, at in order.contacted.items()} or None,
        "stages": {stage.value: days for stage, days in order.stages.items()} or None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _parcel(parcel: Shipment, number: str, day0: datetime) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "number": number,
        "carrier": parcel.carrier,
        "service": parcel.service,
        "tracking": parcel.capability.value,
        "matched": parcel.matched,
        "settled_by": parcel.settled_by,
        "origin": parcel.origin,
        "country": parcel.country,
        "shipped": None if parcel.shipped_at is None else _day(parcel.shipped_at, day0),
        "share": parcel.share,
        "declared": parcel.declared_value,
        "declared_currency": None if parcel.declared_value is None else parcel.declared_currency,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _events(
    dossier: Dossier, seen: Mapping[str, Sequence[Seen]], names: Mapping[str, str], day0: datetime
) -> Iterator[tuple[datetime, dict[str, Any]]]:
    for number, name in names.items():
        for each in seen.get(number, ()):
            bounds = each.event.bounds()
            if bounds is None:
                continue
            at = datetime.fromtimestamp(bounds[1], day0.tzinfo)
            event = {"at": _day(at, day0), "parcel": name, "scan": each.event.status.value}
            event |= {} if each.event.reason is None else {"reason": each.event.reason.value}
            event |= {} if each.event.country is None else {"country": each.event.country}
            yield at, event
    for parcel in dossier.shipments:
        run = parcel.not_found
        if run is not None:
            named = {"parcel": names[parcel.number], "not_found": True, "sources": run.sources}
            yield run.since, {"at": _day(run.since, day0), **named}
    for case in dossier.cases:
        due = {} if case.due_at is None else {"due": _day(case.due_at, day0)}
        opened = {"case": case.kind.value, "case_reason": case.reason.value}
        yield case.opened_at, {"at": _day(case.opened_at, day0), **opened, **due}
        if case.closed_at is not None:
            yield case.closed_at, {"at": _day(case.closed_at, day0), "case_closed": True}
    order = dossier.order
    if order.waiting_since is not None:
        yield order.waiting_since, {"at": _day(order.waiting_since, day0), "waiting": True}
    if order.received_at is not None:
        yield order.received_at, {"at": _day(order.received_at, day0), "received": True}


def _moments(told: Told, rules: Rules, day0: datetime) -> Iterator[dict[str, Any]]:
    """One moment for each instant at which something was decided."""
    by_time: dict[datetime, list[Happened]] = {}
    for happened in told.happened:
        by_time.setdefault(happened.at, []).append(happened)
    for at, group in by_time.items():
        yield {"at": _later(at, day0), "expect": [_expect(each, told, rules) for each in group]}


def _later(at: datetime, day0: datetime) -> str:
    """The day, rounded up: a moment must not lie before what it is about."""
    days = (at - day0).total_seconds() / _HOUR / 24
    return f"day {-(-days * 10_000 // 1) / 10_000:.4f}".rstrip("0").rstrip(".")


def _expect(happened: Happened, told: Told, rules: Rules) -> dict[str, Any]:
    decision = happened.decision
    reason = {"reason": decision.reason.value}
    match decision.kind:
        case ActionKind.MESSAGE:
            word = "stage" if decision.intent in STAGES else "message"
            return {word: decision.intent.value, "language": language_of(told.dossier, rules), **reason}
        case ActionKind.EXTENSION:
            return {"extension": True, **reason}
        case ActionKind.REFUND:
            money = {} if decision.amount is None else {"amount": decision.amount, "currency": decision.currency}
            return {"refund": (decision.remedy or Remedy.FULL_REFUND).value, **money, **reason}
        case ActionKind.COMPENSATION:
            return {"claim": True, "rule": decision.rule, **reason}
        case _:
            return {"task": decision.intent.value, **reason}


# ------------------------------------------------------------------------------------------------------------------ as TOML


def _toml(case: Mapping[str, Any]) -> str:
    """The case as a file; a dozen plain values need no library."""
    lines = [
        "# Written by tracker test --generate: what the rules of that day decide. Change it to what they shall decide.",
        "[[case]]",
    ]
    lines += [f"{key} = {_value(case[key])}" for key in ("name", "start")]
    lines += ["", "[case.order]", *(f"{key} = {_value(value)}" for key, value in case["order"].items())]
    for table in ("parcel", "event", "moment"):
        for each in case[table]:
            lines += ["", f"[[case.{table}]]", *(f"{key} = {_value(value)}" for key, value in each.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:  # noqa: ANN401 - whatever a case holds
    match value:
        case bool() | int():
            return json.dumps(value)
        case Decimal():
            return json.dumps(str(value))
        case Mapping():
            return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(_value, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)
