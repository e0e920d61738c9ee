"""Delivered: verify, then tell, then ask (R20, R21); the buyer who does not find it (R38); a delivery that is taken back."""

from __future__ import annotations

from datetime import UTC, datetime

from tracker.model import DecisionReason, Intent
from tracker.policy.ladder import rounds
from tracker.policy.notices.voice import Voice, Word, seen_at
from tracker.policy.searching import TEMPLATE, arrival, missing, searching
from tracker.policy.view import Parcel, View

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def confirmed(view: View) -> Parcel | None:
    """The parcel that came last, once nothing of the order is on its way any more; None while something is, or is doubted.

    A source's word counts as the check of R20 unless its number is suspect.
    """
    if view.expected:
        return None
    came = [parcel for parcel in view.parcels if parcel.gone is DecisionReason.DELIVERED]
    if not came or any(parcel.shipment.suspect is not None for parcel in came):
        return None
    return max(came, key=lambda parcel: came_at(parcel) or _LONG_AGO)


def came_at(parcel: Parcel) -> datetime | None:
    """When it was delivered; the later bound."""
    scan = arrival(parcel)
    return None if scan is None else scan.latest


def arrive(view: View, voice: Voice) -> None:
    """Tell that everything has come: off by default, the platform says it (R20)."""
    last = confirmed(view)
    if last is None:
        return
    if view.over is not None:
        voice.nothing(Intent.DELIVERED, view.over, last)
    elif view.dossier.dispute_open:
        voice.nothing(Intent.DELIVERED, DecisionReason.DISPUTE_OPEN, last)
    else:
        reason, news = DecisionReason.DELIVERY_CONFIRMED, view.rules.notices.news_days
        voice.say(
            Word(intent=Intent.DELIVERED, template="delivered", reason=reason, parcel=last, since=came_at(last), within=news)
        )


def reopen(view: View, voice: Voice) -> None:
    """Only who was told of a delivery hears that it is taken back (R6, R36)."""
    if view.over is not None:
        return
    told = {effect.shipment for effect in view.effects(Intent.DELIVERED) if effect.acted}
    back = next((parcel for parcel in view.expected if parcel.shipment.number in told), None)
    if back is not None:
        reason, days = DecisionReason.DELIVERY_TAKEN_BACK, view.rules.notices.state_days
        voice.say(Word(intent=Intent.REOPENED, template="reopened", reason=reason, parcel=back, since=seen_at(back), within=days))


def answer_search(view: View, voice: Voice) -> None:
    """The buyer writes that a delivered parcel is not there: where to look, and that we ask the carrier (R38).

    His message is an open case `buyer_message` with the reason `not_received`. An inquiry is answered inside the case, and
    `dispute_opened` speaks. It answers the buyer, so it is a round (R45).
    """
    case = searching(view)
    parcel = None if case is None else missing(view, case)
    if case is None or parcel is None:
        return
    used, limit = rounds(view), view.rules.manners.rounds
    if used >= limit and not voice.past(Intent.NOT_FOUND_BY_BUYER, "0"):
        voice.nothing(Intent.NOT_FOUND_BY_BUYER, DecisionReason.ROUNDS_USED_UP, parcel, str(used))
        return
    voice.say(
        Word(
            intent=Intent.NOT_FOUND_BY_BUYER,
            template=TEMPLATE,
            reason=DecisionReason.DELIVERED_BUT_NOT_FOUND,
            parcel=parcel,
            since=case.opened_at,
            urgent=True,
            fresh=False,
            facts={"case": case.id},
        )
    )
