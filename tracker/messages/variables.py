"""What fills the blanks: the facts of an order, as dates, amounts and words (facts/messages.md section 1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from tracker.messages.catalogue import ENGLISH, NODATE, NOSCAN, base_key
from tracker.messages.promise import extra_days, new_deadline
from tracker.messages.written import Value
from tracker.model import Dossier, Order, Scan, Shipment
from tracker.rules import Marketplace, Profile, Rules

_TYPED_DATES = ("due_date", "sent_date")
_TYPED_WORDS = ("cause", "buyer_action", "correction", "pickup_place", "payment_hint")
_BEFORE_SHIPPING = frozenset({"placed"})
"""Types that speak of an order without a parcel: the range counts from the latest day of dispatch that is known (R34)."""

_ANY_SERVICE = "standard"
_TELLS_OF_DELIVERY = frozenset({"late_arrival", "delivered", "delivered_not_found", "review"})


class About(Protocol):
    """What a message is about: an outbox row or a decision."""

    @property
    def template(self) -> str | None:
        """Key of the text."""

    @property
    def shipment(self) -> str | None:
        """Number of the parcel it speaks of; None: the most delayed one of the order."""

    @property
    def amount(self) -> Decimal | None:
        """Money that was paid back."""

    @property
    def currency(self) -> str | None:
        """Its currency."""

    @property
    def evidence(self) -> Mapping[str, str]:
        """Facts of the decision; those named like a blank (cause, buyer_action, due_date, extra_days ...) fill it."""


def variables(
    dossier: Dossier,
    about: About,
    rules: Rules,
    words: Mapping[str, str],
    now: datetime,
    *,
    day0: datetime | None = None,
    language: str = ENGLISH,
) -> dict[str, Value]:
    """The blanks that can be filled, by name; what is not known is not there. `words` are those of the text's `language`.

    `day0` is the parcel's day 0 as the decision saw it; without it the one that the parcel keeps.
    """
    order, market = dossier.order, rules.marketplace(dossier.order.platform)
    store = rules.stores.get(order.store)
    shop = store.name if store else order.store
    today = _today(now, market, store.zone if store else "UTC")
    key = base_key(about.template or "")
    values: dict[str, Value | None] = {
        "name": order.buyer_name,
        "order": order.number,
        "store": shop,
        "signature": (store and store.signature) or words.get("signature", "{store}").replace("{store}", shop),
        "pickup_place": words.get("pickup_place"),
        "cause": words.get("cause"),
        "buyer_action": words.get(f"buyer_action.{key}"),
        "payment_hint": (store and store.payment_hint) or words.get("payment_hint"),
        "amount": about.amount if about.amount is not None else order.refunded_amount,
        "currency": about.currency or order.currency,
    }
    shipment = _parcel(dossier, about.shipment)
    if shipment is not None:
        begun = day0 or shipment.day0
        profile = _ladder_of(order, shipment, rules)
        values |= _parcel_facts(shipment, rules, key)
        values |= _expected(begun, profile, today)
        values["new_deadline"] = new_deadline(dossier, rules, profile, key, begun, today)
        slow = about.evidence.get("extra_days")
        values["extra_days"] = extra_days(dossier, rules, today, int(slow) if slow else None)
    elif key in _BEFORE_SHIPPING:
        values |= _expected(_leaves(order), rules.profile(order.country, _ANY_SERVICE, store=order.store), today)
    values |= _typed(about.evidence, words, language)
    due = values.get("due_date")
    if isinstance(due, date) and due < today:
        # Held back too long: "by yesterday" helps nobody. A text that needs the date is a person's then.
        del values["due_date"]
    return {name: value for name, value in values.items() if value not in {None, ""}}


def variant(key: str, values: Mapping[str, Value]) -> str:
    """The variant of a text that its facts allow: `_nodate` when no date can be promised (D18), `_noscan` without any scan."""
    if key == "stage2" and "new_deadline" not in values:
        return key + NODATE
    if key in {"stage1", "stage2"} and "last_event" not in values:
        return key + NOSCAN
    return key


def _ladder_of(order: Order, shipment: Shipment, rules: Rules) -> Profile:
    """The ladder that the parcel follows (policy.view): by what its tracking shows, the order's own days first (D18)."""
    profile = rules.profile(shipment.country or order.country, shipment.service, store=order.store, tracking=shipment.capability)
    return profile if not order.stages else replace(profile, stages={**profile.stages, **order.stages})


def _today(now: datetime, market: Marketplace, zone: str) -> date:
    """The latest of the days that marketplace, shop and UTC write: what is promised never lies in the past."""
    return max(now.astimezone(place).date() for place in (UTC, ZoneInfo(market.zone), ZoneInfo(zone)))


def _parcel(dossier: Dossier, number: str | None) -> Shipment | None:
    """The parcel the text speaks of; of several the most delayed one that is still on its way."""
    if number is not None:
        return next((each for each in dossier.shipments if each.number == number), None)
    waiting = [each for each in dossier.shipments if not each.delivered] or list(dossier.shipments)
    far = datetime.max.replace(tzinfo=UTC)
    return min(waiting, key=lambda each: each.day0 or each.shipped_at or far, default=None)


def _parcel_facts(shipment: Shipment, rules: Rules, key: str) -> dict[str, Value | None]:
    carrier = rules.carriers.get(shipment.carrier or "")
    page = carrier.url if carrier and carrier.url else rules.tracking_page
    scan = (shipment.delivered_scan if key in _TELLS_OF_DELIVERY else None) or shipment.last_scan
    return {
        "tracking": shipment.number,
        "carrier": carrier.name if carrier else shipment.carrier,
        "url": page.replace("{number}", quote(shipment.number, safe="")) if page else None,
        "last_event": (scan.description or scan.location) if scan else None,
        "last_date": _local_date(scan) if scan else None,
    }


def _local_date(scan: Scan) -> date:
    """The event's local date as the carrier gives it, also where its instant is unknown."""
    return date.fromisoformat(scan.local_time[:10]) if scan.local_time else scan.latest.date()


def _expected(day0: datetime | None, profile: Profile, today: date) -> dict[str, Value | None]:
    """Between today (or p50) and p90; a range that would end in the past is none."""
    if day0 is None:
        return {}
    first = max(today, (day0 + timedelta(days=profile.p50)).date())
    last = (day0 + timedelta(days=profile.p90)).date()
    return {"eta_from": first, "eta_to": last if last > first else None}


def _leaves(order: Order) -> datetime | None:
    """When an order without a parcel goes on its way at the latest; a paid one begins to wait when it was paid."""
    return order.ship_by or order.paid_at


def _typed(evidence: Mapping[str, str], words: Mapping[str, str], language: str) -> dict[str, Value | None]:
    """What a person, an advisory or the decision itself has said; it beats the default words.

    `cause_pt-BR` is said in one language and goes before `cause`; a cause that is one of the language's own words (`[causes]`:
    weather, strike, holiday ...) is told in it.
    """
    values: dict[str, Value | None] = {}
    for name in _TYPED_WORDS:
        said = evidence.get(f"{name}_{language}") or evidence.get(name)
        if said:
            values[name] = words.get(f"causes.{said}", said) if name == "cause" else said
    values |= {name: date.fromisoformat(evidence[name][:10]) for name in _TYPED_DATES if evidence.get(name)}
    return values
