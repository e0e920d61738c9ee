"""`tracker carriers parse`: one body through an adapter's `split` and `read`, told in the words of the command contract."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from carriers import registry
from carriers.base import Adapter, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingReason, TrackingStatus


class ErrorTold(msgspec.Struct, frozen=True):
    """An error: its kind and its sentence."""

    kind: ErrorKind
    message: str


class EventTold(msgspec.Struct, frozen=True, kw_only=True):
    """One scan. `time` is UTC with `Z`, None when the instant cannot be known; `local_time` the wall clock."""

    time: str | None
    local_time: str | None
    status: TrackingStatus
    reason: TrackingReason | None
    raw_code: str | None
    description: str
    location: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the body says about one number; None as number where it names none."""

    tracking_number: str | None
    status: TrackingStatus
    reason: TrackingReason | None = None
    raw_status: str | None = None
    raw_sub_status: str | None = None
    last_event_time: str | None = None
    events: tuple[EventTold, ...] = ()
    error: ErrorTold | None = None


class ParseResult(msgspec.Struct, frozen=True, kw_only=True):
    """The whole body. `error` is set, and `results` empty, when the whole request failed. Encodes to the command's JSON."""

    carrier: str
    results: tuple[Result, ...] = ()
    error: ErrorTold | None = None


def parse(name: str, response: Response) -> ParseResult:
    """Read a body by its shape: an answer, a registration, a push, an error. Raises UnknownCarrierError alone."""
    adapter = registry.get(name)
    try:
        slices = adapter.split(response, ())
    except CarrierError as error:
        return ParseResult(carrier=name, error=_error(error))
    return ParseResult(carrier=name, results=tuple(_result(adapter, number, cut) for number, cut in slices.items()))


def _result(adapter: Adapter, number: str, cut: bytes | CarrierError) -> Result:
    if isinstance(cut, CarrierError):
        return _failed(number, cut)
    try:
        return _told(adapter.read(cut))
    except CarrierError as error:
        return _failed(number, error)


def _failed(number: str, error: CarrierError) -> Result:
    return Result(tracking_number=number or None, status=TrackingStatus.UNKNOWN, error=_error(error))


def _told(tracking: Tracking) -> Result:
    last = tracking.last_event
    return Result(
        tracking_number=tracking.number,
        status=tracking.status,
        reason=tracking.reason,
        raw_status=tracking.raw_status,
        raw_sub_status=tracking.raw_sub_status,
        last_event_time=_utc(last.time) if last is not None else None,
        events=tuple(_event(event) for event in tracking.events),
    )


def _event(event: TrackingEvent) -> EventTold:
    return EventTold(
        time=_utc(event.time),
        local_time=event.local_time,
        status=event.status,
        reason=event.reason,
        raw_code=event.raw_code,
        description=event.description,
        location=event.location,
    )


def _error(error: CarrierError) -> ErrorTold:
    return ErrorTold(error.kind, error.message)


def _utc(epoch: int | None) -> str | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
