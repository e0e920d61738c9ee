"""What it costs to read a source's answer, beside the standard library's `json.loads` of the same bytes (issue: speed).

Every adapter gets the same forty parcels with 10-30 scans each, in its own shape: add a line to `BODIES` and a function that
writes them. `unchanged` is the cut and the digest, after which nothing is parsed; `changed` the cut and the reading. 17TRACK is
measured twice: with scans of four fields (some 110 kB, the size that the facts agree on) and with every field that it documents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from json import loads
from typing import Any, NamedTuple

import msgspec

from carriers import registry
from carriers.base import Response
from carriers.scans import digest
from tests.bench.answers import BATCH, CARRIER, LATEST, body, numbers
from tests.bench.micro import cpu_us
from tests.bench.report import Line, line, median

UNCHANGED, CHANGED = "unchanged", "changed"
_REPEATS = 5


class Scan(NamedTuple):
    """One scan as every body tells it: ISO time with its distance to UTC, text, place, and whether it is the customs'."""

    time: str
    text: str
    place: str
    customs: bool


Journeys = Mapping[str, Sequence[Scan]]
"""Number -> its scans, newest first."""


@cache
def journeys() -> Journeys:
    """The forty parcels."""
    items = msgspec.json.decode(body(numbers(BATCH), LATEST))["data"]["accepted"]
    told = {item["number"]: item["track_info"]["tracking"]["providers"][0]["events"] for item in items}
    return {number: [_scan(event) for event in events] for number, events in told.items()}


def _scan(event: Mapping[str, str]) -> Scan:
    return Scan(event["time_iso"], event["description"], event["location"], event["sub_status"].endswith("CustomsProcessing"))


def _seventeen_track(_: Journeys) -> bytes:
    return body(numbers(BATCH), LATEST)


def _seventeen_track_full(told: Journeys) -> bytes:
    nowhere = {
        "state": None,
        "city": None,
        "street": None,
        "postal_code": None,
        "coordinates": {"longitude": None, "latitude": None},
    }
    stages = [
        "InfoReceived",
        "PickedUp",
        "Departure",
        "Arrival",
        "AvailableForPickup",
        "OutForDelivery",
        "Delivered",
        "Returning",
        "Returned",
    ]

    def event(scan: Scan) -> dict[str, Any]:
        utc = datetime.fromisoformat(scan.time).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "time_iso": scan.time,
            "time_utc": utc,
            "time_raw": {"date": scan.time[:10], "time": scan.time[11:19], "timezone": scan.time[19:]},
            "description": scan.text,
            "description_translation": None,
            "location": scan.place,
            "stage": None,
            "sub_status": "InTransit_CustomsProcessing" if scan.customs else "InTransit_Other",
            "address": {"country": "CN", **nowhere},
        }

    def item(number: str, scans: Sequence[Scan]) -> dict[str, Any]:
        provider = {"key": CARRIER, "name": "China Post", "alias": "China Post", "tel": None, "homepage": None, "country": "CN"}
        events = [event(scan) for scan in scans]
        return {
            "number": number,
            "carrier": CARRIER,
            "param": None,
            "tag": None,
            "track_info": {
                "shipping_info": {
                    "shipper_address": {"country": "CN", **nowhere},
                    "recipient_address": {"country": "BR", **nowhere},
                },
                "latest_status": {"status": "InTransit", "sub_status": "InTransit_Other", "sub_status_descr": None},
                "latest_event": events[0],
                "time_metrics": {"days_after_order": 9, "days_of_transit": 8, "days_after_last_update": 1},
                "milestone": [{"key_stage": stage, "time_iso": None, "time_utc": None} for stage in stages],
                "misc_info": {"local_number": None, "local_provider": None, "local_key": 0},
                "tracking": {
                    "providers_hash": 41,
                    "providers": [
                        {
                            "provider": provider,
                            "service_type": None,
                            "latest_sync_status": "Success",
                            "latest_sync_time": "2026-03-03T06:00:00Z",
                            "events_hash": -11,
                            "events": events,
                        }
                    ],
                },
            },
        }

    accepted = [item(number, scans) for number, scans in told.items()]
    return msgspec.json.encode({"code": 0, "data": {"accepted": accepted, "rejected": []}})


