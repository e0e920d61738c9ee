"""The same invented parcels as DHL Shipment Tracking Unified tells them: one number an answer, the scans of `answers`.

Only karrio's connector of that name, and ours beside it, are asked in this shape: of what the benchmark's parcels could be
asked at, it is what both know.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from tests.bench.answers import newer_lists, scan_lists

_SERVICE = "parcel-int"
_COUNTRY = "CN"


def unified(number: str, *, news: bool = False) -> bytes:
    """What is told of one parcel; with `news` one scan more."""
    rests = _newer() if news else _known()
    return b'{"shipments":[{"id":"%b",%b' % (number.encode(), rests[int(number[2:10]) % len(rests)])


@cache
def _known() -> tuple[bytes, ...]:
    return tuple(map(_rest, scan_lists()))


@cache
def _newer() -> tuple[bytes, ...]:
    return tuple(map(_rest, newer_lists()))


def _rest(told: bytes) -> bytes:
    """What follows a parcel's number: newest scan first, and again as its status, without what differs between two askings."""
    item = msgspec.json.decode(b"{" + told)
    events = [_event(each) for each in item["track_info"]["tracking"]["providers"][0]["events"]]
    shipment = {
        "service": _SERVICE,
        "origin": {"address": {"countryCode": _COUNTRY}},
        "destination": {"address": {"countryCode": "BR"}},
        "status": events[0],
        "details": {},
        "events": events,
    }
    return msgspec.json.encode(shipment)[1:] + b"]}"


def _event(scan: dict[str, Any]) -> dict[str, Any]:
    return {
        "timestamp": scan["time_iso"],
        "location": {"address": {"addressLocality": scan["location"], "countryCode": _COUNTRY}},
        "statusCode": "transit",
        "status": scan["sub_status"],
        "description": scan["description"],
    }
