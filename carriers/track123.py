"""Track123 (facts: Ship24, Track123, ParcelsApp).

Numbers are imported once, then looked at together. Its own UTC times contradict its wall clocks, in its own documentation: the
wall clock with its zone counts. Its pushes sign a time and not what they say, so that none is believed: they are asked for.
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from carriers import codes
from carriers.answers import decode, each, http_error, join, richest, short
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import Glossary
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent
from carriers.persons import without_signer
from carriers.scans import Instant, arrange, event_key, instant
from carriers.standing import stand
from carriers.talks import secret

_OK = "00000"
_KINDS = {"A0230": ErrorKind.AUTH, "A0400": ErrorKind.INVALID_REQUEST, "B0210": ErrorKind.RATE_LIMITED}
TWO_INSTANTS = "the source's UTC time and its wall clock with its zone are different instants"


class Detail(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan. `eventTime` is a wall clock at `timezone` (`+08:00`)."""

    eventTime: str | None = None
    timezone: str | None = None
    eventTimeZeroUTC: str | None = None
    eventDetail: str | None = None
    address: str | None = None
    transitSubStatus: str | None = None


class Logistics(msgspec.Struct, gc=False, omit_defaults=True):
    """`localLogisticsInfo`: the carrier and its scans."""

    courierCode: str | None = None
    trackingDetails: list[Detail] | None = None


class Item(msgspec.Struct, gc=False, omit_defaults=True):
    """One number; encoded it is the slice. A push may leave its number out."""

    trackNo: str | None = None
    transitStatus: str | None = None
    localLogisticsInfo: Logistics | None = None


class Refusal(msgspec.Struct, gc=False):
    """Why a number was refused."""

    code: str | int | None = None
    msg: str | None = None


class Rejected(msgspec.Struct, gc=False):
    """One refused number. The fields are (unverified)."""

    trackNo: str
    error: Refusal = msgspec.field(default_factory=Refusal)


class Content(msgspec.Struct):
    """The numbers of a query's answer, undecoded."""

    content: list[msgspec.Raw] = []


class Data(msgspec.Struct):
    """The `data` of an answer; a push has the fields of an Item there."""

    accepted: Content | list[msgspec.Raw] | None = None
    rejected: list[msgspec.Raw] | None = None
    trackNo: str | None = None
    transitStatus: str | None = None
    localLogisticsInfo: Logistics | None = None


class Body(msgspec.Struct):
    """An answer has a `code`, a push none."""

    code: str | None = None
    msg: str | None = None
    data: Data | None = None


Found = Mapping[str, bytes | CarrierError]

_BODY = msgspec.json.Decoder(Body)
_ITEM = msgspec.json.Decoder(Item)
_REJECTED = msgspec.json.Decoder(Rejected)
_ENCODER = msgspec.json.Encoder()


class Track123(Pushless):
    """Adapter `track123`. Secrets: `api_secret`. Options: none. The fields of both requests are (unverified).

    The source can push, but its signature does not cover the body: none is taken.
    """

    name = "track123"
    batch_size = 100

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """Import what is new, then look at all. Memory of a number: `registered_at`.

        Whether a refusal of the import matters is told by the look: a number that is followed already is refused too.
        """
        new = [query for query in queries if "registered_at" not in memory.numbers.get(query.number, {})]
        refused: Found = {}
        if new:
            refused = yield from _imported(account, new, alone=len(new) == len(queries))
        learnt = {query.number: {"registered_at": now.isoformat()} for query in new if query.number not in refused}
        try:
            response = yield _post(account, "query", {"trackNoInfos": [_record(query) for query in queries]})
            answers = self.split(response, [query.number for query in queries])
        except CarrierError as error:
            if not learnt:
                raise
            answers = {query.number: error for query in queries}
        for number in [number for number in answers if number in refused]:
            if isinstance(answers[number], CarrierError):
                answers[number] = refused[number]
            else:
                learnt[number] = {"registered_at": now.isoformat()}
        return Batch(answers=answers, memory=Memory(numbers=learnt))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut an answer, or the body of a push, into one item per number."""
        return join(_found(response), asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one item."""
        item = decode(_ITEM, raw)
        words, notes = Glossary(codes.table("track123", "code")), dict[str, None]()
        logistics = item.localLogisticsInfo or Logistics()
        events = arrange([_event(detail, words, notes) for detail in logistics.trackingDetails or ()])
        told = words.of(item.transitStatus)
        status, reason, more = stand(events, told, item.transitStatus)
        return Tracking(
            number=item.trackNo,
            status=status,
            reason=reason,
            raw_status=item.transitStatus,
            events=events,
            carrier_code=logistics.courierCode,
            unmapped=words.unmapped,
            notes=(*notes, *more),
        )


