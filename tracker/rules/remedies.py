"""What is proposed for which cause and value, and who bears a problem on the way (R14, R40, R41, R70, R84, R85)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import msgspec

from carriers.model import TrackingReason
from tracker.model import Liable, Remedy
from tracker.rates import Rates


class RemedyRule(msgspec.Struct, frozen=True, kw_only=True):
    """A [[remedy]] of tracker.toml: what is proposed for these causes up to this value; the first that fits wins (R40).

    `causes` are words of tracker.model: a DecisionReason's or a CaseReason's. `up_to` is a sum by currency (fx.toml converts); an
    empty one fits every value, an unknown value only such a one.
    """

    id: str
    causes: frozenset[str]
    remedy: Remedy
    up_to: Mapping[str, Decimal] = {}

    def fits(self, cause: str, amount: Decimal | None, currency: str | None, rates: Rates, on: date) -> bool:
        """Whether it speaks of this cause and value."""
        return cause in self.causes and (not self.up_to or within(self.up_to, amount, currency, rates, on) is True)


class PartialRule(msgspec.Struct, frozen=True, kw_only=True):
    """A [[partial]] of tracker.toml: the part of the money that a partial refund proposes up to this value (D7, R40).

    The first that fits wins. `up_to` as in `RemedyRule`.
    """

    id: str
    share: Decimal
    up_to: Mapping[str, Decimal] = {}

    def fits(self, amount: Decimal, currency: str | None, rates: Rates, on: date) -> bool:
        """Whether it speaks of this value."""
        return not self.up_to or within(self.up_to, amount, currency, rates, on) is True


class Liability(msgspec.Struct, frozen=True, kw_only=True):
    """A [[liability]] of tracker.toml: who bears what the carrier reports; the first that fits wins (R14, R70).

    `reasons` are the carrier's, `words` patterns of which one has to be found in the newest scan's text (folded to lower case;
    none = any text). `certificate`: it holds only once the carrier certifies it.
    """

    id: str
    liable: Liable
    reasons: frozenset[TrackingReason]
    words: tuple[re.Pattern[str], ...] = ()
    certificate: bool = False

    def fits(self, reason: TrackingReason | None, text: str) -> bool:
        """Whether it speaks of this reason and text."""
        if reason not in self.reasons:
            return False
        folded = text.casefold()
        return not self.words or any(word.search(folded) for word in self.words)


def within(limits: Mapping[str, Decimal], amount: Decimal | None, currency: str | None, rates: Rates, on: date) -> bool | None:
    """Whether an amount stays within limits by currency, converted where fx.toml can; None: it cannot be compared."""
    if amount is None or currency is None:
        return None
    if currency in limits:
        return amount <= limits[currency]
    for into, limit in limits.items():
        converted = rates.convert(amount, currency, into, on)
        if converted is not None:
            return converted <= limit
    return None
