"""Why an order is treated as it is: facts, rules top-down, decisions, what comes next. It is the daemon's own decide()."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from tracker.explain.words import CHANGES, SENTENCES
from tracker.model import Considered, Decision, DecisionReason, Dossier, Effect, Release, Verdict
from tracker.policy import decide
from tracker.policy.view import Parcel, View, look
from tracker.rules import Rules


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One fact that was used: about the order or a parcel's number, who says it, and when it was so (aware UTC)."""

    about: str
    name: str
    value: str
    source: str
    at: datetime | None = None


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that was looked at: `applied` or not, why in one word and in a sentence, when time alone can change it."""

    rule: str
    applied: bool
    reason: DecisionReason
    means: str
    shipment: str | None = None
    detail: str = ""
    key: str | None = None
    looks_again: datetime | None = None


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """An effect, new or old: its dedup key (subject : intent : occasion), and what became of it.

    `state` is `new` for what is decided at this instant, else the outbox row's; `release` is what the last guard said of a row on
    its way out.
    """

    key: str
    kind: str
    reason: DecisionReason
    state: str
    rule: str | None = None
    shipment: str | None = None
    task: str | None = None
    hold: str | None = None
    release: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    deadline: datetime | None = None
    decided_at: datetime | None = None
    done_at: datetime | None = None
    evidence: Mapping[str, str] = {}


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer; `asked` is the number or order that was asked for, `summary` one sentence."""

    at: datetime
    order: str
    store: str
    asked: str
    summary: str
    facts: tuple[Fact, ...]
    rules: tuple[Weighed, ...]
    decisions: tuple[Decided, ...]
    next_decide_at: datetime | None
    next_poll_at: Mapping[str, datetime | None]
    waits_for_answer: bool
    ask_now: tuple[str, ...]
    changes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: money as text, times in UTC with Z."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built


def explain(
    dossier: Dossier,
    rules: Rules,
    now: datetime,
    *,
    asked: str | None = None,
    next_poll_at: Mapping[str, datetime | None] | None = None,
    releases: Mapping[str, Release] | None = None,
) -> Explanation:
    """Explain this order at `now`. For another date hand over the dossier as it stood then (tracker.timeline.as_of).

    `next_poll_at`: number -> when it is asked about next; `releases`: dedup key -> what release() says of a pending row.
    """
    view = look(dossier, rules, now)
    verdict = decide(dossier, rules, now)
    return Explanation(
        at=now,
        order=dossier.order.number,
        store=dossier.order.store,
        asked=asked or dossier.order.number,
        summary=_summary(verdict, dossier),
        facts=(*_order_facts(view), *(fact for parcel in view.parcels for fact in _parcel_facts(view, parcel))),
        rules=_weighed(verdict, rules),
        decisions=(*map(_new, verdict.decisions), *(_old(effect, releases or {}) for effect in dossier.effects)),
        next_decide_at=verdict.next_at,
        next_poll_at=dict(next_poll_at or {}),
        waits_for_answer=verdict.waits_for_answer,
        ask_now=verdict.ask_now,
        changes=_changes(verdict),
    )


_USUAL = frozenset(
    {
        DecisionReason.NOT_YET_DUE,
        DecisionReason.ALREADY_DONE,
        DecisionReason.NO_EXTENSION_THERE,
        DecisionReason.WINDOW_FAR,
        DecisionReason.SILENCE_WITHIN_LIMIT,
        DecisionReason.NO_LOSS,
    }
)
"""What is said of nearly every parcel on nearly every day: it explains nothing in one sentence."""


def _summary(verdict: Verdict, dossier: Dossier) -> str:
    """What is to do now, else what waits and for whom, else the most telling reason why there is nothing."""
    if verdict.decisions:
        return "; ".join(f"{each.intent.value}: {SENTENCES[each.reason]}" for each in verdict.decisions)
    withdrawn = dict(verdict.withdraw)
    waiting = [each for each in dossier.effects if each.open and each.key not in withdrawn]
    if waiting:
        return "; ".join(f"{each.intent.value} waits: {_waits_for(each)}" for each in waiting)
    telling = [each for each in verdict.considered if each.reason not in _USUAL]
    if not telling:
        return "nothing is due"
    return f"nothing, because {SENTENCES[telling[0].reason]} ({telling[0].rule})"


# ------------------------------------------------------------------------------------------------------------------- facts


def _order_facts(view: View) -> Iterator[Fact]:
    order, window = view.order, view.window()
    told = {
        "state": order.state.value,
        "destination": order.country,
        "amount": None if order.amount is None else f"{order.amount} {order.currency or ''}".strip(),
        "opted out": "yes" if order.opted_out else None,
    }
    for name, value in told.items():
        if value is not None:
            yield Fact(about=order.number, name=name, value=value, source="order")
    instants = {
        "paid": order.paid_at,
        "shipped": order.shipped_at,
        "promised": order.promised_at,
        "received by buyer": order.received_at,
        "refunded": order.refunded_at,
        "buyer waits since": order.waiting_since,
        "on hold until": order.hold_until,
        "cut over": order.cutover_at,
    }
    for name, instant in instants.items():
        if instant is not None:
            yield Fact(about=order.number, name=name, value=_day(instant), source="order", at=instant)
    if window is not None:
        value = f"{_day(window.end)}, extended {window.extensions} times"
        yield Fact(about=order.number, name="window ends", value=value, source=window.source.value, at=window.end)
    for case in view.dossier.cases:
        state = "open" if case.closed_at is None else f"closed {_day(case.closed_at)}"
        yield Fact(about=order.number, name=f"case {case.kind}", value=state, source=case.id, at=case.opened_at)


