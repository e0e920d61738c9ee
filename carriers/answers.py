"""What all adapters do with an answer: judge its HTTP status, decode it, join it with what was asked."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from carriers.base import Response
from carriers.errors import CarrierError, ErrorKind
from carriers.numbers import normalise

T = TypeVar("T")

_LONGEST_TEXT = 200
"""Characters of a source's own error text that are kept: enough to act on, too little to carry a page of somebody's data."""

_KINDS: dict[int, ErrorKind] = {
    401: ErrorKind.AUTH,
    402: ErrorKind.QUOTA_EXHAUSTED,
    403: ErrorKind.AUTH,
    # A path that is gone for a while or for good: it says nothing about the parcel, and is never "not found".
    404: ErrorKind.UNAVAILABLE,
    405: ErrorKind.UNAVAILABLE,
    408: ErrorKind.UNAVAILABLE,
    410: ErrorKind.UNAVAILABLE,
    425: ErrorKind.UNAVAILABLE,
    429: ErrorKind.RATE_LIMITED,
}
_KIND_BY_CLASS = {3: ErrorKind.BAD_RESPONSE, 4: ErrorKind.INVALID_REQUEST, 5: ErrorKind.UNAVAILABLE}


def short(text: str) -> str:
    """One line of a source's own words, at most 200 characters."""
    return " ".join(text.split())[:_LONGEST_TEXT]


def http_kind(status: int) -> ErrorKind | None:
    """The kind of error an HTTP status stands for; None for 2xx, `bad_response` for a status that is none."""
    if status // 100 == 2:  # noqa: PLR2004 - the class of successful answers
        return None
    return _KINDS.get(status) or _KIND_BY_CLASS.get(status // 100, ErrorKind.BAD_RESPONSE)


LONGEST_WAIT = 6 * 3600.0
"""Seconds of Retry-After that we believe: a source that says "next year" must not silence us for a year."""


def retry_after(response: Response) -> float | None:
    """Seconds the source asked us to wait, six hours at most. The HTTP client has turned dates into seconds."""
    text = response.headers.get("retry-after", "")
    return min(float(text), LONGEST_WAIT) if text.isascii() and text.isdigit() else None


def http_error(response: Response, said: str = "") -> CarrierError | None:
    """The error that the HTTP status alone stands for, with what the source `said`; None for 2xx."""
    kind = http_kind(response.status)
    if kind is None:
        return None
    text = f"HTTP {response.status}: {short(said)}" if said else f"HTTP {response.status}"
    return CarrierError(kind, text, code=str(response.status), retry_after=retry_after(response))


def decode(decoder: msgspec.json.Decoder[T], body: bytes | msgspec.Raw) -> T:
    """Decode JSON into the decoder's type. Raises CarrierError(bad_response), in words that hold none of the content."""
    try:
        return decoder.decode(body)
    except RecursionError:
        raise CarrierError(ErrorKind.BAD_RESPONSE, "JSON nested too deeply") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        if (plain := bytes(body)).startswith(BOM_UTF8):  # some servers, and files that Windows stored, begin so
            return decode(decoder, plain.removeprefix(BOM_UTF8))
        raise CarrierError(ErrorKind.BAD_RESPONSE, _describe(bytes(body), error)) from None


def _describe(body: bytes, error: Exception) -> str:
    start = body[:64].lstrip().lower()
    if not start:
        return "an empty body"
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<body")):
        return "an HTML page instead of data"
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "UTF-16 instead of UTF-8: perhaps a shell of Windows stored it"
    if start.startswith(b"<"):
        return "XML instead of JSON"
    if isinstance(error, msgspec.ValidationError):
        return f"an unexpected shape: {short(str(error))}"
    return "not readable as JSON, perhaps cut off"


_FIELDS = msgspec.json.Decoder(dict[str, object])


def each(items: Iterable[msgspec.Raw], decoder: msgspec.json.Decoder[T], *named: str) -> Iterator[tuple[str, T | CarrierError]]:
    """Items of a list by their number, which the first filled one of the fields `named` holds.

    One that drifted from its shape is an error and does not take the others with it; one that names no number is left out.
    """
    for raw in items:
        try:
            item: T | CarrierError = decode(decoder, raw)
        except CarrierError as error:
            item = error
        try:
            fields = decode(_FIELDS, raw) if isinstance(item, CarrierError) else {name: getattr(item, name) for name in named}
        except CarrierError:
            continue
        number = next((said for name in named if (said := fields.get(name)) and isinstance(said, str)), None)
        if number is not None:
            yield number, item


def richest(cuts: Iterable[tuple[str, bytes | CarrierError]]) -> dict[str, bytes | CarrierError]:
    """By number; where a number came several times, an answer before an error, and the longer answer: it tells more."""
    found: dict[str, bytes | CarrierError] = {}
    for number, cut in cuts:
        kept = found.get(number)
        if kept is None or (isinstance(cut, bytes) and (not isinstance(kept, bytes) or len(cut) > len(kept))):
            found[number] = cut
    return found


def missing() -> CarrierError:
    """The answer for a number that the source left out: an error, never "not found" (facts: rules across carriers, 3)."""
    return CarrierError(ErrorKind.BAD_RESPONSE, "the answer leaves this number out")


def join(found: Mapping[str, T], asked: Sequence[str]) -> dict[str, T | CarrierError]:
    """`found` by number, for exactly the numbers `asked`; with nothing asked everything found.

    Sources may spell a number their own way (upper case, no spaces): the normal form finds it then.
    """
    if not asked:
        return dict(found) or {"": CarrierError(ErrorKind.BAD_RESPONSE, "the answer names no number")}
    if all(number in found for number in asked):
        return {number: found[number] for number in asked}
    spelled = {normalise(number): value for number, value in found.items()}
    return {number: found[number] if number in found else spelled.get(normalise(number), missing()) for number in asked}
