"""From a slice to a Tracking: TrackingMore's words into ours.

Rules of this source (facts: TrackingMore): both legs are merged. The status is `delivery_status`, refined by `substatus`; a
sub-status that no row knows falls back to its word. `pickup` alone is out for delivery or awaiting collection, so it tells
nothing, and the newest scan speaks. `expired` means that TrackingMore stopped looking, not that a parcel is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from carriers import codes
from carriers.answers import decode
from carriers.codes import UNKNOWN, Glossary, Meaning
from carriers.model import Tracking, TrackingEvent, TrackingStatus
from carriers.scans import alpha2, arrange, event_key, instant
from carriers.standing import led, refined
from carriers.trackingmore import wire

STOPPED = "the source stopped looking after 30 days (express) or 60 days (post) without news"

_SLICE = msgspec.json.Decoder(wire.Item)
_DIGITS = "0123456789"


def _meaning(words: Glossary, word: str | None, sub: str | None) -> Meaning:
    """By the sub-status where it belongs to the word (`transit004` to `transit`), else by the word."""
    family = sub.rstrip(_DIGITS) if sub else None
    if sub and family and (word or family) == family:
        return words.of(sub, family)
    return refined(words.of(word), words.known(sub))


def _events(raws: Iterable[wire.Event], words: Glossary) -> Iterator[TrackingEvent]:
    for raw in raws:
        word, sub = raw.checkpoint_delivery_status, raw.checkpoint_delivery_substatus
        status, reason = _meaning(words, word, sub)
        told, detail, place = raw.checkpoint_date or "", raw.tracking_detail or "", raw.location or ""
        time, local, offset = instant(told)
        yield TrackingEvent(
            key=event_key(told, sub or word or "", detail, place),
            time=time,
            local_time=local,
            offset=offset,
            status=status,
            reason=reason,
            raw_code=sub or word,
            description=detail,
            location=place or ", ".join(filter(None, (raw.city, raw.state))),
            country=alpha2(raw.country_iso2),
        )


def read(raw: bytes) -> Tracking:
    """Read one slice. Raises CarrierError(bad_response) where it is none."""
    item = decode(_SLICE, raw)
    words = Glossary(codes.table("trackingmore", "code"))
    legs = (leg.trackinfo or () for leg in (item.origin_info, item.destination_info) if leg is not None)
    events = arrange(*(list(_events(leg, words)) for leg in legs))
    word, sub = item.delivery_status, item.substatus
    top = _meaning(words, word, sub)
    if top == UNKNOWN:
        # On top the word is the source's own verdict, whatever its refinement.
        top = words.of(word)
    silent = top == UNKNOWN and {word, sub}.isdisjoint(words.unmapped)
    status, reason, doubts = led(events, None if silent else top, sub or word)
    stopped = status is TrackingStatus.EXPIRED
    return Tracking(
        number=item.tracking_number,
        status=status,
        reason=reason,
        raw_status=word,
        raw_sub_status=sub,
        events=events,
        carrier_code=item.courier_code,
        destination_country=alpha2(item.destination_country),
        stopped=stopped,
        unmapped=tuple(words.unmapped),
        notes=(*doubts, STOPPED) if stopped else doubts,
    )
