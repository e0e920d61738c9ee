"""TrackingMore's bodies: their shapes, their codes, and the cut into one item per number.

The structs are an allow-list: customers' names, addresses, signatures and times of synchronisation never pass.
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import msgspec

from carriers import codes
from carriers.answers import decode, each, http_error, retry_after, richest, short
from carriers.base import Response
from carriers.errors import CarrierError, ErrorKind
from carriers.persons import without_signer

EXPIRED = "expired"

_REST_S = 120.0
"""Seconds of silence that the source wants after "too fast", where it names none itself."""


class Event(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan. `checkpoint_date` has a distance to UTC or is a wall clock of an unknown zone."""

    checkpoint_date: str | None = None
    tracking_detail: str | None = None
    location: str | None = None
    checkpoint_delivery_status: str | None = None
    checkpoint_delivery_substatus: str | None = None
    country_iso2: str | None = None
    state: str | None = None
    city: str | None = None


class Leg(msgspec.Struct, gc=False, omit_defaults=True):
    """What one carrier tells: the origin's, or the destination's."""

    trackinfo: list[Event] | None = None


class Item(msgspec.Struct, gc=False, omit_defaults=True):
    """One number; encoded without its `id` (which a new registration changes) it is the slice."""

    tracking_number: str
    id: str | None = None
    courier_code: str | None = None
    delivery_status: str | None = None
    substatus: str | None = None
    destination_country: str | None = None
    origin_info: Leg | None = None
    destination_info: Leg | None = None

    @property
    def asleep(self) -> bool:
        """TrackingMore no longer looks."""
        return self.delivery_status == EXPIRED


class Refused(msgspec.Struct):
    """One number that a batch did not create; older and newer bodies name code and text differently."""

    tracking_number: str
    errorCode: int | None = None
    errorMessage: str | None = None
    code: int | None = None
    message: str | None = None


class Lists(msgspec.Struct):
    """The `data` of a batch."""

    success: list[msgspec.Raw] = []
    error: list[msgspec.Raw] = []


class Meta(msgspec.Struct):
    """Every body says how it went."""

    code: int
    message: str | None = None


class Body(msgspec.Struct):
    """`data` is a list of items, one item (a creation, a push), a batch's lists, or nothing."""

    meta: Meta
    data: msgspec.Raw = msgspec.Raw(b"null")


Found = tuple[str, Item | CarrierError]

_BODY = msgspec.json.Decoder(Body)
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_LISTS = msgspec.json.Decoder(Lists)
_ITEM = msgspec.json.Decoder(Item)
_REFUSED = msgspec.json.Decoder(Refused, strict=False)
_ENCODER = msgspec.json.Encoder()


@cache
def _kinds() -> dict[int, str]:
    """TrackingMore's codes -> a kind of error, or `ok`."""
    return {int(row["code"]): row["kind"] for row in codes.rows("trackingmore_errors")}


def refusal(code: int | None, message: str | None) -> CarrierError:
    """The error behind a code; one that no row knows is a `bad_response` that keeps it."""
    word = _kinds().get(code or 0, "")
    kind = ErrorKind(word) if word in set(ErrorKind) else ErrorKind.BAD_RESPONSE
    return CarrierError(kind, short(f"TrackingMore {code}: {message or 'no text'}"), code=str(code))


def items(response: Response) -> list[Found]:
    """Items and errors by number; a number may come twice (two couriers). Raises CarrierError when the whole request failed."""
    failed = http_error(response)
    try:
        body = decode(_BODY, response.body)
    except CarrierError as error:
        raise _rested(failed or error, response) from None
    if _kinds().get(body.meta.code) != "ok":
        refused = refusal(body.meta.code, body.meta.message)
        raise _rested(failed if failed and refused.kind is ErrorKind.BAD_RESPONSE else refused, response)
    if failed is not None:
        raise failed
    return _listed(body.data)


def _rested(error: CarrierError, response: Response) -> CarrierError:
    error.retry_after = retry_after(response)
    if error.retry_after is None and error.kind is ErrorKind.RATE_LIMITED:
        error.retry_after = _REST_S
    return error


def _listed(data: msgspec.Raw) -> list[Found]:
    start = bytes(data)[:1]
    if start not in {b"[", b"{"}:
        return []
    lists = Lists(success=decode(_LIST, data)) if start == b"[" else decode(_LISTS, data)
    created = each([data, *lists.success] if start == b"{" else lists.success, _ITEM, "tracking_number")
    found: list[Found] = [*created]
    for number, said in each(lists.error, _REFUSED, "tracking_number"):
        found.append((number, said if isinstance(said, CarrierError) else _refusal(said)))
    return found


def _refusal(said: Refused) -> CarrierError:
    return refusal(said.errorCode or said.code, said.errorMessage or said.message)


def cut(found: Iterable[Found]) -> dict[str, bytes | CarrierError]:
    """One slice or error per number, the same bytes for the same parcel on every answer."""
    return richest((number, said if isinstance(said, CarrierError) else _slice(said)) for number, said in found)


def _slice(item: Item) -> bytes:
    for leg in (item.origin_info, item.destination_info):
        for event in (leg.trackinfo if leg is not None else None) or ():
            event.tracking_detail = without_signer(event.tracking_detail)
    return _ENCODER.encode(msgspec.structs.replace(item, id=None))
