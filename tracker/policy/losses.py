"""Losses: what the carrier owes is written down at once, independently of the buyer's ladder (R86; facts/compensation.md).

A claim starts when the carrier says lost or damaged, when the parcel was never scanned, or when its silence reaches
`investigate`: not at the verdict, because windows close before day 60. Filing never waits for fresh facts (D20), seasons never
shift its window (D19).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from tracker import compensation
from tracker.compensation import ClaimWindow, Payable
from tracker.model import ActionKind, CaseReason, Claim, ClaimState, Decision, DecisionReason, Intent
from tracker.policy.cutover import before, claim_danger_from, told
from tracker.policy.early import warn
from tracker.policy.findings import Findings
from tracker.policy.follow_ups import CLOSES_FIRST
from tracker.policy.ladder import evidence
from tracker.policy.untrackable import Trace
from tracker.policy.view import PLATFORM, Parcel, View, standing
from tracker.rules import CompensationRule

RULE = "compensation"
_NOTHING = "none"
"""Basis of terms that pay nothing. Where they do not even search, silence opens no claim; a loss that is sure is registered."""

_DAMAGE = frozenset({DecisionReason.CARRIER_SAYS_DAMAGED, DecisionReason.BUYER_SAYS_DAMAGED, DecisionReason.BUYER_SAYS_SHORT})
"""Causes for which the terms of damage hold; the parcel may have been delivered."""

_SURE = _DAMAGE | {DecisionReason.CARRIER_SAYS_LOST}

_BUYER_SAYS = {
    CaseReason.DAMAGED: DecisionReason.BUYER_SAYS_DAMAGED,
    CaseReason.SHORT: DecisionReason.BUYER_SAYS_SHORT,
}


def claim(view: View, out: Findings, traces: Mapping[str, Trace]) -> None:
    """Decide the claims of all parcels."""
    for parcel in view.parcels:
        cause = _cause(view, parcel, traces.get(parcel.shipment.number))
        if cause is None:
            _no_loss(view, out, parcel, traces.get(parcel.shipment.number))
        else:
            _claim(view, out, parcel, cause, _moment(parcel, cause, traces.get(parcel.shipment.number)))


def _cause(view: View, parcel: Parcel, found: Trace | None) -> DecisionReason | None:
    """Why the carrier owes something, if it does. A damaged parcel may have been delivered."""
    if parcel.shipment.suspect is not None:
        return None
    if parcel.damaged:
        return DecisionReason.CARRIER_SAYS_DAMAGED
    if view.dossier.cases and (said := _buyer_says(view, parcel)) is not None:
        return said
    if parcel.gone is DecisionReason.DELIVERED or parcel.returned or view.order.received_at is not None:
        return None
    if parcel.lost:
        return DecisionReason.CARRIER_SAYS_LOST
    if found is None or not found.quiet:
        return None
    if found.reason in {DecisionReason.NEVER_SCANNED, DecisionReason.NOT_FOUND_CONFIRMED}:
        return found.reason
    return DecisionReason.SILENCE_REACHED_INVESTIGATE


def _buyer_says(view: View, parcel: Parcel) -> DecisionReason | None:
    """What a case says of a parcel that came: broken, or short (R87, R88). A case that names none speaks of an only parcel."""
    alone = len(view.parcels) == 1
    for case in view.dossier.cases:
        about = case.shipment == parcel.shipment.number or (case.shipment is None and alone)
        if about and case.reason in _BUYER_SAYS and parcel.gone is not None:
            return _BUYER_SAYS[case.reason]
    return None


def _no_loss(view: View, out: Findings, parcel: Parcel, found: Trace | None) -> None:
    shipment = parcel.shipment
    reason = DecisionReason.NO_LOSS if shipment.suspect is None else DecisionReason.SUSPECT_NUMBER
    out.nothing(RULE, reason, shipment.number, again=None if found is None else found.again)
    if found is not None and found.waits:
        out.wait()
    wanted = warn(view, out, parcel, found)
    if view.dossier.effects:
        out.take_back(view.effects(Intent.COMPENSATION, shipment.subject), reason)
        if not wanted:
            _unwarn(view, out, parcel, reason)


def _unwarn(view: View, out: Findings, parcel: Parcel, reason: DecisionReason) -> None:
    asked = view.effects(Intent.CLAIM_INQUIRY, parcel.shipment.subject)
    out.take_back([each for each in asked if each.occasion == CLOSES_FIRST], reason)


def _moment(parcel: Parcel, cause: DecisionReason, found: Trace | None) -> datetime | None:
    """When the cause came true; None where nothing tells it."""
    if cause in _SURE:
        return None if parcel.shipment.last_scan is None else parcel.shipment.last_scan.latest
    return None if found is None else found.quiet_at


def _claim(view: View, out: Findings, parcel: Parcel, cause: DecisionReason, since: datetime | None) -> None:
    shipment = parcel.shipment
    past = view.effects(Intent.COMPENSATION, shipment.subject)
    _unwarn(view, out, parcel, cause)
    claims = [each for each in view.dossier.claims if each.shipment == shipment.number]
    rule = compensation.match(shipment, view.rules)
    kept = [each for each in claims if each.state is not ClaimState.WITHDRAWN]
    attempt = str(1 + len(claims))
    if kept or standing([effect for effect in past if effect.occasion == attempt]) is not None:
        over = kept and not any(compensation.money_open(each.state) for each in kept)
        out.nothing(RULE, DecisionReason.ALREADY_DONE if over else DecisionReason.CLAIM_OPEN, shipment.number, cause.value)
    elif not shipment.matched:
        out.nothing(RULE, DecisionReason.SERVICE_NOT_MATCHED, shipment.number, detail=cause.value)
    elif rule is None:
        out.nothing(RULE, DecisionReason.NO_CLAIM_RULE, shipment.number, detail=cause.value)
    elif PLATFORM in {rule.settled_by, shipment.settled_by}:
        out.nothing(rule.id, DecisionReason.SETTLED_BY_PLATFORM, shipment.number, detail=cause.value)
    elif rule.basis == _NOTHING and not rule.inquiry_only and cause not in _SURE:
        out.nothing(rule.id, DecisionReason.PAYS_NOTHING, shipment.number, detail=cause.value)
    elif rule.max_attempts is not None and _filed(claims) >= rule.max_attempts:
        out.nothing(rule.id, DecisionReason.ATTEMPTS_USED_UP, shipment.number, detail=f"{rule.max_attempts} at most")
    elif rule.inquiry_only and cause not in _SURE and not _worth_an_inquiry(view, parcel):
        out.nothing(rule.id, DecisionReason.BELOW_INQUIRY_VALUE, shipment.number, detail=cause.value)
    else:
        _within_window(view, out, parcel, cause, since, rule, attempt)


def _filed(claims: list[Claim]) -> int:
    """How many of the carrier's attempts are used: what was withdrawn before it was filed is none."""
    return sum(each.filed_on is not None for each in claims)


