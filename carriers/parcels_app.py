"""ParcelsApp (facts: Ship24, Track123, ParcelsApp).

Asynchronous: a request is answered by a uuid, under which the answer lies later. The key travels in body and query because the
source insists. Scans are texts without a code: the status is the parcel's.
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from carriers import codes
from carriers.answers import decode, each, http_error, join, richest, short
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import Glossary
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingStatus
from carriers.persons import without_signer
from carriers.scans import alpha2, arrange, event_key, instant
from carriers.talks import secret

_KINDS = {"INVALID_API_KEY": ErrorKind.AUTH}
_LASTING = frozenset({ErrorKind.AUTH, ErrorKind.QUOTA_EXHAUSTED, ErrorKind.RATE_LIMITED})
_GONE = frozenset({"404", "410"})
_USABLE = timedelta(hours=12)
"""So long an answer may wait to be fetched, or be prepared: what is heard counts as fresh (D20), and a lost one never comes."""

STOPPED = "the source stopped looking"


class State(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan."""

    state: str | None = None
    location: str | None = None
    date: str | None = None


class Detected(msgspec.Struct, gc=False, omit_defaults=True):
    """The carrier that the source found."""

    slug: str | None = None


class Shipment(msgspec.Struct, gc=False, omit_defaults=True):
    """One number; encoded it is the slice."""

    trackingId: str
    status: str | None = None
    destinationCode: str | None = None
    detectedCarrier: Detected | None = None
    states: list[State] | None = None


class Body(msgspec.Struct):
    """An answer with its `uuid`, or an `error` (with HTTP 200, too)."""

    uuid: str | None = None
    done: bool | None = None
    fromCache: bool | None = None
    shipments: list[msgspec.Raw] | None = None
    error: str | None = None
    description: str | None = None


_BODY = msgspec.json.Decoder(Body)
_SHIPMENT = msgspec.json.Decoder(Shipment)
_ENCODER = msgspec.json.Encoder()

Answers = dict[str, bytes | CarrierError]


class ParcelsApp(Pushless):
    """Adapter `parcels_app`. Secrets: `api_key`. Options: none.

    How the source says that an answer is gone is not documented: any refusal of a uuid is taken for it (unverified).
    """

    name = "parcels_app"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """Fetch what was asked for before, then ask for the rest. Memory of a number, while it waits: `uuid`, `asked_at`."""
        key, base = secret(account, "api_key"), f"{account.base_url.rstrip('/')}/shipments/tracking"
        answers: Answers = {}
        learnt: dict[str, Mapping[str, Any]] = {}
        try:
            for asked, numbers in _running(queries, memory, now).items():
                request = Request(method="GET", url=f"{base}?{urlencode({'uuid': asked, 'apiKey': key})}")
                told = yield from self._fetch(request, numbers)
                answers |= told
                learnt |= {number: {} for number, said in told.items() if not _pending(said)}
            new = [query for query in queries if query.number not in answers]
            if new:
                response = yield _start(base, key, new)
                told = self.split(response, [query.number for query in new])
                uuid = decode(_BODY, response.body).uuid
                answers |= told
                asked_at = now.isoformat()
                learnt |= {n: {"uuid": uuid, "asked_at": asked_at} for n, said in told.items() if uuid and _pending(said)}
        except CarrierError as error:
            if not answers:
                raise
            for query in queries:
                answers.setdefault(query.number, error)
        return Batch(answers=answers, memory=Memory(numbers=learnt))

    def _fetch(self, request: Request, numbers: Sequence[str]) -> Generator[Request, Response, Answers]:
        response = yield request
        try:
            return self.split(response, numbers)
        except CarrierError as error:
            if error.kind in _LASTING or (error.kind is ErrorKind.UNAVAILABLE and error.code not in _GONE):
                raise
            text = f"the answer that was asked for is gone ({error.message})"
            return dict.fromkeys(numbers, CarrierError(ErrorKind.REQUEST_EXPIRED, short(text), code=error.code))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut an answer into shipments; one that still runs is `not_ready` for each number."""
        failed = http_error(response, _said(response.body))
        if failed is not None:
            raise failed
        body = decode(_BODY, response.body)
        if body.error is not None:
            kind = _KINDS.get(body.error, ErrorKind.BAD_RESPONSE)
            raise CarrierError(kind, f"ParcelsApp: {_said(response.body)}", code=body.error)
        if body.done is False:
            return dict.fromkeys(asked or ("",), _running_still())
        if body.shipments:
            items = each(body.shipments, _SHIPMENT, "trackingId")
            cuts = ((n, item if isinstance(item, CarrierError) else _slice(item)) for n, item in items)
            return join(richest(cuts), asked)
        if body.uuid is None or body.done:
            raise CarrierError(ErrorKind.BAD_RESPONSE, "ParcelsApp: neither shipments nor a uuid")
        return dict.fromkeys(asked or ("",), _running_still())

    def read(self, raw: bytes) -> Tracking:
        """Read one shipment."""
        shipment = decode(_SHIPMENT, raw)
        words = Glossary(codes.table("parcels_app", "code"))
        status, reason = words.of(shipment.status)
        stopped = status is TrackingStatus.EXPIRED
        return Tracking(
            number=shipment.trackingId,
            status=status,
            reason=reason,
            raw_status=shipment.status,
            events=arrange([_event(state) for state in shipment.states or ()]),
            carrier_code=shipment.detectedCarrier.slug if shipment.detectedCarrier is not None else None,
            destination_country=alpha2(shipment.destinationCode),
            stopped=stopped,
            unmapped=words.unmapped,
            notes=(STOPPED,) if stopped else (),
        )


def _slice(shipment: Shipment) -> bytes:
    for state in shipment.states or ():
        state.state = without_signer(state.state)
    return _ENCODER.encode(shipment)


def _running_still() -> CarrierError:
    return CarrierError(ErrorKind.NOT_READY, "ParcelsApp is still looking")


def _running(queries: Sequence[Query], memory: Memory, now: datetime) -> dict[str, list[str]]:
    """The numbers of `queries` that wait for an answer, by its uuid."""
    running: dict[str, list[str]] = {}
    for query in queries:
        kept = memory.numbers.get(query.number, {})
        if "uuid" in kept and now - datetime.fromisoformat(kept["asked_at"]) < _USABLE:
            running.setdefault(str(kept["uuid"]), []).append(query.number)
    return running


def _start(base: str, key: str, queries: Sequence[Query]) -> Request:
    shipments = [
        {"trackingId": query.number} | ({"destinationCountry": query.country} if query.country else {}) for query in queries
    ]
    return Request(
        method="POST",
        url=base,
        headers={"content-type": "application/json"},
        body=_ENCODER.encode({"apiKey": key, "language": "en", "shipments": shipments}),
    )


def _pending(said: bytes | CarrierError) -> bool:
    return isinstance(said, CarrierError) and said.kind is ErrorKind.NOT_READY


def _said(body: bytes) -> str:
    try:
        told = decode(_BODY, body)
    except CarrierError:
        return ""
    return short(": ".join(filter(None, (told.error, told.description))))


def _event(state: State) -> TrackingEvent:
    time, local, offset = instant(state.date or "")
    return TrackingEvent(
        key=event_key(state.date or "", state.state or "", state.location or ""),
        time=time,
        local_time=local,
        offset=offset,
        description=state.state or "",
        location=state.location or "",
    )
