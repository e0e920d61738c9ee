"""AfterShip's bodies of both versions: their shapes, their codes, and the cut into one tracking per number.

The structs are an allow-list: `signed_by`, mail addresses, phones, customers' names and times of synchronisation never pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import msgspec

from carriers import codes
from carriers.answers import decode, each, http_error, retry_after, richest, short
from carriers.base import Response
from carriers.errors import CarrierError, ErrorKind
from carriers.persons import without_signer

EXPIRED = "Expired"

_NONE = msgspec.Raw(b"null")


class Checkpoint(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan. `checkpoint_time` has a distance to UTC or is a wall clock of an unknown zone. v4 says `country_iso3`."""

    checkpoint_time: str | None = None
    message: str | None = None
    tag: str | None = None
    subtag: str | None = None
    location: str | None = None
    city: str | None = None
    state: str | None = None
    country_region: str | None = None
    country_iso3: str | None = None


class Mile(msgspec.Struct, gc=False, omit_defaults=True):
    """The last leg: its number and its courier."""

    tracking_number: str | None = None
    slug: str | None = None


class Item(msgspec.Struct, gc=False, omit_defaults=True):
    """One tracking; encoded without its `id` (which a new registration changes) it is the slice."""

    tracking_number: str
    id: str | None = None
    slug: str | None = None
    tag: str | None = None
    subtag: str | None = None
    return_to_sender: bool | None = None
    destination_country_region: str | None = None
    destination_country_iso3: str | None = None
    last_mile: Mile | None = None
    checkpoints: list[Checkpoint] | None = None

    @property
    def asleep(self) -> bool:
        """AfterShip no longer looks."""
        return self.tag == EXPIRED


class Pagination(msgspec.Struct):
    """Where the next page of a list begins."""

    next_cursor: str | None = None
    has_next_page: bool | None = None


class Data(msgspec.Struct):
    """The `data` of a list, or of v4: `trackings`, or one `tracking`. In 2026-07 one tracking is the `data` itself."""

    tracking: msgspec.Raw = _NONE
    trackings: list[msgspec.Raw] | None = None
    pagination: Pagination | None = None


class Meta(msgspec.Struct):
    """Every answer says how it went; `type` names what `code` does not."""

    code: int
    message: str | None = None
    type: str | None = None


class Body(msgspec.Struct):
    """An answer has `meta` and `data`, a push `event`, `msg` and `ts` (epoch seconds)."""

    meta: Meta | None = None
    data: msgspec.Raw = _NONE
    event: str | None = None
    msg: msgspec.Raw = _NONE
    ts: float | None = None


Found = tuple[str, Item | CarrierError]


class Page(msgspec.Struct, frozen=True):
    """What one body tells: trackings and errors by number, where the list goes on, and when it was pushed."""

    items: Sequence[Found]
    cursor: str | None = None
    ts: float | None = None


_BODY = msgspec.json.Decoder(Body)
_DATA = msgspec.json.Decoder(Data)
_ITEM = msgspec.json.Decoder(Item)
_ENCODER = msgspec.json.Encoder()


@cache
def _kinds() -> dict[int, str]:
    """AfterShip's codes -> a kind of error, or `ok`."""
    return {int(row["code"]): row["kind"] for row in codes.rows("aftership_errors")}


def page(response: Response) -> Page:
    """Read a body of either version. Raises CarrierError when the whole request failed."""
    failed = http_error(response)
    try:
        body = decode(_BODY, response.body)
    except CarrierError as error:
        raise failed or error from None
    if body.event is not None:
        return Page(_sound([body.msg]), ts=body.ts)
    if body.meta is None:
        raise failed or CarrierError(ErrorKind.BAD_RESPONSE, "neither an answer nor a push of AfterShip")
    if _kinds().get(body.meta.code) != "ok":
        raise _refusal(body.meta, failed, response)
    if failed is not None:
        raise failed
    return _listed(body.data)


def _refusal(meta: Meta, failed: CarrierError | None, response: Response) -> CarrierError:
    """The error behind a code; one that no row knows is what the HTTP status says, else a `bad_response` that keeps it."""
    word = _kinds().get(meta.code)
    if word is None and failed is not None:
        return failed
    kind = ErrorKind(word) if word else ErrorKind.BAD_RESPONSE
    error = CarrierError(kind, short(f"AfterShip {meta.code}: {meta.message or meta.type or 'no text'}"), code=str(meta.code))
    error.retry_after = retry_after(response)
    return error


def _listed(raw: msgspec.Raw) -> Page:
    if not _told(raw):
        return Page([])
    data = decode(_DATA, raw)
    more = data.pagination
    cursor = more.next_cursor if more is not None and more.has_next_page else None
    one = data.tracking if _told(data.tracking) else raw
    return Page(_sound([one] if data.trackings is None else data.trackings), cursor)


def _told(raw: msgspec.Raw) -> bool:
    return bytes(raw).startswith(b"{")


def _sound(raws: Iterable[msgspec.Raw]) -> list[Found]:
    items = each(raws, _ITEM, "tracking_number")
    return [*items]


def cut(found: Iterable[Found]) -> dict[str, bytes | CarrierError]:
    """One slice or error per number, the same bytes for the same parcel on every answer."""
    return richest((number, said if isinstance(said, CarrierError) else _slice(said)) for number, said in found)


def _slice(item: Item) -> bytes:
    for point in item.checkpoints or ():
        point.message = without_signer(point.message)
    return _ENCODER.encode(msgspec.structs.replace(item, id=None))
