"""The order before it travels: money, address, papers, the last day to ship, and its confirmation to the marketplace.

R15 boleto and every payment that comes later, R16 and R17 tax numbers, R18 and R105 import duty, R22 and R34 what the buyer is
told, R46 addresses, R60 to R62 shipping and confirming in time. One task an order and thing to do, taken back by itself when the
facts change (D17). What left, is cancelled or settled wants nothing of this any more; nor does an order that stands in a file as
paid and never sent long after its time, or whose time came before it was taken over.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from carriers.model import TrackingStatus
from tracker.dates import DAY, utc_text
from tracker.model import ActionKind, Decision, DecisionReason, Intent, Mode, OrderState, OutboxState, Shipment
from tracker.policy.cutover import before, told
from tracker.policy.findings import Findings
from tracker.policy.slots import allowed, by_hand
from tracker.policy.view import View, standing
from tracker.rules import TimeRule
from tracker.times import Moment, country_of, order_anchors, rules_for, when

RULE = "preparing"
_MESSAGES = (Intent.PLACED, Intent.BOLETO_PENDING, Intent.TAX_NUMBER, Intent.CUSTOMS_DUTY)
_BEFORE = (*_MESSAGES, Intent.CHECK_ADDRESS, Intent.DO_NOT_SHIP, Intent.SHIP_LATE)
_EXPRESS = "express"
_NOT_SENT = frozenset({TrackingStatus.UNKNOWN, TrackingStatus.NOT_FOUND, TrackingStatus.INFO_RECEIVED})
"""What a source says of a parcel that may still lie in the shop."""


def prepare(view: View, out: Findings) -> None:
    """Decide what is to be done before the parcel leaves. The ordinary order on its way passes two tests here."""
    if _left(view):
        if view.dossier.effects:
            for intent in _BEFORE:
                out.take_back(view.effects(intent), view.over or DecisionReason.LEFT_ALREADY)
        _news(view, out, Intent.SHIPPED, DecisionReason.ORDER_LEFT, view.order.shipped_at)
    elif view.order.state is OrderState.UNPAID:
        _unpaid(view, out)
    else:
        _paid(view, out)
    if view.order.state is OrderState.PAID or view.dossier.effects:
        _confirm(view, out)


def _left(view: View) -> bool:
    """Whether nothing can be prepared any more: sent, over, or no word says that it was bought."""
    order = view.order
    if order.state is OrderState.SHIPPED or order.shipped_at is not None:
        return True
    if view.over is not None:
        return view.over is not DecisionReason.NOT_PAID
    if any(_sent(parcel.shipment) for parcel in view.parcels):
        return True
    return order.state is OrderState.UNKNOWN and order.paid_at is None


def _sent(shipment: Shipment) -> bool:
    return shipment.first_scan is not None or shipment.shipped_at is not None or shipment.status not in _NOT_SENT


# ------------------------------------------------------------------------------------------------------------------ payment


def _unpaid(view: View, out: Findings) -> None:
    """Not paid: no clock runs, nothing is shipped; a slip that takes days is recalled once (R15)."""
    order, ways = view.order, view.rules.preparing
    for intent in (Intent.TAX_NUMBER, Intent.CUSTOMS_DUTY, Intent.DO_NOT_SHIP, Intent.SHIP_LATE, Intent.CHECK_ADDRESS):
        out.take_back(view.effects(intent), DecisionReason.NOT_PAID)
    if order.payment not in ways.delayed_payments or order.ordered_at is None:
        out.nothing(Intent.BOLETO_PENDING.value, DecisionReason.NOT_PAID)
        return
    due, last = order.ordered_at + ways.boleto_after_days * DAY, order.ordered_at + ways.boleto_until_days * DAY
    if view.now < due:
        out.nothing(Intent.BOLETO_PENDING.value, DecisionReason.PAYMENT_PENDING, detail=order.payment or "", again=due)
    elif view.now >= last:
        out.nothing(Intent.BOLETO_PENDING.value, DecisionReason.NO_LONGER_NEWS)
        out.take_back(view.effects(Intent.BOLETO_PENDING), DecisionReason.NO_LONGER_NEWS)
    else:
        out.again(last)
        facts = {"payment": order.payment or "", "ordered_at": utc_text(order.ordered_at)}
        _say(view, out, Intent.BOLETO_PENDING, DecisionReason.PAYMENT_PENDING, facts, due, last)


def _paid(view: View, out: Findings) -> None:
    out.take_back(view.effects(Intent.BOLETO_PENDING), DecisionReason.ALREADY_DONE)
    known = [at for at in (_bought(view), view.order.ship_by) if at is not None]
    stale = max(known) + view.rules.preparing.stale_days * DAY if known else None
    if stale is not None and stale <= view.now:
        out.nothing(RULE, DecisionReason.NO_LONGER_NEWS, detail=utc_text(stale))
        for intent in _BEFORE:
            out.take_back(view.effects(intent), DecisionReason.NO_LONGER_NEWS)
        return
    out.again(stale)
    _tax_number(view, out)
    _duty(view, out)
    _address(view, out)
    _ship_by(view, out)
    _news(view, out, Intent.PLACED, DecisionReason.ORDER_PLACED, _bought(view))


def _bought(view: View) -> datetime | None:
    return view.order.paid_at or view.order.ordered_at


# ------------------------------------------------------------------------------------------------------------------- papers


def _tax_number(view: View, out: Findings) -> None:
    """Commercial parcels, and postal ones of value, need the buyer's tax number before they are sent (R16, R17)."""
    order, ways = view.order, view.rules.preparing
    why = _needs_number(view) if order.country in ways.tax_number_countries else None
    if order.tax_number_known or why is None:
        if view.dossier.effects:
            for intent in (Intent.TAX_NUMBER, Intent.DO_NOT_SHIP):
                out.take_back(view.effects(intent), DecisionReason.ALREADY_DONE)
        return
    facts = {"destination": order.country or "", "needed_for": why}
    if warning := ways.channel_warnings.get(order.country or ""):
        facts["channel_warning"] = warning
    _say(view, out, Intent.TAX_NUMBER, DecisionReason.TAX_NUMBER_MISSING, facts)
    if _asking(view, out):
        # One task a thing to do: whoever pastes the question is told to keep the parcel back (D17).
        out.nothing(Intent.DO_NOT_SHIP.value, DecisionReason.ALREADY_DONE, detail=Intent.TAX_NUMBER.value)
    elif not _taken_over(view, out, Intent.DO_NOT_SHIP, _bought(view)):
        _task(view, out, Intent.DO_NOT_SHIP, DecisionReason.TAX_NUMBER_MISSING, facts, deadline=order.ship_by)


