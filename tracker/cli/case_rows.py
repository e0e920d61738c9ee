"""Cases as people and scripts see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.cli.output import Console, money
from tracker.metrics import DueCase
from tracker.model import Case
from tracker.phrases import Phrases
from tracker.store.rows import AuditEntry

COLUMNS = ("id", "deadline", "store", "order", "kind", "reason", "amount", "state", "advice")


def case_document(due: DueCase, told: Mapping[str, str]) -> dict[str, Any]:
    """One case for `--json`; `due_at` is the date that holds, `due_source` whose word it is (D3)."""
    case, found = due.case, due.due
    return {
        "id": case.id,
        "kind": case.kind,
        "reason": case.reason,
        "store": due.order.store,
        "order": due.order.number,
        "facts_version": due.order.version,
        "opened_at": case.opened_at,
        "due_at": due.at,
        "due_source": None if found is None else found.source,
        "due_rule": None if found is None else found.rule,
        "due_confidence": None if found is None else found.confidence,
        "evidence_due_at": case.evidence_due_at,
        "answered_at": case.answered_at,
        "closed_at": case.closed_at,
        "outcome": case.outcome,
        "amount": case.amount,
        "currency": case.currency,
        "tracking_number": case.shipment,
        "note": case.note,
        "advice": told.get("advice"),
        "facts": dict(told),
    }


def cells(due: DueCase, told: Mapping[str, str], phrases: Phrases) -> tuple[object, ...]:
    """One case for a table with `COLUMNS`."""
    case = due.case
    advice = told.get("advice")
    return (
        case.id,
        due.at,
        due.order.store,
        due.order.number,
        phrases.word("case", case.kind),
        phrases.word("case_reason", case.reason),
        money(case.amount, case.currency),
        state_of(case, phrases),
        None if advice is None or case.closed_at is not None else phrases.word("case_advice", advice),
    )


def state_of(case: Case, phrases: Phrases) -> str:
    """How far it is: open, answered, or how it ended."""
    if case.closed_at is not None:
        return phrases.word("case_outcome", case.outcome) if case.outcome else phrases.say("cases.closed")
    return phrases.say("cases.open" if case.answered_at is None else "cases.answered")


def card(console: Console, due: DueCase, told: Mapping[str, str], history: list[AuditEntry]) -> None:
    """One case with its facts, the advice, and what happened to it."""
    phrases, case = console.phrases, due.case
    kind = phrases.word("case", case.kind)
    console.head(phrases.say("cases.head", kind=kind, id=case.id, order=due.order.number, store=due.order.store))
    said = {**told, "deadline": due.at, "state": state_of(case, phrases), "facts_version": due.order.version, "note": case.note}
    console.facts({name: value for name, value in said.items() if name not in {"case", "case_kind"}})
    if history:
        console.line()
        console.head(phrases.say("cases.history"))
        for line in history:
            news = ", ".join(f"{name} {value}" for name, value in line.after.items())
            console.line(f"  {line.at:%Y-%m-%d %H:%M}Z  {line.who}  {line.what}  {news}  {line.reason}".rstrip())
    if case.closed_at is None:
        console.line()
        console.line(f"tracker cases done {case.id} --outcome agreed|rejected_with_proposal|…   --answered   --no-answer-needed")
