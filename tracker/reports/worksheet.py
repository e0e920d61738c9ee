"""The queue as a worksheet: recommendations and tasks with room for the answers, one line each, to be filled in and read back.

Nothing is locked: a protected sheet cannot be sorted, and a clerk's day is sorting. What is a person's own is coloured; what is
the machine's stands a second time in hidden columns at the end, by which a line is known whatever its headings are called.
Source: facts/daily-operations.md ("Desk"), faults row 29.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from tracker.phrases import Phrases, task_title
from tracker.reports.sheet import Cell, Column, Link, Sheet
from tracker.store.rows import OutboxView, TaskItem, TaskView

REVIEW, TASKS, CLAIMS, CASES = "review", "tasks", "claims", "cases"
FORMAT = 1
"""Of what the hidden columns mean; a change that old files do not survive raises it."""

MARK = "tracker:sheet"
MACHINE = ("tracker:row", "tracker:key", "tracker:facts", "tracker:amount", "tracker:deadline", MARK)
"""Headings of the hidden columns: outbox row, its dedup key, facts version, amount, deadline (UTC), whose worksheet it is."""

_BEGIN = ("id", "deadline", "zone", "store", "order", "problem", "link")
_TOLD = ("advice", "amount", "currency", "reason", "evidence", "text", "twin")

LAYOUT: Mapping[str, tuple[str, ...]] = {
    REVIEW: (*_BEGIN, *_TOLD, "first_yes", "decision", "until", "note", "facts", *MACHINE),
    TASKS: (
        *(*_BEGIN, "kind", *_TOLD, "valid_until", "whose"),
        *("decision", "window_end", "amount_paid", "reference", "tracking_number", "note", "facts", *MACHINE),
    ),
    CLAIMS: (
        *(*_BEGIN, "parcel", "carrier", "claim_state", "advice", "amount", "currency", "reason", "evidence", "whose"),
        *("decision", "on", "figure", "reference", "note", "facts", *MACHINE),
    ),
    CASES: (
        *(*_BEGIN, "kind", "reason", "advice", "options", "checklist", "amount", "currency", "evidence"),
        *("decision", "note", "facts", *MACHINE),
    ),
}
"""The columns of a worksheet, from left to right."""

CLAIM_WORDS = (
    *("inquiry_open", "filed", "acknowledged", "waiting_documents", "approved", "rejected", "appealed", "paid", "offset"),
    *("withdrawn", "written_off", "closed"),
)
"""States that a person says a claim has come to (R87)."""

CASE_WORDS = ("answered", "agreed", "rejected_with_proposal", "cancelled_by_buyer", "won", "lost", "no_answer_needed")
"""What became of a case (R10, R56)."""

WORDS: Mapping[str, tuple[str, ...]] = {
    REVIEW: ("approve", "reject", "snooze"),
    TASKS: ("done", "drop", "unsure"),
    CLAIMS: CLAIM_WORDS,
    CASES: CASE_WORDS,
}
"""What can be decided in it."""

SOMETIMES = frozenset({"zone", "problem"})
"""Columns that are there only where one line has something in them."""

ANSWERS: Mapping[str, tuple[str, ...]] = {
    REVIEW: ("amount", "decision", "until", "note"),
    TASKS: ("decision", "window_end", "amount_paid", "reference", "tracking_number", "note"),
    CLAIMS: ("decision", "on", "figure", "reference", "note"),
    CASES: ("decision", "note"),
}
"""The columns that are a person's to fill in; an amount in the review stands there as it is advised."""
_LOCAL = frozenset({"deadline", "valid_until"})
_LONG = frozenset({"problem", "advice", "reason", "evidence", "text", "twin", "note", "options", "checklist"})
_WIDTHS: Mapping[str, int] = {
    "id": 7,
    "deadline": 17,
    "zone": 17,
    "order": 22,
    "problem": 40,
    "link": 26,
    "advice": 34,
    "amount": 11,
    "currency": 9,
    "reason": 28,
    "evidence": 36,
    "options": 30,
    "checklist": 30,
    "text": 56,
    "twin": 56,
    "valid_until": 17,
    "note": 32,
    "reference": 20,
    "tracking_number": 22,
    "facts": 8,
}
_FORMS: Mapping[str, str] = {
    **dict.fromkeys(("until", "window_end", "on"), "yyyy-mm-dd"),
    **dict.fromkeys(("amount", "amount_paid", "figure"), "#,##0.00"),
    **dict.fromkeys(("reference", "tracking_number", "note"), "@"),
}
_OF_THE_LINE = frozenset({"reason", "amount", "currency"})


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What all lines share: the operators' language, each store's zone (IANA; absent: UTC), whose database it is, and when."""

    phrases: Phrases
    zones: Mapping[str, str]
    database: str
    at: datetime

    def zone(self, store: str) -> str:
        """The zone in which times of this store are shown."""
        return self.zones.get(store, "UTC")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line. `cells` by the name of their column; instants in them are aware. `answers` are a person's, on a second try."""

    row: int | None
    key: str
    version: int | None
    store: str
    amount: Decimal | None = None
    deadline: datetime | None = None
    cells: Mapping[str, Cell]
    answers: Mapping[str, Cell] = {}


