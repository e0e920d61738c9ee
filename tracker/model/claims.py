"""Claims against carriers: what is owed for one parcel, the whole course of it, and every change (facts/compensation.md 4, 5).

R86: a loss is written down at once, item and amount. R87: opened, negotiating, paid, rejected. Nothing is ever deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

import msgspec

from tracker.model.words import ClaimState, DecisionReason, Liable, LossType, Phase, Settlement


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """One document of a claim that is there: where it lies (a path or a reference), and the day that stands on it."""

    file: str
    on: date | None = None


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """An amount in the base currency by a frozen rate: how much of the claim's currency one unit of `into` bought.

    `month` is whose rate it is (2026-11). `base` None: nobody knows, and `why` says what is missing; it never becomes 1.
    """

    base: Decimal | None
    into: str | None
    rate: Decimal | None
    month: str | None
    source: str | None
    why: str = ""


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """Money, a credit or a coupon that came: `amount` in `currency`; `settles` is what that is in the claim's own currency."""

    on: date
    amount: Decimal
    currency: str
    settles: Decimal
    how: Settlement
    reference: str | None = None
    exchange: Exchange | None = None


class Claim(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the *carrier* owes for one lost or damaged parcel, and how far that has come. Days are local dates at the origin.

    `payable` is what the terms give, in `currency`; `claimed` what was asked for, `approved` what the carrier accepted, both in
    `claimed_currency`; `payments` what came. `revision` counts the changes: a change is made on the revision that was seen.
    """

    shipment: str
    attempt: int
    state: ClaimState
    rule: str
    phase: Phase
    cause: str
    earliest_on: date | None
    latest_on: date | None
    payable: Decimal | None
    currency: str | None
    opened_at: datetime
    id: int = 0
    revision: int = 0
    rule_version: str = ""
    """The configuration under which it was opened."""
    loss_type: LossType = LossType.LOST
    liable: Liable = Liable.CARRIER
    """Who bears it: transport damage and loss the carrier, quality and packing the seller (R70)."""
    closes_first: bool = False
    """Its window closes before the buyer's ladder comes to its next stage: told at once."""
    inquiry_on: date | None = None
    inquiry_ref: str | None = None
    filed_on: date | None = None
    carrier_ref: str | None = None
    claimed: Decimal | None = None
    claimed_currency: str | None = None
    answer_due_on: date | None = None
    papers_wanted_on: date | None = None
    """The day of the carrier's latest wish for papers: each wish is a task of its own."""
    answered_on: date | None = None
    approved: Decimal | None = None
    exchange: Exchange | None = None
    """The approved amount in the base currency, by the rate of the approval's month."""
    appeal_until: date | None = None
    payout_due_on: date | None = None
    payments: tuple[Payment, ...] = ()
    reversed_on: date | None = None
    item_cost: Decimal | None = None
    item_cost_currency: str | None = None
    weight_kg: Decimal | None = None
    insured: Decimal | None = None
    insured_currency: str | None = None
    papers: Mapping[str, Paper] = {}
    owner: str | None = None
    note: str | None = None

    @property
    def number(self) -> str:
        """Its name in the register and on forms: parcel and attempt."""
        return f"{self.shipment}-{self.attempt}"

    @property
    def settled(self) -> Decimal:
        """What has come so far, in the claim's own currency."""
        return sum((each.settles for each in self.payments), Decimal(0))


class ClaimChange(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a claim's history. `on` is the day of the event, `at` when it was written down (aware UTC).

    `month` is where it is posted: that of its event, or the first open one where that is closed, and then `late` names the old
    one. `amount` is by how much the open sum changed (in `currency`), `settled` how much of it was money, `count` by how many the
    open claims changed. `fields` maps what was changed to its old and new value as text.
    """

    claim: int
    at: datetime
    who: str
    event: str
    on: date
    before: ClaimState | None
    after: ClaimState
    why: str = ""
    fields: Mapping[str, tuple[str, str]] = {}
    month: str = ""
    late: str | None = None
    amount: Decimal = Decimal(0)
    settled: Decimal = Decimal(0)
    currency: str | None = None
    count: int = 0
    carrier: str | None = None
    """Whose parcel it was when this was written: a parcel that is re-assigned later moves no sum that was booked."""
    id: int = 0


class ClaimMove(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A claim of the register changes its state by itself: its window opened or closed, or the parcel turned up."""

    shipment: str
    attempt: int
    before: ClaimState
    after: ClaimState
    reason: DecisionReason
    answer_due_on: date | None = None
    """Of an inquiry that was sent: until when the carrier answers by its own terms."""
