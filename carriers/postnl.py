"""PostNL status by barcode (facts: PostNL). Written from the documented fields: no answer of the source was ever seen.

The status is the phase. What the codes of its scans mean is not documented; its wall clocks name no zone.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from urllib.parse import quote

import msgspec

from carriers import codes
from carriers.answers import decode, http_error, join, short
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import Glossary
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent
from carriers.scans import arrange, event_key, instant, iso_day_first
from carriers.talks import Call, one_by_one, secret


class Scan(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan. `TimeStamp` is a wall clock, `dd-MM-yyyy HH:mm:ss`."""

    Code: str | None = None
    Description: str | None = None
    TimeStamp: str | None = None


class Standing(msgspec.Struct, gc=False, omit_defaults=True):
    """Where it stands."""

    TimeStamp: str | None = None
    StatusCode: str | int | None = None
    PhaseCode: str | int | None = None


class Shipment(msgspec.Struct, gc=False, omit_defaults=True):
    """One barcode; encoded it is the slice."""

    Barcode: str
    Status: Standing | None = None
    Event: list[Scan] | None = None


class Found(msgspec.Struct):
    """`CompleteStatus` or `CurrentStatus`."""

    Shipment: Shipment | None = None


class Caution(msgspec.Struct):
    """What the source has to say instead."""

    Code: str | int | None = None
    Description: str | None = None


class Body(msgspec.Struct):
    """An answer."""

    CompleteStatus: Found | None = None
    CurrentStatus: Found | None = None
    Warnings: list[Caution] | None = None


_BODY = msgspec.json.Decoder(Body)
_SHIPMENT = msgspec.json.Decoder(Shipment)
_ENCODER = msgspec.json.Encoder()


class Postnl(Pushless):
    """Adapter `postnl`. Secrets: `api_key`. Options: none. Only parcels of one's own customer number are told.

    How the source says that it does not know a barcode is not documented: an answer without a shipment is an error that keeps the
    source's words, never "not found" (unverified).
    """

    name = "postnl"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One call a number."""
        base = f"{account.base_url.rstrip('/')}/status/barcode"
        headers = {"apikey": secret(account, "api_key")}

        def call(query: Query) -> Call:
            url = f"{base}/{quote(query.number, safe='')}?detail=true&language=EN"
            return (yield Request(method="GET", url=url, headers=headers))

        return (yield from one_by_one(queries, call, self.split))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut an answer, which is about one barcode."""
        failed = http_error(response)
        if failed is not None:
            raise failed
        body = decode(_BODY, response.body)
        found = body.CompleteStatus or body.CurrentStatus
        if found is None or found.Shipment is None:
            said = "; ".join(f"{warning.Code}: {warning.Description}" for warning in body.Warnings or ())
            raise CarrierError(ErrorKind.BAD_RESPONSE, short(f"PostNL tells no shipment{': ' + said if said else ''}"))
        return join({found.Shipment.Barcode: _ENCODER.encode(found.Shipment)}, asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one barcode."""
        shipment = decode(_SHIPMENT, raw)
        status = shipment.Status or Standing()
        phases, scans = Glossary(codes.table("postnl", "phase")), Glossary({})
        phase = None if status.PhaseCode is None else str(status.PhaseCode)
        settled, reason = phases.of(phase)
        return Tracking(
            number=shipment.Barcode,
            status=settled,
            reason=reason,
            raw_status=phase,
            raw_sub_status=None if status.StatusCode is None else str(status.StatusCode),
            events=arrange([_event(event, scans) for event in shipment.Event or ()]),
            unmapped=(*phases.unmapped, *scans.unmapped),
        )


def _event(event: Scan, scans: Glossary) -> TrackingEvent:
    status, reason = scans.of(event.Code)
    time, local, offset = instant(iso_day_first(event.TimeStamp or ""))
    return TrackingEvent(
        key=event_key(event.TimeStamp or "", event.Code or "", event.Description or ""),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=event.Code,
        description=event.Description or "",
    )
