"""Where a parcel stands: scans against the top status, and deliveries to the sender (facts: rules across carriers, 5 and 6)."""

from __future__ import annotations

import pytest

from carriers.codes import UNKNOWN, Meaning
from carriers.model import TrackingEvent, TrackingReason, TrackingStatus
from carriers.standing import stand

DELIVERED: Meaning = (TrackingStatus.DELIVERED, None)
RETURNED: Meaning = (TrackingStatus.RETURNED, None)
RETURNING: Meaning = (TrackingStatus.EXCEPTION, TrackingReason.RETURNING)
MOVING: Meaning = (TrackingStatus.IN_TRANSIT, None)


def scan(meaning: Meaning, wall: str) -> TrackingEvent:
    """A scan whose zone nobody knows."""
    return TrackingEvent(key=wall.encode(), time=None, local_time=wall, status=meaning[0], reason=meaning[1], raw_code="C")


@pytest.mark.parametrize("back", [RETURNED, RETURNING])
def test_a_source_that_tells_of_a_return_means_the_sender_by_its_last_delivery(back: Meaning) -> None:
    """Rules across carriers 6: "delivered" to the sender is not delivered to the buyer; both are named."""
    told = stand([scan(MOVING, "2026-04-01T10:00:00"), scan(DELIVERED, "2026-04-09T10:00:00")], back, "T")
    assert (told.status, told.reason) == back
    assert told.notes == ("the status says T, the newest event C",)


@pytest.mark.parametrize("back", [RETURNED, RETURNING])
def test_a_return_after_a_delivery_wins_also_where_zones_leave_their_order_open(back: Meaning) -> None:
    """Rules across carriers 6: a few hours and no zone between them do not make the delivery the newer one."""
    told = stand([scan(DELIVERED, "2026-04-09T08:00:00"), scan(back, "2026-04-09T16:00:00")], DELIVERED, "T")
    assert (told.status, told.reason) == back


def test_two_scans_without_zones_are_ordered_by_the_source_where_no_return_is_told() -> None:
    """Rules across carriers 15: the order of two wall clocks is not known to us, and is to the source."""
    told = stand([scan(DELIVERED, "2026-04-09T08:00:00"), scan(MOVING, "2026-04-09T16:00:00")], DELIVERED, "T")
    assert (told.status, told.reason) == DELIVERED


def test_a_top_status_that_tells_nothing_leaves_the_newest_scan() -> None:
    assert stand([scan(DELIVERED, "2026-04-09T08:00:00")], UNKNOWN, None).notes == ()
