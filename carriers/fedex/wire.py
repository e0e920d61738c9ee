"""FedEx's bodies: their shapes, and the cut into one result per number.

The structs are an allow-list: names, addresses and signatures never pass (facts: rules across carriers, 14).
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

import msgspec

from carriers.answers import decode, http_error, short
from carriers.base import Response
from carriers.errors import CarrierError, ErrorKind
from carriers.persons import without_signer

NOT_FOUND = "TRACKING.TRACKINGNUMBER.NOTFOUND"
_KINDS = {
    "TRACKING.TRACKINGNUMBER.EMPTY": ErrorKind.INVALID_NUMBER,
    "TRACKING.TRACKINGNUMBER.INVALID": ErrorKind.INVALID_NUMBER,
    "TRACKING.TRACKINGNUMBER.NOTVALID": ErrorKind.INVALID_NUMBER,
    "SYSTEM.UNAVAILABLE.EXCEPTION": ErrorKind.UNAVAILABLE,
    "SYSTEM.UNEXPECTED.ERROR": ErrorKind.UNAVAILABLE,
    "INTERNAL.SERVER.ERROR": ErrorKind.UNAVAILABLE,
    "SERVICE.UNAVAILABLE.ERROR": ErrorKind.UNAVAILABLE,
}
_SHIPPED = frozenset({"SHIP", "ACTUAL_PICKUP", "ACTUAL_TENDER"})
_WALL = 19
"""Characters of a wall clock: `2026-04-02T10:00:00`."""


class Word(msgspec.Struct, gc=False):
    """An error."""

    code: str = ""
    message: str = ""


class Place(msgspec.Struct, gc=False, omit_defaults=True):
    """Where a scan was made; street lines are left out."""

    city: str | None = None
    stateOrProvinceCode: str | None = None
    countryCode: str | None = None


class Scan(msgspec.Struct, omit_defaults=True):
    """One scan. `date` has its offset."""

    date: str | None = None
    eventType: str | None = None
    derivedStatusCode: str | None = None
    eventDescription: str | None = None
    exceptionDescription: str | None = None
    scanLocation: Place | None = None


class Latest(msgspec.Struct, gc=False, omit_defaults=True):
    """The status on top."""

    code: str | None = None
    derivedCode: str | None = None

    @property
    def top(self) -> str | None:
        """The code by which FedEx sums up, where it tells one."""
        return self.derivedCode or self.code


class Country(msgspec.Struct, gc=False, omit_defaults=True):
    """The rest of an address is the buyer's."""

    countryCode: str | None = None


class Party(msgspec.Struct, omit_defaults=True):
    """Somebody's address."""

    address: Country | None = None


class Destination(msgspec.Struct, omit_defaults=True):
    """Where a shipment goes."""

    locationContactAndAddress: Party | None = None


class Carrier(msgspec.Struct, gc=False, omit_defaults=True):
    """Which FedEx: FDXE (Express), FDXG (Ground)."""

    carrierCode: str | None = None


class Dated(msgspec.Struct, gc=False):
    """A date of a shipment, by its kind."""

    type: str | None = None
    dateTime: str | None = None


class Parcel(msgspec.Struct, omit_defaults=True):
    """One result; encoded it is the slice. `unknown`: not found."""

    number: str = ""
    trackingNumberInfo: Carrier | None = None
    latestStatusDetail: Latest | None = None
    scanEvents: list[Scan] | None = None
    destinationLocation: Destination | None = None
    unknown: bool = False


class Result(Parcel):
    """A result with what decides between several and is not kept."""

    shipDatetime: str | None = None
    dateAndTimes: list[Dated] | None = None
    error: Word | None = None

    @property
    def tells(self) -> bool:
        """Whether it has data: an error beside them is no error."""
        return bool(self.scanEvents) or (self.latestStatusDetail is not None and bool(self.latestStatusDetail.top))

    @property
    def shipped(self) -> tuple[bool, str, str]:
        """The order of several results for one number: with data first, then by ship date, then by the newest scan."""
        dates = [each.dateTime or "" for each in self.dateAndTimes or () if each.type in _SHIPPED]
        scans = max(((scan.date or "")[:_WALL] for scan in self.scanEvents or ()), default="")
        return self.tells, (self.shipDatetime or max(dates, default="") or scans)[:_WALL], scans


class Item(msgspec.Struct):
    """Everything about one number that was asked."""

    trackingNumber: str
    trackResults: list[Result]


class Named(msgspec.Struct):
    """Whatever names a number."""

    trackingNumber: str


class Output(msgspec.Struct):
    """The inside of an answer."""

    completeTrackResults: list[msgspec.Raw]


class Body(msgspec.Struct):
    """An answer has `output`, a failed request `errors`."""

    output: Output | None = None
    errors: list[Word] | None = None


Found = bytes | CarrierError

_BODY = msgspec.json.Decoder(Body)
_ITEM = msgspec.json.Decoder(Item)
_NAMED = msgspec.json.Decoder(Named)


def found(response: Response) -> dict[str, Found]:
    """One slice or error per number. Raises CarrierError when the whole request failed."""
    word = _word(response)
    failed = http_error(response, word.message)
    if failed is not None:
        raise CarrierError(failed.kind, failed.message, code=word.code or failed.code, retry_after=failed.retry_after)
    body = decode(_BODY, response.body)
    if body.output is None:
        raise _refusal(word)
    cut: dict[str, Found] = {}
    for raw in body.output.completeTrackResults:
        try:
            item = decode(_ITEM, raw)
        except CarrierError as error:
            # One item that drifted from its shape must not take the others with it.
            cut.setdefault(_name(raw), error)
        else:
            cut[item.trackingNumber] = _newest(item)
    cut.pop("", None)
    return cut


def _word(response: Response) -> Word:
    """The first error of a failed request."""
    try:
        return next(iter(decode(_BODY, response.body).errors or ()), Word())
    except CarrierError:
        return Word()


def _name(raw: msgspec.Raw) -> str:
    try:
        return decode(_NAMED, raw).trackingNumber
    except CarrierError:
        return ""


def _refusal(word: Word) -> CarrierError:
    kind = _KINDS.get(word.code, ErrorKind.BAD_RESPONSE)
    return CarrierError(kind, short(f"FedEx: {word.message or word.code or 'neither data nor an error'}"), code=word.code or None)


def _newest(item: Item) -> Found:
    result = max(item.trackResults, key=lambda each: each.shipped, default=None)
    if result is None:
        return _refusal(Word())
    if result.tells or result.error is None:
        for scan in result.scanEvents or ():
            scan.eventDescription = without_signer(scan.eventDescription)
            scan.exceptionDescription = without_signer(scan.exceptionDescription)
        fields = {name: getattr(result, name) for name in Parcel.__struct_fields__}
        return msgspec.json.encode(Parcel(**fields | {"number": item.trackingNumber}))
    if result.error.code == NOT_FOUND:
        return msgspec.json.encode(Parcel(number=item.trackingNumber, unknown=True))
    return _refusal(result.error)
