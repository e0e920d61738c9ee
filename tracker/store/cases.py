"""Cases of buyers and marketplaces: kept, changed, closed, listed. What was known before stands in the audit (I6).

What a source does not tell stays as it was: an API knows nothing of a clerk's note, a file nothing of the parcel. A date of a
stronger word is never replaced by that of a weaker one: api > typed > file (D3).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import asdict, replace

from tracker.model import Case, CaseOutcome, CaseReason, DateSource
from tracker.store.connection import Database, Record, Tx
from tracker.store.dossiers import case_of
from tracker.store.encoding import money_text
from tracker.store.errors import Conflict, NotThere
from tracker.store.records import audit, wake
from tracker.store.rows import CaseView, CaseWrite, OrderRef

_READ = """
    SELECT c.order_id, c.id, c.kind, c.opened_at, c.due_at, c.closed_at, c.due_source, c.reason, c.evidence_due_at,
        c.answered_at, c.outcome, c.amount, c.currency, c.shipment, c.note, d.store, d.platform, d.number, d.country, d.version
    FROM buyer_case c JOIN dossier d ON d.id = c.order_id"""

_LISTED = f"""{_READ} WHERE (? IS NULL OR c.closed_at IS NULL) AND (? IS NULL OR d.store = ?)
    ORDER BY c.due_at IS NULL, c.due_at, c.opened_at, c.id"""

_ELSEWHERE = "SELECT c.id FROM buyer_case c JOIN dossier d ON d.id = c.order_id WHERE d.store <> ? AND c.id IN (??)"

_NEWEST = "SELECT id, store, platform, number, country, version FROM dossier WHERE store = ? ORDER BY id DESC LIMIT 1"

_KEEP = """
    INSERT INTO buyer_case (id, order_id, kind, opened_at, due_at, closed_at, due_source, reason, evidence_due_at, answered_at,
        outcome, amount, currency, shipment, note)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, opened_at = excluded.opened_at, due_at = excluded.due_at,
        closed_at = excluded.closed_at, due_source = excluded.due_source, reason = excluded.reason,
        evidence_due_at = excluded.evidence_due_at, answered_at = excluded.answered_at, outcome = excluded.outcome,
        amount = excluded.amount, currency = excluded.currency, shipment = excluded.shipment, note = excluded.note"""

_STAYS = ("evidence_due_at", "answered_at", "outcome", "amount", "currency", "shipment", "note")
"""What a source that does not tell it leaves alone."""

_WORD = {DateSource.API: 3, DateSource.TYPED: 2, DateSource.FILE: 1, DateSource.TABLE: 0, None: 0}
"""Whose date stands against whose (D3)."""


class Cases:
    """The store's methods for cases."""

    _db: Database

    async def cases(self, *, store: str | None = None, open_only: bool = True) -> list[CaseView]:
        """Cases, by the date that somebody told for them, then by age; those that are open, of this store where it is named."""
        only = 1 if open_only else None
        return await self._db.read(lambda tx: [_view(row) for row in tx.rows(_LISTED, only, store, store)])

    async def case(self, case_id: str) -> CaseView:
        """One case. Raises NotThere."""
        return await self._db.read(lambda tx: _one(tx, case_id))

    async def cases_elsewhere(self, ids: Sequence[str], store: str) -> frozenset[str]:
        """Which of these ids are cases of other stores: each marketplace counts its own, so two may come to one number."""
        return await self._db.read(lambda tx: frozenset(row[0] for row in tx.among(_ELSEWHERE, ids, store)))

    async def save_case(self, order_id: int, case: Case, now: datetime, *, by: str = "import", reason: str = "") -> bool:
        """Open, change or close (`closed_at`) a case of an order; its dossier is decided again. False: nothing was news.

        Raises Conflict: another order has a case of this id.
        """
        return await self._db.write(lambda tx: _save(tx, order_id, case, by, reason, now))

    async def save_cases(self, writes: Sequence[CaseWrite], now: datetime, *, by: str, reason: str = "") -> int:
        """Many cases in one transaction: all of them, or none; how many were news. Raises Conflict."""
        return await self._db.write(lambda tx: sum(_save(tx, each.order_id, each.case, by, reason, now) for each in writes))

    async def change_case(self, case: Case, now: datetime, *, by: str, reason: str = "", seen: int | None = None) -> CaseView:
        """Write a case as a person has it, all of it. `seen` is the facts version that he saw. Raises NotThere, Conflict."""

        def change(tx: Tx) -> CaseView:
            known = _one(tx, case.id)
            if seen is not None and known.order.version != seen:
                raise Conflict(
                    f"The facts of order {known.order.number} have moved since you looked ({seen}, now {known.order.version}). "
                    f"Look again: tracker cases show {case.id}"
                )
            if known.case != case:
                _write(tx, known.order.id, known.case, case, by, reason, now)
            return _one(tx, case.id)

        return await self._db.write(change)

    async def newest_order(self, store: str) -> OrderRef:
        """The newest order of a store: what is about the whole account stands with it (R43). Raises NotThere."""

        def look(tx: Tx) -> OrderRef:
            row = tx.row(_NEWEST, store)
            if row is None:
                raise NotThere(f"No order of store {store!r} is known. Orders come from: tracker import FILE")
            return OrderRef(id=row[0], store=row[1], platform=row[2], number=row[3], country=row[4], version=row[5])

        return await self._db.read(look)