def _worth_an_inquiry(view: View, parcel: Parcel) -> bool:
    """Whether the parcel is worth the trouble of an inquiry that pays nothing; an unknown worth is worth it."""
    limits, share, currency = view.rules.timing.inquiry_above, parcel.shipment.share, view.order.currency
    if share is None or currency is None:
        return True
    if currency in limits:
        return share > limits[currency]
    for into, limit in limits.items():
        worth = view.rules.rates.convert(share, currency, into, view.now.date())
        if worth is not None:
            return worth > limit
    return True


def _within_window(
    view: View, out: Findings, parcel: Parcel, cause: DecisionReason, since: datetime | None, rule: CompensationRule, attempt: str
) -> None:
    """A confirmed loss is registered even where its window is not known; a silent one only where there is something to file."""
    span = compensation.window(rule, parcel.shipment, view.order, "damaged" if cause in _DAMAGE else "lost")
    _, today = compensation.origin_days(view.now, parcel.shipment.origin)
    if span.is_over(today):
        out.nothing(rule.id, DecisionReason.CLAIM_WINDOW_CLOSED, parcel.shipment.number, detail=f"{cause.value}; {span.why}")
    elif not span.known and cause not in _SURE:
        out.nothing(rule.id, DecisionReason.CLAIM_WINDOW_UNKNOWN, parcel.shipment.number, detail=f"{cause.value}; {span.why}")
    elif _can_wait(view, since, span.latest_on):
        detail = f"{cause.value}; {told(view, since)}; {span.why}"
        again = claim_danger_from(view, span.latest_on)
        out.nothing(rule.id, DecisionReason.BEFORE_CUTOVER, parcel.shipment.number, detail, again=again)
    else:
        known = compensation.Known(rates=view.rules.rates, on=today)
        owed = compensation.payable(rule, parcel.shipment, view.order, known)
        out.act(_decision(parcel, cause, rule, attempt, span, owed))


def _can_wait(view: View, since: datetime | None, latest_on: date | None) -> bool:
    """An old cause, no case, and a claim window that does not close yet: the claim is made when it is about to."""
    begins = claim_danger_from(view, latest_on)
    return before(view, since) and not view.dossier.dispute_open and (begins is None or view.now < begins)


def _decision(
    parcel: Parcel, cause: DecisionReason, rule: CompensationRule, attempt: str, span: ClaimWindow, owed: Payable
) -> Decision:
    last = span.latest_on
    return Decision(
        kind=ActionKind.COMPENSATION,
        reason=cause,
        rule=rule.id,
        subject=parcel.shipment.subject,
        intent=Intent.COMPENSATION,
        occasion=attempt,
        shipment=parcel.shipment.number,
        deadline=None if last is None else datetime.combine(last, time.max, UTC).replace(microsecond=0),
        amount=owed.amount,
        currency=owed.currency,
        evidence=evidence(parcel)
        | {
            "phase": compensation.phase_of(parcel.shipment).value,
            "clock": rule.clock,
            "earliest_on": "" if span.earliest_on is None else span.earliest_on.isoformat(),
            "latest_on": "" if last is None else last.isoformat(),
            "window": span.why,
            "payable": owed.arithmetic,
            "evidence_of_rule": rule.evidence_of_rule,
        },
    )
