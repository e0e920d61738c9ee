"""UPS's bodies: their shapes, and the cut into one package per number.

The structs are an allow-list: names of receivers, signatures and street lines never pass (facts: rules across carriers, 14).
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from carriers.answers import decode, http_error, short
from carriers.base import Response
from carriers.errors import CarrierError, ErrorKind
from carriers.persons import without_signer

NOT_FOUND = "TW0001"
_NOT_FOUND_STATUS = 404
_NOT_FOUND_TEXT = "tracking"
"""What a 404 of another code says where it means the number, in lower case; else it speaks of a path that is gone."""
_KINDS = {
    "TV1002": ErrorKind.INVALID_NUMBER,
    "250002": ErrorKind.AUTH,
    "250003": ErrorKind.AUTH,
    "10429": ErrorKind.RATE_LIMITED,
}


class Address(msgspec.Struct, gc=False, omit_defaults=True):
    """Town, state and country of a scan."""

    city: str | None = None
    stateProvince: str | None = None
    countryCode: str | None = None


class Location(msgspec.Struct, omit_defaults=True):
    """Where a scan was made."""

    address: Address | None = None


class Status(msgspec.Struct, gc=False, omit_defaults=True):
    """What a scan says: `type` (D, I, X, …), `code` (SR, KB, …) and `statusCode` (011, …)."""

    type: str | None = None
    code: str | None = None
    statusCode: str | None = None
    description: str | None = None


class Activity(msgspec.Struct, omit_defaults=True):
    """One scan: `date` and `time` are the wall clock there, `gmtDate` and `gmtTime` the instant."""

    status: Status | None = None
    location: Location | None = None
    date: str | None = None
    time: str | None = None
    gmtDate: str | None = None
    gmtTime: str | None = None
    gmtOffset: str | None = None


class Country(msgspec.Struct, gc=False, omit_defaults=True):
    """The rest of an address is the buyer's."""

    countryCode: str | None = None


class Party(msgspec.Struct, omit_defaults=True):
    """Whose address: ORIGIN or DESTINATION."""

    type: str | None = None
    address: Country | None = None


class Alternate(msgspec.Struct, gc=False, omit_defaults=True):
    """Another number of the package."""

    number: str | None = None
    type: str | None = None


class Package(msgspec.Struct, omit_defaults=True):
    """One package; encoded it is the slice. `unknown`: not found."""

    trackingNumber: str = ""
    currentStatus: Status | None = None
    activity: list[Activity] | None = None
    packageAddress: list[Party] | None = None
    alternateTrackingNumber: list[Alternate] | None = None
    unknown: bool = False


class Word(msgspec.Struct, gc=False):
    """A warning or an error."""

    code: str = ""
    message: str = ""


class Shipment(msgspec.Struct):
    """What is told about one inquiry."""

    inquiryNumber: str | None = None
    package: list[Package] | None = None
    warnings: list[Word] | None = None


class Answer(msgspec.Struct):
    """The inside of an answer."""

    shipment: list[Shipment]


class Body(msgspec.Struct):
    """An answer."""

    trackResponse: Answer


class Errors(msgspec.Struct):
    """The inside of a failure."""

    errors: list[Word]


class Failure(msgspec.Struct):
    """A failed request."""

    response: Errors


Found = bytes | CarrierError

_BODY = msgspec.json.Decoder(Body)
_FAILURE = msgspec.json.Decoder(Failure)


def found(response: Response, alone: str) -> dict[str, Found]:
    """One slice or error per number; what names none is that of `alone`. Raises CarrierError when the whole request failed."""
    word = _word(response)
    failed = http_error(response, word.message)
    if failed is None:
        return _packages(decode(_BODY, response.body), alone)
    kind = _KINDS.get(word.code)
    if kind is None and response.status == _NOT_FOUND_STATUS and (word.code == NOT_FOUND or _means_number(word)):
        return {alone: _unknown(alone)}
    raise CarrierError(kind or failed.kind, failed.message, code=word.code or failed.code, retry_after=failed.retry_after)


def _word(response: Response) -> Word:
    """The first error of a failed request."""
    try:
        return next(iter(decode(_FAILURE, response.body).response.errors), Word())
    except CarrierError:
        return Word()


def _means_number(word: Word) -> bool:
    return bool(word.code) and _NOT_FOUND_TEXT in word.message.casefold()


def _unknown(number: str) -> bytes:
    return msgspec.json.encode(Package(trackingNumber=number, unknown=True))


def _packages(body: Body, alone: str) -> dict[str, Found]:
    """The newest package of every number: numbers are used again."""
    packages: dict[str, Package] = {}
    found: dict[str, Found] = {}
    for shipment in body.trackResponse.shipment:
        if not shipment.package:
            found.setdefault(shipment.inquiryNumber or alone, _warned(shipment, shipment.inquiryNumber or alone))
        for number, package in _named(shipment, alone):
            package.trackingNumber = number
            _clear(package)
            if number not in packages or _latest(package) > _latest(packages[number]):
                packages[number] = package
    return found | {number: msgspec.json.encode(package) for number, package in packages.items()}


def _named(shipment: Shipment, alone: str) -> Iterator[tuple[str, Package]]:
    """Each package by its own number; the only one of a shipment, which names none, by that of the inquiry."""
    packages = shipment.package or ()
    for package in packages:
        if any(map(str.isdigit, package.trackingNumber)):
            yield package.trackingNumber, package
        elif len(packages) == 1:
            yield shipment.inquiryNumber or alone, package


def _clear(package: Package) -> None:
    """Take the persons out of its texts."""
    for told in (package.currentStatus, *(each.status for each in package.activity or ())):
        if told is not None:
            told.description = without_signer(told.description)


def _latest(package: Package) -> tuple[str, str]:
    return max(((each.date or "", each.time or "") for each in package.activity or ()), default=("", ""))


def _warned(shipment: Shipment, number: str) -> Found:
    """No package: "not found" comes as a warning inside HTTP 200, and so do refusals."""
    warnings = shipment.warnings or []
    if any(word.code == NOT_FOUND for word in warnings):
        return _unknown(number)
    word = next(iter(warnings), Word(message="neither a package nor a warning"))
    kind = _KINDS.get(word.code, ErrorKind.BAD_RESPONSE)
    return CarrierError(kind, short(f"UPS: {word.message or word.code}"), code=word.code or None)
