"""The carriers' terms of compensation, and when claims start and warn."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from tracker.model import ClaimState, Phase


class CompensationRule(msgspec.Struct, frozen=True, kw_only=True):
    """One carrier's terms (compensation.toml; keys explained in its head). Amounts are decimals with their currency."""

    id: str
    carriers: tuple[str, ...]
    phase: Phase
    clock: str
    earliest_days: int
    services: tuple[str, ...] = ()
    origin: str | None = None
    match: re.Pattern[str] | None = None
    country: str | None = None
    """Whose working days `day_kind = "biz"` counts: the origin, else the carrier's home."""
    earliest_clock: str | None = None
    earliest_days_eu: int | None = None
    earliest_days_domestic: int | None = None
    day_kind: str = "cal"
    latest_days: int | None = None
    latest_months: int | None = None
    damage_latest_days: int | None = None
    basis: str = "none"
    multiple: Decimal | None = None
    cap_amount: Decimal | None = None
    cap_per_kg: Decimal | None = None
    cap_currency: str | None = None
    refund_postage: bool = False
    inquiry_only: bool = False
    settled_by: str | None = None
    seller_may_file: tuple[str, ...] = ()
    """The only complaint types a seller may file where the platform settles non-receipt."""
    max_attempts: int | None = None
    response_days: int | None = None
    response_day_kind: str = "cal"
    appeal_days: int | None = None
    payout_days: int | None = None
    payout_day_kind: str = "cal"
    evidence: tuple[str, ...] = ()
    evidence_not_before: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()
    evidence_of_rule: str = "unverified"
    unverified_fields: tuple[str, ...] = ()
    note: str = ""


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """When claims start and warn (compensation.toml [timing])."""

    warn_days: tuple[int, ...] = (14, 5)
    start: str = "investigate"
    inquiry_above: Mapping[str, Decimal] = {}
    """Inquiries that pay nothing are made for parcels worth more, by currency; empty: for all of them."""


class ClaimSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet that goes to a carrier or comes from it (compensation.toml [[sheet]]); `kind`: form | answers | statement.

    `columns` maps our fields to headings: of a form the first one is written, of the others any is understood. `ignore` are
    headings that are left alone. `words` tell a claim's state from a carrier's word. `tolerance`: within it a payment is whole.
    """

    id: str
    kind: str
    carriers: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    ignore: tuple[str, ...] = ()
    words: Mapping[ClaimState, tuple[str, ...]] = {}
    currency: str | None = None
    tolerance: Decimal = Decimal(0)
