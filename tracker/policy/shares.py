"""How much of an order's money a parcel is worth, and how much is left to give back (D23, I7)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal

import msgspec
from babel.numbers import get_currency_precision

from tracker.model import Effect
from tracker.policy.view import Parcel, View


class Share(msgspec.Struct, frozen=True, gc=False):
    """A parcel's part of what the buyer paid, and how it was found. None: the order's amount is not known."""

    amount: Decimal | None
    why: str


def share_of(view: View, parcel: Parcel) -> Share:
    """The parcel's share: as told, the whole order where it is alone, else an equal part (rounded down, and said so)."""
    order, told = view.order, parcel.shipment.share
    if told is not None:
        return Share(told, f"the parcel's share, {told} of {order.amount}")
    if order.amount is None:
        return Share(None, "unknown: the order's amount is not known")
    count = len(view.parcels)
    if count == 1:
        return Share(order.amount, "the whole order")
    unit = Decimal(1).scaleb(-get_currency_precision(order.currency or ""))
    part = (order.amount / count).quantize(unit, ROUND_DOWN)
    return Share(part, f"an equal part: {order.amount} in {count} parcels")


def pays(effect: Effect) -> bool:
    """Whether a recommendation gives money back. What is sent again or on keeps its worth only until that is done."""
    return effect.remedy is None or effect.remedy.pays


class Purse:
    """What can still be given back: open and approved refunds together never exceed what was paid (I7)."""

    def __init__(self, view: View, refunds: Sequence[Effect]) -> None:
        unpaid = view.order.refunded_at is None
        promised = [effect for effect in refunds if effect.open or (unpaid and effect.acted and pays(effect))]
        left = view.order.paid_left
        self._known = left is not None
        self._left = (left or Decimal(0)) - sum((effect.amount or Decimal(0) for effect in promised), Decimal(0))
        self._blind = any(effect.amount is None for effect in promised) or (not self._known and bool(promised))

    @property
    def empty(self) -> bool:
        """Nothing is left, or a promise of unknown size may take it all."""
        return self._blind or (self._known and self._left <= 0)

    def take(self, amount: Decimal | None) -> Decimal | None:
        """Promise so much, at most what is left. None: nobody knows what was paid."""
        if amount is None or not self._known:
            self._blind = True
            return amount
        given = min(amount, self._left)
        self._left -= given
        return given
