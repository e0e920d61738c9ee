"""17TRACK's bodies: their shapes, their error codes, and the cut into one item per number.

The structs hold the fields that we keep and no others: decoding and encoding again *is* the cut that leaves out what changes on
every answer (sync times, day counts, hashes, tips) and what nobody asked for. Events stay undecoded bytes until somebody reads
them.

17TRACK's own `events_hash` and `providers_hash` (32 bits) are not trusted to tell "unchanged": nothing says that they cover every
field that we keep, and a scan that nobody sees may cost money. The slice holds the scans, and its digest is taken over them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeVar

import msgspec

from carriers import codes
from carriers.answers import decode, http_error, http_kind, retry_after, short
from carriers.base import Quota, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.seventeen_track import quick

EXPIRED = "Expired"


class Status(msgspec.Struct, gc=False, omit_defaults=True):
    """`latest_status`: the main status and its sub-status."""

    status: str | None = None
    sub_status: str | None = None


class Address(msgspec.Struct, gc=False, omit_defaults=True):
    """The part of an address that we keep."""

    country: str | None = None
    state: str | None = None
    city: str | None = None


class Recipient(msgspec.Struct, gc=False, omit_defaults=True):
    """Of the recipient, the country alone."""

    country: str | None = None


class Shipping(msgspec.Struct, gc=False, omit_defaults=True):
    """`shipping_info`."""

    recipient_address: Recipient | None = None


class Misc(msgspec.Struct, gc=False, omit_defaults=True):
    """`misc_info`: the last-mile number, and whose it is (0 or null: not told)."""

    local_number: str | None = None
    local_key: int | None = None
    local_provider: str | None = None


class Provider(msgspec.Struct, gc=False, omit_defaults=True):
    """One carrier's events, undecoded."""

    events: msgspec.Raw = msgspec.Raw(b"null")


class Tracking(msgspec.Struct, gc=False, omit_defaults=True):
    """Origin and last-mile provider."""

    providers: list[Provider] | None = None


class TrackInfo(msgspec.Struct, gc=False, omit_defaults=True):
    """What is known about a parcel."""

    latest_status: Status | None = None
    shipping_info: Shipping | None = None
    misc_info: Misc | None = None
    tracking: Tracking | None = None


class Item(msgspec.Struct, gc=False, omit_defaults=True):
    """One number of an answer; encoded it is the slice. `origin` marks a registration, `stopped` (ours) a TRACKING_STOPPED."""

    number: str
    carrier: int | None = None
    origin: int | None = None
    stopped: bool = False
    track_info: TrackInfo | None = None

    @property
    def expired(self) -> bool:
        """17TRACK looked for 30 days, saw nothing new, and stopped looking."""
        return self._latest.status == EXPIRED

    @property
    def _latest(self) -> Status:
        return (self.track_info.latest_status if self.track_info else None) or Status()


class Refusal(msgspec.Struct, gc=False):
    """An error code with its text."""

    code: int
    message: str | None = None


class Rejected(msgspec.Struct):
    """One refused number."""

    number: str
    error: Refusal
    carrier: int | None = None


class Data(msgspec.Struct):
    """The `data` of every body: an answer's lists, a failed request's errors, or (fields of Item) a push."""

    accepted: list[Item] | None = None
    rejected: list[Rejected] | None = None
    errors: list[Refusal] | None = None
    number: str | None = None
    carrier: int | None = None
    track_info: TrackInfo | None = None


class Body(msgspec.Struct):
    """An answer has a `code`, a push an `event`."""

    code: int | None = None
    event: str | None = None
    data: Data | None = None


class LooseData(msgspec.Struct):
    """The lists of an answer with undecoded items, for a body of which one item has drifted."""

    accepted: list[msgspec.Raw] = []
    rejected: list[msgspec.Raw] = []


class LooseBody(msgspec.Struct):
    """The envelope around them."""

    code: int
    data: LooseData


class Named(msgspec.Struct):
    """Whatever names a number."""

    number: str


Found = Item | CarrierError

T = TypeVar("T", Item, Rejected)

_BODY = msgspec.json.Decoder(Body)
_LOOSE = msgspec.json.Decoder(LooseBody)
_NAMED = msgspec.json.Decoder(Named)
_ITEM = msgspec.json.Decoder(Item)
_REJECTED = msgspec.json.Decoder(Rejected)


to_slice: Callable[[Item], bytes] = msgspec.json.Encoder().encode
"""The bytes that `read` takes, the same for the same parcel on every answer."""


@cache
def kinds() -> dict[int, str]:
    """17TRACK's error codes -> our word: a kind of error, `not_found` (a status), or `ok`."""
    return {int(row["code"]): row["kind"] for row in codes.rows("seventeen_track_errors")}


def refusal(code: int, message: str | None) -> CarrierError:
    """The error behind a code; an unknown code is a `bad_response` that keeps it."""
    word = kinds().get(code)
    kind = ErrorKind(word) if word in set(ErrorKind) else http_kind(code)
    return CarrierError(kind or ErrorKind.BAD_RESPONSE, short(f"17TRACK {code}: {message or 'no text'}"), code=str(code))


