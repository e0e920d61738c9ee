"""The delivery window was extended: the buyer stays protected while he waits (R7)."""

from __future__ import annotations

from datetime import UTC

from tracker.dates import utc_text
from tracker.model import ActionKind, Decision, DecisionReason, Effect, Intent, WindowSource
from tracker.policy.findings import Findings
from tracker.policy.slots import allowed
from tracker.policy.view import View, standing
from tracker.policy.window import moves


def extended(view: View, out: Findings) -> None:
    """After a window was really extended. Closing the extension's task, or the marketplace itself, brought the new end."""
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
        out.act(
            Decision(
                kind=ActionKind.MESSAGE,
                reason=DecisionReason.WINDOW_WAS_EXTENDED,
                rule=Intent.EXTENDED.value,
                subject=view.order.subject,
                intent=Intent.EXTENDED,
                occasion=before,
                shipment=lead.shipment.number,
                template=Intent.EXTENDED.value,
                currency=view.order.currency,
                evidence={"old_end": moves(before), "window_end": utc_text(window.end)},
            )
        )


def _stop_late(view: View, out: Findings, past: list[Effect]) -> None:
    """A notice that still waits while the parcel is delivered or refunded says nothing any more."""
    if view.over is not None or not view.expected:
        out.take_back(past, view.over or DecisionReason.DELIVERED)
    out.nothing(Intent.EXTENDED.value, DecisionReason.ALREADY_DONE)
