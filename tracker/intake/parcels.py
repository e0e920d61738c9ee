"""One row -> its parcels. A carrier's, a forwarder's and a last-mile number of one parcel stay one shipment with aliases."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from carriers.numbers import s10
from tracker.intake.cells import identity_lines, line, tracking_numbers
from tracker.intake.profiles import Field
from tracker.intake.record import Record
from tracker.model import Capability, ShipmentFacts
from tracker.rules import Rules, Service, Store

_ALIASES = (Field.CARRIERS_NUMBER, Field.FORWARDERS_NUMBER)


class Parcel(NamedTuple):
    """The number to ask about first, its aliases, and the channel's text that belongs to it."""

    number: str
    aliases: tuple[str, ...] = ()
    service: str = ""


def parcels_of(record: Record) -> list[Parcel]:
    """The parcels of a row, without what the row says about all of them. Raises RowError."""
    if Field.TRACKED in record.layout.columns:
        return _tracked(identity_lines(record.cell(Field.TRACKED)))
    service = record.line(Field.SERVICE) or record.line(Field.PROVIDER) or ""
    last_mile, tracking = (tracking_numbers(record.cell(field)) for field in (Field.LAST_MILE_NUMBER, Field.TRACKING))
    if not last_mile and not any(record.cell(field) for field in _ALIASES):
        return [Parcel(number, (), service) for number in tracking]
    # The number that replaced the others is the one that moves now (facts/file-formats.md 2.8).
    others = (number for field in _ALIASES for number in tracking_numbers(record.cell(field)))
    newest, *older = dict.fromkeys((*last_mile, *tracking, *others))
    return [Parcel(newest, tuple(older), service)]


def shipment_of(record: Record, parcel: Parcel, store: Store | None, order: str | None) -> ShipmentFacts:
    """A parcel with its service and what the row says. A wrong S10 check digit is a warning only. Raises RowError."""
    destination = record.country()
    service = _service(record, parcel)
    declared_value, declared_currency = record.money(Field.DECLARED_VALUE, Field.DECLARED_CURRENCY, store)
    freight, freight_currency = record.money(Field.FREIGHT, Field.FREIGHT_CURRENCY, store)
    if warning := s10(parcel.number).warning:
        record.note(f"{parcel.number}: {warning}")
    return ShipmentFacts(
        number=parcel.number,
        row=record.row.number,
        aliases=parcel.aliases,
        store=store.id if store else None,
        order=order,
        service_text=parcel.service or None,
        carrier=service.carrier if service else None,
        service=service.service if service else None,
        capability=_capability(record.rules, parcel.number, destination, service),
        settled_by=service.settled_by if service else None,
        matched=service is not None,
        origin=record.origin(),
        country=destination,
        shipped_at=record.instant(Field.SHIPPED_AT, store),
        declared_value=declared_value,
        declared_currency=declared_currency,
        freight=freight,
        freight_currency=freight_currency,
        warnings=(warning,) if warning else (),
    )


def _service(record: Record, parcel: Parcel) -> Service | None:
    """By the channel's text, then together with the carrier's name, then by that name alone; None keeps the text raw."""
    provider = record.line(Field.PROVIDER) or ""
    texts = dict.fromkeys(text for text in (parcel.service, f"{provider} {parcel.service}".strip(), provider) if text)
    return next((service for text in texts if (service := record.rules.service(text))), None)


def _capability(rules: Rules, number: str, destination: str | None, service: Service | None) -> Capability | None:
    """The service's, else what the number's prefix tells; None where neither says anything."""
    if service and service.capability:
        return service.capability
    told = rules.capability(number, destination)
    return told if service or told is not Capability.END_TO_END else None


def _tracked(listed: str) -> list[Parcel]:
    """`logistics name:number`, several lines for several parcels; split on the last colon, a bare number is accepted (2.1)."""
    parcels = []
    for one in re.split(r"[\n;]+", unicodedata.normalize("NFKC", listed)):
        name, _, numbers = one.rpartition(":")
        parcels += [Parcel(number, (), line(name)) for number in tracking_numbers(numbers)]
    return parcels