def found(response: Response) -> dict[str, Found]:
    """One item or error per number of an answer, a registration or a push. Raises CarrierError when the whole request failed."""
    failed = http_error(response)
    try:
        body = _quickly(response.body) or decode(_BODY, response.body)
    except CarrierError as error:
        drifted = {} if failed else _item_by_item(response.body)
        if drifted:
            return drifted
        raise failed or error from None
    if body.event is not None and body.data is not None:
        return _pushed(body.event, body.data)
    if body.code == 0 and body.data is not None and failed is None:
        return _listed(body.data.accepted or (), body.data.rejected or ())
    raise _whole(body, failed, response)


class Left(msgspec.Struct, rename={"left": "quota_remain", "bought": "quota_total", "used": "quota_used"}):
    """The `data` of a quota's answer; its names are not documented for certain, so any of them may be missing."""

    left: int | None = None
    bought: int | None = None
    used: int | None = None
    today_used: int | None = None
    max_track_daily: int | None = None


class LeftBody(msgspec.Struct):
    """The envelope around it."""

    code: int | None = None
    data: Left | None = None


_LEFT = msgspec.json.Decoder(LeftBody, strict=False)


def quota(response: Response) -> Quota:
    """What is left, from the answer of `/getquota`: None for what it does not name. Raises CarrierError."""
    told = decode(_LEFT, response.body) if http_error(response) is None else LeftBody()
    if told.code != 0 or told.data is None:
        found(response)
        raise CarrierError(ErrorKind.BAD_RESPONSE, "the answer tells no quota")
    data = told.data
    left = data.left
    if left is None and data.bought is not None and data.used is not None:
        left = data.bought - data.used
    return Quota(left=left, used_today=data.today_used, daily=data.max_track_daily)


def _quickly(body: bytes) -> Body | None:
    """The body with its events cut out before it is parsed; None where it must be parsed in full."""
    cut = quick.parts(body)
    if cut is None:
        return None
    skeleton, lists = cut
    try:
        told = _BODY.decode(skeleton)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    data = told.data or Data()
    infos = [item.track_info for item in data.accepted] if data.accepted else [data.track_info]
    trackings = [info.tracking.providers or () for info in infos if info is not None and info.tracking is not None]
    places = [each for providers in trackings for each in providers if bytes(each.events) == quick.STAND_IN]
    if len(places) != len(lists):
        # One stood where nobody looks: then none can be trusted to come back to where it belongs.
        return None
    for place, events in zip(places, lists, strict=True):
        place.events = msgspec.Raw(events)
    return told


def _whole(body: Body, failed: CarrierError | None, response: Response) -> CarrierError:
    told = body.data.errors[0] if body.data and body.data.errors else None
    code = body.code or (told.code if told else None)
    if code is None:
        return failed or CarrierError(ErrorKind.BAD_RESPONSE, "neither an answer nor an error of 17TRACK")
    error = refusal(code, told.message if told else None)
    if error.kind is ErrorKind.BAD_RESPONSE and failed is not None:
        return failed
    error.retry_after = retry_after(response)
    return error


def _listed(accepted: list[Item] | tuple[()], rejected: list[Rejected] | tuple[()]) -> dict[str, Found]:
    items: dict[str, Found] = {}
    for item in accepted:
        twin = items.get(item.number)
        items[item.number] = _fuller(item, twin) if isinstance(twin, Item) else item
    for refused in rejected:
        items.setdefault(refused.number, _refused(refused))
    return items


def _fuller(one: Item, other: Item) -> Item:
    """A number registered under two carriers has two records: the one that tells more, whatever their order."""
    return max(one, other, key=lambda item: (len(slice_ := to_slice(item)), slice_))


def _refused(refused: Rejected) -> Found:
    if kinds().get(refused.error.code) == "not_found":
        latest = Status(str(refused.error.code))
        return Item(refused.number, carrier=refused.carrier, track_info=TrackInfo(latest_status=latest))
    return refusal(refused.error.code, refused.error.message)


def _pushed(event: str, data: Data) -> dict[str, Found]:
    if data.number is None:
        raise CarrierError(ErrorKind.BAD_RESPONSE, "a push without a number")
    if event == "TRACKING_STOPPED":
        return {data.number: Item(data.number, carrier=data.carrier, stopped=True)}
    if event == "TRACKING_UPDATED" and data.track_info is not None:
        return {data.number: Item(data.number, carrier=data.carrier, track_info=data.track_info)}
    raise CarrierError(ErrorKind.BAD_RESPONSE, short(f"a push {event!r} that tells nothing"))


def _item_by_item(body: bytes) -> dict[str, Found]:
    """One item that drifted from its shape must not take 39 others with it."""
    try:
        loose = decode(_LOOSE, body)
    except CarrierError:
        return {}
    if loose.code != 0:
        return {}
    accepted, broken = _sound(_ITEM, loose.data.accepted)
    rejected, broken_too = _sound(_REJECTED, loose.data.rejected)
    return {**broken_too, **broken, **_listed(accepted, rejected)}


def _sound(decoder: msgspec.json.Decoder[T], raws: list[msgspec.Raw]) -> tuple[list[T], dict[str, Found]]:
    sound: list[T] = []
    broken: dict[str, Found] = {}
    for raw in raws:
        try:
            sound.append(decode(decoder, raw))
        except CarrierError as error:
            name = _name(raw)
            if name is not None:
                broken[name] = error
    return sound, broken


def _name(raw: msgspec.Raw) -> str | None:
    try:
        return decode(_NAMED, raw).number
    except CarrierError:
        return None
