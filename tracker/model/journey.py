"""The journey of a parcel: a pure fold over its events and its sources' answers (I3, faults rows 16 and 17).

The derived state is the same for any order and any duplication of the events, and for any order in which answers are handed over.
Neither "the latest event type wins" nor "stages only go up" decides the status: the answer that reaches furthest in time has
the word, and a terminal scan sticks until a newer scan, or word, contradicts it ("delivered" taken back re-opens the parcel).

`fold` starts from nothing; `merge` adds one answer to what the store kept, and takes the new events only (hot path).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from carriers.model import Tracking, TrackingEvent, TrackingReason, TrackingStatus
from tracker.model.order import NotFound, Scan, Shipment

BEFORE_SHIPPING = 3 * 86_400
"""Seconds before shipping from which on events are this parcel's (faults row 17: carriers recycle numbers)."""

AFTER_SHIPPING = 180 * 86_400
"""Seconds after shipping until which events are this parcel's."""

ANOTHER_PARCEL = "another_parcel"
"""`suspect`: everything the source tells lies outside the parcel's time."""

OTHER_DESTINATION = "other_destination"
"""`suspect`: the source tells another destination country than the order."""

_HOUR = 3600
_NEVER = -1
_FAR = 1 << 62

_INFO = TrackingStatus.INFO_RECEIVED
_NOT_FOUND = TrackingStatus.NOT_FOUND
_EXPIRED = TrackingStatus.EXPIRED
_DELIVERED = TrackingStatus.DELIVERED
_UNKNOWN = TrackingStatus.UNKNOWN

_SILENT = frozenset({_INFO, _NOT_FOUND, _EXPIRED, _UNKNOWN})
"""Statuses that contradict nothing: an unmapped code never re-opens a delivered parcel, nor does "expired". Events with one of
the first three are no physical scan: announced data, and the source's own words about itself."""

_TERMINAL = frozenset({_DELIVERED, TrackingStatus.RETURNED})


