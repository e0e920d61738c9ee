"""Which source is asked about which parcel, and with which hints (facts/carriers.md sections 3 and 26)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

import msgspec

from carriers.base import Query
from carriers.numbers import hint, normalise
from tracker.polling.conversation import Source
from tracker.rules import Rules
from tracker.store.rows import DueShipment

ANY = "*"


def choices(number: str, carrier: str | None, rules: Rules) -> tuple[str, ...]:
    """The ids of the sources for a parcel, first choice first.

    The carrier that a file or a person named wins over every guess; without one the number's form names candidates, and the
    sources of any carrier come after theirs.
    """
    anybody = rules.sources.get(ANY, ())
    if carrier is not None:
        return rules.sources.get(carrier, anybody)
    likely = (name for name in candidates(number, rules) if name in rules.sources)
    return tuple(dict.fromkeys([*(source for name in likely for source in rules.sources[name]), *anybody]))


def candidates(number: str, rules: Rules) -> tuple[str, ...]:
    """Carriers that a number may belong to: by the configured patterns in their order, then the shipped ones."""
    return tuple(dict.fromkeys(carrier for carrier, likely in _hints(number, rules) if likely))


def possible(number: str, rules: Rules) -> tuple[str, ...]:
    """All that the patterns allow, the unlikely ones too: a last resort."""
    return tuple(dict.fromkeys(carrier for carrier, _ in _hints(number, rules)))


def _hints(number: str, rules: Rules) -> Iterable[tuple[str, bool]]:
    written = normalise(number)
    yield from ((each.carrier, each.likely) for each in rules.number_hints if _pattern(each.pattern).search(written))
    yield from ((each.carrier, each.confidence == "likely") for each in hint(written))


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII)


class Router(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to ask at one instant: the rules, the configured sources, those that are `down`, and whose the parcels are.

    `owners` are the stores of each parcel (by row id); it may be empty where no source is kept for some stores alone.
    """

    rules: Rules
    sources: Mapping[str, Source]
    down: Collection[str] = frozenset()
    owners: Mapping[int, frozenset[str]] = {}

    def first(self, parcel: DueShipment) -> Source | None:
        """The first source that is not down, else the first one that is; None when nobody can be asked."""
        there = self._there(parcel)
        return next((source for source in there if source.id not in self.down), there[0] if there else None)

    def second(self, parcel: DueShipment, asked: str, *, opinion: bool = True) -> Source | None:
        """The next source after one that did not find it (R8), or is down; None where there is none.

        Another account at the same source repeats the same word: no second `opinion`, but a way round what ails the first.
        """
        there = self._there(parcel)
        names = [source.id for source in there]
        if asked not in names:
            return None
        place = names.index(asked)
        known = _place(there[place])
        return next((each for each in there[place + 1 :] if not opinion or _place(each) != known), None)

    def ahead(self, parcel: DueShipment, asked: str) -> list[str]:
        """The accounts that come before this one for a parcel: they were passed over."""
        names = [source.id for source in self._there(parcel)]
        return names[: names.index(asked)] if asked in names else []

    def by_source(self, due: Iterable[DueShipment]) -> tuple[dict[str, list[DueShipment]], list[DueShipment]]:
        """Parcels per source id, in the order they came, and those that no source can be asked about."""
        routed: dict[str, list[DueShipment]] = {}
        stranded: list[DueShipment] = []
        chosen: dict[str, Source | None] = {}
        # Where all carriers have the same sources, nobody needs to guess from the number.
        guessing = len(set(self.rules.sources.values())) > 1
        for parcel in due:
            carrier = parcel.carrier or ANY
            if self.owners or (guessing and carrier is ANY):
                source = self.first(parcel)
            elif carrier in chosen:
                source = chosen[carrier]
            else:
                source = chosen[carrier] = self.first(parcel)
            if source is None:
                stranded.append(parcel)
            else:
                routed.setdefault(source.id, []).append(parcel)
        return routed, stranded

    def _there(self, parcel: DueShipment) -> list[Source]:
        """Its sources, without those of other shops: no number goes out with somebody else's credentials (rule 16)."""
        known = (self.sources[name] for name in choices(parcel.number, parcel.carrier, self.rules) if name in self.sources)
        return [source for source in known if source.serves(self.owners.get(parcel.id, frozenset()))]


def query(shipment: DueShipment, rules: Rules, adapter: str) -> Query:
    """What the adapter is told: the number, and the source's own code of the carrier where we know it."""
    carrier = rules.carriers.get(shipment.carrier) if shipment.carrier else None
    return Query(
        number=shipment.number,
        carrier_code=carrier.codes.get(adapter) if carrier else None,
        country=shipment.country,
        ship_date=shipment.shipped_at.date().isoformat() if shipment.shipped_at else None,
    )


def _place(source: Source) -> tuple[str, str]:
    return source.adapter.name, source.account.base_url