def answer_case(tx: Tx, case_id: str, *, by: str, reason: str, now: datetime) -> None:
    """A person says that he answered: noted once. A case that is gone needs nothing."""
    found = _known(tx, case_id)
    if found is not None and found.case.closed_at is None and found.case.answered_at is None:
        _write(tx, found.order.id, found.case, answered(found.case, now), by, reason, now)


def answered(case: Case, now: datetime) -> Case:
    """The case once it was answered: where money is contested it goes on until that is settled, else that was all of it."""
    if case.kind.contested:
        return replace(case, answered_at=now)
    return replace(case, answered_at=now, closed_at=now, outcome=CaseOutcome.ANSWERED)


def _save(tx: Tx, order_id: int, case: Case, by: str, reason: str, now: datetime) -> bool:
    known = _known(tx, case.id)
    if known is None:
        _write(tx, order_id, None, case, by, reason, now)
        return True
    if known.order.id != order_id:
        raise Conflict(f"Case {case.id} belongs to order {known.order.store}/{known.order.number}; nothing was changed.")
    after = merged(known.case, case)
    if after == known.case:
        return False
    _write(tx, order_id, known.case, after, by, reason, now)
    return True


def merged(known: Case, told: Case) -> Case:
    """What is known of a case when a source has told of it again.

    A later date than the one that was answered asks anew: the buyer has changed what he wants (R10, AliExpress starts the clock
    again with each change).
    """
    values: dict[str, Any] = {name: getattr(known, name) for name in _STAYS if getattr(told, name) is None}
    if told.reason is CaseReason.UNKNOWN:
        values["reason"] = known.reason
    if known.closed_at is not None and told.closed_at is None:
        # Open again: how it once ended is how it ends no more.
        values["outcome"] = told.outcome
    weaker = _WORD[told.due_source] < _WORD[known.due_source]
    if told.due_at is None or (known.due_at is not None and weaker):
        values |= {"due_at": known.due_at, "due_source": known.due_source}
    elif known.due_at is not None and told.due_at > known.due_at and told.answered_at is None:
        values["answered_at"] = None
    return replace(told, **values)


def _write(tx: Tx, order_id: int, known: Case | None, case: Case, by: str, reason: str, now: datetime) -> None:
    tx.run(_KEEP, *_values(order_id, case))
    closes = case.closed_at is not None and (known is None or known.closed_at is None)
    what = "case_closed" if closes else "case_opened" if known is None else "case_changed"
    before = {} if known is None else _told(known)
    after = {name: value for name, value in _told(case).items() if before.get(name) != value}
    was = {name: before[name] for name in before if before[name] != _told(case).get(name)}
    audit(tx, now, who=by, what=what, order_id=order_id, subject=f"case/{case.id}", reason=reason, before=was, after=after)
    wake(tx, [order_id], now)


def _told(case: Case) -> dict[str, Any]:
    """What is known of it, by name, as texts."""
    known = {name: value for name, value in asdict(case).items() if value is not None and name != "id"}
    return {name: value.isoformat() if isinstance(value, datetime) else str(value) for name, value in known.items()}


def _values(order_id: int, case: Case) -> tuple[Any, ...]:
    return (
        case.id,
        order_id,
        case.kind.value,
        case.opened_at,
        case.due_at,
        case.closed_at,
        case.due_source,
        case.reason.value,
        case.evidence_due_at,
        case.answered_at,
        case.outcome,
        money_text(case.amount),
        case.currency,
        case.shipment,
        case.note,
    )


def _one(tx: Tx, case_id: str) -> CaseView:
    found = _known(tx, case_id)
    if found is None:
        raise NotThere(f"No case is called {case_id!r}. See: tracker cases list --all")
    return found


def _known(tx: Tx, case_id: str) -> CaseView | None:
    row = tx.row(f"{_READ} WHERE c.id = ?", case_id)
    return None if row is None else _view(row)


def _view(row: Record) -> CaseView:
    order = OrderRef(id=row[0], store=row[15], platform=row[16], number=row[17], country=row[18], version=row[19])
    return CaseView(case=case_of(row), order=order)