def review_line(
    view: OutboxView, phrases: Phrases, *, url: str | None = None, text: str | None = None, twin: str | None = None
) -> Line:
    """The line of a recommendation. `text` is what a message would say to its buyer, `twin` the same for the operators."""
    row = view.row
    facts = {"shipment": row.shipment, "amount": None if row.amount is None else str(row.amount), "currency": row.currency}
    known = {name: value for name, value in facts.items() if value} | {"reason": row.reason.value}
    return Line(
        row=row.id,
        key=row.key,
        version=view.order.version,
        store=row.store,
        amount=row.amount,
        deadline=row.deadline,
        cells={
            "id": row.id,
            "order": view.order.number,
            "link": None if url is None else Link(url),
            "advice": task_title(phrases, row.intent.value, view.order.number, known) or phrases.word("intent", row.intent),
            "amount": row.amount,
            "currency": row.currency,
            "reason": phrases.word("reason", row.reason),
            "evidence": _told(known | dict(row.evidence), phrases),
            "text": text,
            "twin": twin,
            "first_yes": view.first_approved_by,
        },
    )


def task_line(task: TaskView, item: TaskItem, phrases: Phrases, *, whose: str | None = None) -> Line:
    """The line of one item of a task; `whose` is the name of the person whose work it is."""
    facts = item.facts
    amount = Decimal(facts["amount"]) if "amount" in facts else None
    return Line(
        row=item.row_id,
        key=item.key,
        version=item.version,
        store=task.store,
        amount=amount,
        deadline=item.deadline or task.deadline,
        cells={
            "id": task.id,
            "order": item.order,
            "link": None if item.url is None else Link(item.url),
            "kind": phrases.word("intent", task.kind),
            "advice": task_title(phrases, task.kind, item.order, facts) or task.title,
            "amount": amount,
            "currency": facts.get("currency"),
            "reason": phrases.word("reason", facts["reason"]) if "reason" in facts else None,
            "evidence": _told(facts, phrases),
            "text": item.text,
            "twin": item.twin,
            "valid_until": task.valid_until,
            "whose": whose,
        },
    )


def task_lines(tasks: Iterable[TaskView], phrases: Phrases, whose: Mapping[int, str | None] = {}) -> Iterator[Line]:
    """One line for each order of each task. Items that the facts no longer want are left out."""
    for task in tasks:
        for item in task.live:
            yield task_line(task, item, phrases, whose=whose.get(task.id))


