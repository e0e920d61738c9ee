"""Teleship (facts: others, from samples only; two legs).

A refusal lists `messages`; code 404 is "not found". `code` is what a machine reads: a text may say more, and is not read. The
last mile's number is to be followed. Names and addresses are not kept, but the country of destination.
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from urllib.parse import quote, urlencode

import msgspec

from carriers.answers import decode, http_error, join, short
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary, table
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingStatus, newest
from carriers.scans import alpha2, arrange, plain_scan
from carriers.talks import Bearer, one_by_one, secret


class Leg(msgspec.Struct, omit_defaults=True, gc=False):
    """A carrier's part of the way."""

    trackingNumber: str | None = None


class Place(msgspec.Struct, omit_defaults=True, gc=False):
    """Of an address, the country."""

    country: str | None = None


class Party(msgspec.Struct, omit_defaults=True):
    """Who gets it."""

    address: Place | None = None


class Event(msgspec.Struct, omit_defaults=True, gc=False):
    """One scan; `timestamp` ends with Z."""

    code: str | None = None
    timestamp: str = ""
    description: str | None = None
    location: str | None = None


class Said(msgspec.Struct):
    """Why there is no answer."""

    code: int | str | None = None
    message: str | None = None


class Shipment(msgspec.Struct, omit_defaults=True):
    """One number, or none where a refusal (`refused`) names none; encoded it is the slice."""

    trackingNumber: str | None = None
    status: str | None = None
    shipTo: Party | None = None
    lastMile: Leg | None = None
    events: list[Event] = []
    refused: str | None = None


class Answer(Shipment, omit_defaults=True):
    """A shipment, or what is said instead of one."""

    messages: list[Said] = []


_ANSWER = msgspec.json.Decoder(Answer)
_SHIPMENT = msgspec.json.Decoder(Shipment)
_NOT_FOUND = "404"
_ABSENT = 404


class Teleship(Pushless):
    """Adapter `teleship`. Secrets: `client_id`, `client_secret`. The requests are (unverified) against the real service."""

    name = "teleship"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """A token where none is kept, then one GET a number."""
        said = {
            "grant_type": "client_credentials",
            "client_id": secret(account, "client_id"),
            "client_secret": secret(account, "client_secret"),
        }
        base, form = account.base_url.rstrip("/"), {"content-type": "application/x-www-form-urlencoded"}
        token = Bearer(
            Request(method="POST", url=f"{base}/oauth/token", headers=form, body=urlencode(said).encode()), memory, now
        )

        def call(query: Query) -> Request:
            return Request(method="GET", url=f"{base}/api/tracking/{quote(query.number, safe='')}")

        talk = one_by_one(queries, lambda query: token.send(call(query)), self.split)
        return (yield from token.keep(talk, queries))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """The answer is one shipment; a refusal names no number and is that of the only one asked."""
        failed = http_error(response)
        if failed is not None and response.status != _ABSENT:
            raise failed
        try:
            answer = decode(_ANSWER, response.body)
        except CarrierError as unread:
            raise failed or unread from None
        codes = [str(said.code) for said in answer.messages]
        if _NOT_FOUND in codes:
            number = asked[0] if len(asked) == 1 else None
            return join({number or "": msgspec.json.encode(Shipment(number, refused=_NOT_FOUND))}, asked)
        if failed is not None or codes:
            text = answer.messages[0].message if codes else None
            raise failed or CarrierError(ErrorKind.BAD_RESPONSE, short(f"Teleship: {text or codes[0]}"), code=codes[0])
        # Nothing is said beside it, so what is encoded is a shipment alone.
        return join({answer.trackingNumber: msgspec.json.encode(answer)} if answer.trackingNumber else {}, asked)

    def read(self, raw: bytes) -> Tracking:
        """The newest event tells the status; where its code says nothing, the shipment's own word."""
        shipment, words = decode(_SHIPMENT, raw), Glossary(table("teleship", "code"))
        own = (TrackingStatus.NOT_FOUND, None) if shipment.refused else words.of(shipment.status)
        events = arrange([_event(each, words) for each in shipment.events])
        last = newest(events)
        newer = (last.status, last.reason) if last is not None else UNKNOWN
        status, reason = newer if newer != UNKNOWN else own
        differ = UNKNOWN not in {own, newer} and own != newer
        return Tracking(
            number=shipment.trackingNumber,
            status=status,
            reason=reason,
            raw_status=shipment.refused or shipment.status,
            raw_sub_status=last.raw_code if last is not None else None,
            events=events,
            destination_country=_country(shipment.shipTo),
            linked_number=shipment.lastMile.trackingNumber if shipment.lastMile is not None else None,
            unmapped=words.unmapped,
            notes=(f"its own status is {shipment.status}, its newest event {last.raw_code}",)
            if last is not None and differ
            else (),
        )


def _country(party: Party | None) -> str | None:
    return alpha2(party.address.country) if party is not None and party.address is not None else None


def _event(event: Event, words: Glossary) -> TrackingEvent:
    place, text = event.location or "", event.description or ""
    return plain_scan(event.code, event.timestamp, words.of(event.code), text, place)
