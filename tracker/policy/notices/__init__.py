"""Everything that is said beside the ladder: notices of events, courtesies, answers (facts/messages.md section 2, D15).

Notices and answers are no outreach: opt-out and a waiting buyer do not stop them, and each is sent once for its event. The
courtesies (review, vip) stop like the ladder. What still waits while its event is over is taken back.
"""

from __future__ import annotations

from carriers.model import TrackingReason, TrackingStatus
from tracker.policy.findings import Findings
from tracker.policy.notices.collecting import collect, pay_duties
from tracker.policy.notices.customs import clear
from tracker.policy.notices.delay import slow, slowed
from tracker.policy.notices.delivered import answer_search, arrive, reopen
from tracker.policy.notices.disputes import disputes
from tracker.policy.notices.extended import extended
from tracker.policy.notices.funds import release_funds
from tracker.policy.notices.late import late_arrival
from tracker.policy.notices.lost import lost
from tracker.policy.notices.refunded import refunded
from tracker.policy.notices.review import ask_review
from tracker.policy.notices.vip import care
from tracker.policy.notices.voice import Voice
from tracker.policy.view import View

_LOUD_STATUS = frozenset({TrackingStatus.DELIVERED, TrackingStatus.AVAILABLE_FOR_PICKUP})
_LOUD_REASON = frozenset(
    {
        TrackingReason.CUSTOMS_HOLD,
        TrackingReason.DOCUMENTS_MISSING,
        TrackingReason.DUTIES_UNPAID,
        TrackingReason.STORAGE_EXPIRING,
    }
)


def tell(view: View, out: Findings) -> None:
    """Decide the notices, courtesies and answers. Of a quiet order nothing is built."""
    dossier, order = view.dossier, view.order
    told = dossier.effects or dossier.cases or order.vip or order.refunded_at is not None or order.received_at is not None
    if told or _loud(view) or slowed(view, out):
        _speak(view, out)


def _loud(view: View) -> bool:
    """One test per parcel: does its status or its reason tell of anything?"""
    return any(parcel.shipment.status in _LOUD_STATUS or parcel.shipment.reason in _LOUD_REASON for parcel in view.parcels)


def _speak(view: View, out: Findings) -> None:
    voice = Voice(view, out)
    extended(view, out)
    refunded(view, out)
    late_arrival(view, out)
    clear(view, voice)
    pay_duties(view, voice)
    collect(view, voice)
    slow(view, voice)
    arrive(view, voice)
    reopen(view, voice)
    answer_search(view, voice)
    disputes(view, voice)
    lost(view, voice)
    ask_review(view, voice)
    care(view, voice)
    release_funds(view, voice)
    voice.fall_silent()


__all__ = ["tell"]
