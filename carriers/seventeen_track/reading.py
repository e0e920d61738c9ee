"""From a slice to a Tracking: 17TRACK's words into ours.

Rules of this source (facts: 17TRACK): the status is `latest_status`; events of both providers are merged; an undocumented
sub-status falls back to its main status before the `_`; `Expired` means that 17TRACK stopped looking, not that a parcel is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

import msgspec

from carriers import codes
from carriers.answers import decode
from carriers.codes import Meaning
from carriers.model import Tracking, TrackingEvent, TrackingStatus
from carriers.persons import without_signer
from carriers.scans import alpha2, arrange, event_key, instant
from carriers.seventeen_track import wire
from carriers.standing import led, refined

_UNKNOWN: Meaning = (TrackingStatus.UNKNOWN, None)

GUESSED_ZONE = "the source guessed the zone of some times"
TWO_INSTANTS = "time_iso and time_utc of an event name two instants"
STOPPED = "the source stopped looking after 30 days without news"


class RawTime(msgspec.Struct, gc=False, omit_defaults=True):
    """The time as the carrier printed it; a null zone means that the offset of `time_iso` is a guess."""

    date: str | None = None
    time: str | None = None
    timezone: str | None = None


class Event(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan, with the fields that we keep."""

    time_iso: str | None = None
    time_utc: str | None = None
    time_raw: RawTime | None = None
    description: str | None = None
    location: str | None = None
    stage: str | None = None
    sub_status: str | None = None
    address: wire.Address | None = None


class Provider(msgspec.Struct, gc=False, omit_defaults=True):
    """One carrier's events."""

    events: list[Event] | None = None


class Providers(msgspec.Struct, gc=False, omit_defaults=True):
    """Origin and last mile."""

    providers: list[Provider] | None = None


class TrackInfo(msgspec.Struct, gc=False, omit_defaults=True):
    """What is known about a parcel, events decoded."""

    latest_status: wire.Status | None = None
    shipping_info: wire.Shipping | None = None
    misc_info: wire.Misc | None = None
    tracking: Providers | None = None


class Slice(msgspec.Struct, gc=False, omit_defaults=True):
    """What `wire.to_slice` wrote."""

    number: str
    carrier: int | None = None
    stopped: bool = False
    track_info: TrackInfo | None = None


_SLICE = msgspec.json.Decoder(Slice)
_ENCODER = msgspec.json.Encoder()


@lru_cache(maxsize=1)
def _decoded(raw: bytes) -> Slice:
    """A slice is read, and then kept as evidence: parsed once for both. Nobody changes it."""
    return decode(_SLICE, raw)


def discreet(raw: bytes) -> bytes:
    """A slice with the fields of these structs alone, and without whoever signed."""
    parcel = _decoded(raw)
    if any("igned" in text or "IGNED" in text for event in _scans(parcel) if (text := event.description)):
        parcel = decode(_SLICE, raw)
        for event in _scans(parcel):
            event.description = without_signer(event.description)
    return _ENCODER.encode(parcel)


def _scans(parcel: Slice) -> list[Event]:
    tracking = parcel.track_info.tracking if parcel.track_info is not None else None
    providers = tracking.providers if tracking is not None else None
    return [event for provider in providers or () for event in provider.events or ()]


@cache
def _statuses() -> dict[str, Meaning]:
    """Sub-statuses, main statuses (as their `_Other` row) and the error code that means "no information yet"."""
    table: dict[str, Meaning] = {}
    for row in codes.rows("seventeen_track_status"):
        meant = codes.meaning(row)
        table[row["sub_status"]] = meant
        if row["sub_status"] == f"{row['main_status']}_Other":
            table[row["main_status"]] = meant
    none_yet = [str(code) for code, kind in wire.kinds().items() if kind == "not_found"]
    return table | dict.fromkeys(none_yet, (TrackingStatus.NOT_FOUND, None))


@cache
def _stages() -> dict[str, Meaning]:
    return {row["stage"]: codes.meaning(row) for row in codes.rows("seventeen_track_stages")}


