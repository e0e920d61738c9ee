"""Orders that make work: each kind brings about one sort of effect within hours, and lives on after it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import msgspec

from tests.marketplaces.standins import FORM
from tracker.demo.standin import ScriptedEvent, ScriptedParcel

OWN, MARKET = "lamps", "ae-lamps"
"""The shop that writes mail, and the one on a marketplace whose windows are extended."""

_PACIFIC = ZoneInfo("America/Los_Angeles")
_DAY = timedelta(days=1)
_FORM = "%Y-%m-%d %H:%M:%S"
_COLUMNS = ("store", "order", "buyer", "email", "country", "amount", "currency", "paid", "shipped", "tracking", "service")
_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A sort of order: how many days old it is when its effect comes due, and how long its parcel has been silent by then."""

    store: str
    age: float
    silent: float = 0.0
    weight: int = 1
    window: float | None = None
    """Days until its delivery window closes, when it comes in."""
    letters: str = "LZ"
    service: str = "China Post"


KINDS = {
    "first mail": Kind(store=OWN, age=30, weight=6),
    "second mail": Kind(store=OWN, age=45, weight=2),
    "refund": Kind(store=OWN, age=60, silent=45, weight=2),
    "claim": Kind(store=OWN, age=12, silent=5, weight=2, letters="EZ", service="EMS"),
    "young": Kind(store=OWN, age=3),
    "task": Kind(store=MARKET, age=30, weight=2),
    "extension": Kind(store=MARKET, age=20, window=4, weight=2),
}


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the file tells it. `ends`: its delivery window, where a marketplace knows one."""

    number: str
    store: str
    kind: str
    shipped_at: datetime
    amount: str
    service: str
    parcel: ScriptedParcel
    ends: str | None = None


def order(kind: str, serial: int, now: datetime, within: timedelta, random: Random) -> Order:
    """An order of that kind, whose effect comes due within so long from now."""
    sort = KINDS[kind]
    due = now + within * random.uniform(0.05, 1.0)
    first_scan = (due - sort.age * _DAY).replace(microsecond=0)
    shipped_at = first_scan - timedelta(minutes=20)
    number = f"{serial:06d}" if sort.store == OWN else str(8_190_000_000_000_000 + serial)
    last = due - sort.silent * _DAY if sort.silent else due + random.choice((5, 20, 60)) * _DAY
    arrives = not sort.silent and random.random() < 0.4
    ends = None if sort.window is None else (now + sort.window * _DAY).astimezone(_PACIFIC).strftime(FORM)
    return Order(
        number=number,
        store=sort.store,
        kind=kind,
        shipped_at=shipped_at,
        amount=f"{random.randint(6, 45)}.00",
        service=sort.service,
        parcel=_journey(tracking_number(serial, sort.letters), first_scan, last, arrives=arrives, random=random),
        ends=ends,
    )


def tracking_number(serial: int, letters: str) -> str:
    """A number of the postal union's form, with its check digit."""
    digits = f"{serial:08d}"
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)) % 11
    return f"{letters}{digits}{ {10: 0, 11: 5}.get(rest, rest) }CN"


def sheet(orders: Sequence[Order]) -> str:
    """The order sheet that brings them."""
    text = io.StringIO()
    write = csv.writer(text)
    write.writerow(_COLUMNS)
    for each in orders:
        mail = f"b{each.number}@buyers.example" if each.store == OWN else ""
        paid, shipped = (at.strftime(_FORM) for at in (each.shipped_at - timedelta(hours=9), each.shipped_at))
        known = (each.store, each.number, "Ana Souza", mail, "BR", each.amount, "USD", paid, shipped)
        write.writerow((*known, each.parcel.number, each.service))
    return text.getvalue()


def _journey(number: str, first: datetime, last: datetime, *, arrives: bool, random: Random) -> ScriptedParcel:
    """A scan every few days, and perhaps the delivery."""
    at, events = first, list[ScriptedEvent]()
    while at < last:
        text = f"Scan {len(events) + 1}"
        events.append(ScriptedEvent(at=at, sub_status="InTransit_Other", description=text, country="CN"))
        at = (at + random.uniform(1, 4) * _DAY).replace(microsecond=0)
    if arrives:
        events.append(ScriptedEvent(at=at, sub_status="Delivered_Other", description="Delivered", country="BR"))
    return ScriptedParcel(number=number, events=tuple(events))
