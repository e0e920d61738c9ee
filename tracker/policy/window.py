"""The delivery window: extended for every buyer who has not received yet, before it closes (R7, D2).

It goes on while a buyer waits or has opted out, and needs no fresh tracking facts (D20); an open dispute stops it. An end that
is only estimated leads to a task "look up and extend", never to a call.
"""

from __future__ import annotations

from datetime import UTC, datetime

from tracker.dates import DAY, utc_text
from tracker.model import ActionKind, Decision, DecisionReason, Effect, Intent, Window, WindowSource
from tracker.policy.findings import Findings
from tracker.policy.view import View, standing

RULE = "window.extend"
NO_EXTENSION = "none"
"""Mode of a marketplace whose windows nobody of us can extend."""


def extend(view: View, out: Findings) -> None:
    """Decide the extension of the order's window."""
    effects = view.effects(Intent.EXTENSION)
    stop = _stop(view)
    if stop is not None:
        out.nothing(RULE, stop)
        out.take_back(effects, stop)
        return
    window = view.window()
    if window is None:
        out.nothing(RULE, DecisionReason.NO_WINDOW_END)
        return
    opens = _opens(view, window)
    mine = [effect for effect in effects if effect.occasion == ends_on(window)]
    if view.now < opens:
        out.nothing(RULE, DecisionReason.WINDOW_FAR, detail=ends_on(window), again=opens)
        out.take_back(effects, DecisionReason.WINDOW_FAR)
    elif window.end <= view.now:
        out.nothing(RULE, DecisionReason.WINDOW_OVER, detail=ends_on(window))
        out.take_back(effects, DecisionReason.WINDOW_OVER)
    else:
        out.again(window.end)
        out.take_back((effect for effect in effects if effect not in mine), DecisionReason.WINDOW_FAR)
        _near(view, out, window, effects if window.source is WindowSource.ESTIMATED else mine)


def _opens(view: View, window: Window) -> datetime:
    """When the extension comes due: the marketplace's days before the end, before a holiday of the whole team if it falls there.

    Nobody would do the task before the window closes, or among all that piled up (facts/daily-operations.md section 2).
    """
    return view.rules.team.before_holiday(view.order.store, _usually(view, window))


def _usually(view: View, window: Window) -> datetime:
    return window.end - view.market.extension.trigger_days * DAY


def _stop(view: View) -> DecisionReason | None:
    if view.market.extension.mode == NO_EXTENSION:
        return DecisionReason.NO_EXTENSION_THERE
    if view.over is not None:
        return view.over
    if view.parcels and not view.expected:
        return view.parcels[0].gone
    return DecisionReason.DISPUTE_OPEN if view.dossier.dispute_open else None


def _near(view: View, out: Findings, window: Window, effects: list[Effect]) -> None:
    """The end is near. Of an estimated end one task is enough, however the estimate moves: closing it brings the true end."""
    used = standing(effects)
    if used is not None:
        out.nothing(RULE, DecisionReason.ALREADY_DONE, detail=used.state.value)
    elif window.extensions >= view.market.extension.max_extensions:
        out.nothing(RULE, DecisionReason.EXTENSIONS_USED_UP, detail=str(window.extensions))
    else:
        out.act(_extension(view, window))


def _extension(view: View, window: Window) -> Decision:
    estimated = window.source is WindowSource.ESTIMATED
    reason = DecisionReason.WINDOW_ESTIMATED_CLOSES_SOON if estimated else DecisionReason.WINDOW_CLOSES_SOON
    opens, usually = _opens(view, window), _usually(view, window)
    moved = {"before_team_holiday": utc_text(usually)} if opens < usually else {}
    return Decision(
        kind=ActionKind.EXTENSION,
        reason=reason,
        rule=RULE,
        subject=view.order.subject,
        intent=Intent.EXTENSION,
        occasion=ends_on(window),
        shipment=_most_delayed(view),
        not_before=opens,
        deadline=window.end,
        urgent=True,
        evidence={
            "window_end": utc_text(window.end),
            "window_source": window.source.value,
            "extensions": str(window.extensions),
            "days": ", ".join(str(days) for days in view.market.extension.days),
            **moved,
        },
    )


def _most_delayed(view: View) -> str | None:
    oldest = max(view.expected, key=lambda parcel: (parcel.age, parcel.shipment.number), default=None)
    return None if oldest is None else oldest.shipment.number


def ends_on(window: Window) -> str:
    """The window's end as the occasion of an extension: its UTC date."""
    return window.end.astimezone(UTC).date().isoformat()


def closes_at(view: View) -> datetime | None:
    """When the window closes, estimated or not."""
    window = view.window()
    return None if window is None else window.end
