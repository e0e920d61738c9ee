"""Open cases with the date until which each wants its answer, whoever's word that date is (D3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from tracker import times
from tracker.model import Case, Dossier
from tracker.policy.cases import rank
from tracker.rules import Rules
from tracker.store import CaseView, OrderRef, Store
from tracker.times import Due

_AT_ONCE = 400
"""Dossiers that are loaded with one handful of statements."""


class DueCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case, the order it is about, and until when it wants an answer; `due` None: nobody knows, or no platform says."""

    case: Case
    order: OrderRef
    dossier: Dossier
    due: Due | None

    @property
    def waits(self) -> bool:
        """Whether an answer is still wanted."""
        return self.case.closed_at is None and self.case.answered_at is None

    @property
    def at(self) -> datetime | None:
        """Until when, aware UTC."""
        return None if self.due is None else self.due.at


async def due_cases(store: Store, rules: Rules, *, of_store: str | None = None, open_only: bool = True) -> list[DueCase]:
    """Cases, the platform's own matters before what buyers write, the nearest date first (R42)."""
    return await dated(store, rules, await store.cases(store=of_store, open_only=open_only))


async def dated(store: Store, rules: Rules, views: Sequence[CaseView]) -> list[DueCase]:
    """These cases with their dates, in the order of their work."""
    ids = sorted({view.order.id for view in views})
    dossiers = {
        each.order.id: each
        for start in range(0, len(ids), _AT_ONCE)
        for each in await store.load_dossiers(ids[start : start + _AT_ONCE])
    }
    found = [_dated(view, dossiers[view.order.id], rules) for view in views]
    return sorted(found, key=lambda each: (rank(each.case.kind), each.at is None, each.at or each.case.opened_at, each.case.id))


def _dated(view: CaseView, dossier: Dossier, rules: Rules) -> DueCase:
    return DueCase(case=view.case, order=view.order, dossier=dossier, due=times.case_due(view.case, dossier, rules))
