"""One past order under a set of rules: decide() at the events of its row and wherever its answer can change by itself.

The row becomes a dossier (DESIGN, backtest): day 0 is the hand-over, its only scan; the promised date stands in for the end of
the window; sources answer whenever they are asked. Between hand-over and delivery such a file knows nothing, exactly as of a
parcel that is scanned at both ends only, so silence is judged like that of one. What is decided is done at once, money included.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from carriers.model import TrackingStatus
from tracker.backtest.past import CANCELLED, PastOrder
from tracker.model import (
    ActionKind,
    Capability,
    Decision,
    Dossier,
    Order,
    OrderState,
    Remedy,
    Scan,
    Shipment,
    Window,
    WindowSource,
)
from tracker.policy import decide
from tracker.rules import Rules
from tracker.timeline import Assume, carry_out

SOONEST = timedelta(minutes=5)
"""What was done is looked at again so much later, as by the sweep; and no date may spin."""

NUMBERLESS = "?"
"""Stands for the number of a parcel whose row names none."""

_ASSUME = Assume()
_MONEY = frozenset({None, Remedy.FULL_REFUND, Remedy.PARTIAL_REFUND})


class Refund(msgspec.Struct, frozen=True, gc=False):
    """A recommendation that counts as approved and paid at once; `later_delivered`: the parcel came all the same."""

    at: datetime
    amount: Decimal | None
    currency: str | None
    later_delivered: bool


class Outcome(msgspec.Struct, gc=False):
    """What the rules would have done about one order. `visits` is how often decide() looked."""

    messages: list[str] = []
    refunds: list[Refund] = []
    extensions: int = 0
    claims: int = 0
    visits: int = 0


def replay(past: PastOrder, rules: Rules, as_of: datetime) -> Outcome:
    """What these rules would have done until `as_of` (aware UTC). KeyError: the rules do not know the row's platform."""
    out = Outcome()
    now = past.handed_over_at or past.paid_at or past.purchased_at
    if now is None:
        return out
    dossier = dossier_of(past, rules)
    arrives = None if past.handed_over_at is None else past.delivered_at
    arrived = False
    while now <= as_of:
        if not arrived and dossier.shipments:
            arrived = arrives is not None and arrives <= now
            dossier = replace(dossier, shipments=(_heard(dossier.shipments[0], past, now, arrived=arrived),))
        verdict = decide(dossier, rules, now)
        out.visits += 1
        looks = verdict.next_at
        if verdict.decisions or verdict.withdraw or verdict.claims:
            _count(out, verdict.decisions, past, now, as_of)
            before, dossier = dossier, carry_out(dossier, verdict, rules, now, _ASSUME)
            if dossier.effects != before.effects:
                looks = now
        if arrives is not None and not arrived and (looks is None or arrives < looks):
            looks = arrives
        if looks is None:
            break
        now = max(looks, now + SOONEST)
    return out


def dossier_of(past: PastOrder, rules: Rules) -> Dossier:
    """The order as it stood when it was handed over (or paid, where it never was)."""
    promised = past.promised_at
    order = Order(
        id=past.row,
        store="",
        platform=past.platform,
        number=past.number,
        state=_state(past),
        country=past.country,
        region=past.region,
        amount=past.amount,
        currency=past.currency,
        ordered_at=past.purchased_at,
        paid_at=past.paid_at,
        shipped_at=past.handed_over_at,
        promised_at=promised,
        window=None if promised is None else Window(end=promised, source=WindowSource.FILE),
    )
    return Dossier(order=order, shipments=() if past.handed_over_at is None else (_parcel(past, rules, past.handed_over_at),))


def _state(past: PastOrder) -> OrderState:
    """What the buyer's order came to in the end is not known before; only a cancelled one is left alone from the start."""
    if past.status in CANCELLED:
        return OrderState.CANCELLED
    return OrderState.SHIPPED if past.handed_over_at is not None else OrderState.PAID


def _parcel(past: PastOrder, rules: Rules, handed_over_at: datetime) -> Shipment:
    known = None if past.service is None else rules.service(past.service)
    number = past.tracking_number or NUMBERLESS
    blind = known is not None and known.capability is Capability.EXPORT_ONLY
    scan = Scan(earliest=handed_over_at, latest=handed_over_at, status=TrackingStatus.IN_TRANSIT)
    return Shipment(
        id=past.row,
        number=number,
        carrier=None if known is None else known.carrier,
        service="standard" if known is None else known.service,
        service_text=past.service,
        matched=past.service is None or known is not None,
        capability=Capability.EXPORT_ONLY if blind else Capability.ARRIVAL_AND_DELIVERY,
        settled_by=None if known is None else known.settled_by,
        country=past.country,
        shipped_at=handed_over_at,
        status=TrackingStatus.IN_TRANSIT,
        first_scan=scan,
        last_scan=scan,
    )


def _heard(parcel: Shipment, past: PastOrder, now: datetime, *, arrived: bool) -> Shipment:
    """The parcel as a source tells it at `now`."""
    if not arrived or past.delivered_at is None:
        return replace(parcel, last_answer_at=now)
    end = Scan(earliest=past.delivered_at, latest=past.delivered_at, status=TrackingStatus.DELIVERED, country=past.country)
    return replace(parcel, last_answer_at=now, status=TrackingStatus.DELIVERED, last_scan=end, delivered_scan=end)


def _count(out: Outcome, decisions: tuple[Decision, ...], past: PastOrder, now: datetime, as_of: datetime) -> None:
    for decision in decisions:
        match decision.kind:
            case ActionKind.MESSAGE:
                out.messages.append(decision.template or decision.intent.value)
            case ActionKind.EXTENSION:
                out.extensions += 1
            case ActionKind.COMPENSATION:
                out.claims += 1
            case ActionKind.REFUND if decision.remedy in _MONEY:
                later = past.delivered_at is not None and now < past.delivered_at <= as_of
                out.refunds.append(Refund(now, decision.amount, decision.currency, later))
            case _:
                pass