def _asking(view: View, out: Findings) -> bool:
    """Whether a person is about to ask the buyer for the number by hand."""
    store, name = view.rules.stores.get(view.order.store), Intent.TAX_NUMBER.value
    if not by_hand(view.rules, view.market, view.order.store, name):
        return False
    asked = standing(view.effects(Intent.TAX_NUMBER))
    if asked is not None:
        return asked.open and asked.state is not OutboxState.HELD
    live = store is not None and store.mode_for(name) is Mode.LIVE
    return live and any(each.intent is Intent.TAX_NUMBER for each in out.decided)


def _needs_number(view: View) -> str | None:
    order, rules = view.order, view.rules
    for parcel in view.parcels:
        carrier = rules.carriers.get(parcel.shipment.carrier or "")
        if carrier is not None and not carrier.post and rules.ladder(parcel.shipment.service) == _EXPRESS:
            return f"commercial express: {carrier.name}"
    limit = rules.preparing.tax_number_from.get(order.currency or "")
    if limit is not None and order.amount is not None and order.amount >= limit:
        return f"{order.amount} {order.currency}, from {limit}"
    return None


def _duty(view: View, out: Findings) -> None:
    """Where import duty can be charged the buyer hears of it before the parcel leaves (R18, R105)."""
    order = view.order
    if order.country in view.rules.preparing.duty_countries:
        _say(view, out, Intent.CUSTOMS_DUTY, DecisionReason.DUTY_MAY_ARISE, {"destination": order.country or ""})


# ------------------------------------------------------------------------------------------------------- address, shipping


def _address(view: View, out: Findings) -> None:
    """An address that lacks something is mended before the parcel is sent (R46); the dossier knows only what is missing."""
    order = view.order
    if not order.address_problems:
        if view.dossier.effects:
            out.take_back(view.effects(Intent.CHECK_ADDRESS), DecisionReason.ALREADY_DONE)
        return
    facts = {"address": ", ".join(order.address_problems)}
    if not _taken_over(view, out, Intent.CHECK_ADDRESS, _bought(view)):
        _task(view, out, Intent.CHECK_ADDRESS, DecisionReason.ADDRESS_INCOMPLETE, facts, deadline=order.ship_by)


def _ship_by(view: View, out: Findings) -> None:
    """The last day to ship is near: as the marketplace has it, else by the table (R60).

    Once its confirmation is warned of, that task is the alert: it is the same parcel, and costs more.
    """
    due, why = _last_day_to_ship(view)
    past = view.effects(Intent.SHIP_LATE)
    if due is None:
        out.take_back(past, DecisionReason.ALREADY_DONE)
        return
    warned = _confirmation(view)
    if warned is not None and warned[1].at <= view.now < warned[2].at:
        out.take_back(past, DecisionReason.SUPERSEDED_BY_LATER_STAGE)
        return
    near = due - timedelta(hours=view.rules.preparing.late_ship_hours)
    if view.now < near:
        out.nothing(Intent.SHIP_LATE.value, DecisionReason.NOT_YET_DUE, detail=why, again=near)
        out.take_back(past, DecisionReason.NOT_YET_DUE)
        return
    if _taken_over(view, out, Intent.SHIP_LATE, due):
        return
    facts = {"ship_by": utc_text(due), "counted": why}
    _task(view, out, Intent.SHIP_LATE, DecisionReason.SHIP_BY_NEAR, facts, deadline=due, since=near)


