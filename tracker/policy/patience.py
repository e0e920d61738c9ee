"""Why day 60 is let pass for a parcel, and until when: then it is decided again (D2)."""

from __future__ import annotations

from datetime import datetime

from carriers.model import TrackingReason, TrackingStatus
from tracker.dates import DAY
from tracker.model import DecisionReason
from tracker.policy.view import Parcel, View

_LAST_MILE = (TrackingStatus.OUT_FOR_DELIVERY, TrackingStatus.AVAILABLE_FOR_PICKUP, TrackingStatus.FAILED_ATTEMPT)
_BUYERS_TURN = (TrackingReason.DUTIES_UNPAID, TrackingReason.DOCUMENTS_MISSING)


def patience(view: View, parcel: Parcel) -> tuple[DecisionReason | None, datetime | None]:
    """It moves, is in the last mile, or waits for the buyer; None: nothing speaks for waiting. The window's end ends it all."""
    shipment = parcel.shipment
    if shipment.status in _LAST_MILE:
        return DecisionReason.IN_LAST_MILE, None
    if shipment.reason in _BUYERS_TURN:
        return DecisionReason.WAITS_FOR_BUYERS_ACTION, None
    if shipment.last_scan is not None:
        rests = shipment.last_scan.latest + view.rules.manners.moved_within_days * DAY
        if rests > view.now:
            return DecisionReason.STILL_MOVING, rests
    return None, None
