"""Parcels for the claim tables: a Chinese parcel posted on 1 June 2026 at noon in Shanghai, changed by what a test is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from tracker import config
from tracker.model import Order, Scan, Shipment
from tracker.rules import CompensationRule, Rules

POSTED = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)


@cache
def shipped_rules() -> Rules:
    return config.load(None, environ={}).rules


def terms(id_: str) -> CompensationRule:
    return next(each for each in shipped_rules().compensation if each.id == id_)


def order(**changes: Any) -> Order:
    values: dict[str, Any] = {
        "id": 1,
        "store": "lume",
        "platform": "aliexpress",
        "number": "1001",
        "country": "BR",
        "currency": "USD",
    }
    return Order(**values | changes)


def shipment(**changes: Any) -> Shipment:
    values: dict[str, Any] = {"id": 1, "number": "LX000000005CN", "carrier": "yanwen", "shipped_at": POSTED}
    return Shipment(**values | changes)


def scan(at: datetime, *, zone_known: bool = True) -> Scan:
    """A scan at `at`, or one whose carrier tells no zone: then it is known to within 26 hours only."""
    if zone_known:
        return Scan(earliest=at, latest=at)
    return Scan(earliest=at - timedelta(hours=14), latest=at + timedelta(hours=12))
