"""The invented parcels that every part of the benchmark shares, and what 17TRACK answers about them.

Nothing is stored: a parcel is its index, its answer one of 200 scan lists behind its own number. 10-30 scans a parcel, 20 on
average, so that 40 numbers make some 110 kB (facts: performance). What changes on every real answer (the sync time)
changes here too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from functools import cache
from random import Random

import msgspec

from carriers.numbers import check_digit

BATCH = 40
CARRIER = 3011
LATEST = datetime(2026, 3, 2, 9, 30, tzinfo=timezone(timedelta(hours=8)))
"""The newest scan of every parcel: on its way, so that the next poll is due soon and nothing ends."""

_LISTS = 200
_STAMP = b"@@@@-@@-@@T@@:@@:@@Z"
_PLACES = ("Yiwu", "Shanghai", "Guangzhou", "Dongguan", "Curitiba", "Cajamar", "Sao Paulo", "Brasilia")
_DAYS = (8,) * 14 + (35,) * 3 + (50,) * 2 + (64,)
"""Days from the first scan to the newest: three parcels in ten are due a first message, one in twenty a recommendation."""

_SCANS = (
    ("InTransit_PickedUp", "Item accepted"),
    ("InTransit_Departure", "Departed"),
    ("InTransit_Other", "At the facility"),
    ("InTransit_Arrival", "Arrived at hub"),
    ("InTransit_CustomsProcessing", "At customs"),
    ("InTransit_CustomsReleased", "Customs released"),
)


def number(index: int) -> str:
    """A UPU number (S10) with its check digit: `LV` + serial + `CN`."""
    serial = f"{index % 100_000_000:08d}"
    return f"LV{serial}{check_digit(serial)}CN"


def numbers(shipments: int) -> list[str]:
    """The numbers of all parcels."""
    return [number(index) for index in range(shipments)]


@cache
def scan_lists() -> tuple[bytes, ...]:
    """What follows a parcel's number in its item, 200 times different, the same on every machine."""
    random = Random(17)  # noqa: S311 - invented scans, no secret
    return tuple(_rest(random, 10 + index % 21) for index in range(_LISTS))


def _rest(random: Random, scans: int) -> bytes:
    step = random.choice(_DAYS) * 1440 // scans
    at = LATEST - timedelta(minutes=random.randrange(600))
    events = []
    for _ in range(scans):
        sub_status, description = random.choice(_SCANS)
        place = random.choice(_PLACES)
        events.append({"time_iso": at.isoformat(), "description": description, "location": place, "sub_status": sub_status})
        at -= timedelta(minutes=random.randrange(step * 3 // 4, step * 5 // 4))
    item = {
        "carrier": CARRIER,
        "tag": None,
        "track_info": {
            "shipping_info": {"recipient_address": {"country": "BR"}},
            "latest_status": {"status": "InTransit", "sub_status": events[0]["sub_status"]},
            "tracking": {"providers": [{"provider": {"key": CARRIER}, "latest_sync_time": _STAMP.decode(), "events": events}]},
        },
    }
    return msgspec.json.encode(item)[1:]


_EVENTS = b'"events":['
_NEWS = msgspec.json.encode(
    {
        "time_iso": (LATEST + timedelta(days=2)).isoformat(),
        "description": "Arrived at the sorting centre",
        "location": _PLACES[-1],
        "sub_status": "InTransit_Arrival",
    }
)


@cache
def newer_lists() -> tuple[bytes, ...]:
    """The same with one scan more, which nobody has seen yet."""
    return tuple(rest.replace(_EVENTS, _EVENTS + _NEWS + b",", 1) for rest in scan_lists())


def body(asked: Sequence[str], at: datetime, *, news: bool = False) -> bytes:
    """The answer of gettrackinfo about `asked`, as synced `at`; with `news` it tells one scan more of each."""
    rests = newer_lists() if news else scan_lists()
    items = [b'{"number":"%b",%b' % (one.encode(), rests[int(one[2:10]) % _LISTS]) for one in asked]
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    return b'{"code":0,"data":{"accepted":[%b],"rejected":[]}}' % b",".join(items).replace(_STAMP, stamp)


def batches(all_numbers: Sequence[str]) -> Iterator[Sequence[str]]:
    """Forty at a time, as the source takes them."""
    for start in range(0, len(all_numbers), BATCH):
        yield all_numbers[start : start + BATCH]
