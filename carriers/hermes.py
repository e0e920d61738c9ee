"""Hermes Germany: the shipment info of HSI (facts: others, from samples only).

An unknown number is `result.code` e001 inside HTTP 200. Times carry their offset. The receiver's address is not kept.
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from carriers.answers import decode, each, http_error, join, richest
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary, table
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingStatus, newest
from carriers.scans import arrange, plain_scan
from carriers.talks import Bearer, one_by_one, secret


class Unit(msgspec.Struct, omit_defaults=True, gc=False):
    """Where it was scanned."""

    city: str | None = None


class Event(msgspec.Struct, omit_defaults=True):
    """One scan: four digits, a time with its offset."""

    code: str | None = None
    timestamp: str = ""
    description: str | None = None
    scanningUnit: Unit | None = None


class Outcome(msgspec.Struct):
    """Why there is nothing about a number."""

    code: str


class Shipment(msgspec.Struct, omit_defaults=True):
    """One number; encoded it is the slice."""

    shipmentID: str
    status: list[Event] = []
    result: Outcome | None = None


class Answer(msgspec.Struct):
    """All numbers."""

    shipmentinfo: list[msgspec.Raw]


_ANSWER = msgspec.json.Decoder(Answer)
_SHIPMENT = msgspec.json.Decoder(Shipment)
_NOT_FOUND = "e001"
_TOKEN_URL = "https://authme.myhermes.de/authorization-facade/oauth2/access_token"  # noqa: S105 - an address


class Hermes(Pushless):
    """Adapter `hermes`. Secrets: `client_id`, `client_secret`, `user`, `password`.

    Option: `token_url`, where tokens are granted, which is another host. The requests are (unverified) against the real service.
    """

    name = "hermes"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """A token where none is kept, then one GET a number."""
        said = {
            "grant_type": "password",
            "client_id": secret(account, "client_id"),
            "client_secret": secret(account, "client_secret"),
            "username": secret(account, "user"),
            "password": secret(account, "password"),
        }
        login = Request(
            method="POST",
            url=str(account.options.get("token_url", _TOKEN_URL)),
            headers={"content-type": "application/x-www-form-urlencoded"},
            body=urlencode(said).encode(),
        )
        token, base = Bearer(login, memory, now), account.base_url.rstrip("/")

        def call(query: Query) -> Request:
            return Request(method="GET", url=f"{base}/shipmentinfo?{urlencode({'shipmentID': query.number})}")

        talk = one_by_one(queries, lambda query: token.send(call(query)), self.split)
        return (yield from token.keep(talk, queries))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut the answer into shipments."""
        failed = http_error(response)
        if failed is not None:
            raise failed
        shipments = each(decode(_ANSWER, response.body).shipmentinfo, _SHIPMENT, "shipmentID")
        return join(richest((number, _cut(shipment)) for number, shipment in shipments), asked)

    def read(self, raw: bytes) -> Tracking:
        """The newest event tells the status."""
        shipment, words = decode(_SHIPMENT, raw), Glossary(table("hermes", "code"))
        events = arrange([_event(each, words) for each in shipment.status])
        last = newest(events)
        told = shipment.result.code if shipment.result is not None else None
        silent = (TrackingStatus.NOT_FOUND, None) if told == _NOT_FOUND else UNKNOWN
        status, reason = (last.status, last.reason) if last is not None else silent
        return Tracking(
            number=shipment.shipmentID,
            status=status,
            reason=reason,
            raw_status=told,
            events=events,
            unmapped=words.unmapped,
        )


def _cut(shipment: Shipment | CarrierError) -> bytes | CarrierError:
    if isinstance(shipment, CarrierError):
        return shipment
    if shipment.result is not None and shipment.result.code != _NOT_FOUND and not shipment.status:
        code = shipment.result.code
        return CarrierError(ErrorKind.BAD_RESPONSE, f"Hermes: {code}", code=code)
    return msgspec.json.encode(shipment)


def _event(event: Event, words: Glossary) -> TrackingEvent:
    place, text = (event.scanningUnit or Unit()).city or "", event.description or ""
    return plain_scan(event.code, event.timestamp, words.of(event.code), text, place)
