"""From a slice to a Tracking: UPS's types and codes into our words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from carriers import codes
from carriers.answers import decode
from carriers.codes import Glossary, Meaning
from carriers.model import Tracking, TrackingEvent, TrackingStatus
from carriers.scans import NO_INSTANT, Instant, alpha2, arrange, event_key, instant, iso_compact
from carriers.standing import handed_back, stand
from carriers.ups.wire import NOT_FOUND, Activity, Address, Package, Status

_PACKAGE = msgspec.json.Decoder(Package)
_LAST_MILE = "USPS_PIC"
"""The kind of alternate number under which the post delivers."""

_TO = "DESTINATION"
_DIGITS = 3


def read(raw: bytes) -> Tracking:
    """Read one package."""
    package = decode(_PACKAGE, raw)
    number = package.trackingNumber or None
    if package.unknown:
        return Tracking(number=number, status=TrackingStatus.NOT_FOUND, raw_status=NOT_FOUND)
    glossary = Glossary(codes.table("ups", "field", "code"))
    notes: dict[str, None] = {}
    events = handed_back(arrange([_event(each, glossary, notes) for each in package.activity or ()]))
    top = package.currentStatus or Status()
    status, reason, contradictions = stand(events, _meaning(top, glossary), _raw(top))
    alternates = (each.number for each in package.alternateTrackingNumber or () if each.type == _LAST_MILE)
    return Tracking(
        number=number,
        status=status,
        reason=reason,
        raw_status=top.type,
        raw_sub_status=top.code,
        events=events,
        destination_country=_destination(package),
        linked_number=next(alternates, None),
        unmapped=tuple(code.partition(" ")[2] for code in glossary.unmapped),
        notes=(*contradictions, *notes),
    )


def _raw(status: Status) -> str:
    return f"{status.type or ''} {status.code or ''}".strip()


@cache
def _meanings() -> Mapping[str, Meaning]:
    return codes.table("ups", "field", "code")


def _meaning(status: Status, glossary: Glossary) -> Meaning:
    if not status.type:
        return codes.UNKNOWN
    for key in (f"pair {status.type} {status.code}", f"state {status.type} {(status.statusCode or '').zfill(_DIGITS)}"):
        meant = _meanings().get(key)
        if meant is not None:
            return meant
    return glossary.of(f"type {status.type}")


def _event(activity: Activity, glossary: Glossary, notes: dict[str, None]) -> TrackingEvent:
    told = activity.status or Status()
    place = (activity.location and activity.location.address) or Address()
    time, local, offset = _instant(activity, notes)
    status, reason = _meaning(told, glossary)
    return TrackingEvent(
        key=event_key(activity.date or "", activity.time or "", _raw(told), told.description or "", place.city or ""),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=_raw(told) or None,
        description=told.description or "",
        location=", ".join(filter(None, (place.city, place.stateProvince))),
        country=alpha2(place.countryCode),
    )


def _instant(activity: Activity, notes: dict[str, None]) -> Instant:
    """The GMT fields, with the wall clock beside them; without them what `gmtOffset` makes of the wall clock, if it is told."""
    there = instant(iso_compact(activity.date or "", activity.time or "") + (activity.gmtOffset or ""))
    if there[1] is None:
        there = instant(iso_compact(activity.date or "", activity.time or ""))
    greenwich = instant(f"{iso_compact(activity.gmtDate or '', activity.gmtTime)}Z") if activity.gmtTime else NO_INSTANT
    if greenwich[0] is None:
        return there
    if there[1] is None:
        return greenwich
    if there[0] not in {None, greenwich[0]}:
        notes["the GMT time and the local time of an event name two instants"] = None
    return greenwich[0], there[1], there[2]


def _destination(package: Package) -> str | None:
    parties = (party for party in package.packageAddress or () if party.type == _TO and party.address is not None)
    return next((alpha2(party.address.countryCode) for party in parties if party.address is not None), None)
