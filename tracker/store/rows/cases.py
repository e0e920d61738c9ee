"""Cases as people see them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from tracker.model import Case, CaseKind, CaseOutcome, CaseReason
from tracker.store.rows.desk import OrderRef


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A case with the order it is about. `order.version` is the facts version that a person's word must name."""

    case: Case
    order: OrderRef


class CaseWrite(msgspec.Struct, frozen=True, kw_only=True):
    """A case that is to be kept for an order."""

    order_id: int
    case: Case


class CaseTold(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a marketplace's list of cases, as far as it tells; times are aware UTC. `row` is its number in the file."""

    row: int
    order: str
    kind: CaseKind
    id: str | None = None
    reason: CaseReason = CaseReason.UNKNOWN
    opened_at: datetime | None = None
    due_at: datetime | None = None
    evidence_due_at: datetime | None = None
    amount: Decimal | None = None
    currency: str | None = None
    shipment: str | None = None
    note: str | None = None
    answered: bool = False
    closed: bool = False
    outcome: CaseOutcome | None = None