def worksheet(kind: str, lines: Iterable[Line], setting: Setting) -> tuple[Sheet, Sheet]:
    """The worksheet of REVIEW or TASKS, and the page that tells how it is filled in."""
    lines, phrases = tuple(lines), setting.phrases
    zones = {setting.zone(line.store) for line in lines} or {"UTC"}
    zone = zones.pop() if len(zones) == 1 else phrases.say("worksheet.zone_beside")
    absent = {name for name in SOMETIMES if not any(_cell(name, line, setting) for line in lines)}
    names = [name for name in LAYOUT[kind] if name not in absent and (name != "zone" or zones)]
    mark = f"{kind}/{FORMAT}/{setting.database}/{int(setting.at.timestamp() * 1000)}"
    sheet = Sheet(
        name=phrases.say(f"worksheet.sheet_{kind}"),
        columns=tuple(_column(kind, name, zone, phrases) for name in names),
        rows=tuple([mark if name == MARK else _cell(name, line, setting) for name in names] for line in lines),
        frozen=names.index("order") + 1,
    )
    return sheet, _guide(kind, phrases)


def titles(kind: str, languages: Iterable[Phrases]) -> dict[str, frozenset[str]]:
    """How each column of the worksheet may be headed: in every language that operators speak."""
    spoken = tuple(languages)
    return {
        name: frozenset({name} if name in MACHINE else {each.say(f"worksheet.{name}", zone="") for each in spoken})
        for name in LAYOUT[kind]
    }


def words(kind: str, languages: Iterable[Phrases]) -> dict[str, frozenset[str]]:
    """How each decision may be written: the word itself, that of any language, and how its outcome is called there."""
    spoken = tuple(languages)
    keys = {word: (f"worksheet.{word}", *_BECAME.get(word, ())) for word in WORDS[kind]}
    return {word: frozenset({word, *(each.say(key) for each in spoken for key in keys[word])}) for word in WORDS[kind]}


_BECAME: Mapping[str, tuple[str, ...]] = {
    "approve": ("outcome.approved",),
    "reject": ("outcome.rejected",),
    "snooze": ("outcome.put_off",),
    "done": ("outcome.done",),
    "drop": ("outcome.dropped",),
}


def _column(kind: str, name: str, zone: str, phrases: Phrases) -> Column:
    if name in MACHINE:
        return Column(title=name, hidden=True)
    choices = tuple(phrases.say(f"worksheet.{word}") for word in WORDS[kind]) if name == "decision" else ()
    own = name in ANSWERS[kind]
    return Column(
        title=phrases.say(f"worksheet.{name}", zone=zone),
        width=_WIDTHS.get(name, 14),
        choices=choices,
        wrap=name in _LONG,
        own=own,
        form=_FORMS.get(name, "") if own else "",
    )


def _cell(name: str, line: Line, setting: Setting) -> Cell:
    machine: dict[str, Cell] = {
        "tracker:row": line.row,
        "tracker:key": line.key,
        "tracker:facts": line.version,
        "tracker:amount": None if line.amount is None else str(line.amount),
        "tracker:deadline": None if line.deadline is None else line.deadline.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "facts": line.version,
        "store": line.store,
        "zone": setting.zone(line.store),
        "deadline": line.deadline,
    }
    cell = line.answers[name] if name in line.answers else machine.get(name, line.cells.get(name))
    if name in _LOCAL and isinstance(cell, datetime):
        return cell.astimezone(ZoneInfo(setting.zone(line.store))).replace(tzinfo=None)
    return cell


def _guide(kind: str, phrases: Phrases) -> Sheet:
    decisions = ", ".join(phrases.say(f"worksheet.{word}") for word in WORDS[kind])
    columns = {name: phrases.say(f"worksheet.{name}", zone="") for name in ANSWERS[kind]}
    said = [
        phrases.say("worksheet.guide_colour"),
        phrases.say("worksheet.guide_decision", column=columns["decision"], words=decisions),
        phrases.say(f"worksheet.guide_{kind}", **columns),
        phrases.say("worksheet.guide_freedom"),
        phrases.say("worksheet.guide_import", command=f"tracker {kind} import FILE.xlsx --by NAME"),
    ]
    return Sheet(
        name=phrases.say("worksheet.sheet_guide"),
        columns=(Column(title=phrases.say("worksheet.sheet_guide"), width=110, wrap=True),),
        rows=tuple((line,) for line in said),
    )


def _told(facts: Mapping[str, str], phrases: Phrases) -> str:
    return "\n".join(
        f"{phrases.name(name)}: {phrases.value(name, value)}" for name, value in facts.items() if name not in _OF_THE_LINE
    )
