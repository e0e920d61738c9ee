"""The shapes of marketplaces.toml and of a shop's file in stores/."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from tracker.config.shape import Country, Currency, Days, Entry, Positive, Shape, Versioned, Zone
from tracker.config.shape_times import TimeProfile
from tracker.model import Mode

Stage = Literal["stage1", "stage2", "stage3"]
Door = Literal["smtp", "maildir", "task"]
Fallback = Literal["smtp", "maildir", "whatsapp", "telegram", "task"]


class Extension(Shape):
    """How a window is extended there."""

    mode: Literal["api", "manual", "none"]
    trigger_days: Days = 0
    days: tuple[Positive, ...] = ()
    max_extensions: Days = 0
    attempts: Positive = 2
    states: tuple[str, ...] = ()
    too_long: tuple[str, ...] = ()
    complaints: str | None = None


class Evidence(Shape):
    """What it takes as evidence."""

    kinds: tuple[Literal["pdf", "jpg", "png"], ...] = ()
    files: Positive | None = None
    total: Positive | None = None


class Marketplace(Entry):
    """A [[marketplace]]."""

    names: tuple[str, ...] = ()
    channel: Door
    own_shop: bool
    zone: Zone
    extension: Extension
    country: Country | None = None
    window_field: bool = False
    messages_off: frozenset[str] = frozenset()
    tasks_for: frozenset[str] = frozenset()
    grouped: frozenset[str] = frozenset()
    order_url: Annotated[str, Field(pattern=r"^https?://.*\{order\}")] | None = None
    max_characters: Positive | None = None
    release_funds_days: Positive | None = None
    evidence: Evidence = Evidence()
    freeze_days: Days = 0
    contact_outside: bool = False


class MarketplacesFile(Versioned):
    """marketplaces.toml."""

    marketplace: tuple[Marketplace, ...] = ()


class StoreFile(Shape):
    """stores/<id>.toml."""

    platform: str
    name: Annotated[str, Field(min_length=1)]
    zone: Zone
    currency: Currency | None = None
    mode: Mode
    modes: Mapping[str, Mode] = {}
    channel: Door | None = None
    sender: Annotated[str, Field(pattern="@")] | None = None
    signature: str | None = None
    names: tuple[str, ...] = ()
    hourly_cap: Positive | None = None
    default_country: Country | None = None
    payment_hint: str | None = None
    refund_offer_approved: bool = True
    files_every_h: Positive | None = None
    site: Country | None = None
    time_profile: TimeProfile | None = None
    stages: Mapping[str, Mapping[Stage, Positive]] = {}
    fallback: tuple[Fallback, ...] = ()
    messenger_consent: bool = False
    unsubscribe_url: Annotated[str, Field(pattern=r"^https://")] | None = None
