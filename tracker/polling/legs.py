"""The second leg of a parcel: a last-mile number that its source tells is asked of whoever delivers there (rule 11).

A leg is heard like any other answer, merged into the parcel it belongs to, and never speaks where it has nothing to say: that
Correios does not know a parcel yet which Cainiao announced says nothing about the parcel.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace

from carriers.model import Tracking, TrackingEvent, TrackingStatus
from carriers.numbers import normalise, s10
from tracker.polling.routing import Router, candidates, possible
from tracker.rules import Rules
from tracker.store.rows import DueShipment, Link

SAME_SCAN = 60
"""Seconds within which two sources tell the same scan: one prints seconds, the other does not."""

_SHORTEST = 8
_MUTE = frozenset({TrackingStatus.NOT_FOUND, TrackingStatus.INFO_RECEIVED, TrackingStatus.EXPIRED})
"""What a leg says about itself, not about the parcel: announced data, nothing known, no longer looking."""


def link_of(shipment: DueShipment, told: Tracking, country: str | None, *, rules: Rules, adapter: str) -> Link | None:
    """The last-mile number that an answer of `adapter` tells, where it is one and is news; None otherwise.

    Whose it is, the source may say itself by its own code of the carrier (carriers.toml, `codes`).
    """
    number = normalise(told.linked_number or "")
    if len(number) < _SHORTEST or not any(sign.isdecimal() for sign in number):
        return None
    if number in {normalise(shipment.number), shipment.linked_number}:
        return None
    named = (each.id for each in rules.carriers.values() if told.linked_code and each.codes.get(adapter) == told.linked_code)
    return Link(number, next(named, None) or carrier_of(number, country or told.destination_country, rules))


def carrier_of(number: str, country: str | None, rules: Rules) -> str | None:
    """Who probably delivers under a last-mile number: whose form it has, else the post of the destination.

    A postal number names the *issuing* post, which for a last mile is the destination's own.
    """
    likely = candidates(number, rules)
    if likely:
        return likely[0]
    home = s10(number).country or country
    posts = [each.id for each in rules.carriers.values() if each.post and each.country == home]
    if posts:
        return posts[0]
    return next((each for each in possible(number, rules) if each in rules.carriers), None)


def legs(
    parcels: Iterable[DueShipment], asked: Mapping[int, str], router: Router
) -> dict[str, list[tuple[DueShipment, DueShipment]]]:
    """(parcel, its leg) per source id. A source that merges both legs by itself is not asked about the second one."""
    found: dict[str, list[tuple[DueShipment, DueShipment]]] = {}
    for parcel in parcels:
        if parcel.linked_number is None or parcel.linked_carrier is None:
            continue
        leg = replace(parcel, number=parcel.linked_number, carrier=parcel.linked_carrier, linked_number=None)
        source = router.first(leg)
        if source is not None and source.id != asked.get(parcel.id) and source.id not in router.down:
            found.setdefault(source.id, []).append((parcel, leg))
    return found


def says(told: Tracking) -> bool:
    """Whether a leg's answer says anything about the parcel."""
    return told.status not in _MUTE and bool(told.events)


def without_twins(told: Sequence[TrackingEvent], known: Sequence[TrackingEvent]) -> tuple[TrackingEvent, ...]:
    """The scans of `told` that no other source has told: of two within a minute with one status the known one stands."""
    places: dict[TrackingStatus, list[int]] = {}
    walls: set[tuple[str, TrackingStatus]] = set()
    for event in known:
        if event.time is not None:
            places.setdefault(event.status, []).append(event.time)
        if event.local_time is not None:
            walls.add((event.local_time[:16], event.status))
    return tuple(event for event in told if not _twin(event, places.get(event.status, ()), walls))


def _twin(event: TrackingEvent, places: Sequence[int], walls: Collection[tuple[str, TrackingStatus]]) -> bool:
    if event.time is None:
        return event.local_time is not None and (event.local_time[:16], event.status) in walls
    return any(abs(event.time - place) <= SAME_SCAN for place in places)
