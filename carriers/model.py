"""What a source tells about one tracking number, in our words.

The words are those of the house: a *source* is whom we ask, a *tracking event* is one scan, the *tracking status* says where a
parcel stands and the *reason* says why. Everything here is a frozen value.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

ZONE_WEST = 14 * 3600
"""Seconds a local time can lie behind UTC at most when its zone is unknown: the instant is not before local - 14 h."""

ZONE_EAST = 12 * 3600
"""Seconds the other way: the instant is not after local + 12 h."""


class TrackingStatus(StrEnum):
    """Where a parcel stands. `unknown` is an honest word: an unmapped code never becomes `in_transit`."""

    NOT_FOUND = "not_found"
    INFO_RECEIVED = "info_received"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    FAILED_ATTEMPT = "failed_attempt"
    DELIVERED = "delivered"
    RETURNED = "returned"
    EXCEPTION = "exception"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class TrackingReason(StrEnum):
    """Why a parcel stands there (facts/carriers.md section 4)."""

    ADDRESS_PROBLEM = "address_problem"
    CANCELLED = "cancelled"
    CUSTOMS_HOLD = "customs_hold"
    CUSTOMS_REFUSED = "customs_refused"
    DAMAGED = "damaged"
    DELAYED = "delayed"
    DESTROYED = "destroyed"
    DOCUMENTS_MISSING = "documents_missing"
    DUTIES_UNPAID = "duties_unpaid"
    LOST = "lost"
    MISDELIVERED = "misdelivered"
    NOT_COLLECTED = "not_collected"
    PROHIBITED_CONTENT = "prohibited_content"
    RECIPIENT_ABSENT = "recipient_absent"
    REFUSED = "refused"
    RETURNING = "returning"
    SECURITY = "security"
    SEIZED = "seized"
    STORAGE_EXPIRING = "storage_expiring"


class TrackingEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One scan.

    `key` is an 8-byte fingerprint of the *raw* carrier fields, so that an identical answer never makes a second event.
    `time` is epoch seconds UTC, None when the instant cannot be known; `local_time` is the wall clock as the carrier prints it
    (`YYYY-MM-DDTHH:MM:SS`), `offset` its distance to UTC in minutes, None when the carrier names no zone. `country` is ISO 3166
    alpha-2 where the source tells it.
    """

    key: bytes
    time: int | None
    local_time: str | None
    offset: int | None = None
    status: TrackingStatus = TrackingStatus.UNKNOWN
    reason: TrackingReason | None = None
    raw_code: str | None = None
    description: str = ""
    location: str = ""
    country: str | None = None

    def bounds(self) -> tuple[int, int] | None:
        """Earliest and latest epoch second at which the scan can have happened; None when it has no usable time at all."""
        if self.time is not None:
            return self.time, self.time
        if self.local_time is None:
            return None
        try:
            wall = int(datetime.fromisoformat(self.local_time).replace(tzinfo=UTC).timestamp())
        except ValueError:
            return None
        return wall - ZONE_WEST, wall + ZONE_EAST


class Tracking(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A source's answer for one number.

    `events` are sorted by instant, oldest first; events without a usable time keep their place in the carrier's list.
    `linked_number` is the last-mile number to follow, `linked_code` the source's own code of the carrier there; `stopped` says
    that the source no longer looks; `unmapped` lists raw codes that no table knows (one warning each); `notes` names
    contradictions inside the answer. An error for this number is no Tracking: it says nothing about the parcel.
    """

    number: str | None
    status: TrackingStatus
    reason: TrackingReason | None = None
    raw_status: str | None = None
    raw_sub_status: str | None = None
    events: tuple[TrackingEvent, ...] = ()
    carrier_code: str | None = None
    destination_country: str | None = None
    linked_number: str | None = None
    linked_code: str | None = None
    stopped: bool = False
    unmapped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def last_event(self) -> TrackingEvent | None:
        """The newest event that has a usable time."""
        return newest(self.events)


def newest(events: Sequence[TrackingEvent]) -> TrackingEvent | None:
    """The last of events in order that has a usable time; undated ones never win (facts: rules across carriers)."""
    return next((event for event in reversed(events) if event.time is not None or event.local_time is not None), None)
