"""Cases as people handle them: told by hand, answered, ended. A person's date stands until an API tells another one (D3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from tracker.desk.errors import Refused
from tracker.metrics import DueCase, dated, due_cases
from tracker.model import Case, CaseKind, CaseOutcome, CaseReason, DateSource
from tracker.policy.cases import facts_of
from tracker.policy.view import look
from tracker.rules import Rules
from tracker.store import CaseView, OrderRef, Store
from tracker.store.cases import answered as answer_of

MADE = "hand-"
"""What the id of a case begins with that no marketplace has named."""

FAR_AHEAD = timedelta(days=400)
"""A date beyond it is a wrong year."""

ENDS = frozenset(CaseOutcome) - {CaseOutcome.GONE_FROM_LIST}
"""How a person can say that a case ended (R10, R56); that it is gone from a list only the list can tell."""


_FINAL = frozenset({CaseOutcome.AGREED, CaseOutcome.WON, CaseOutcome.LOST, CaseOutcome.CANCELLED_BY_BUYER})
"""They end a case, answered or not; any other leaves an answered one about money open until the other side has spoken."""


class NewCase(msgspec.Struct, frozen=True, kw_only=True):
    """What a person knows of a case that nobody has told yet. Times are aware; `id` is the marketplace's, where he knows it."""

    kind: CaseKind
    reason: CaseReason = CaseReason.UNKNOWN
    id: str | None = None
    opened_at: datetime | None = None
    due_at: datetime | None = None
    evidence_due_at: datetime | None = None
    amount: Decimal | None = None
    currency: str | None = None
    shipment: str | None = None
    note: str | None = None


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A person's word about a case. `answered` alone: it is answered, and goes on until the other side has spoken.

    An outcome that ends it (agreed, won, lost, cancelled by the buyer) ends it also when it was answered.
    """

    outcome: CaseOutcome | None = None
    answered: bool = False
    note: str | None = None


async def listed(store: Store, rules: Rules, *, of_store: str | None = None, every: bool = False) -> list[DueCase]:
    """Open cases in the order of their work (R42); closed ones as well with `every`."""
    return await due_cases(store, rules, of_store=of_store, open_only=not every)


async def one(store: Store, rules: Rules, case_id: str) -> DueCase:
    """One case with its date. Raises `NotThere`."""
    [found] = await dated(store, rules, [await store.case(case_id)])
    return found


def told_of(due: DueCase, rules: Rules, now: datetime) -> dict[str, str]:
    """Facts, advice and options of a case as its task tells them; nothing where the marketplace is configured no more."""
    if due.dossier.order.platform not in rules.marketplaces:
        return {}
    return facts_of(look(due.dossier, rules, now), due.case)


async def add(
    store: Store, rules: Rules, order: OrderRef, new: NewCase, *, by: str, now: datetime, force: bool = False
) -> DueCase:
    """Open a case by hand (R75: no API tells it). Raises `Refused`; `Conflict` where another order has this id.

    `force` takes a date that has passed or lies far ahead: a case that nobody answered in time still wants its answer.
    """
    case = _case(order, new, now)
    for name, at in (("--due", case.due_at), ("--evidence-due", case.evidence_due_at)):
        check_date(name, at, now, force=force)
    if case.opened_at > now:
        raise Refused("bad_value", f"--opened {case.opened_at:%Y-%m-%d} lies ahead: nobody can have opened it then")
    if (case.amount is None) != (case.currency is None):
        raise Refused("missing_value", "an amount needs its currency, and a currency its amount: --amount 12.50 --currency USD")
    known = [view for view in await store.cases(store=order.store, open_only=False) if view.order.id == order.id]
    if case.amount is not None and not (case.amount.is_finite() and case.amount > 0):
        raise Refused("bad_value", f"--amount {case.amount}: what is claimed is more than 0; leave it out where nobody says")
    own = new.id
    if own is not None and await store.cases_elsewhere([own], order.store):
        own = beside(order, own)
    case = replace(case, id=own or _free_id(order, case.kind, known))
    if any(view.case.id == case.id for view in known):
        raise Refused("exists", f"case {case.id} is there already: tracker cases show {case.id}")
    await store.save_case(order.id, case, now, by=by, reason="added by hand")
    return await one(store, rules, case.id)


async def say(
    store: Store, rules: Rules, case_id: str, said: Said, *, by: str, now: datetime, seen: int | None = None
) -> DueCase:
    """Write a person's word. `seen` is the facts version that he saw. Raises `Refused`, `NotThere`, `Conflict`."""
    view = await store.case(case_id)
    if said.outcome is None and not said.answered:
        raise Refused("missing_value", "say how it ended: --outcome agreed, --answered, or --no-answer-needed")
    await store.change_case(after(view.case, said, now), now, by=by, reason=(said.note or "").strip(), seen=seen)
    return await one(store, rules, case_id)


