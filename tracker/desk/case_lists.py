"""A marketplace's list of cases brought together with what is known: opened, changed, answered, closed, gone from the list.

Everything is found out first and written in one transaction: nothing is half applied. The same list twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from tracker.desk.cases import FAR_AHEAD, MADE, beside, made_id
from tracker.desk.errors import Refused
from tracker.model import Case, CaseKind, CaseOutcome, DateSource
from tracker.store import CaseView, CaseWrite, NotThere, NotUnique, OrderRef, Store
from tracker.store.cases import merged
from tracker.store.rows import CaseTold

WHO = "import"
"""Whose word a file is, in the audit."""


_MANY = 5
"""So many cases at once are not closed without a look, where they are most of those that are open."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """How a list is to be taken. `complete`: it holds every open case of these kinds (none named: of those that it names)."""

    shop: str
    complete: bool = False
    kinds: frozenset[CaseKind] = frozenset()
    force: bool = False
    dry_run: bool = False


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows. `rejected` are (row, reason); `closed` the ids that a complete list no longer has."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: int = 0
    closed: tuple[str, ...] = ()
    rejected: tuple[tuple[int, str], ...] = ()


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    order: OrderRef
    known: Case | None
    case: Case


async def take(store: Store, rows: Sequence[CaseTold], unread: int, wanted: Wanted, now: datetime) -> Taken:
    """Take a list; `unread` rows could not be read at all. Raises `Refused` where the whole list cannot be right."""
    views = await store.cases(store=wanted.shop, open_only=False)
    if wanted.complete:
        _not_empty(rows, unread, wanted)
    taken = await store.cases_elsewhere([each.id for each in rows if each.id is not None], wanted.shop)
    found: dict[str, _Row] = {}
    by_hand: dict[str, str | None] = {}
    firsts: dict[str, CaseTold] = {}
    rejected: list[tuple[int, str]] = []
    for told in rows:
        try:
            _not_otherwise(told, firsts)
            open_to_it = [view for view in views if by_hand.get(view.case.id, told.id) == told.id]
            row = await _row(store, told, [*open_to_it, *_seen(found.values())], taken, wanted, now)
        except (Refused, NotThere, NotUnique) as error:
            rejected.append((told.row, str(error)))
        else:
            if told.id is not None:
                firsts.setdefault(told.id, told)
            if row.case.id.startswith(MADE):
                by_hand[row.case.id] = told.id
            first = found.get(row.case.id)
            found[row.case.id] = row if first is None else replace(row, known=first.known)
    news = [row for row in found.values() if row.case != row.known]
    gone = [] if rejected or unread else _gone(views, found, rows, wanted, now)
    _not_filtered(views, gone, wanted)
    writes = [CaseWrite(order_id=row.order.id, case=row.case) for row in news]
    if not wanted.dry_run and (writes or gone):
        await store.save_cases([*writes, *gone], now, by=WHO, reason="list of cases")
    return Taken(
        new=tuple(row.case.id for row in news if row.known is None),
        changed=tuple(row.case.id for row in news if row.known is not None),
        unchanged=len(found) - len(news),
        closed=tuple(each.case.id for each in gone),
        rejected=tuple(rejected),
    )


def _not_otherwise(told: CaseTold, firsts: Mapping[str, CaseTold]) -> None:
    """Of two rows that tell one case differently nobody knows which is right; the same row twice is no news."""
    first = firsts.get(told.id) if told.id is not None else None
    if first is not None and replace(told, row=first.row) != first:
        raise Refused(
            "told_twice", f"case {told.id} is told otherwise in row {first.row}, which was taken: keep the one that is right"
        )


def _not_empty(rows: Sequence[CaseTold], unread: int, wanted: Wanted) -> None:
    """A list that is suddenly empty is rather a wrong file than the end of all cases."""
    if rows or unread or wanted.force:
        return
    raise Refused("empty_list", "the list holds no case at all: --complete would close every one. If that is right: --force")


def _not_filtered(views: Sequence[CaseView], gone: Sequence[CaseWrite], wanted: Wanted) -> None:
    """A list that lacks most of what is open is rather a page or a filter of it: whom it closes nobody would answer any more."""
    kinds = {write.case.kind for write in gone}
    open_ = sum(view.case.closed_at is None and view.case.kind in kinds for view in views)
    if wanted.force or wanted.dry_run or len(gone) < _MANY or 2 * len(gone) <= open_:
        return
    raise Refused(
        "short_list",
        f"--complete would close {len(gone)} of {open_} open cases: is it the whole list, no filter, no page? If so: --force",
    )


async def _row(
    store: Store, told: CaseTold, views: Sequence[CaseView], taken: Collection[str], wanted: Wanted, now: datetime
) -> _Row:
    order = await store.order_ref(told.order, wanted.shop)
    if told.id is not None and (told.id in taken or any(view.case.id == beside(order, told.id) for view in views)):
        told = replace(told, id=beside(order, told.id))
    known = _known(told, order, views)
    other = next((view for view in views if told.id is not None and view.case.id == told.id and view.order.id != order.id), None)
    if other is not None:
        raise Refused("other_order", f"case {told.id} belongs to order {other.order.number}")
    case = _told(told, order, known, {view.case.id for view in views}, now)
    after = case if known is None else merged(known, case)
    if known is not None and known.closed_at is not None and not told.closed and not _comes_back(told, known):
        after = known  # a list that is older than what a person has said
    if after != known:
        _check(after, known, now, force=wanted.force)
    return _Row(order=order, known=known, case=after)


def _known(told: CaseTold, order: OrderRef, views: Sequence[CaseView]) -> Case | None:
    """The case of this id; else one that was written down by hand, before the marketplace's id was known."""
    mine = [view.case for view in views if view.order.id == order.id]
    by_id = next((case for case in mine if case.id == told.id), None)
    if by_id is not None:
        return by_id
    by_hand = [case for case in mine if case.id.startswith(MADE) and case.kind is told.kind]
    open_ = next((case for case in by_hand if case.closed_at is None), None)
    if open_ is not None or told.id is not None:
        return open_
    return next((case for case in by_hand if case.closed_at and (told.opened_at or case.closed_at) <= case.closed_at), None)