class _Reader:
    """Collects, over one slice, the codes that no table knows and the contradictions."""

    def __init__(self) -> None:
        self.statuses = _statuses()
        self.unmapped: dict[str, None] = {}
        self.notes: dict[str, None] = {}

    def meaning(self, code: str) -> Meaning:
        meant = self.statuses.get(code)
        if meant is None:
            self.unmapped[code] = None
            # The reason of a family's `_Other` row is empty: a fallback never tells why.
            meant = self.statuses.get(code.partition("_")[0], _UNKNOWN)
        return meant

    def guess(self, code: str) -> Meaning:
        """What a scan's unknown sub-status may mean; never a delivery, which may be one to the sender."""
        meant = self.meaning(code)
        return _UNKNOWN if meant[0] is TrackingStatus.DELIVERED else meant

    def stage(self, code: str) -> Meaning:
        meant = _stages().get(code)
        if meant is None:
            self.unmapped[code] = None
        return meant or _UNKNOWN

    def events(self, raws: Iterable[Event]) -> Iterator[TrackingEvent]:
        """Scans in the source's order; by `sub_status`, and by `stage`, mostly null, only where there is none.

        One function for a whole list, because it is called for every scan of every changed answer (facts: performance).
        """
        known = self.statuses.get
        for raw in raws:
            code, told, place = raw.sub_status, raw.time_iso, raw.address
            description, location = raw.description or "", raw.location or ""
            if code:
                status, reason = known(code) or self.guess(code)
            else:
                code = raw.stage
                status, reason = self.stage(code) if code else _UNKNOWN
            if told is None:
                when = raw.time_utc or _printed(raw.time_raw)
                time, local, offset = instant(when)
            else:
                when = told
                time, local, offset = instant(told)
                if raw.time_utc is not None or raw.time_raw is not None:
                    self.doubt(raw, time)
            key = event_key(when, code or "", description, location)
            if "igned" in description or "IGNED" in description:
                description = without_signer(description) or ""
            yield TrackingEvent(
                key=key,
                time=time,
                local_time=local,
                offset=offset,
                status=status,
                reason=reason,
                raw_code=code,
                description=description,
                location=location or ("" if place is None else ", ".join(filter(None, (place.city, place.state)))),
                country=None if place is None else alpha2(place.country),
            )

    def doubt(self, raw: Event, time: int | None) -> None:
        """Note what contradicts `time_iso`, which stands."""
        if raw.time_utc is not None and time is not None and time != instant(raw.time_utc)[0]:
            self.notes[TWO_INSTANTS] = None
        if raw.time_raw is not None and raw.time_raw.timezone is None and raw.time_raw.time is not None:
            self.notes[GUESSED_ZONE] = None


def _printed(raw: RawTime | None) -> str:
    return f"{raw.date}T{raw.time or '00:00:00'}" if raw is not None else ""


def read(raw: bytes) -> Tracking:
    """Read one slice. Raises CarrierError(bad_response) when its events have drifted from their shape."""
    parcel = _decoded(raw)
    carrier = None if parcel.carrier is None else str(parcel.carrier)
    info = parcel.track_info
    if info is None:
        return Tracking(number=parcel.number, status=TrackingStatus.UNKNOWN, carrier_code=carrier, stopped=parcel.stopped)
    reader = _Reader()
    providers = info.tracking.providers if info.tracking is not None else None
    events = arrange(*(list(reader.events(provider.events or ())) for provider in providers or ()))
    latest = info.latest_status or wire.Status()
    status, reason, doubts = led(events, _latest(reader, latest), latest.status)
    reader.notes |= dict.fromkeys(doubts)
    if status is TrackingStatus.EXPIRED:
        reader.notes[STOPPED] = None
    misc = info.misc_info or wire.Misc()
    linked = misc.local_number if misc.local_number != parcel.number else None
    recipient = info.shipping_info.recipient_address if info.shipping_info is not None else None
    return Tracking(
        number=parcel.number,
        status=status,
        reason=reason,
        raw_status=latest.status,
        raw_sub_status=latest.sub_status,
        events=events,
        carrier_code=carrier,
        destination_country=alpha2(recipient.country) if recipient is not None else None,
        linked_number=linked or None,
        linked_code=(str(misc.local_key) if misc.local_key else misc.local_provider) if linked else None,
        stopped=status is TrackingStatus.EXPIRED,
        unmapped=tuple(reader.unmapped),
        notes=tuple(reader.notes),
    )


def _latest(reader: _Reader, latest: wire.Status) -> Meaning | None:
    """What the source says on top; None where it says nothing."""
    main, sub = latest.status, latest.sub_status
    if sub is None or main is None:
        code = main or sub
        return reader.meaning(code) if code else None
    if sub.partition("_")[0] != main:
        reader.notes[f"the source's status {main} and its sub-status {sub} disagree"] = None
        return refined(reader.meaning(main), reader.meaning(sub))
    return reader.meaning(sub)
