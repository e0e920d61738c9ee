"""Reads the demo's cast (cast.toml): who buys what, and what every parcel will do."""

from __future__ import annotations

import tomllib
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.resources import files

import msgspec

from tracker.demo.standin import ScriptedEvent, ScriptedParcel, Trouble


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """One order of the cast. `window` is the story day on which the delivery window ends, where the file tells it."""

    number: str
    store: str
    country: str
    amount: Decimal
    currency: str
    buyer: str
    email: str | None = None
    window: float | None = None


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """One parcel of the cast. `script` has a line per scan; `known = False`: the carrier never hears of it."""

    number: str
    orders: tuple[str, ...]
    ending: str
    country: str
    service: str
    script: tuple[str, ...] = ()
    known: bool = True
    shipped: float = 0.5


class _Trouble(msgspec.Struct, frozen=True, kw_only=True):
    from_day: float
    to_day: float
    kind: str


class Cast(msgspec.Struct, frozen=True, kw_only=True):
    """The whole cast; `start` is the story's first morning (aware UTC)."""

    start: datetime
    sale: tuple[Sale, ...]
    parcel: tuple[Parcel, ...]
    trouble: tuple[_Trouble, ...]

    def at(self, day: float) -> datetime:
        """The instant of a story day."""
        return self.start + timedelta(days=day)

    def scripted(self) -> list[ScriptedParcel]:
        """What the stand-in is told about the parcels."""
        return [
            ScriptedParcel(
                number=parcel.number,
                events=tuple(self._event(line) for line in parcel.script),
                known=parcel.known,
                destination=parcel.country,
                label_at=self.at(parcel.shipped),
            )
            for parcel in self.parcel
        ]

    def troubles(self) -> list[Trouble]:
        """When the source misbehaves, and how."""
        return [Trouble(start=self.at(one.from_day), end=self.at(one.to_day), kind=one.kind) for one in self.trouble]

    def _event(self, line: str) -> ScriptedEvent:
        head, text = line.split(": ", 1)
        day, sub_status, country, place = head.split(" ", 3)
        text, _, back = text.partition(" -")
        until = self.at(float(back)) if back else None
        return ScriptedEvent(
            at=self.at(float(day)), sub_status=sub_status, description=text, location=place, country=country, until=until
        )


def load() -> Cast:
    """The cast that ships with the product."""
    text = files("tracker.demo").joinpath("cast.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Cast)
