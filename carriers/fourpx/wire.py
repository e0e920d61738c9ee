"""4PX's bodies: the platform's order and the page's rows, cut into one slice per number.

Both shapes become the same slice, which holds only what is kept.
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import msgspec

from carriers import codes
from carriers.answers import decode, each, http_error, join, missing, richest, short
from carriers.base import Response
from carriers.errors import CarrierError, ErrorKind
from carriers.persons import without_signer

_DONE = "1"
_FAILED = "0"
_NOT_FOUND = "not_found"


class Scan(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan of the slice. `at` is a wall clock, with its offset where the answer tells it."""

    code: str | None = None
    at: str | None = None
    place: str | None = None
    text: str | None = None


class Parcel(msgspec.Struct, omit_defaults=True):
    """The slice: what both shapes tell. `error` is the platform's code where it knows no such order."""

    number: str | None = None
    scans: list[Scan] = []
    country: str | None = None
    linked: str | None = None
    error: str | None = None


class Event(msgspec.Struct, gc=False):
    """One scan of the platform."""

    businessLinkCode: str | None = None
    occurDatetime: str | None = None
    occurLocation: str | None = None
    trackingContent: str | None = None
    destinationCountry: str | None = None


class Order(msgspec.Struct):
    """`data` of the platform."""

    deliveryOrderNo: str | None = None
    trackingList: list[Event] | None = None


class Track(msgspec.Struct, gc=False):
    """One scan of the page."""

    tkCode: str | None = None
    tkDate: str | None = None
    tkLocation: str | None = None
    tkDesc: str | None = None


class Row(msgspec.Struct):
    """One of `data` of the page. `serverCode` is the last-mile number once there is one."""

    queryCode: str
    serverCode: str | None = None
    shipperCode: str | None = None
    ctEndCode: str | None = None
    tracks: list[Track] | None = None


class Refusal(msgspec.Struct, gc=False):
    """One of `errors`."""

    error_code: str | int | None = None
    error_msg: str | None = None


class Body(msgspec.Struct):
    """The platform gives an order, its page a list."""

    result: str | int | None = None
    msg: str | None = None
    data: Order | list[msgspec.Raw] | None = None
    errors: list[Refusal] | None = None


Found = bytes | CarrierError

_BODY = msgspec.json.Decoder(Body)
_ROW = msgspec.json.Decoder(Row)
_ENCODER = msgspec.json.Encoder()


@cache
def _errors() -> Sequence[tuple[re.Pattern[str], str]]:
    """What an error's text says, by its words: "sign" stands for `signature` too, and not for "consignment"."""
    rows = codes.rows("fourpx_errors")
    return tuple((re.compile(f"(?<![a-z]){re.escape(row['text'])}", re.IGNORECASE), row["kind"]) for row in rows)


def found(response: Response, asked: Sequence[str]) -> dict[str, Found]:
    """One slice or error per number of `asked`. Raises CarrierError when the whole request failed."""
    failed = http_error(response)
    if failed is not None:
        raise failed
    body = decode(_BODY, response.body)
    if body.result is not None and str(body.result) == _FAILED:
        return _refused(body, asked)
    if str(body.result) != _DONE or body.data is None:
        raise CarrierError(ErrorKind.BAD_RESPONSE, "neither an order nor an error of 4PX")
    if isinstance(body.data, Order):
        number = body.data.deliveryOrderNo
        return join({number: _of_platform(body.data)} if number else {}, asked)
    cuts: list[tuple[str, Found]] = []
    also: list[tuple[str, Found]] = []
    for name, row in each(body.data, _ROW, "queryCode"):
        cut = row if isinstance(row, CarrierError) else _of_page(row)
        cuts.append((name, cut))
        if isinstance(row, Row):
            also += [(other, cut) for other in (row.serverCode, row.shipperCode) if other]
    return join(richest(also) | richest(cuts) if asked else richest(cuts), asked)


def _refused(body: Body, asked: Sequence[str]) -> dict[str, Found]:
    """No such order is an answer, which names no number: for the only one asked, and for nobody among several."""
    told = body.errors[0] if body.errors else Refusal()
    text = short(told.error_msg or body.msg or "no text")
    code = str(told.error_code) if told.error_code is not None else _FAILED
    kind = next((kind for words, kind in _errors() if words.search(text)), ErrorKind.BAD_RESPONSE)
    if kind != _NOT_FOUND:
        raise CarrierError(ErrorKind(kind), f"4PX {code}: {text}", code=code)
    if len(asked) > 1:
        return dict.fromkeys(asked, missing())
    number = asked[0] if asked else None
    return {number or "": _ENCODER.encode(Parcel(number, error=code))}


def _of_platform(order: Order) -> bytes:
    events = order.trackingList or []
    scans = [Scan(e.businessLinkCode, e.occurDatetime, e.occurLocation, without_signer(e.trackingContent)) for e in events]
    country = next((e.destinationCountry for e in events if e.destinationCountry), None)
    return _ENCODER.encode(Parcel(order.deliveryOrderNo, scans, country))


def _of_page(row: Row) -> bytes:
    scans = [Scan(track.tkCode, track.tkDate, track.tkLocation, without_signer(track.tkDesc)) for track in row.tracks or ()]
    linked = row.serverCode if row.serverCode and row.serverCode not in {row.queryCode, row.shipperCode} else None
    return _ENCODER.encode(Parcel(row.queryCode, scans, row.ctEndCode, linked))