class Told(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Who has the word about the status: the answer that reaches furthest, and the newest scan that tells a status.

    `event_at` is the newest event of that answer, `scan_at` the scan's instant (epoch seconds, the later bound; -1 = none).
    """

    event_at: int
    answered_at: int
    status: TrackingStatus
    reason: TrackingReason | None
    raw_status: str | None
    scan_at: int = _NEVER
    scan_status: TrackingStatus = TrackingStatus.UNKNOWN
    scan_reason: TrackingReason | None = None
    scan_by: str = ""
    """The account that told that scan: only the same one can take it back."""


class Journey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The fold over a parcel's events and its sources' answers: the part of `Shipment` that polling writes.

    `not_found_by` lists the accounts whose latest answer was *not found* (R8 wants two sources where two are configured);
    `moved_at` is the epoch second of the newest scan (the later bound where its zone is unknown): the cadence follows it.
    `stopped_at` is the first of the answers by which the source says that it has stopped looking.
    """

    status: TrackingStatus = TrackingStatus.UNKNOWN
    reason: TrackingReason | None = None
    raw_status: str | None = None
    first_scan: Scan | None = None
    last_scan: Scan | None = None
    delivered_scan: Scan | None = None
    not_found: NotFound | None = None
    not_found_by: tuple[str, ...] = ()
    registered_at: datetime | None = None
    stopped_at: datetime | None = None
    suspect: str | None = None
    moved_at: int | None = None
    told: Told | None = None


class Heard(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One successful answer of one account: `at` is the epoch second of the answer."""

    at: int
    tracking: Tracking
    source: str = ""


class Frame(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the fold must know of the parcel beside the answers.

    Events outside [shipped - 3 d, shipped + 180 d] are another parcel's. A *not found* within `fresh_hours` of registration or
    hand-over is no news yet (facts/transit.md section 3): it is an answer, but starts no run.
    """

    shipped_at: datetime | None = None
    country: str | None = None
    fresh_hours: int = 48


def fold(frame: Frame, answers: Iterable[Heard], *, registered_at: datetime | None = None) -> Journey:
    """The journey that these answers tell, in whatever order they are handed over; one handed over twice counts once."""
    journey = Journey(registered_at=registered_at)
    seen: set[bytes] = set()
    for _, heard in sorted({(each.at, each.source, msgspec.json.encode(each.tracking)): each for each in answers}.items()):
        new = tuple(event for event in heard.tracking.events if event.key not in seen)
        seen.update(event.key for event in new)
        journey = merge(journey, frame, heard, new)
    return journey


def merge(journey: Journey, frame: Frame, heard: Heard, new_events: tuple[TrackingEvent, ...]) -> Journey:
    """The journey after one more answer, which is not older than those before. `new_events` are the ones not merged yet.

    Handing over events that are known already changes nothing.
    """
    low, high = _bounds(frame)
    tracking = heard.tracking
    newest, outside = _reach(tracking.events, low, high)
    foreign = newest == _NEVER and outside
    if _takes_back(journey.told, heard, newest):
        journey = msgspec.structs.replace(journey, last_scan=None, delivered_scan=None, told=None)
        new_events = tracking.events
    first, last, delivered, telling = _scans(journey, new_events, low, high)
    told = _word(journey.told, tracking, newest, heard.at, foreign=foreign)
    if telling is not None:
        told = _telling(told, telling, heard.source)
    status, reason = _status(told)
    run, by = _not_found(journey, frame, heard)
    return Journey(
        status=status,
        reason=reason,
        raw_status=told.raw_status,
        first_scan=first,
        last_scan=last,
        delivered_scan=delivered,
        not_found=run,
        not_found_by=by,
        registered_at=journey.registered_at,
        stopped_at=_stopped_at(journey, heard),
        suspect=_suspect(journey.suspect, frame, tracking, foreign=foreign, familiar=newest != _NEVER),
        moved_at=None if last is None else int(last.latest.timestamp()),
        told=told,
    )


def not_found_again(journey: Journey, frame: Frame, at: int, source: str) -> Journey:
    """One more *not found*, byte for byte the last one: only its run is counted on."""
    heard = Heard(at=at, tracking=_NOTHING, source=source)
    run, by = _not_found(journey, frame, heard)
    return msgspec.structs.replace(journey, not_found=run, not_found_by=by)


def travelled(shipment: Shipment, journey: Journey, last_answer_at: int | None) -> Shipment:
    """The shipment with this journey."""
    return msgspec.structs.replace(
        shipment,
        status=journey.status,
        reason=journey.reason,
        raw_status=journey.raw_status,
        first_scan=journey.first_scan,
        last_scan=journey.last_scan,
        delivered_scan=journey.delivered_scan,
        not_found=journey.not_found,
        registered_at=journey.registered_at,
        stopped_at=journey.stopped_at,
        suspect=journey.suspect,
        last_answer_at=None if last_answer_at is None else datetime.fromtimestamp(last_answer_at, UTC),
    )


# ------------------------------------------------------------------------------------------------------------------- scans

_Timed = tuple[int, int, TrackingEvent]
"""Latest and earliest epoch second of an event, and the event."""


def _scans(
    journey: Journey, events: tuple[TrackingEvent, ...], low: int, high: int
) -> tuple[Scan | None, Scan | None, Scan | None, _Timed | None]:
    """First, last, delivered and newest telling scan: smallest or largest of all, so the order of arrival plays no part."""
    timed = _timed(events, low, high)
    delivered = [each for each in timed if each[2].status is _DELIVERED]
    telling = [each for each in timed if each[2].status is not _UNKNOWN]
    return (
        _keep(journey.first_scan, _oldest(timed), newer=False),
        _keep(journey.last_scan, _newest(timed), newer=True),
        _keep(journey.delivered_scan, _newest(delivered), newer=True),
        _newest(telling),
    )


def _timed(events: tuple[TrackingEvent, ...], low: int, high: int) -> list[_Timed]:
    """The scans with their bounds. Left aside are events that are no scan, have no time at all, or are another parcel's."""
    found: list[_Timed] = []
    for event in events:
        status = event.status
        if status is _INFO or status is _NOT_FOUND or status is _EXPIRED:
            continue
        early = late = event.time
        if late is None or early is None:
            bounds = event.bounds()
            if bounds is None:
                continue
            early, late = bounds
        if late >= low and early <= high:
            found.append((late, early, event))
    return found


def _newest(timed: list[_Timed]) -> _Timed | None:
    best: _Timed | None = None
    for each in timed:
        # Places are compared of one second only: they cost more than all the rest.
        if best is None or each[0] > best[0] or (each[0] == best[0] and _place(_scan(each)) > _place(_scan(best))):
            best = each
    return best


def _oldest(timed: list[_Timed]) -> _Timed | None:
    best: _Timed | None = None
    for each in timed:
        if best is None or each[0] < best[0] or (each[0] == best[0] and _place(_scan(each)) < _place(_scan(best))):
            best = each
    return best


def _keep(known: Scan | None, timed: _Timed | None, *, newer: bool) -> Scan | None:
    if timed is None:
        return known
    fresh = _scan(timed)
    if known is None:
        return fresh
    return fresh if (_place(fresh) > _place(known)) is newer else known


def _place(scan: Scan) -> tuple[datetime, bool, datetime, str, str, str, str, str, str]:
    """A total order over scans by content: equal places are equal scans. Of one second the terminal scan is the later."""
    return (
        scan.latest,
        scan.status in _TERMINAL,
        scan.earliest,
        scan.status.value,
        scan.description,
        scan.location,
        scan.reason or "",
        scan.local_time or "",
        scan.country or "",
    )


def _scan(timed: _Timed) -> Scan:
    late, early, event = timed
    latest = datetime.fromtimestamp(late, UTC)
    return Scan(
        earliest=latest if early == late else datetime.fromtimestamp(early, UTC),
        latest=latest,
        local_time=event.local_time,
        status=event.status,
        reason=event.reason,
        description=event.description,
        location=event.location,
        country=event.country,
    )


# -------------------------------------------------------------------------------------------------------------------- word


def _bounds(frame: Frame) -> tuple[int, int]:
    if frame.shipped_at is None:
        return -_FAR, _FAR
    shipped = int(frame.shipped_at.timestamp())
    return shipped - BEFORE_SHIPPING, shipped + AFTER_SHIPPING


def _reach(events: tuple[TrackingEvent, ...], low: int, high: int) -> tuple[int, bool]:
    """The newest of an answer's own events (later bound, -1 = none), and whether events of another parcel were left aside."""
    newest, outside = _NEVER, False
    wall: TrackingEvent | None = None
    for event in events:
        late = event.time
        if late is None:
            # Wall clocks without a zone all carry the same bounds: only the newest one's are needed.
            if event.local_time is not None and (wall is None or event.local_time > str(wall.local_time)):
                wall = event
        elif late < low or late > high:
            outside = True
        elif late > newest:
            newest = late
    if wall is None:
        return newest, outside
    bounds = wall.bounds()
    if bounds is not None and bounds[1] >= low and bounds[0] <= high:
        return max(newest, bounds[1]), outside
    known = [each for each in (event.bounds() for event in events if event.time is None) if each is not None]
    inside = [late for early, late in known if late >= low and early <= high]
    return max(newest, *inside, _NEVER), outside or len(inside) < len(known)


def _takes_back(told: Told | None, heard: Heard, newest: int) -> bool:
    """Whether the source that told the end (Correios: EST) now tells a journey that does not reach it.

    Another, slower source never takes it back (facts/carriers.md section 3, rule 10).
    """
    return (
        told is not None
        and told.scan_status in _TERMINAL
        and told.scan_by == heard.source
        and _NEVER < newest < told.scan_at
        and heard.tracking.status not in _SILENT | _TERMINAL
    )


def _telling(told: Told, timed: _Timed, source: str) -> Told:
    """The word, with the newest scan that tells a status."""
    late, _, event = timed
    mine = (late, event.status in _TERMINAL, event.status.value, event.reason or "")
    theirs = (told.scan_at, told.scan_status in _TERMINAL, told.scan_status.value, told.scan_reason or "")
    if mine <= theirs:
        return told
    return msgspec.structs.replace(told, scan_at=late, scan_status=event.status, scan_reason=event.reason, scan_by=source)


def _word(known: Told | None, tracking: Tracking, newest: int, at: int, *, foreign: bool) -> Told:
    """The answer that reaches furthest has the word; of two that reach equally far the telling one, then the newer."""
    status = _UNKNOWN if foreign else tracking.status
    if known is not None:
        mine = (newest, status not in _SILENT, at)
        theirs = (known.event_at, known.status not in _SILENT, known.answered_at)
        if mine < theirs:
            return known
    return Told(
        newest,
        at,
        status,
        None if foreign else tracking.reason,
        tracking.raw_status,
        _NEVER if known is None else known.scan_at,
        _UNKNOWN if known is None else known.scan_status,
        None if known is None else known.scan_reason,
        "" if known is None else known.scan_by,
    )


def _status(told: Told) -> tuple[TrackingStatus, TrackingReason | None]:
    """A terminal scan sticks, unless the word comes from a newer event and tells something else."""
    if told.scan_status in _TERMINAL and told.status is not told.scan_status:
        contradicted = told.event_at > told.scan_at and told.status not in _SILENT
        if not contradicted:
            return told.scan_status, told.scan_reason
    return told.status, told.reason


def _not_found(journey: Journey, frame: Frame, heard: Heard) -> tuple[NotFound | None, tuple[str, ...]]:
    """The run of *not found* answers; any other answer ends it, a failed poll never comes here."""
    run, by = journey.not_found, journey.not_found_by
    if heard.tracking.status is not _NOT_FOUND:
        return None, ()
    since = max(
        (each.timestamp() for each in (journey.registered_at, frame.shipped_at) if each is not None), default=float(-_FAR)
    )
    if heard.at < since + frame.fresh_hours * _HOUR:
        return run, by
    if heard.source not in by:
        by = (*by, heard.source)
    if run is None:
        return NotFound(answers=1, since=datetime.fromtimestamp(heard.at, UTC), sources=len(by)), by
    return NotFound(answers=run.answers + 1, since=run.since, sources=len(by)), by


def _stopped_at(journey: Journey, heard: Heard) -> datetime | None:
    """Since when a source has stopped looking: what it says from then on repeats what it knew."""
    if not heard.tracking.stopped:
        return None
    return journey.stopped_at or datetime.fromtimestamp(heard.at, UTC)


def _suspect(known: str | None, frame: Frame, tracking: Tracking, *, foreign: bool, familiar: bool) -> str | None:
    """Whether the answer speaks of another parcel; an answer that tells nothing leaves the doubt as it was."""
    told = tracking.destination_country
    if told is not None and frame.country is not None and told != frame.country:
        return OTHER_DESTINATION
    if foreign:
        return ANOTHER_PARCEL
    return None if familiar else known


_NOTHING = Tracking(number=None, status=_NOT_FOUND)
