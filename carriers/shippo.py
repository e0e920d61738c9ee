"""Shippo tracking (facts: EasyPost, Shippo, ShipEngine).

One call a number, under the carrier that Shippo knows it by. Times end in Z; those of old USPS data are wall clocks all the same.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from carriers import codes
from carriers.answers import decode, http_error, join, short
from carriers.base import Account, Batch, Memory, Push, Query, Request, Response
from carriers.codes import Glossary, Meaning
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingStatus
from carriers.persons import without_signer
from carriers.scans import alpha2, arrange, event_key, instant
from carriers.signatures import demand, hmac_hex
from carriers.standing import stand
from carriers.talks import Call, one_by_one, secret

_WINDOW = 300
"""Seconds that a push may be old, or ahead of us."""

_SIGNATURE = re.compile(r"t=(\d{1,12}),\s*v1=([0-9a-fA-F]{64})", re.ASCII)
_NO_CARRIER = "not supported"


class Place(msgspec.Struct, gc=False, omit_defaults=True):
    """Where a scan was made."""

    city: str | None = None
    state: str | None = None
    country: str | None = None


class Substatus(msgspec.Struct, gc=False, omit_defaults=True):
    """Why."""

    code: str | None = None


class Scan(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan, or the status as it is now."""

    status: str | None = None
    substatus: Substatus | None = None
    status_details: str | None = None
    status_date: str | None = None
    location: Place | None = None


class Goal(msgspec.Struct, gc=False, omit_defaults=True):
    """Of the destination, the country alone."""

    country: str | None = None


class Track(msgspec.Struct, gc=False, omit_defaults=True):
    """One number; encoded it is the slice."""

    tracking_number: str
    carrier: str | None = None
    address_to: Goal | None = None
    tracking_status: Scan | None = None
    tracking_history: list[Scan] | None = None


class Body(msgspec.Struct):
    """A push has its track in `data` (unverified), a failure `detail`; a track alone neither."""

    data: msgspec.Raw = msgspec.Raw(b"")
    detail: str | None = None


_BODY = msgspec.json.Decoder(Body)
_TRACK = msgspec.json.Decoder(Track)
_ENCODER = msgspec.json.Encoder()


class Shippo:
    """Adapter `shippo`. Secrets: `api_token`. Options: `register` (true: register each number once, so that Shippo pushes).

    A query needs Shippo's name of the carrier, such as `usps`. The signature of pushes is (unverified).
    """

    name = "shippo"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One call a number. Memory of a number, where the account registers: `registered_at`."""
        base = f"{account.base_url.rstrip('/')}/tracks"
        headers = {"authorization": f"ShippoToken {secret(account, 'api_token')}", "content-type": "application/json"}
        new = {q.number for q in queries if "registered_at" not in memory.numbers.get(q.number, {})}
        registering = new if account.options.get("register") is True else set()

        def call(query: Query) -> Call:
            code = query.carrier_code
            if not code:
                raise CarrierError(ErrorKind.INVALID_REQUEST, "Shippo wants to be told the carrier of each number")
            if query.number in registering:
                body = _ENCODER.encode({"carrier": code, "tracking_number": query.number})
                return (yield Request(method="POST", url=base, headers=headers, body=body))
            path = f"{quote(code, safe='')}/{quote(query.number, safe='')}"
            return (yield Request(method="GET", url=f"{base}/{path}", headers=headers))

        batch = yield from one_by_one(queries, call, self.split)
        done = (number for number, cut in batch.answers.items() if isinstance(cut, bytes) and number in registering)
        learnt: dict[str, Mapping[str, Any]] = {number: {"registered_at": now.isoformat()} for number in done}
        return msgspec.structs.replace(batch, memory=Memory(numbers=learnt))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut a track, or the body of a push. A carrier that Shippo does not know is our mistake, whatever the HTTP status."""
        said = _said(response.body)
        if _NO_CARRIER in said:
            raise CarrierError(ErrorKind.INVALID_REQUEST, f"Shippo: {said}", code=str(response.status))
        failed = http_error(response, said)
        if failed is not None:
            raise failed
        body = decode(_BODY, response.body)
        if body.detail is not None:
            raise CarrierError(ErrorKind.BAD_RESPONSE, f"Shippo: {said}")
        track = decode(_TRACK, bytes(body.data) or response.body)
        for scan in filter(None, (track.tracking_status, *(track.tracking_history or ()))):
            scan.status_details = without_signer(scan.status_details)
        return join({track.tracking_number: _ENCODER.encode(track)}, asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one track. No status at all is "not found" (unverified)."""
        track = decode(_TRACK, raw)
        words = Glossary(codes.table("shippo", "code"))
        now = track.tracking_status
        events = arrange([_event(scan, words) for scan in track.tracking_history or ([now] if now is not None else [])])
        told: Meaning = words.of(now.status) if now is not None else (TrackingStatus.NOT_FOUND, None)
        status, reason, notes = stand(events, told, now.status if now is not None else None)
        return Tracking(
            number=track.tracking_number,
            status=status,
            reason=reason,
            raw_status=now.status if now is not None else None,
            raw_sub_status=now.substatus.code if now is not None and now.substatus is not None else None,
            events=events,
            carrier_code=track.carrier,
            destination_country=alpha2(track.address_to.country) if track.address_to is not None else None,
            unmapped=words.unmapped,
            notes=notes,
        )

    def read_push(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Sequence[Push]:
        """A push: `t=<epoch seconds>,v1=<hex HMAC-SHA256 of "t.body">`, at most five minutes old (unverified)."""
        told = _SIGNATURE.fullmatch(headers.get("shippo-auth-signature", "").strip())
        moment, signature = (told[1], told[2].lower()) if told is not None and secret else ("0", "")
        demand(signature, hmac_hex(secret.encode(), moment.encode() + b"." + body))
        if abs(now.timestamp() - int(moment)) > _WINDOW:
            raise CarrierError(ErrorKind.AUTH, "the push is older than five minutes")
        slices = self.split(Response(status=200, body=body), ())
        return [Push(number=number, slice=cut) for number, cut in slices.items() if isinstance(cut, bytes)]


def _said(body: bytes) -> str:
    try:
        return short(decode(_BODY, body).detail or "")
    except CarrierError:
        return ""


def _event(scan: Scan, words: Glossary) -> TrackingEvent:
    status, reason = words.of(scan.status)
    time, local, offset = instant(scan.status_date or "")
    place = scan.location or Place()
    location = ", ".join(filter(None, (place.city, place.state)))
    return TrackingEvent(
        key=event_key(scan.status_date or "", scan.status or "", scan.status_details or "", location),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=scan.status,
        description=scan.status_details or "",
        location=location,
        country=alpha2(place.country),
    )
