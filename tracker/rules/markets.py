"""Marketplaces and stores: what each allows, and how much a store lets the product do."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tracker.model import Channel, Intent, Mode


class Extension(msgspec.Struct, frozen=True, kw_only=True):
    """How a marketplace's delivery window is extended (R7): mode api | manual | none."""

    mode: str
    trigger_days: int
    days: tuple[int, ...]
    max_extensions: int
    attempts: int = 2
    """How often one end is asked to move; a further one only after it provably has not moved."""
    states: tuple[str, ...] = ()
    """The platform's own states in which a window can be extended at all."""
    too_long: tuple[str, ...] = ()
    """Codes that say "so many days are not allowed": fewer are asked for. Every other no is for a person."""
    complaints: str | None = None
    """The time rule that says when buyers begin to complain: where it counts from day 0, the first extension comes by then."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a marketplace takes as evidence: `kinds` of pdf, jpg, png, at most `files` of them, `total` bytes; none = any."""

    kinds: tuple[str, ...] = ()
    files: int | None = None
    total: int | None = None


class Marketplace(msgspec.Struct, frozen=True, kw_only=True):
    """What a marketplace allows (marketplaces.toml). `channel` carries buyers' messages there."""

    id: str
    names: tuple[str, ...] = ()
    """How files name it (速卖通, AliExpress ...)."""
    channel: Channel
    own_shop: bool
    zone: str
    extension: Extension
    country: str | None = None
    """Of a marketplace with one site alone; else the store's `site`, or where the buyer is (D8)."""
    window_field: bool = False
    messages_off: frozenset[str] = frozenset()
    tasks_for: frozenset[str] = frozenset()
    """On a manual channel: the types that become a task each (D17)."""
    grouped: frozenset[str] = frozenset()
    """On a manual channel: the types that become one grouped worksheet a day."""
    order_url: str | None = None
    max_characters: int | None = None
    release_funds_days: int | None = None
    """It keeps the buyer's money until he confirms: so many days after the delivery a person asks for it (R20); None = never."""
    evidence: Evidence = Evidence()
    contact_outside: bool = False
    """Its rules let a seller write to buyers elsewhere; an own shop always may (D5a)."""
    freeze_days: int = 0
    """What an untrackable parcel under dispute costs (D6): shown, never computed with."""


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """One shop of the seller (stores/<id>.toml)."""

    id: str
    platform: str
    name: str
    zone: str
    currency: str | None
    mode: Mode
    modes: Mapping[str, Mode] = {}
    """Mode per message type; overrides `mode` (D22)."""
    channel: Channel | None = None
    sender: str | None = None
    signature: str | None = None
    names: tuple[str, ...] = ()
    """How files name this store (店铺账号, footer, ...)."""
    hourly_cap: int | None = None
    default_country: str | None = None
    payment_hint: str | None = None
    refund_offer_approved: bool = True
    """The standing offer of stage2, approved once per store (D11)."""
    files_every_h: int | None = None
    """How often an order file of this store is expected, hours; None: nobody watches (D20)."""
    site: str | None = None
    """Country of the marketplace's site it sells on (amazon.de: DE): its working days and its zone count there (D8)."""
    time_profile: str | None = None
    """Its own profile of time rules, current or seed; None: that of tracker.toml (D3)."""
    api: frozenset[str] = frozenset()
    """What its account at the marketplace does by API: window, disputes, extend; people do the rest."""
    stages: Mapping[str, Mapping[Intent, int]] = {}
    """Own days of stages by profile id: they go before the destination's and before what was learned."""

    fallback: tuple[Channel, ...] = ()
    """Where a message goes that its channel definitely refused, in this order (R25); a task there is a call by phone (R81)."""
    unsubscribe_url: str | None = None
    """Its page that takes a buyer off the list by one POST; `{order}` is filled in."""
    messenger_consent: bool = False
    """Its buyers agreed to be written to by messenger when they ordered; without it no messenger is a fallback (D5a)."""

    def next_channel(self, used: Channel, tried: tuple[str, ...]) -> Channel | None:
        """The first fallback that has not refused this message yet."""
        return next((each for each in self.fallback if each is not used and each.value not in tried), None)

    def mode_for(self, template: str) -> Mode:
        """Mode of one message type."""
        return self.modes.get(template, self.mode)
