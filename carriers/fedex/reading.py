"""From a slice to a Tracking: FedEx's codes into our words."""

from __future__ import annotations

import msgspec

from carriers import codes
from carriers.answers import decode
from carriers.codes import Glossary, Meaning
from carriers.fedex.wire import NOT_FOUND, Country, Destination, Latest, Parcel, Party, Place, Scan
from carriers.model import Tracking, TrackingEvent, TrackingStatus
from carriers.scans import alpha2, arrange, event_key, instant
from carriers.standing import handed_back, stand

_PARCEL = msgspec.json.Decoder(Parcel)


def read(raw: bytes) -> Tracking:
    """Read one result."""
    parcel = decode(_PARCEL, raw)
    if parcel.unknown:
        return Tracking(number=parcel.number, status=TrackingStatus.NOT_FOUND, raw_status=NOT_FOUND)
    glossary = Glossary(codes.table("fedex", "code"))
    events = handed_back(arrange([_event(scan, glossary) for scan in parcel.scanEvents or ()]))
    latest = parcel.latestStatusDetail or Latest()
    status, reason, notes = stand(events, glossary.of(latest.top), latest.top)
    return Tracking(
        number=parcel.number,
        status=status,
        reason=reason,
        raw_status=latest.top,
        raw_sub_status=latest.code,
        events=events,
        carrier_code=parcel.trackingNumberInfo.carrierCode if parcel.trackingNumberInfo is not None else None,
        destination_country=_destination(parcel),
        unmapped=glossary.unmapped,
        notes=notes,
    )


def _event(scan: Scan, glossary: Glossary) -> TrackingEvent:
    time, local, offset = instant(scan.date or "")
    place = scan.scanLocation or Place()
    status, reason = _meaning(scan, glossary)
    return TrackingEvent(
        key=event_key(
            scan.date or "", scan.eventType or "", scan.eventDescription or "", scan.exceptionDescription or "", place.city or ""
        ),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=scan.eventType or scan.derivedStatusCode,
        description=". ".join(filter(None, (scan.eventDescription, scan.exceptionDescription))),
        location=", ".join(filter(None, (place.city, place.stateOrProvinceCode))),
        country=alpha2(place.countryCode),
    )


def _meaning(scan: Scan, glossary: Glossary) -> Meaning:
    return glossary.of(scan.eventType or scan.derivedStatusCode, scan.derivedStatusCode or "")


def _destination(parcel: Parcel) -> str | None:
    party = (parcel.destinationLocation or Destination()).locationContactAndAddress or Party()
    return alpha2((party.address or Country()).countryCode)
