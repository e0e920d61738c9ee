"""EasyPost trackers (facts: EasyPost, Shippo, ShipEngine).

Making a tracker costs money and answers at once; afterwards it is read by its id. Times end in Z, which for some carriers is
their wall clock all the same (unverified): they are taken at their word.
"""

from __future__ import annotations

import unicodedata
from base64 import b64encode
from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from carriers import codes
from carriers.answers import decode, each, http_error, join, richest, short
from carriers.base import Account, Batch, Memory, Push, Query, Request, Response
from carriers.codes import Glossary
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent
from carriers.persons import without_signer
from carriers.scans import alpha2, arrange, event_key, instant
from carriers.signatures import demand, hmac_hex
from carriers.standing import stand
from carriers.talks import Call, one_by_one, secret

_GONE = 404
_SIGNED = "hmac-sha256-hex="


class Place(msgspec.Struct, gc=False, omit_defaults=True):
    """Where a scan was made."""

    city: str | None = None
    state: str | None = None
    country: str | None = None


class Detail(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan."""

    datetime: str | None = None
    status: str | None = None
    message: str | None = None
    tracking_location: Place | None = None


class Route(msgspec.Struct, gc=False, omit_defaults=True):
    """`carrier_detail`: where it goes."""

    destination_tracking_location: Place | None = None


class Tracker(msgspec.Struct, gc=False, omit_defaults=True):
    """One tracker; encoded it is the slice. `signed_by` is not kept."""

    tracking_code: str
    id: str | None = None
    status: str | None = None
    carrier: str | None = None
    carrier_detail: Route | None = None
    tracking_details: list[Detail] | None = None


class Failure(msgspec.Struct):
    """`error`."""

    code: str | None = None
    message: str | list[Any] | None = None


class Body(msgspec.Struct):
    """A list has `trackers`, an event `result`, a failure `error`; a tracker alone none of them."""

    trackers: list[msgspec.Raw] | None = None
    result: msgspec.Raw = msgspec.Raw(b"")
    description: str | None = None
    error: Failure | None = None


_BODY = msgspec.json.Decoder(Body)
_TRACKER = msgspec.json.Decoder(Tracker)
_ENCODER = msgspec.json.Encoder()


class Easypost:
    """Adapter `easypost`. Secrets: `api_key`. Options: none. A query's carrier is EasyPost's name of it, such as `USPS`."""

    name = "easypost"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One call a number: by the id of its tracker, or a new one. Memory of a number: `registered_at`, `id`."""
        key = secret(account, "api_key")
        base = f"{account.base_url.rstrip('/')}/trackers"
        headers = {"authorization": "Basic " + b64encode(f"{key}:".encode()).decode(), "content-type": "application/json"}
        learnt: dict[str, Mapping[str, Any]] = {}

        def call(query: Query) -> Call:
            known = memory.numbers.get(query.number, {}).get("id")
            if known:
                response = yield Request(method="GET", url=f"{base}/{quote(str(known), safe='')}", headers=headers)
                # A proxy's 404 is none: to make a tracker anew costs money.
                if response.status == _GONE and _said(response.body):
                    learnt[query.number] = {}
                    raise CarrierError(ErrorKind.NOT_REGISTERED, "EasyPost no longer has this tracker", code=str(_GONE))
                return response
            wanted = {"tracking_code": query.number} | ({"carrier": query.carrier_code} if query.carrier_code else {})
            response = yield Request(method="POST", url=base, headers=headers, body=_ENCODER.encode({"tracker": wanted}))
            return response

        batch = yield from one_by_one(queries, call, self.split)
        for number, cut in batch.answers.items():
            if isinstance(cut, bytes) and "id" not in memory.numbers.get(number, {}):
                learnt[number] = {"registered_at": now.isoformat(), "id": decode(_TRACKER, cut).id}
        return msgspec.structs.replace(batch, memory=Memory(numbers=learnt))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut a tracker, a list of them, or the event of a push."""
        failed = http_error(response, _said(response.body))
        if failed is not None:
            raise failed
        body = decode(_BODY, response.body)
        if body.error is not None:
            raise CarrierError(ErrorKind.BAD_RESPONSE, f"EasyPost: {_said(response.body)}", code=body.error.code)
        if body.trackers is None:
            # The only item is the answer: where it drifted, everything did.
            tracker = decode(_TRACKER, bytes(body.result) or response.body)
            return join({tracker.tracking_code: _slice(tracker)}, asked)
        items = each(body.trackers, _TRACKER, "tracking_code")
        return join(richest((n, item if isinstance(item, CarrierError) else _slice(item)) for n, item in items), asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one tracker."""
        tracker = decode(_TRACKER, raw)
        words = Glossary(codes.table("easypost", "code"))
        events = arrange([_event(detail, words) for detail in tracker.tracking_details or ()])
        status, reason, notes = stand(events, words.of(tracker.status), tracker.status)
        goal = tracker.carrier_detail.destination_tracking_location if tracker.carrier_detail is not None else None
        return Tracking(
            number=tracker.tracking_code,
            status=status,
            reason=reason,
            raw_status=tracker.status,
            events=events,
            carrier_code=tracker.carrier,
            destination_country=alpha2(goal.country) if goal is not None else None,
            unmapped=words.unmapped,
            notes=notes,
        )

    def read_push(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Sequence[Push]:
        """An event, signed with the HMAC-SHA256 of its raw body; the key is the secret in NFKD. It carries no time to check.

        Events about other things than a tracker are no pushes.
        """
        key = unicodedata.normalize("NFKD", secret).encode()
        demand(headers.get("x-hmac-signature") if secret else None, _SIGNED + hmac_hex(key, body))
        if not (decode(_BODY, body).description or "").startswith("tracker."):
            return ()
        slices = self.split(Response(status=200, body=body), ())
        return [Push(number=number, slice=cut) for number, cut in slices.items() if isinstance(cut, bytes)]


def _slice(tracker: Tracker) -> bytes:
    for detail in tracker.tracking_details or ():
        detail.message = without_signer(detail.message)
    return _ENCODER.encode(tracker)


def _said(body: bytes) -> str:
    try:
        error = decode(_BODY, body).error
    except CarrierError:
        return ""
    return "" if error is None else short(f"{error.code}: {error.message or 'no text'}")


def _event(detail: Detail, words: Glossary) -> TrackingEvent:
    status, reason = words.of(detail.status)
    time, local, offset = instant(detail.datetime or "")
    place = detail.tracking_location or Place()
    location = ", ".join(filter(None, (place.city, place.state)))
    return TrackingEvent(
        key=event_key(detail.datetime or "", detail.status or "", detail.message or "", location),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=detail.status,
        description=detail.message or "",
        location=location,
        country=alpha2(place.country),
    )