def _parcel_facts(view: View, parcel: Parcel) -> Iterator[Fact]:
    shipment, number = parcel.shipment, parcel.shipment.number
    heard = shipment.last_answer_at
    reason = "" if shipment.reason is None else f", {shipment.reason.value}"
    yield Fact(about=number, name="status", value=f"{shipment.status.value}{reason}", source="carrier", at=heard)
    if shipment.stopped_at is not None:
        value = f"{_day(shipment.stopped_at)}: later answers repeat what it knew"
        yield Fact(about=number, name="source stopped looking", value=value, source="carrier", at=shipment.stopped_at)
    limits = view.silence(parcel)
    yield Fact(about=number, name="profile", value=parcel.profile.id, source="destinations.toml")
    silence = f"{limits.watch}/{limits.investigate}/{limits.probable_loss} days, {shipment.capability.value}"
    yield Fact(about=number, name="silence limits", value=silence, source="destinations.toml")
    if parcel.day0 is not None:
        yield Fact(about=number, name="day 0", value=f"{_day(parcel.day0)}, day {parcel.age} today", source="D1", at=parcel.day0)
    for name, scan in (
        ("first scan", shipment.first_scan),
        ("last scan", shipment.last_scan),
        ("delivery", shipment.delivered_scan),
    ):
        if scan is not None:
            zone = "" if scan.exact else ", zone unknown"
            yield Fact(
                about=number, name=name, value=f"{scan.description or scan.status.value}{zone}", source="carrier", at=scan.latest
            )
    if shipment.not_found is not None:
        run = shipment.not_found
        value = f"{run.answers} answers of {run.sources} sources"
        yield Fact(about=number, name="not found", value=value, source="carrier", at=run.since)
    for name, text in (("suspect", shipment.suspect), ("settled by", shipment.settled_by)):
        if text is not None:
            yield Fact(about=number, name=name, value=text, source="carrier" if name == "suspect" else "services.toml")
    if not shipment.matched:
        yield Fact(about=number, name="service", value=f"not matched: {shipment.service_text or ''}", source="services.toml")


def _day(instant: datetime) -> str:
    return instant.date().isoformat()


# ------------------------------------------------------------------------------------------------------------------- rules

_CONCERNS = ("buyer_waiting", "window", "refund", "claim", "inquiry", "ladder", "notice")
"""Top down, as decide() asks them."""


def _weighed(verdict: Verdict, rules: Rules) -> tuple[Weighed, ...]:
    terms = {rule.id for rule in (*rules.compensation, rules.compensation_default)}
    found = [*map(_applied, verdict.decisions), *map(_rejected, verdict.considered)]
    return tuple(sorted(found, key=lambda each: _CONCERNS.index(_concern(each.rule, terms))))


def _concern(rule: str, terms: set[str]) -> str:
    if rule in terms or rule == "compensation":
        return "claim"
    if rule in {"forwarder_inquiry", "suspect", "service_unmatched"}:
        return "inquiry"
    if rule.startswith("refund.") or rule == "refund" or (rule.endswith(".stage3")):
        return "refund"
    if rule in {"extended", "stage3", "refund_issued", "late_arrival"}:
        return "notice"
    head = rule.split(".", maxsplit=1)[0]
    return head if head in {"buyer_waiting", "window"} else "ladder"


def _applied(decision: Decision) -> Weighed:
    return Weighed(
        rule=decision.rule,
        applied=True,
        reason=decision.reason,
        means=SENTENCES[decision.reason],
        shipment=decision.shipment,
        key=decision.key,
    )


def _rejected(considered: Considered) -> Weighed:
    return Weighed(
        rule=considered.rule,
        applied=False,
        reason=considered.reason,
        means=SENTENCES[considered.reason],
        shipment=considered.shipment,
        detail=considered.detail,
        looks_again=considered.looks_again,
    )


# --------------------------------------------------------------------------------------------------------------- decisions


def _waits_for(effect: Effect) -> str:
    if effect.task is not None:
        return f"its task is {effect.task.value}"
    return effect.state.value if effect.hold is None else f"{effect.state.value}, {effect.hold.value}"


def _new(decision: Decision) -> Decided:
    return Decided(
        key=decision.key,
        kind=decision.kind.value,
        reason=decision.reason,
        state="new",
        rule=decision.rule,
        shipment=decision.shipment,
        amount=decision.amount,
        currency=decision.currency,
        deadline=decision.deadline,
        evidence=decision.evidence,
    )


def _old(effect: Effect, releases: Mapping[str, Release]) -> Decided:
    said = releases.get(effect.key)
    until = "" if said is None or said.until is None else f" until {said.until:%Y-%m-%d %H:%M} UTC"
    return Decided(
        key=effect.key,
        kind=effect.kind.value,
        reason=effect.reason,
        state="rejected" if effect.rejected else effect.state.value,
        shipment=effect.shipment,
        task=None if effect.task is None else effect.task.value,
        hold=None if effect.hold is None else effect.hold.value,
        release=None if said is None else f"{said.verdict.value}: {said.why}{until}",
        amount=effect.amount,
        currency=effect.currency,
        decided_at=effect.created_at,
        done_at=effect.done_at,
    )


def _changes(verdict: Verdict) -> tuple[str, ...]:
    """What would change the answer: time first, then facts and people, each once."""
    timed = sorted((each.looks_again, each.rule) for each in verdict.considered if each.looks_again is not None)
    found = [f"time: {at:%Y-%m-%d %H:%M} UTC ({rule})" for at, rule in timed]
    found += [f"{CHANGES[each.reason]} ({each.rule})" for each in verdict.considered if each.reason in CHANGES]
    if verdict.waits_for_answer:
        found.append("any next answer of a source")
    return tuple(dict.fromkeys(found))