def _imported(account: Account, new: Sequence[Query], *, alone: bool) -> Generator[Request, Response, Found]:
    """Import; the numbers that were refused. A refusal of the whole call is each number's where others can still be looked at."""
    response = yield _post(account, "import", [_record(query) for query in new])
    try:
        return {number: said for number, said in _found(response).items() if isinstance(said, CarrierError)}
    except CarrierError as error:
        if alone or error.kind is not ErrorKind.INVALID_REQUEST:
            raise
        return dict.fromkeys((query.number for query in new), error)


def _record(query: Query) -> dict[str, str]:
    return {"trackNo": query.number} | ({"courierCode": query.carrier_code} if query.carrier_code else {})


def _post(account: Account, verb: str, body: Any) -> Request:  # noqa: ANN401 - any JSON
    return Request(
        method="POST",
        url=f"{account.base_url.rstrip('/')}/track/{verb}",
        headers={"track123-api-secret": secret(account, "api_secret"), "content-type": "application/json"},
        body=_ENCODER.encode(body),
    )


def _found(response: Response) -> dict[str, bytes | CarrierError]:
    failed = http_error(response)
    try:
        body = decode(_BODY, response.body)
    except CarrierError as error:
        raise failed or error from None
    if body.code not in {None, _OK}:
        raise _refusal(body.code, body.msg)
    if failed is not None:
        raise failed
    data = body.data
    if data is None or (data.accepted is None and data.rejected is None):
        return _pushed(data)
    listed = data.accepted.content if isinstance(data.accepted, Content) else data.accepted or ()
    items = each(listed, _ITEM, "trackNo")
    refused = each(data.rejected or (), _REJECTED, "trackNo")
    return richest(
        [
            *((number, item if isinstance(item, CarrierError) else _slice(item)) for number, item in items),
            *((n, no if isinstance(no, CarrierError) else _refusal(no.error.code, no.error.msg)) for n, no in refused),
        ]
    )


def _pushed(data: Data | None) -> dict[str, bytes | CarrierError]:
    if data is None or data.localLogisticsInfo is None:
        raise CarrierError(ErrorKind.BAD_RESPONSE, "neither an answer nor an error of Track123")
    return {data.trackNo or "": _slice(Item(data.trackNo, data.transitStatus, data.localLogisticsInfo))}


def _slice(item: Item) -> bytes:
    for detail in (item.localLogisticsInfo or Logistics()).trackingDetails or ():
        detail.eventDetail = without_signer(detail.eventDetail)
    return _ENCODER.encode(item)


def _refusal(code: str | int | None, text: str | None) -> CarrierError:
    kind = _KINDS.get(str(code), ErrorKind.BAD_RESPONSE)
    return CarrierError(kind, short(f"Track123 {code}: {text or 'no text'}"), code=None if code is None else str(code))


def _event(detail: Detail, words: Glossary, notes: dict[str, None]) -> TrackingEvent:
    status, reason = words.of(detail.transitSubStatus)
    time, local, offset = _instant(detail)
    if time is not None and detail.eventTimeZeroUTC and instant(detail.eventTimeZeroUTC)[0] != time:
        notes[TWO_INSTANTS] = None
    return TrackingEvent(
        key=event_key(detail.eventTime or "", detail.transitSubStatus or "", detail.eventDetail or "", detail.address or ""),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=detail.transitSubStatus,
        description=detail.eventDetail or "",
        location=detail.address or "",
    )


def _instant(detail: Detail) -> Instant:
    told = instant((detail.eventTime or "").replace(" ", "T"))
    if told[1] is None or told[2] is not None or not detail.timezone:
        return told
    combined = instant(told[1] + detail.timezone)
    return combined if combined[1] is not None else told
