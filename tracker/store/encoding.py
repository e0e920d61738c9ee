"""How values lie in the tables: JSON as text (readable with `sqlite3`), the journey as MessagePack, money as decimal text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from carriers.model import TrackingEvent, TrackingReason, TrackingStatus
from tracker.model import Intent, Settled
from tracker.model.journey import Journey

_JSON = msgspec.json.Encoder(decimal_format="string")
_MAPPING = msgspec.json.Decoder(dict[str, Any])
_TEXTS = msgspec.json.Decoder(dict[str, str])
_STAMPS = msgspec.json.Decoder(dict[str, tuple[int, int]])
_CONTACTS = msgspec.json.Decoder(dict[Intent, datetime])
_SETTLED = msgspec.json.Decoder(dict[Intent, Settled])
_WORDS = msgspec.json.Decoder(tuple[str, ...])
_LADDER = msgspec.json.Decoder(dict[Intent, int])
_PACK = msgspec.msgpack.Encoder(decimal_format="string")
_UNPACK = msgspec.msgpack.Decoder(Journey)

NO_JOURNEY = Journey()


def json_text(value: object) -> str:
    """JSON text of plain values and structs."""
    return _JSON.encode(value).decode()


def mapping(text: str) -> dict[str, Any]:
    """A stored JSON object."""
    return {} if text == "{}" else _MAPPING.decode(text)


def texts(text: str) -> dict[str, str]:
    """A stored JSON object of texts."""
    return {} if text == "{}" else _TEXTS.decode(text)


def stamps(text: str) -> dict[str, tuple[int, int]]:
    """Whose word each fact is: field -> (rank, sequence)."""
    return {} if text == "{}" else _STAMPS.decode(text)


def contacts(text: str) -> dict[Intent, datetime]:
    """Which stages a buyer was told outside of this product, and when (aware UTC)."""
    return {} if text == "{}" else _CONTACTS.decode(text)


def settlements(text: str | None) -> dict[Intent, Settled]:
    """What a person said about stages that a backlog left."""
    return {} if text is None else _SETTLED.decode(text)


def words(text: str | None) -> tuple[str, ...]:
    """A stored JSON list of words."""
    return () if text is None else _WORDS.decode(text)


def ladder(text: str | None) -> dict[Intent, int]:
    """The days of an order's own ladder."""
    return {} if text is None else _LADDER.decode(text)


def pack(journey: Journey) -> bytes:
    """A journey as it lies in the shipment's row."""
    return _PACK.encode(journey)


def unpack(packed: bytes | None) -> Journey:
    """The stored journey; a parcel that was never answered about has an empty one."""
    return NO_JOURNEY if packed is None else _UNPACK.decode(packed)


def money(text: str | None) -> Decimal | None:
    """A stored amount."""
    return None if text is None else Decimal(text)


def money_text(amount: Decimal | None) -> str | None:
    """An amount as text, never in exponent form."""
    return None if amount is None else f"{amount:f}"


def sorted_texts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts in the order of their names: the same facts give the same text."""
    return dict(sorted(facts.items()))


def tracking_event(row: tuple[Any, ...]) -> TrackingEvent:
    """A scan from the columns key, time, local_time, offset_minutes, status, reason, raw_code, description, location, country."""
    return TrackingEvent(
        key=row[0],
        time=row[1],
        local_time=row[2],
        offset=row[3],
        status=TrackingStatus(row[4]),
        reason=None if row[5] is None else TrackingReason(row[5]),
        raw_code=row[6],
        description=row[7],
        location=row[8],
        country=row[9],
    )
