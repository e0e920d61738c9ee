"""Before a parcel travels: payment, papers, the last day to ship; and how early people are warned (tracker.toml [preparing])."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec


class Preparing(msgspec.Struct, frozen=True, kw_only=True):
    """Days and hours are counted from the order's own instants; countries are ISO 3166, amounts by ISO 4217."""

    delayed_payments: frozenset[str] = frozenset()
    """Payments whose money comes days later (R15): folded words, as files and marketplaces call them."""
    boleto_after_days: int = 4
    boleto_until_days: int = 7
    """The reminder is pointless once the slip has run out."""
    tax_number_countries: frozenset[str] = frozenset()
    tax_number_from: Mapping[str, Decimal] = {}
    """Postal parcels need the number from this value on (R16); commercial ones always."""
    channel_warnings: Mapping[str, str] = {}
    """What a person should know about commercial channels to a country (R17)."""
    duty_countries: frozenset[str] = frozenset()
    """Where import duty can be charged to the buyer (R18, R105)."""
    late_ship_hours: int = 12
    """How long before the last day to ship a person is told (R60)."""
    news_days: int = 3
    """How long `placed` and `shipped` are news."""
    stale_days: int = 30
    """An order that is paid and not sent for so long after its time is an old row of a file: nothing is prepared any more."""
    case_warn_days: int = 3
    """How long before a buyer may open a case a person is told about a parcel at risk (R8, R30)."""