def _comes_back(told: CaseTold, known: Case) -> bool:
    """Whether an open row opens a closed case again: it was only missing from a list, or is asked about since."""
    if known.outcome is CaseOutcome.GONE_FROM_LIST:
        return True
    asked = [at for at in (told.opened_at, told.due_at) if at is not None]
    return known.closed_at is not None and any(at > known.closed_at and at != known.due_at for at in asked)


def _told(told: CaseTold, order: OrderRef, known: Case | None, taken: set[str], now: datetime) -> Case:
    closed_at = None if not told.closed else (known.closed_at if known else None) or now
    answered_at = None if not told.answered else (known.answered_at if known else None) or now
    return Case(
        id=known.id if known else told.id or made_id(order, told.kind, taken),
        kind=told.kind,
        opened_at=told.opened_at or (known.opened_at if known else now),
        due_at=told.due_at,
        due_source=None if told.due_at is None else DateSource.FILE,
        closed_at=closed_at,
        reason=told.reason,
        evidence_due_at=told.evidence_due_at,
        answered_at=answered_at,
        outcome=told.outcome,
        amount=told.amount,
        currency=told.currency,
        shipment=told.shipment,
        note=told.note,
    )


def _check(case: Case, known: Case | None, now: datetime, *, force: bool) -> None:
    """What cannot well be; a date that was told before is not asked about again."""
    if case.opened_at > now:
        raise Refused("bad_value", f"it was opened on {case.opened_at:%Y-%m-%d}, which lies ahead")
    if force or case.closed_at is not None or case.answered_at is not None:
        return
    for name in ("due_at", "evidence_due_at"):
        at: datetime | None = getattr(case, name)
        if at is None or (known is not None and getattr(known, name) == at):
            continue
        if at <= now:
            says = f"{name.removesuffix('_at')}: {at:%Y-%m-%d %H:%M}Z has passed. If that is right, --force takes it as late"
            raise Refused("bad_value", says)
        if at - now > FAR_AHEAD:
            raise Refused(
                "bad_value", f"{name.removesuffix('_at')}: {at:%Y-%m-%d} lies {(at - now).days} days ahead: is the year right?"
            )


def _gone(
    views: Iterable[CaseView], found: Collection[str], rows: Sequence[CaseTold], wanted: Wanted, now: datetime
) -> list[CaseWrite]:
    """The open cases that a complete list no longer has."""
    if not wanted.complete:
        return []
    kinds = wanted.kinds or {row.kind for row in rows}
    return [
        CaseWrite(order_id=view.order.id, case=replace(view.case, closed_at=now, outcome=CaseOutcome.GONE_FROM_LIST))
        for view in views
        if view.case.closed_at is None and view.case.kind in kinds and view.case.id not in found
    ]


def _seen(rows: Iterable[_Row]) -> Iterable[CaseView]:
    """What earlier rows of the same list have opened."""
    return [CaseView(case=row.case, order=row.order) for row in rows if row.known is None]