def _trackingmore(told: Journeys) -> bytes:
    def event(scan: Scan) -> dict[str, Any]:
        word, sub = ("exception", "exception006") if scan.customs else ("transit", "transit001")
        return {
            "checkpoint_date": scan.time,
            "checkpoint_delivery_status": word,
            "checkpoint_delivery_substatus": sub,
            "tracking_detail": scan.text,
            "location": scan.place,
        }

    data = [
        {
            "id": f"{at:032x}",
            "tracking_number": number,
            "courier_code": "china-post",
            "delivery_status": "transit",
            "substatus": "transit001",
            "origin_info": {"courier_code": "china-post", "trackinfo": [event(scan) for scan in scans]},
        }
        for at, (number, scans) in enumerate(told.items())
    ]
    return msgspec.json.encode({"meta": {"code": 200, "message": "Success"}, "data": data})


def _aftership(told: Journeys) -> bytes:
    def event(scan: Scan) -> dict[str, Any]:
        subtag = "InTransit_006" if scan.customs else "InTransit_001"
        return {"checkpoint_time": scan.time, "message": scan.text, "location": scan.place, "tag": "InTransit", "subtag": subtag}

    trackings = [
        {
            "id": f"{at:032x}",
            "tracking_number": number,
            "slug": "china-post",
            "tag": "InTransit",
            "subtag": "InTransit_001",
            "updated_at": "2026-03-03T06:00:00+00:00",
            "checkpoints": [event(scan) for scan in scans[::-1]],
        }
        for at, (number, scans) in enumerate(told.items())
    ]
    return msgspec.json.encode({"meta": {"code": 200}, "data": {"pagination": {"has_next_page": False}, "trackings": trackings}})


BODIES: Mapping[str, tuple[str, Callable[[Journeys], bytes]]] = {
    "seventeen_track": ("seventeen_track", _seventeen_track),
    "seventeen_track_full": ("seventeen_track", _seventeen_track_full),
    "trackingmore": ("trackingmore", _trackingmore),
    "aftership": ("aftership", _aftership),
}
"""Figure -> the adapter and who writes the forty parcels in its shape."""


def measure(rounds: int) -> dict[str, float]:
    """CPU microseconds a parcel: `NAME json_loads`, `NAME unchanged`, `NAME changed`; medians of interleaved repeats."""
    found: dict[str, list[float]] = {}
    for name, (adapter, write) in BODIES.items():
        steps = _steps(adapter, write(journeys()))
        for _ in range(_REPEATS):
            for step, work in steps.items():
                found.setdefault(f"{name} {step}", []).append(cpu_us(work, max(1, rounds // _REPEATS)) / BATCH)
    return {name: median(values) for name, values in found.items()}


def _steps(adapter: str, raw: bytes) -> dict[str, Callable[[], object]]:
    source, answer, asked = registry.get(adapter), Response(status=200, body=raw), list(journeys())

    def slices() -> list[bytes]:
        return [cut for cut in source.split(answer, asked).values() if isinstance(cut, bytes)]

    if sum(len(source.read(cut).events) for cut in slices()) != sum(map(len, journeys().values())):
        raise RuntimeError(f"{adapter} did not read what it was told")
    return {
        "json_loads": lambda: loads(raw),
        UNCHANGED: lambda: [digest(cut) for cut in slices()],
        CHANGED: lambda: [source.read(cut) for cut in slices()],
    }


def lines(found: Mapping[str, float]) -> list[Line]:
    """Two figures an adapter."""
    return [
        line(f"{name} {step}", found[f"{name} {step}"], "us", found[f"{name} json_loads"], what=what, against="us json.loads")
        for name in BODIES
        for step, what in ((UNCHANGED, f"{name}: an answer without news"), (CHANGED, f"{name}: an answer that is all news"))
    ]
