"""What a message must pass before it is decided: is its type wanted, is its slot free, does anything stop it (D12, D15)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tracker.model import Channel, DecisionReason
from tracker.policy.view import Parcel, View
from tracker.rules import Marketplace, Rules

OUTLASTS = frozenset({DecisionReason.ON_HOLD})
"""Stops that end by themselves: what is on its way waits, it is not taken back."""


def allowed(view: View, template: str) -> bool:
    """Whether this type is sent there at all: switched on, permitted, and worth a person's time where one pastes it (D17)."""
    return sent_there(view.rules, view.market, view.order.store, template)


def sent_there(rules: Rules, market: Marketplace, store: str, template: str) -> bool:
    """The same for every order of a store on a marketplace."""
    if template in rules.messages_off or template in market.messages_off:
        return False
    return _channel(rules, market, store) is not Channel.TASK or template in market.tasks_for or template in market.grouped


def by_hand(rules: Rules, market: Marketplace, store: str, template: str) -> bool:
    """Whether a person pastes this type there."""
    return template in market.tasks_for or _channel(rules, market, store) is Channel.TASK


def _channel(rules: Rules, market: Marketplace, store: str) -> Channel:
    shop = rules.stores.get(store)
    return shop.channel if shop is not None and shop.channel is not None else market.channel


def outreach_stop(view: View) -> tuple[DecisionReason, datetime | None] | None:
    """Why nothing of kind stage or courtesy goes out now, and until when where time ends it (D15, I4)."""
    if view.over is not None:
        return view.over, None
    if not view.parcels:
        return DecisionReason.NO_SHIPMENT, None
    expected = view.expected
    if not expected:
        return _all_gone(view.parcels), None
    stop = people_stop(view)
    if stop is None and all(parcel.shipment.suspect is not None for parcel in expected):
        return DecisionReason.SUSPECT_NUMBER, None
    return stop


def people_stop(view: View) -> tuple[DecisionReason, datetime | None] | None:
    """What the buyer or a clerk said against outreach, whatever the parcels do."""
    order = view.order
    if view.dossier.dispute_open:
        return DecisionReason.DISPUTE_OPEN, None
    if order.opted_out:
        return DecisionReason.OPTED_OUT, None
    if order.waiting_since is not None or view.dossier.message_waits:
        return DecisionReason.BUYER_WAITS, None
    if order.hold_until is not None and order.hold_until > view.now:
        return DecisionReason.ON_HOLD, order.hold_until
    return None


def _all_gone(parcels: Sequence[Parcel]) -> DecisionReason:
    reasons = [parcel.gone for parcel in parcels if parcel.gone is not None]
    return DecisionReason.DELIVERED if DecisionReason.DELIVERED in reasons else reasons[0]