def after(case: Case, said: Said, now: datetime) -> Case:
    """The case with the person's word; the same word twice is the same case. Raises `Refused`: it contradicts an older one."""
    if case.closed_at is not None and case.outcome is said.outcome and (not said.answered or said.outcome in _FINAL):
        return case
    if case.closed_at is not None and not (said.answered and case.outcome is CaseOutcome.ANSWERED):
        how = case.outcome.value if case.outcome else "closed"
        raise Refused("closed", f"case {case.id} is closed already ({how}, {case.closed_at:%Y-%m-%d})")
    note = "\n".join(filter(None, [case.note, (said.note or "").strip() or None])) or None
    told = replace(case, note=note)
    if said.answered and said.outcome not in _FINAL:
        done = case if case.answered_at is not None else answer_of(told, now)
        return replace(done, note=note, outcome=said.outcome or done.outcome)
    silent = not said.answered and said.outcome in {CaseOutcome.NO_ANSWER_NEEDED, CaseOutcome.CANCELLED_BY_BUYER}
    answered_at = case.answered_at if silent else case.answered_at or now
    return replace(told, closed_at=now, outcome=said.outcome, answered_at=answered_at)


def check_date(name: str, at: datetime | None, now: datetime, *, force: bool) -> None:
    """A date that can well be. Raises `Refused`."""
    if at is None or force:
        return
    if at <= now:
        raise Refused("bad_value", f"{name} {at:%Y-%m-%d %H:%M}Z has passed: is it right? --force takes it, and shows it as late")
    if at - now > FAR_AHEAD:
        raise Refused("bad_value", f"{name} {at:%Y-%m-%d} lies {(at - now).days} days ahead: is the year right? --force takes it")


def _case(order: OrderRef, new: NewCase, now: datetime) -> Case:
    return Case(
        id=new.id or f"{MADE}{order.number}",
        kind=new.kind,
        opened_at=new.opened_at or now,
        due_at=new.due_at,
        due_source=None if new.due_at is None else DateSource.TYPED,
        reason=new.reason,
        evidence_due_at=new.evidence_due_at,
        amount=new.amount,
        currency=new.currency,
        shipment=new.shipment,
        note=new.note,
    )


def _free_id(order: OrderRef, kind: CaseKind, known: list[CaseView]) -> str:
    """An id of our own. Raises `Refused`: one of this kind is open already."""
    open_ = next((view.case.id for view in known if view.case.kind is kind and view.case.closed_at is None), None)
    if open_ is not None:
        raise Refused("exists", f"order {order.number} has an open {kind.value} already: {open_}. Another one needs its own --id")
    return made_id(order, kind, {view.case.id for view in known})


def beside(order: OrderRef, case_id: str) -> str:
    """How a case is called whose number another store's has already: with its platform, as the reader of marketplaces does."""
    return f"{order.platform}/{case_id}"


def made_id(order: OrderRef, kind: CaseKind, taken: set[str]) -> str:
    """An id of our own that is free yet: `hand-lume-A-1-dispute`."""
    stem = f"{MADE}{order.store}-{order.number}-{kind.value}"
    count = 1
    while (name := stem if count == 1 else f"{stem}-{count}") in taken:
        count += 1
    return name
