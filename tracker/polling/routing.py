"""Which source is asked about which parcel, and with which hints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from carriers.base import Query
from tracker.polling.conversation import Source
from tracker.rules import Rules
from tracker.store.rows import DueShipment

ANY = "*"


def source_of(shipment: DueShipment, rules: Rules, sources: Mapping[str, Source]) -> Source | None:
    """The first configured source of the parcel's carrier, else of any carrier; None when nobody can be asked.

    The carrier that a file or a person named wins over every guess from the number.
    """
    choices = rules.sources.get(shipment.carrier or ANY) or rules.sources.get(ANY, ())
    return next((sources[choice] for choice in choices if choice in sources), None)


def second_opinion(shipment: DueShipment, asked: str, rules: Rules, sources: Mapping[str, Source]) -> Source | None:
    """The next configured source of the parcel's carrier after the one that did not find it (R8); None where there is none."""
    choices = rules.sources.get(shipment.carrier or ANY) or rules.sources.get(ANY, ())
    there = [sources[choice] for choice in choices if choice in sources]
    names = [source.id for source in there]
    return next(iter(there[names.index(asked) + 1 :]), None) if asked in names else None


def by_source(
    due: Iterable[DueShipment], rules: Rules, sources: Mapping[str, Source]
) -> tuple[dict[str, list[DueShipment]], list[DueShipment]]:
    """Parcels per source id, in the order they came, and those that no source can be asked about."""
    routed: dict[str, list[DueShipment]] = {}
    stranded: list[DueShipment] = []
    chosen: dict[str | None, Source | None] = {}
    for shipment in due:
        if shipment.carrier not in chosen:
            chosen[shipment.carrier] = source_of(shipment, rules, sources)
        source = chosen[shipment.carrier]
        if source is None:
            stranded.append(shipment)
        else:
            routed.setdefault(source.id, []).append(shipment)
    return routed, stranded


def query(shipment: DueShipment, rules: Rules, adapter: str) -> Query:
    """What the adapter is told: the number, and the source's own code of the carrier where we know it."""
    carrier = rules.carriers.get(shipment.carrier) if shipment.carrier else None
    return Query(
        number=shipment.number,
        carrier_code=carrier.codes.get(adapter) if carrier else None,
        country=shipment.country,
        ship_date=shipment.shipped_at.date().isoformat() if shipment.shipped_at else None,
    )