def _last_day_to_ship(view: View) -> tuple[datetime | None, str]:
    order, rules = view.order, view.rules
    if order.ship_by is not None:
        return order.ship_by, "told"
    anchors, country = order_anchors(view.dossier), country_of(order, rules)
    for rule in rules_for(order, rules):
        if rule.ships:
            moment = when(rule, anchors, rules=rules, country=country)
            if moment is not None and not moment.hint:
                return moment.at, moment.why
    return None, ""


def _confirm(view: View, out: Findings) -> None:
    """The marketplace cancels, and does not pay, what is not confirmed in time; a person is warned before (R61, R62)."""
    past = view.effects(Intent.CONFIRM_SHIPMENT)
    found = _confirmation(view)
    if found is None:
        out.take_back(past, view.over or DecisionReason.ALREADY_DONE)
        return
    rule, begins, due = found
    if due.at <= view.now:
        out.nothing(Intent.CONFIRM_SHIPMENT.value, DecisionReason.WINDOW_OVER, detail=due.why)
        out.take_back(past, DecisionReason.WINDOW_OVER)
        return
    if view.now < begins.at:
        out.nothing(Intent.CONFIRM_SHIPMENT.value, DecisionReason.NOT_YET_DUE, detail=due.why, again=begins.at)
        out.take_back(past, DecisionReason.NOT_YET_DUE)
        return
    out.again(due.at)
    facts = {"confirm_by": utc_text(due.at), "counted": due.why, "consequence": rule.base.consequence if rule.base else ""}
    _task(
        view,
        out,
        Intent.CONFIRM_SHIPMENT,
        DecisionReason.CONFIRMATION_NEAR,
        facts,
        deadline=due.at,
        since=begins.at,
        rule=rule.id,
    )


def _confirmation(view: View) -> tuple[TimeRule, Moment, Moment] | None:
    """The warning's rule, when it begins, and the last day to confirm; None: nothing to confirm, or a mere hint."""
    order, rules = view.order, view.rules
    if order.state is not OrderState.PAID or order.confirmed_at is not None or view.over is not None:
        return None
    rule = next((each for each in rules_for(order, rules) if each.kind == "warning" and each.base is not None), None)
    if rule is None or rule.base is None:
        return None
    anchors, country = order_anchors(view.dossier), country_of(order, rules)
    begins, due = (when(each, anchors, rules=rules, country=country) for each in (rule, rule.base))
    return None if begins is None or due is None or begins.hint else (rule, begins, due)


# --------------------------------------------------------------------------------------------------------- what is decided


def _news(view: View, out: Findings, intent: Intent, reason: DecisionReason, since: datetime | None) -> None:
    """`placed`, `shipped`: off as shipped, and only while it is news (R22, R34)."""
    if intent.value in view.rules.messages_off or since is None or view.over is not None:
        return
    last = since + view.rules.preparing.news_days * DAY
    if view.now < last:
        _say(view, out, intent, reason, {}, since, last)


def _say(
    view: View,
    out: Findings,
    intent: Intent,
    reason: DecisionReason,
    facts: dict[str, str],
    since: datetime | None = None,
    until: datetime | None = None,
) -> None:
    """One text an order; none about an order that was taken over, or that a person holds."""
    order = view.order
    past = view.effects(intent)
    if standing(past) is not None:
        out.nothing(intent.value, DecisionReason.ALREADY_DONE)
    elif not allowed(view, intent.value):
        out.nothing(intent.value, DecisionReason.SWITCHED_OFF)
    elif order.cutover_at is not None:
        out.nothing(intent.value, DecisionReason.BEFORE_CUTOVER)
    elif order.hold_until is not None and order.hold_until > view.now:
        out.nothing(intent.value, DecisionReason.ON_HOLD, again=order.hold_until)
    else:
        out.act(
            Decision(
                kind=ActionKind.MESSAGE,
                reason=reason,
                rule=intent.value,
                subject=order.subject,
                intent=intent,
                template=intent.value,
                not_before=since,
                deadline=until,
                evidence=facts,
            )
        )


def _taken_over(view: View, out: Findings, intent: Intent, came: datetime | None) -> bool:
    """Whether it became somebody's business before the cut-over: then it was somebody else's."""
    if not before(view, came) or standing(view.effects(intent)) is not None:
        return False
    out.nothing(intent.value, DecisionReason.BEFORE_CUTOVER, detail=told(view, came))
    return True


def _task(
    view: View,
    out: Findings,
    intent: Intent,
    reason: DecisionReason,
    facts: dict[str, str],
    *,
    deadline: datetime | None = None,
    since: datetime | None = None,
    rule: str | None = None,
) -> None:
    if standing(view.effects(intent)) is not None:
        out.nothing(intent.value, DecisionReason.ALREADY_DONE)
        return
    out.act(
        Decision(
            kind=ActionKind.TASK,
            reason=reason,
            rule=rule or intent.value,
            subject=view.order.subject,
            intent=intent,
            not_before=since,
            deadline=deadline if deadline is not None and deadline > view.now else None,
            urgent=True,
            evidence=facts,
        )
    )
