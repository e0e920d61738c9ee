"""One past order as a row of a file tells it, and what is odd about it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

CANCELLED = frozenset({"canceled", "cancelled"})
DELIVERED = "delivered"
REPEATED = "order_id_repeated"
"""What is odd about a row whose order an earlier one has told already."""

_UNDERWAY = frozenset({*CANCELLED, "invoiced", "shipped"})
"""Words of marketplaces that do not go with a delivery."""


class PastOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A row that can be replayed. `row` is its line in the file; times are aware UTC; `platform` an id of marketplaces.toml.

    `amount` has a `currency` wherever it is there.
    """

    row: int
    number: str
    platform: str
    country: str | None = None
    region: str | None = None
    status: str = ""
    purchased_at: datetime | None = None
    paid_at: datetime | None = None
    handed_over_at: datetime | None = None
    delivered_at: datetime | None = None
    promised_at: datetime | None = None
    amount: Decimal | None = None
    currency: str | None = None
    service: str | None = None
    tracking_number: str | None = None


class RejectedRow(msgspec.Struct, frozen=True, gc=False):
    """A row that cannot be replayed, and why."""

    row: int
    reason: str


def _before(first: datetime | None, second: datetime | None) -> bool:
    return first is not None and second is not None and first < second


_SUSPICIONS: Mapping[str, Callable[[PastOrder], bool]] = {
    "handed_over_before_payment": lambda past: _before(past.handed_over_at, past.paid_at),
    "handed_over_before_purchase": lambda past: _before(past.handed_over_at, past.purchased_at),
    "delivered_before_handed_over": lambda past: _before(past.delivered_at, past.handed_over_at),
    "delivered_before_payment": lambda past: _before(past.delivered_at, past.paid_at),
    "delivered_without_date": lambda past: past.status == DELIVERED and past.delivered_at is None,
    "delivered_without_hand_over": lambda past: past.delivered_at is not None and past.handed_over_at is None,
    "date_contradicts_status": lambda past: past.delivered_at is not None and past.status in _UNDERWAY,
    "no_date_at_all": lambda past: (past.handed_over_at or past.paid_at or past.purchased_at) is None,
}
"""Name -> what is odd. Such a row is replayed as it stands, and named."""


def suspicions(past: PastOrder) -> tuple[str, ...]:
    """What is odd about this row; nearly always nothing."""
    return tuple([name for name, odd in _SUSPICIONS.items() if odd(past)])


class Repeats:
    """Notices an order that a file tells twice: then every figure counts it twice. Two parcels of one order are no repeat.

    It keeps a fingerprint of 8 bytes an order and no text, because a million orders shall fit into any memory.
    """

    def __init__(self) -> None:
        self._slots, self._kept = _empty(1 << 10), 0

    def seen(self, past: PastOrder) -> bool:
        """Whether this order (and parcel, where its number is told) was asked about before."""
        if 2 * self._kept >= len(self._slots):
            before, self._slots = self._slots, _empty(2 * len(self._slots))
            for mark in before:
                if mark:
                    self._slots[self._place(mark)] = mark
        mark = hash((past.number, past.tracking_number)) & _MASK or 1
        place = self._place(mark)
        if self._slots[place]:
            return True
        self._slots[place] = mark
        self._kept += 1
        return False

    def _place(self, mark: int) -> int:
        last = len(self._slots) - 1
        place = mark & last
        while self._slots[place] not in (0, mark):
            place = (place + 1) & last
        return place


_MASK = (1 << 64) - 1


def _empty(size: int) -> array[int]:
    return array("Q", bytes(8 * size))
