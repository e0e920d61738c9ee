"""The delivery window: extended for every buyer who has not received yet, before it closes (R7, D2).

It goes on while a buyer waits or has opted out, and needs no fresh tracking facts (D20); an open dispute stops it. An end that
is only estimated leads to a task "look up and extend", never to a call. One end is moved once: a second call for it comes only
after the end provably has not moved, and then a person. An extension also delays the seller's payout: after two of them a person
decides as well.
"""

from __future__ import annotations

from datetime import UTC, datetime

from tracker.dates import DAY, utc_text
from tracker.model import ActionKind, Decision, DecisionReason, Effect, Intent, OutboxState, Window, WindowSource
from tracker.policy.findings import Findings
from tracker.policy.view import View, standing
from tracker.times import country_of, find, order_anchors, when

RULE = "window.extend"
_DAY0 = "day0"
PERSON = "person"
"""The instance of what a person is asked to do about an end."""

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
    mine = [effect for effect in effects if moves(effect.occasion) == ends_on(window)]
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
    usual = window.end - view.market.extension.trigger_days * DAY
    complaints = _complaints(view, window)
    return usual if complaints is None else min(usual, complaints)


def _complaints(view: View, window: Window) -> datetime | None:
    """When buyers begin to complain, where the marketplace's rule counts that from day 0: the first extension comes by then (R7).

    In profile `current` the same rule counts from the window's end, and says nothing more than `trigger_days`.
    """
    extension = view.market.extension
    if extension.complaints is None or window.extensions or window.source is WindowSource.ESTIMATED:
        return None
    country = country_of(view.order, view.rules)
    rule = find(view.rules, extension.complaints, country, view.order.store)
    if rule is None or rule.anchor != _DAY0:
        return None
    moment = when(rule, order_anchors(view.dossier), rules=view.rules, country=country)
    return None if moment is None or moment.hint else moment.at


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
    if used is not None and not _failed(used):
        out.nothing(RULE, DecisionReason.ALREADY_DONE, detail=used.state.value)
    elif window.extensions >= view.market.extension.max_extensions:
        out.act(_for_a_person(view, window, DecisionReason.EXTENSIONS_USED_UP))
    else:
        tries = sum(effect.kind is ActionKind.EXTENSION and _failed(effect) for effect in effects)
        if tries < view.market.extension.attempts:
            out.act(_extension(view, window, tries))
        else:
            out.act(_for_a_person(view, window, DecisionReason.EXTENSION_FAILED))


def _failed(effect: Effect) -> bool:
    """A call that provably has not moved the end: reading it back said so, or a person did."""
    return effect.state is OutboxState.FAILED and effect.task is None and not effect.rejected


def _extension(view: View, window: Window, tries: int) -> Decision:
    estimated = window.source is WindowSource.ESTIMATED
    reason = DecisionReason.WINDOW_ESTIMATED_CLOSES_SOON if estimated else DecisionReason.WINDOW_CLOSES_SOON
    opens, usually = _opens(view, window), _usually(view, window)
    moved = {"before_team_holiday": utc_text(usually)} if opens < usually else {}
    days = {"days": ", ".join(str(days) for days in view.market.extension.days)}
    occasion = ends_on(window) if not tries else f"{ends_on(window)}/{tries + 1}"
    return _decision(view, window, ActionKind.EXTENSION, reason, occasion, {**days, **moved}, opens)


def _for_a_person(view: View, window: Window, reason: DecisionReason) -> Decision:
    """What no call may do any more: a person asks the marketplace, the buyer, or lets it close."""
    return _decision(view, window, ActionKind.TASK, reason, f"{ends_on(window)}/{PERSON}", {}, None)


def _decision(
    view: View,
    window: Window,
    kind: ActionKind,
    reason: DecisionReason,
    occasion: str,
    facts: dict[str, str],
    opens: datetime | None,
) -> Decision:
    return Decision(
        kind=kind,
        reason=reason,
        rule=RULE,
        subject=view.order.subject,
        intent=Intent.EXTENSION,
        occasion=occasion,
        shipment=_most_delayed(view),
        not_before=opens,
        deadline=window.end,
        urgent=True,
        evidence={
            "window_end": utc_text(window.end),
            "window_source": window.source.value,
            "extensions": str(window.extensions),
            **facts,
        },
    )


def _most_delayed(view: View) -> str | None:
    oldest = max(view.expected, key=lambda parcel: (parcel.age, parcel.shipment.number), default=None)
    return None if oldest is None else oldest.shipment.number


def ends_on(window: Window) -> str:
    """The window's end as the occasion of an extension: its UTC date."""
    return window.end.astimezone(UTC).date().isoformat()


def moves(occasion: str) -> str:
    """The end (its UTC date) that an extension of this occasion moves, however often it was tried."""
    return occasion.partition("/")[0]


def closes_at(view: View) -> datetime | None:
    """When the window closes, estimated or not."""
    window = view.window()
    return None if window is None else window.end
