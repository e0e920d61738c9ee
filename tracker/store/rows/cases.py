"""Cases as people see them."""

from __future__ import annotations

import msgspec

from tracker.model import Case
from tracker.store.rows.desk import OrderRef


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A case with the order it is about. `order.version` is the facts version that a person's word must name."""

    case: Case
    order: OrderRef


class CaseWrite(msgspec.Struct, frozen=True, kw_only=True):
    """A case that is to be kept for an order."""

    order_id: int
    case: Case
