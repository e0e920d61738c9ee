"""Notices of what happened: the window was extended, the refund was paid, the parcel came after the refund (R4, D13, D23).

They are no outreach: opt-out and a waiting buyer do not stop them, and each is sent once for its event.
"""

from __future__ import annotations

from datetime import UTC

from tracker.dates import utc_text
from tracker.model import ActionKind, Decision, DecisionReason, Effect, Intent, Scan, WindowSource
from tracker.policy.findings import Findings
from tracker.policy.refunds import STAGE3_REASONS
from tracker.policy.slots import allowed
from tracker.policy.view import Parcel, View, standing


def tell(view: View, out: Findings) -> None:
    """Decide the notices."""
    _extended(view, out)
    _refunded(view, out)
    _late_arrival(view, out)


# ---------------------------------------------------------------------------------------------------------------- extended


def _extended(view: View, out: Findings) -> None:
    """After a window was really extended: the buyer stays protected (R7). Closing the extension's task brought the new end."""
    done = [effect for effect in view.effects(Intent.EXTENSION) if effect.acted and effect.done_at is not None]
    if not done:
        return
    before, window = done[-1].occasion, view.order.window
    past = [effect for effect in view.effects(Intent.EXTENDED) if effect.occasion == before]
    if standing(past) is not None:
        _stop_late(view, out, past)
        return
    if window is None or window.source is WindowSource.ESTIMATED or window.end.astimezone(UTC).date().isoformat() <= before:
        out.nothing(Intent.EXTENDED.value, DecisionReason.NO_WINDOW_END)
    elif view.over is not None or not view.expected:
        out.nothing(Intent.EXTENDED.value, view.over or DecisionReason.DELIVERED)
    elif not allowed(view, Intent.EXTENDED.value):
        out.nothing(Intent.EXTENDED.value, DecisionReason.SWITCHED_OFF)
    else:
        lead = max(view.expected, key=lambda parcel: (parcel.age, parcel.shipment.number))
        facts = {"old_end": before, "window_end": utc_text(window.end)}
        out.act(_notice(view, lead, Intent.EXTENDED, DecisionReason.WINDOW_WAS_EXTENDED, before, facts))


def _stop_late(view: View, out: Findings, past: list[Effect]) -> None:
    """A notice that still waits while the parcel is delivered or refunded says nothing any more."""
    if view.over is not None or not view.expected:
        out.take_back(past, view.over or DecisionReason.DELIVERED)
    out.nothing(Intent.EXTENDED.value, DecisionReason.ALREADY_DONE)


# ------------------------------------------------------------------------------------------------------------------ refund


def _refunded(view: View, out: Findings) -> None:
    """One text a refund, after it was paid: `stage3` or `refund_issued` by the reason it was recommended for (D13).

    A refund that a person made outside, without a recommendation of ours, is told by whoever made it.
    """
    order = view.order
    if order.refunded_at is None:
        return
    paid = [effect for effect in view.effects(Intent.REFUND) if effect.acted and effect.done_at is not None]
    for effect in paid:
        intent = Intent.STAGE3 if effect.reason in STAGE3_REASONS else Intent.REFUND_ISSUED
        if standing([each for each in view.effects(intent) if each.occasion == effect.occasion]) is not None:
            out.nothing(intent.value, DecisionReason.ALREADY_DONE)
        elif (at := view.order.contacted.get(intent)) is not None:
            out.nothing(intent.value, DecisionReason.ALREADY_DONE, detail=f"contacted outside on {at:%Y-%m-%d}")
        elif not allowed(view, intent.value):
            out.nothing(intent.value, DecisionReason.SWITCHED_OFF)
        else:
            amount = order.refunded_amount if len(paid) == 1 else effect.amount
            facts = {"refund": effect.key, "reference": order.refund_reference or ""}
            parcel = next((each for each in view.parcels if each.shipment.number == effect.shipment), None)
            out.act(
                _notice(
                    view, parcel, intent, DecisionReason.REFUND_WAS_PAID, effect.occasion, facts | {"amount": str(amount or "")}
                )
            )


# ------------------------------------------------------------------------------------------------------------ late arrival


def _late_arrival(view: View, out: Findings) -> None:
    """Delivered after the refund: most buyers pay again when asked politely (R4); off on marketplaces by default (D23)."""
    refunded = view.order.refunded_at
    if refunded is None:
        return
    rule = Intent.LATE_ARRIVAL.value
    late = [parcel for parcel in view.parcels if (scan := _arrival(parcel)) is not None and scan.earliest > refunded]
    if not late:
        return
    past = view.effects(Intent.LATE_ARRIVAL)
    if standing(past) is not None:
        out.nothing(rule, DecisionReason.ALREADY_DONE)
    elif view.dossier.dispute_open:
        out.nothing(rule, DecisionReason.DISPUTE_OPEN)
    elif not allowed(view, rule) or not (view.market.own_shop or rule in view.market.tasks_for):
        out.nothing(rule, DecisionReason.SWITCHED_OFF)
    else:
        facts = {"refunded_at": utc_text(refunded)}
        out.act(_notice(view, late[0], Intent.LATE_ARRIVAL, DecisionReason.DELIVERED_AFTER_REFUND, "0", facts))


def _arrival(parcel: Parcel) -> Scan | None:
    """The delivery; where the source only says the word, its newest scan."""
    shipment = parcel.shipment
    return shipment.delivered_scan or shipment.last_scan if shipment.delivered else None


def _notice(
    view: View, parcel: Parcel | None, intent: Intent, reason: DecisionReason, instance: str, facts: dict[str, str]
) -> Decision:
    return Decision(
        kind=ActionKind.MESSAGE,
        reason=reason,
        rule=intent.value,
        subject=view.order.subject,
        intent=intent,
        occasion=instance,
        shipment=None if parcel is None else parcel.shipment.number,
        template=intent.value,
        currency=view.order.currency,
        evidence=facts,
    )
