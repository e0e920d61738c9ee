"""GLS: Track and Trace v1, one GET for up to ten numbers (facts: others, from samples only; rules 5; times).

An unknown number is E_404_01 in its own entry, inside HTTP 200. The parcel's own `status` can be newer than its newest event:
where that event's code says nothing, the status does. Offsets are written without a colon.
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator, Sequence
from datetime import datetime
from urllib.parse import quote

import msgspec

from carriers.answers import decode, each, http_error, join, richest
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary, table
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingStatus, newest
from carriers.scans import alpha2, arrange, plain_scan
from carriers.talks import Bearer, all_at_once, secret


class Event(msgspec.Struct, omit_defaults=True, gc=False):
    """One scan; `eventDateTime` as `2024-10-07T10:46:14+0200`."""

    code: str | None = None
    city: str | None = None
    country: str | None = None
    description: str | None = None
    eventDateTime: str = ""


class Parcel(msgspec.Struct, omit_defaults=True):
    """One number: `requested` as we asked, `unitno` as GLS counts; encoded it is the slice."""

    requested: str | None = None
    unitno: str | None = None
    status: str | None = None
    errorCode: str | None = None
    events: list[Event] = []


class Answer(msgspec.Struct):
    """All numbers."""

    parcels: list[msgspec.Raw]


_ANSWER = msgspec.json.Decoder(Answer)
_PARCEL = msgspec.json.Decoder(Parcel)
_NOT_FOUND = "E_404_01"


class Gls(Pushless):
    """Adapter `gls`. Secrets: `client_id`, `client_secret`. The requests are (unverified) against the real service."""

    name = "gls"
    batch_size = 10

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """A token where none is kept, then one GET for all numbers."""
        basic = b64encode(f"{secret(account, 'client_id')}:{secret(account, 'client_secret')}".encode()).decode()
        base, numbers = account.base_url.rstrip("/"), [query.number for query in queries]
        login = Request(
            method="POST",
            url=f"{base}/oauth2/v2/token",
            headers={"authorization": f"Basic {basic}", "content-type": "application/x-www-form-urlencoded"},
            body=b"grant_type=client_credentials",
        )
        token = Bearer(login, memory, now)
        path = f"track-and-trace-v1/tracking/simple/trackids/{quote(','.join(numbers), safe=',')}"
        call = token.send(Request(method="GET", url=f"{base}/{path}", headers={"accept": "application/json"}))
        return (yield from token.keep(all_at_once(call, numbers, self.split), queries))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut the answer into parcels."""
        failed = http_error(response)
        if failed is not None:
            raise failed
        parcels = each(decode(_ANSWER, response.body).parcels, _PARCEL, "requested", "unitno")
        return join(richest((number, _cut(parcel)) for number, parcel in parcels), asked)

    def read(self, raw: bytes) -> Tracking:
        """The newest event tells the status; where its code says nothing, the parcel's own word."""
        parcel, words = decode(_PARCEL, raw), Glossary(table("gls", "code"))
        own = (TrackingStatus.NOT_FOUND, None) if parcel.errorCode else words.of(parcel.status)
        events = arrange([_event(each, words) for each in parcel.events])
        last = newest(events)
        newer = (last.status, last.reason) if last is not None else UNKNOWN
        status, reason = newer if newer != UNKNOWN else own
        differ = UNKNOWN not in {own, newer} and own != newer
        return Tracking(
            number=parcel.requested or parcel.unitno,
            status=status,
            reason=reason,
            raw_status=parcel.status or parcel.errorCode,
            raw_sub_status=last.raw_code if last is not None else None,
            events=events,
            unmapped=words.unmapped,
            notes=(f"its own status is {parcel.status}, its newest event {last.raw_code}",)
            if last is not None and differ
            else (),
        )


def _cut(parcel: Parcel | CarrierError) -> bytes | CarrierError:
    if isinstance(parcel, CarrierError):
        return parcel
    if parcel.errorCode not in {None, _NOT_FOUND}:
        return CarrierError(ErrorKind.BAD_RESPONSE, f"GLS: {parcel.errorCode}", code=parcel.errorCode)
    return msgspec.json.encode(parcel)


def _event(event: Event, words: Glossary) -> TrackingEvent:
    place, text = event.city or "", event.description or ""
    return plain_scan(event.code, event.eventDateTime, words.of(event.code), text, place, alpha2(event.country))
