"""From operations to a Tracking: the pairs (type, attribute) into our words.

Rules of this source (facts: carriers, 22): the status is the newest operation's, with two exceptions. `final` is the last
operation of a parcel: what only registers something afterwards (cash on delivery paid, 63/0) does not put it back on its way. And
a parcel that goes back (3/*) goes back until it is handed over, whatever offices it passes: what lies ready then lies ready for
the sender. A cancelled operation (26/*) takes both back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import msgspec

from carriers import codes
from carriers.answers import decode
from carriers.codes import Glossary, Meaning
from carriers.model import Tracking, TrackingEvent, TrackingReason, TrackingStatus, newest
from carriers.russian_post import wire
from carriers.scans import alpha2, arrange, event_key, instant

_PARCEL = msgspec.json.Decoder(wire.Parcel)
_RETURN, _CANCELLED = "3", "26"
_ENDED = frozenset({TrackingStatus.DELIVERED, TrackingStatus.RETURNED})
_PAPERWORK = frozenset({TrackingStatus.IN_TRANSIT, TrackingStatus.INFO_RECEIVED})
_ON_THE_WAY = frozenset(
    {
        TrackingStatus.IN_TRANSIT,
        TrackingStatus.OUT_FOR_DELIVERY,
        TrackingStatus.AVAILABLE_FOR_PICKUP,
        TrackingStatus.FAILED_ATTEMPT,
    }
)


@cache
def _meanings() -> Mapping[str, Meaning]:
    """All pairs; and of a type whose pairs all mean one status the type alone, for attributes that are new."""
    pairs = codes.table("russian_post", "oper_type", "oper_attr")
    statuses: dict[str, set[TrackingStatus]] = {}
    for pair, (status, _) in pairs.items():
        statuses.setdefault(pair.partition(" ")[0], set()).add(status)
    return {kind: (next(iter(one)), None) for kind, one in statuses.items() if len(one) == 1} | dict(pairs)


@cache
def _details() -> Mapping[str, str]:
    """What an attribute is called: the batch service names the type alone."""
    return {f"{row['oper_type']} {row['oper_attr']}": row["attr_name_ru"] for row in codes.rows("russian_post")}


@cache
def _finals() -> frozenset[str]:
    return frozenset(f"{row['oper_type']} {row['oper_attr']}" for row in codes.rows("russian_post") if row["final"] == "1")


def _event(operation: wire.Operation, known: Glossary) -> TrackingEvent:
    pair = f"{operation.type} {operation.attr}"
    status, reason = known.of(pair, operation.type) if operation.type else codes.UNKNOWN
    time, local, offset = instant(operation.at)
    detail = operation.detail or _details().get(pair)
    return TrackingEvent(
        key=event_key(operation.type, operation.attr, operation.at, operation.place),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=pair if operation.type else None,
        description=f"{operation.name}: {detail}" if operation.name and detail else operation.name or detail or "",
        location=operation.place,
        country=alpha2(operation.country) if operation.country else None,
    )


def _decide(events: Sequence[TrackingEvent], notes: list[str]) -> tuple[TrackingStatus, TrackingReason | None, str | None]:
    """Status, reason and the operation that they come from."""
    last = newest(events)
    if last is None:
        return TrackingStatus.UNKNOWN, None, None
    ended: TrackingEvent | None = None
    back: TrackingEvent | None = None
    for event in events:
        if event.local_time is None:
            continue
        code = event.raw_code or ""
        kind = code.partition(" ")[0]
        if code in _finals():
            ended = event
        elif kind == _CANCELLED or event.status not in _PAPERWORK:
            ended = None
        if kind == _RETURN:
            back = event
        elif kind == _CANCELLED or event.status in _ENDED:
            back = None
    if ended is not None and ended is not last:
        notes.append(f"{last.raw_code} after {ended.raw_code}, the last operation of a parcel, changes nothing")
        return ended.status, ended.reason, ended.raw_code
    if back is not None and last.status in _ON_THE_WAY:
        notes.append(f"{last.raw_code} is on the way back since {back.raw_code}")
        return TrackingStatus.EXCEPTION, TrackingReason.RETURNING, last.raw_code
    return last.status, last.reason, last.raw_code


def read(raw: bytes) -> Tracking:
    """Read one number. One with neither operations nor a word that it is not known has no known status."""
    parcel = decode(_PARCEL, raw)
    known, notes = Glossary(_meanings()), list[str]()
    events = arrange([_event(operation, known) for operation in parcel.operations])
    status, reason, told = _decide(events, notes)
    if not events and parcel.absent:
        status, told = TrackingStatus.NOT_FOUND, parcel.absent
    return Tracking(
        number=parcel.number,
        status=status,
        reason=reason,
        raw_status=told,
        events=events,
        destination_country=alpha2(parcel.destination),
        unmapped=known.unmapped,
        notes=tuple(notes),
    )
