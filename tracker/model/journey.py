"""What the store remembers of a parcel's journey, so that a dossier loads without its events.

The value lives here; who folds events and answers into it is pure code beside it, who keeps it is the store.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from carriers.model import TrackingReason, TrackingStatus
from tracker.model.order import NotFound, Scan


class Journey(msgspec.Struct, frozen=True, kw_only=True):
    """The fold over a parcel's events and its sources' answers: the part of `Shipment` that polling writes.

    `not_found_by` lists the accounts whose latest answer was *not found* (R8 wants two sources where two are configured);
    `moved_at` is the epoch second of the newest scan (the later bound where its zone is unknown): the cadence follows it.
    """

    status: TrackingStatus = TrackingStatus.UNKNOWN
    reason: TrackingReason | None = None
    raw_status: str | None = None
    first_scan: Scan | None = None
    last_scan: Scan | None = None
    delivered_scan: Scan | None = None
    not_found: NotFound | None = None
    not_found_by: tuple[str, ...] = ()
    registered_at: datetime | None = None
    stopped: bool = False
    suspect: str | None = None
    moved_at: int | None = None
