"""The lines of the worksheet of cases: until when, what is advised on which facts, with room for what became of it."""

from __future__ import annotations

from collections.abc import Mapping

from tracker.metrics import DueCase
from tracker.phrases import Phrases
from tracker.reports.sheet import Link
from tracker.reports.worksheet import Line

_OF_THE_LINE = frozenset({"case", "case_kind", "case_reason", "advice", "options", "checklist", "claimed", "answer_by"})
"""Facts that have a column of their own."""


def case_line(due: DueCase, told: Mapping[str, str], phrases: Phrases, *, url: str | None = None) -> Line:
    """The line of one case. `told` are its facts, advice and options (policy.cases.facts_of); `url` the order's page."""
    case = due.case

    def said(fact: str) -> str | None:
        return phrases.value(fact, told[fact]) if told.get(fact) else None

    facts = {name: value for name, value in told.items() if name not in _OF_THE_LINE}
    return Line(
        row=due.order.id,
        key=case.id,
        version=due.order.version,
        store=due.order.store,
        amount=case.amount,
        deadline=due.at,
        cells={
            "id": case.id,
            "order": due.order.number,
            "link": None if url is None else Link(url),
            "kind": phrases.word("case", case.kind),
            "reason": phrases.word("case_reason", case.reason),
            "advice": said("advice"),
            "options": said("options"),
            "checklist": said("checklist"),
            "amount": case.amount,
            "currency": case.currency,
            "evidence": "\n".join(f"{phrases.name(name)}: {phrases.value(name, value)}" for name, value in facts.items()),
        },
    )
