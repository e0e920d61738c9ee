"""From a slice to a Tracking: AfterShip's tags and subtags into ours.

Rules of this source (facts: AfterShip): the status is the tag, refined by the subtag; a subtag that no row knows falls back to
its tag. `Pending` is `unknown`, never "not found", which may cost money: it stands alike for "not asked yet", a courier out of
reach and a missing field. Beside scans it tells nothing, and the newest of them speaks. `Expired` means that AfterShip stopped
looking, not that a parcel is lost. A delivery that is told as `return_to_sender` is none to the buyer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

import msgspec

from carriers import codes
from carriers.aftership import wire
from carriers.answers import decode
from carriers.codes import UNKNOWN, Glossary, Meaning
from carriers.model import Tracking, TrackingEvent, TrackingStatus
from carriers.scans import alpha2, arrange, event_key, instant
from carriers.standing import led, refined

STOPPED = "the source stopped looking after 30 days without news"
SENT_BACK = "delivered to the sender, not to the buyer"

_SLICE = msgspec.json.Decoder(wire.Item)


@cache
def _countries() -> Mapping[str, str]:
    return {row["alpha3"]: row["alpha2"] for row in codes.rows("countries")}


def _country(text: str | None) -> str | None:
    """ISO 3166 alpha-2 of what is mostly alpha-3 here."""
    return _countries().get(text) or alpha2(text) if text else None


def _meaning(words: Glossary, tag: str | None, subtag: str | None) -> Meaning:
    """By the subtag where it belongs to the tag (`Exception_013` to `Exception`), else by the tag."""
    family = subtag.partition("_")[0] if subtag else None
    if subtag and family and (tag or family) == family:
        return words.of(subtag, family)
    return refined(words.of(tag), words.known(subtag))


def _events(raws: Iterable[wire.Checkpoint], words: Glossary) -> Iterator[TrackingEvent]:
    for raw in raws:
        status, reason = _meaning(words, raw.tag, raw.subtag)
        told, message, place = raw.checkpoint_time or "", raw.message or "", raw.location or ""
        code = raw.subtag or raw.tag
        time, local, offset = instant(told)
        yield TrackingEvent(
            key=event_key(told, code or "", message, place),
            time=time,
            local_time=local,
            offset=offset,
            status=status,
            reason=reason,
            raw_code=code,
            description=message,
            location=place or ", ".join(filter(None, (raw.city, raw.state))),
            country=_country(raw.country_region or raw.country_iso3),
        )


def read(raw: bytes) -> Tracking:
    """Read one slice. Raises CarrierError(bad_response) where it is none."""
    item = decode(_SLICE, raw)
    words = Glossary(codes.table("aftership", "code"))
    events = arrange(list(_events(item.checkpoints or (), words)))
    top = _meaning(words, item.tag, item.subtag)
    if top == UNKNOWN:
        # On top the tag is the source's own verdict, whatever its refinement.
        top = words.of(item.tag)
    silent = top == UNKNOWN and {item.tag, item.subtag}.isdisjoint(words.unmapped)
    status, reason, notes = led(events, None if silent else top, item.subtag or item.tag)
    if status is TrackingStatus.DELIVERED and item.return_to_sender:
        status, reason, notes = TrackingStatus.RETURNED, None, (*notes, SENT_BACK)
    stopped = status is TrackingStatus.EXPIRED
    mile = item.last_mile or wire.Mile()
    linked = mile.tracking_number if mile.tracking_number != item.tracking_number else None
    return Tracking(
        number=item.tracking_number,
        status=status,
        reason=reason,
        raw_status=item.tag,
        raw_sub_status=item.subtag,
        events=events,
        carrier_code=item.slug,
        destination_country=_country(item.destination_country_region or item.destination_country_iso3),
        linked_number=linked or None,
        linked_code=mile.slug if linked else None,
        stopped=stopped,
        unmapped=tuple(words.unmapped),
        notes=(*notes, STOPPED) if stopped else notes,
    )
