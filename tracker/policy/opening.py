"""When the buyer may open a case, and a word to a person before he can, about parcels at risk (R8, R9, R30, R31, R32, R74).

An ordinary order gets no task (D17): its dates are facts for `explain` and for evidence, worked out when somebody asks. A rule of
low confidence warns nobody alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from tracker.dates import DAY, utc_text
from tracker.model import ActionKind, Decision, DecisionReason, Dossier, Intent, Order, Shipment
from tracker.policy.findings import Findings
from tracker.policy.untrackable import Trace
from tracker.policy.view import View, standing
from tracker.rules import Rules
from tracker.times import Moment, country_of, order_anchors, rules_for, when

RULE = "window_opens"
_PROMISED = "edd_max"


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """From when (and until when, where that is told) the buyer may open cases of these `kinds`; aware UTC."""

    rule: str
    item: str
    kinds: frozenset[str]
    opens: datetime
    closes: datetime | None
    hint: bool
    why: str


def openings(dossier: Dossier, rules: Rules) -> tuple[Opening, ...]:
    """When which case can be opened about this order, the earliest first; a date whose anchor is not known is not there."""
    order = dossier.order
    anchors, country = order_anchors(dossier), country_of(order, rules)
    found: list[Opening] = []
    closes: dict[tuple[str, frozenset[str]], Moment] = {}
    for rule in rules_for(order, rules):
        if not rule.opens or (moment := when(rule, anchors, rules=rules, country=country)) is None:
            continue
        if rule.kind == "window_close":
            closes[rule.marketplace, rule.opens] = moment
        else:
            found.append(
                Opening(
                    rule=rule.id,
                    item=rule.item,
                    kinds=rule.opens,
                    opens=moment.at,
                    closes=moment.until,
                    hint=moment.hint,
                    why=moment.why,
                )
            )
    return tuple(sorted(_closed(found, closes, dossier, rules), key=lambda each: (each.opens, each.rule)))


def _closed(
    found: list[Opening], closes: Mapping[tuple[str, frozenset[str]], Moment], dossier: Dossier, rules: Rules
) -> Iterator[Opening]:
    """A first and a last day that are two rules belong together by marketplace and kinds of case."""
    markets = {each.id: each.marketplace for each in rules_for(dossier.order, rules)}
    for each in found:
        last = closes.get((markets[each.rule], each.kinds))
        yield each if each.closes is not None or last is None else msgspec.structs.replace(each, closes=last.at)


def warn(view: View, out: Findings, traces: Mapping[str, Trace]) -> None:
    """One task an order, days before the first case about a parcel at risk can be opened; taken back when the risk is gone.

    Where a refund is recommended already, that recommendation is the warning: it is urgent by itself (R8).
    """
    risk = _risk(view, out, traces)
    if risk is None:
        if view.dossier.effects:
            out.take_back(view.effects(Intent.WINDOW_OPENS), view.over or DecisionReason.STILL_MOVING)
        return
    past = view.effects(Intent.WINDOW_OPENS)
    if view.dossier.dispute_open:
        out.take_back(past, DecisionReason.DISPUTE_OPEN)
        return
    if any(effect.open for effect in view.effects(Intent.REFUND)) or any(each.intent is Intent.REFUND for each in out.decided):
        out.take_back(past, DecisionReason.RECOMMENDATION_OPEN)
        return
    first = coming(view.dossier, view.rules, view.now)
    out.take_back((each for each in past if first is None or each.occasion != first.rule), DecisionReason.WINDOW_OVER)
    if first is None:
        return
    begins = first.opens - view.rules.preparing.case_warn_days * DAY
    if begins > view.now:
        out.take_back(past, DecisionReason.NOT_YET_DUE)
        out.nothing(RULE, DecisionReason.NOT_YET_DUE, detail=f"{first.item}: {utc_text(first.opens)}", again=begins)
    elif standing([each for each in past if each.occasion == first.rule]) is not None:
        out.nothing(RULE, DecisionReason.ALREADY_DONE, detail=first.rule, again=first.opens)
    elif _in_hand(view, out, risk[0]):
        out.nothing(RULE, DecisionReason.ALREADY_DONE, risk[0], Intent.FORWARDER_INQUIRY.value)
    else:
        out.again(first.opens)
        out.act(_warning(view, first, begins, *risk))


def coming(dossier: Dossier, rules: Rules, now: datetime) -> Opening | None:
    """The next case that can be opened from now on; of low confidence none."""
    return next((each for each in openings(dossier, rules) if each.opens > now and not each.hint), None)


def _in_hand(view: View, out: Findings, number: str) -> bool:
    """Whether a person is asked about this very parcel already: that task names the date too (D17)."""
    asked = any(each.intent is Intent.FORWARDER_INQUIRY and each.shipment == number for each in out.decided)
    return asked or any(each.open for each in view.effects(Intent.FORWARDER_INQUIRY, f"shipment/{number}"))


def _risk(view: View, out: Findings, traces: Mapping[str, Trace]) -> tuple[str, DecisionReason] | None:
    """The first parcel that may turn into a case, and why: untrackable, silent too long, or late and not moving."""
    if view.over is not None:
        return None
    promised = view.order.promised_at
    for parcel in view.expected:
        number = parcel.shipment.number
        found = traces.get(number)
        if found is not None and (found.proven or found.quiet or found.unscanned):
            return number, found.reason
        if promised is not None and counts_from_promise(view.order, view.rules):
            late = late_from(promised, parcel.shipment, view.rules)
            if late <= view.now:
                return number, DecisionReason.LATE_AND_STILL
            out.again(late)
    return None


def counts_from_promise(order: Order, rules: Rules) -> bool:
    """Whether a case opens some days after the promised date there: only then is lateness alone a risk before it."""
    return any(each.opens and each.anchor == _PROMISED for each in rules.times_of(order.store).get(order.platform, ()))


def late_from(promised: datetime, parcel: Shipment, rules: Rules) -> datetime:
    """From when a parcel is late and does not move: after its promised date, so many days without a scan."""
    last = parcel.last_scan
    return promised if last is None else max(promised, last.latest + rules.manners.moved_within_days * DAY)


def _warning(view: View, first: Opening, begins: datetime, number: str, why: DecisionReason) -> Decision:
    facts = {"opens_at": utc_text(first.opens), "case": first.item, "counted": first.why, "risk": why.value}
    if first.closes is not None:
        facts["closes_at"] = utc_text(first.closes)
    if view.market.freeze_days:
        facts["freeze_days"] = str(view.market.freeze_days)
    return Decision(
        kind=ActionKind.TASK,
        reason=DecisionReason.CASE_CAN_OPEN,
        rule=first.rule,
        subject=view.order.subject,
        intent=Intent.WINDOW_OPENS,
        occasion=first.rule,
        shipment=number,
        not_before=begins,
        deadline=first.opens,
        urgent=True,
        evidence=facts,
    )
