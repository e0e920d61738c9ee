"""Yanwen: the tracking query of its open platform (facts: Yanwen).

Rules of this source: checkpoints come unsorted, each with its own zone. The newest checkpoint tells the status where its code
is known, or at least its prefix; otherwise `level1` does: the two can differ (level1 8 beside LM54). No result is level1 1,
or no checkpoint and nothing better. A parcel answers to its waybill, its tracking and its last-mile number.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from carriers import codes
from carriers.answers import decode, each, http_error, join, richest, short
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary, Meaning
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingStatus
from carriers.persons import without_signer
from carriers.scans import alpha2, arrange, event_key, instant, iso_offset
from carriers.standing import stand
from carriers.talks import secret

_OK = "0"
_NO_RESULT = "1"
_ENDED = "7"


class Checkpoint(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan: a wall clock and the hours of its zone (`+08`)."""

    time_stamp: str | None = None
    time_zone: str | None = None
    tracking_status: str | None = None
    message: str | None = None
    location: str | None = None


class Levels(msgspec.Struct, gc=False, omit_defaults=True):
    """The state of the whole parcel."""

    level1: str | int | None = None
    level3: str | None = None


class Parcel(msgspec.Struct, omit_defaults=True):
    """One result; encoded it is the slice."""

    tracking_number: str | None = None
    waybill_number: str | None = None
    exchange_number: str | None = None
    tracking_status_waybill: Levels | None = None
    destination_country: str | None = None
    checkpoints: list[Checkpoint] | None = None

    @property
    def number(self) -> str | None:
        """Yanwen's own number of it."""
        return self.tracking_number or self.waybill_number or self.exchange_number or None


class Body(msgspec.Struct):
    """Code 0 comes with results, 1 with a message."""

    code: str | int | None = None
    message: str | None = None
    result: list[msgspec.Raw] | None = None


_NAMES = ("tracking_number", "waybill_number", "exchange_number")

_BODY = msgspec.json.Decoder(Body)
_PARCEL = msgspec.json.Decoder(Parcel)
_ENCODER = msgspec.json.Encoder()


class Yanwen(Pushless):
    """Adapter `yanwen`. Secrets: `merchant_number`. Options: none.

    Its documents name plain http; https is tried first: set `base_url` where that is refused.
    """

    name = "yanwen"
    batch_size = 30

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One call for all numbers."""
        merchant = secret(account, "merchant_number")
        numbers = list(dict.fromkeys(query.number for query in queries))
        query = urlencode({"nums": ",".join(numbers)}, safe=",")
        response = yield Request(
            method="GET",
            url=f"{account.base_url.rstrip('/')}/api/tracking?{query}",
            headers={"authorization": merchant, "accept": "application/json"},
        )
        return Batch(answers=self.split(response, numbers))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut an answer into one result per number, under whichever of its three numbers it was asked for."""
        failed = http_error(response)
        if failed is not None:
            raise failed
        body = decode(_BODY, response.body)
        if body.code is not None and str(body.code) != _OK:
            text = short(f"Yanwen failed: {body.message or 'no message'}")
            raise CarrierError(ErrorKind.UNAVAILABLE, text, code=str(body.code))
        if body.code is None or body.result is None:
            raise CarrierError(ErrorKind.BAD_RESPONSE, "neither results nor an error of Yanwen")
        cuts: list[tuple[str, bytes | CarrierError]] = []
        also: list[tuple[str, bytes | CarrierError]] = []
        for number, parcel in each(body.result, _PARCEL, *_NAMES):
            if isinstance(parcel, CarrierError):
                cuts.append((number, parcel))
                continue
            for scan in parcel.checkpoints or ():
                scan.message = without_signer(scan.message)
            cut = _ENCODER.encode(parcel)
            cuts.append((number, cut))
            also += [(other, cut) for other in (parcel.waybill_number, parcel.exchange_number) if other]
        return join(richest(also) | richest(cuts) if asked else richest(cuts), asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one result."""
        parcel = decode(_PARCEL, raw)
        glossary = Glossary(codes.table("yanwen", "code"))
        events = arrange([_event(scan, glossary) for scan in parcel.checkpoints or ()])
        levels = parcel.tracking_status_waybill or Levels()
        level = str(levels.level1) if levels.level1 is not None else ""
        standing = stand(events, _top(level, parcel.checkpoints, glossary), f"level1 {level}")
        linked = (parcel.exchange_number or "").strip()
        return Tracking(
            number=parcel.number,
            status=standing.status,
            reason=standing.reason,
            raw_status=level or None,
            raw_sub_status=levels.level3 or None,
            events=events,
            destination_country=alpha2(parcel.destination_country),
            linked_number=linked if linked and linked != parcel.number else None,
            stopped=level == _ENDED,
            unmapped=glossary.unmapped,
            notes=standing.notes,
        )


def _top(level: str, checkpoints: Sequence[Checkpoint] | None, glossary: Glossary) -> Meaning:
    """What `level1` says; "no result" only where there is none."""
    if not level:
        return (TrackingStatus.NOT_FOUND, None) if checkpoints == [] else UNKNOWN
    return UNKNOWN if level == _NO_RESULT and checkpoints else glossary.of(f"level1 {level}")


def _event(scan: Checkpoint, glossary: Glossary) -> TrackingEvent:
    code, wall, zone = scan.tracking_status or "", scan.time_stamp or "", scan.time_zone or ""
    status, reason = glossary.of(code)
    if status is TrackingStatus.UNKNOWN:
        status, reason = codes.table("yanwen", "code").get(f"prefix {code[:2]}", UNKNOWN)
    time, local, offset = instant(wall + iso_offset(zone))
    return TrackingEvent(
        key=event_key(code, wall, zone, scan.message or "", scan.location or ""),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=code or None,
        description=scan.message or "",
        location=scan.location or "",
    )
