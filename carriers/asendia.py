"""Asendia: the tracking of Asendia Sync (facts: others, from samples only).

Three codes are known: PU, IT, DL. Times are UTC. HTTP 404 with `error.tracking.not_found` is "not found", any other 404 is not.
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from urllib.parse import quote

import msgspec

from carriers.answers import decode, http_error, join
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary, table
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingStatus, newest
from carriers.scans import alpha2, arrange, plain_scan
from carriers.talks import once, one_by_one, secret


class Event(msgspec.Struct, omit_defaults=True, gc=False):
    """One scan; `time` ends with Z."""

    code: str | None = None
    time: str = ""
    locationName: str | None = None
    locationCountry: str | None = None
    carrierEventDescription: str | None = None


class Parcel(msgspec.Struct, omit_defaults=True):
    """One number, or none where a refusal (`message`) names none; encoded it is the slice."""

    trackingNumber: str | None = None
    trackingEvents: list[Event] = []
    message: str | None = None


class Grant(msgspec.Struct):
    """The token."""

    id_token: str


_PARCEL = msgspec.json.Decoder(Parcel)
_GRANT = msgspec.json.Decoder(Grant)
_ABSENT = 404
_NOT_FOUND = "error.tracking.not_found"


class Asendia(Pushless):
    """Adapter `asendia`. Secrets: `user`, `password`. Option: `customer`, the customer's id. The requests are (unverified)."""

    name = "asendia"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """A token for this conversation, for its life is not documented; then one GET a number."""
        said = {"username": secret(account, "user"), "password": secret(account, "password")}
        customer = account.options.get("customer")
        if not customer:
            raise CarrierError(ErrorKind.INVALID_REQUEST, f"account {account.id} has no option customer")
        base, json = account.base_url.rstrip("/"), {"content-type": "application/json"}
        response = yield Request(method="POST", url=f"{base}/api/authenticate", headers=json, body=msgspec.json.encode(said))
        failed = http_error(response)
        if failed is not None:
            raise failed
        headers = {"authorization": f"Bearer {decode(_GRANT, response.body).id_token}"}

        def call(query: Query) -> Request:
            path = f"api/customers/{quote(str(customer), safe='')}/tracking/{quote(query.number, safe='')}"
            return Request(method="GET", url=f"{base}/{path}", headers=headers)

        return (yield from one_by_one(queries, lambda query: once(call(query)), self.split))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """The answer is one parcel; a refusal names no number and is that of the only one asked."""
        failed = http_error(response)
        if failed is not None and response.status != _ABSENT:
            raise failed
        try:
            parcel = decode(_PARCEL, response.body)
        except CarrierError as unread:
            raise failed or unread from None
        if failed is not None and parcel.message != _NOT_FOUND:
            raise failed
        if parcel.message == _NOT_FOUND:
            number = asked[0] if len(asked) == 1 else None
            return join({number or "": msgspec.json.encode(Parcel(number, message=_NOT_FOUND))}, asked)
        return join({parcel.trackingNumber: msgspec.json.encode(parcel)} if parcel.trackingNumber else {}, asked)

    def read(self, raw: bytes) -> Tracking:
        """The newest event tells the status."""
        parcel, words = decode(_PARCEL, raw), Glossary(table("asendia", "code"))
        events = arrange([_event(each, words) for each in parcel.trackingEvents])
        last = newest(events)
        silent = (TrackingStatus.NOT_FOUND, None) if parcel.message == _NOT_FOUND else UNKNOWN
        status, reason = (last.status, last.reason) if last is not None else silent
        return Tracking(
            number=parcel.trackingNumber,
            status=status,
            reason=reason,
            raw_status=parcel.message,
            events=events,
            unmapped=words.unmapped,
        )


def _event(event: Event, words: Glossary) -> TrackingEvent:
    place, text = event.locationName or "", event.carrierEventDescription or ""
    return plain_scan(event.code, event.time, words.of(event.code), text, place, alpha2(event.locationCountry))
