"""ShipEngine tracking (facts: EasyPost, Shippo, ShipEngine).

One call a number, under the carrier that ShipEngine knows it by. `occurred_at` is the instant, `carrier_occurred_at` the wall
clock of the place. The code of a scan is its carrier's own and means nothing here: the status is the parcel's.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from carriers import codes
from carriers.answers import decode, http_error, join, short
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import Glossary
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent
from carriers.persons import without_signer
from carriers.scans import Instant, alpha2, arrange, event_key, instant
from carriers.standing import stand
from carriers.talks import Call, one_by_one, secret

_FURTHEST = 14 * 60
_STEP = 15
"""Minutes: no zone is further from UTC, and every one is a multiple of a quarter of an hour away."""


class Scan(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan. `status_code` (unverified) is ShipEngine's word for it, `event_code` the carrier's."""

    occurred_at: str | None = None
    carrier_occurred_at: str | None = None
    description: str | None = None
    event_code: str | None = None
    status_code: str | None = None
    city_locality: str | None = None
    state_province: str | None = None
    country_code: str | None = None


class Track(msgspec.Struct, gc=False, omit_defaults=True):
    """One number; encoded it is the slice."""

    tracking_number: str
    status_code: str | None = None
    carrier_code: str | None = None
    events: list[Scan] | None = None


class Failure(msgspec.Struct):
    """One entry of `errors`."""

    error_code: str | None = None
    message: str | None = None


class Body(msgspec.Struct):
    """A failure has `errors`."""

    errors: list[Failure] | None = None


_BODY = msgspec.json.Decoder(Body)
_TRACK = msgspec.json.Decoder(Track)
_ENCODER = msgspec.json.Encoder()


class Shipengine(Pushless):
    """Adapter `shipengine`. Secrets: `api_key`. Options: none. A query needs ShipEngine's code of the carrier, such as `ups`."""

    name = "shipengine"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One call a number."""
        base = f"{account.base_url.rstrip('/')}/tracking"
        headers = {"api-key": secret(account, "api_key")}

        def call(query: Query) -> Call:
            if not query.carrier_code:
                raise CarrierError(ErrorKind.INVALID_REQUEST, "ShipEngine wants to be told the carrier of each number")
            wanted = urlencode({"carrier_code": query.carrier_code, "tracking_number": query.number})
            return (yield Request(method="GET", url=f"{base}?{wanted}", headers=headers))

        return (yield from one_by_one(queries, call, self.split))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut an answer, which is about one number."""
        code, said = _said(response.body)
        failed = http_error(response, said)
        if failed is not None:
            raise failed
        if said:
            raise CarrierError(ErrorKind.BAD_RESPONSE, f"ShipEngine: {said}", code=code)
        track = decode(_TRACK, response.body)
        for scan in track.events or ():
            scan.description = without_signer(scan.description)
        return join({track.tracking_number: _ENCODER.encode(track)}, asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one number."""
        track = decode(_TRACK, raw)
        words, notes = Glossary(codes.table("shipengine", "code")), dict[str, None]()
        events = arrange([_event(scan, words, notes) for scan in track.events or ()])
        status, reason, more = stand(events, words.of(track.status_code), track.status_code)
        return Tracking(
            number=track.tracking_number,
            status=status,
            reason=reason,
            raw_status=track.status_code,
            events=events,
            carrier_code=track.carrier_code,
            unmapped=words.unmapped,
            notes=(*notes, *more),
        )


def _said(body: bytes) -> tuple[str | None, str]:
    try:
        errors = decode(_BODY, body).errors or ()
    except CarrierError:
        return None, ""
    told = (f"{error.error_code}: {error.message or 'no text'}" for error in errors)
    return next((error.error_code for error in errors), None), short("; ".join(told))


def _event(scan: Scan, words: Glossary, notes: dict[str, None]) -> TrackingEvent:
    status, reason = words.of(scan.status_code)
    time, local, offset = _instant(scan, notes)
    location = ", ".join(filter(None, (scan.city_locality, scan.state_province)))
    return TrackingEvent(
        key=event_key(scan.occurred_at or "", scan.event_code or "", scan.description or "", location),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=scan.event_code or scan.status_code,
        description=scan.description or "",
        location=location,
        country=alpha2(scan.country_code),
    )


def _instant(scan: Scan, notes: dict[str, None]) -> Instant:
    """The instant, with the wall clock of the place where that lies as far from it as a zone can."""
    told, there = instant(scan.occurred_at or ""), instant(scan.carrier_occurred_at or "")
    if told[0] is None:
        # An instant without a zone is none; the carrier's wall clock is as good as the source's.
        return there if there[0] is not None or told[1] is None else told
    if there[1] is None or there[2] is not None:
        return told
    wall = instant(f"{there[1]}+00:00")[0]
    minutes, rest = divmod((wall or 0) - told[0], 60)
    if rest == 0 and abs(minutes) <= _FURTHEST and minutes % _STEP == 0:
        return told[0], there[1], minutes
    notes["the source's instant and the carrier's wall clock do not belong together"] = None
    return told
