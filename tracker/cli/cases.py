"""`tracker cases`: what buyers and marketplaces have opened, and until when each wants its answer."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from tracker.cli.case_rows import COLUMNS, card, case_document, cells
from tracker.cli.choice import known_store, one_of
from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import Amount, At, Person, read_date, read_time
from tracker.cli.output import Answer
from tracker.cli.queues import Cases
from tracker.cli.worksheets import Chosen, export_sheet, import_sheet
from tracker.desk import cases, tasks
from tracker.metrics import DueCase
from tracker.model import CaseKind, CaseOutcome, CaseReason
from tracker.store import OrderRef

app = App(name="cases", help="Cases: everything of a buyer or a marketplace that wants an answer by a date.")

Switch = Parameter(negative=())
Kind = Annotated[str | None, Parameter(help=f"One of: {', '.join(CaseKind)}.")]


@app.command(name="list")
def list_(
    *,
    store: str | None = None,
    kind: Kind = None,
    all: Annotated[bool, Switch] = False,  # noqa: A002 - what the user writes
    common: At = At(),
) -> int:
    """Open cases: the account first, then contested money, requests, messages; the nearest date first.

    Example: `tracker cases list --store lume`

    Args:
        store: One store only.
        all: Those that are closed as well.
    """
    wanted = None if kind is None else CaseKind(one_of("kind", kind, set(CaseKind)))

    async def work(room: Room) -> Answer:
        rules = room.loaded.rules
        found = [
            due
            for due in await cases.listed(room.store, rules, of_store=await known_store(store, room), every=all)
            if wanted in {None, due.case.kind}
        ]
        told = [cases.told_of(due, rules, room.now) for due in found]
        rows = [cells(due, facts, room.phrases) for due, facts in zip(found, told, strict=True)]
        return Answer(
            document={"cases": [case_document(due, facts) for due, facts in zip(found, told, strict=True)]},
            text=lambda console: console.table(COLUMNS, rows, empty="list.nothing_to_do"),
        )

    return answer(common, work)


@app.command
def show(id: str, /, *, common: At = At()) -> int:  # noqa: A002 - what the user reads in --help
    """One case: its facts, the advice with its reasons, what can be done, and what happened to it so far.

    Example: `tracker cases show 500123456`
    """

    async def work(room: Room) -> Answer:
        due = await cases.one(room.store, room.loaded.rules, id)
        told = cases.told_of(due, room.loaded.rules, room.now)
        history = [line for line in await room.store.audit_of(due.order.id) if line.subject == f"case/{due.case.id}"]
        lines = [
            {"at": line.at, "by": line.who, "what": line.what, "reason": line.reason, "before": line.before, "after": line.after}
            for line in history
        ]
        return Answer(
            document={"case": case_document(due, told) | {"history": lines}},
            text=lambda console: card(console, due, told, history),
        )

    return answer(common, work)


@app.command
def add(  # noqa: PLR0913 - each is a fact that somebody may know
    order: str | None = None,
    /,
    *,
    kind: Annotated[str, Parameter(help=f"One of: {', '.join(CaseKind)}.")],
    reason: Annotated[str, Parameter(help=f"What it says; one of: {', '.join(CaseReason)}.")] = CaseReason.UNKNOWN,
    store: str | None = None,
    id: str | None = None,  # noqa: A002 - what the user writes
    due: str | None = None,
    opened: str | None = None,
    evidence_due: str | None = None,
    amount: Amount | None = None,
    currency: str | None = None,
    parcel: str | None = None,
    note: str | None = None,
    force: Annotated[bool, Switch] = False,
    common: Person = Person(),
) -> int:
    """Note a case that no file and no API tells: a claim or chargeback from a mail, a message, a review.

    Example: `tracker cases add 8170000000000011 --kind a_to_z --reason not_received --opened 2026-03-01T09:30Z --by Mei`

    Example: `tracker cases add --kind account_alert --store lume --note "listing removed" --by Mei`

    Args:
        order: The order's number; an account alert may name none, then it stands with the store's newest order.
        store: The store, where two of them use the same number.
        id: The marketplace's own id of the case.
        due: Until when the answer is due, as the marketplace shows it: a day or a time. Left out: its rule says.
        opened: When it was opened, or when its mail came; left out: now.
        evidence_due: Until when the platform wants evidence.
        amount: What is claimed; needs --currency.
        currency: Its currency, by its ISO code.
        parcel: The number of the parcel, where the order has several.
        note: What the next one should know.
        force: Take a date that has passed: the case is shown as late.
    """
    sort = CaseKind(one_of("kind", kind, set(CaseKind)))
    why = CaseReason(one_of("reason", reason, set(CaseReason)))
    if order is None and (sort is not CaseKind.ACCOUNT_ALERT or store is None):
        raise UsageError("name the order; only an account alert can do without one: --kind account_alert --store STORE")

    async def work(room: Room) -> Answer:
        found = await _order(room, order, store)
        zone = room.zone_of(found.store)
        new = cases.NewCase(
            kind=sort,
            reason=why,
            id=id,
            opened_at=None if opened is None else _time("--opened", opened),
            due_at=_until("--due", due, zone),
            evidence_due_at=_until("--evidence-due", evidence_due, zone),
            amount=amount,
            currency=None if currency is None else _currency(currency),
            shipment=parcel,
            note=note,
        )
        made = await cases.add(room.store, room.loaded.rules, found, new, by=room.who, now=room.now, force=force)
        return _became(made, room, "cases.added")

    return answer(common, work, writes=True)


@app.command
def done(
    id: str,  # noqa: A002 - what the user reads in --help
    /,
    *,
    outcome: Annotated[str | None, Parameter(help=f"How it ended; one of: {', '.join(sorted(cases.ENDS))}.")] = None,
    answered: Annotated[bool, Switch] = False,
    no_answer_needed: Annotated[bool, Switch] = False,
    note: str | None = None,
    facts: Annotated[int | None, Parameter(help="The facts version you saw: refused when they have moved since.")] = None,
    common: Person = Person(),
) -> int:
    """Say what became of a case: answered, or how it ended. Its tasks take themselves back.

    Example: `tracker cases done 500123456 --answered --outcome rejected_with_proposal --by Mei`

    Example: `tracker cases done 500123456 --outcome won --by Mei`

    Args:
        answered: It is answered. A case about money stays open until the other side has spoken; a message is over.
        no_answer_needed: Nobody expects an answer (a "thank you"): it is over, and never late.
        note: What the next one should know.
    """
    if no_answer_needed and (outcome or answered):
        raise UsageError("--no-answer-needed says all: leave out --outcome and --answered")
    ended = CaseOutcome.NO_ANSWER_NEEDED if no_answer_needed else None
    if outcome is not None:
        ended = CaseOutcome(one_of("outcome", outcome, cases.ENDS))
    if ended is None and not answered:
        raise UsageError("say what became of it: --outcome agreed, --answered, or --no-answer-needed")

    async def work(room: Room) -> Answer:
        said = cases.Said(outcome=ended, answered=answered, note=note)
        due = await cases.say(room.store, room.loaded.rules, id, said, by=room.who, now=room.now, seen=facts)
        return _became(due, room, "cases.noted")

    return answer(common, work, writes=True)


@app.command
def export(
    file: Path,
    /,
    *,
    store: str | None = None,
    force: Annotated[bool, Switch] = False,
    common: Person = Person(),
) -> int:
    """Write the open cases as a worksheet (.xlsx): dates, advice with its facts, links, and columns for what became of each.

    Example: `tracker cases export cases.xlsx --store lume`

    Args:
        store: One store only.
        force: Over a file that is there, with whatever was filled in.
    """
    return export_sheet(Cases(), file, Chosen(store=store, mine=False, to=None, force=force), common)


@app.command(name="import")
def import_(  # noqa: PLR0913 - two ways in, each with its own options
    file: Path,
    /,
    *,
    by: Annotated[str | None, Parameter(help="Whose worksheet it is: its lines say what became of each case.")] = None,
    store: Annotated[str | None, Parameter(help="Whose list it is, as the marketplace exports it.")] = None,
    kind: Kind = None,
    complete: Annotated[bool, Switch] = False,
    force: Annotated[bool, Switch] = False,
    ignore_columns: Annotated[bool, Switch] = False,
    dry_run: Annotated[bool, Switch] = False,
    common: At = At(),
) -> int:
    """Take a marketplace's list of cases (--store), or a filled-in worksheet (--by). The same file twice changes nothing.

    A row or line that cannot be taken is told with its place and kept beside the file. Exit 0: all taken, 3: in part, 1: none.

    Example: `tracker cases import disputes.csv --store lume --complete`

    Example: `tracker cases import cases.xlsx --by Mei`

    Args:
        complete: The list has every open case of its kinds: one that is missing is closed, as gone from the list.
        force: Take dates that have passed, as late; with --complete a list that is empty or would close most of what is open.
        ignore_columns: Leave out columns that nobody knows, instead of refusing the file.
        dry_run: Show what would be taken; nothing is written.
    """
    if store is None:
        lists = {"kind": kind, "complete": complete, "force": force, "ignore-columns": ignore_columns}
        given = [f"--{name}" for name, value in lists.items() if value]
        if given:
            raise UsageError(f"{' and '.join(given)}: of a marketplace's list; say whose it is: --store STORE")
        who = Person(config=common.config, json=common.json, at=common.at, by=by or os.environ.get("TRACKER_BY"))
        return import_sheet(Cases(), file, who, dry_run=dry_run, foreign={})
    if by is not None:
        raise UsageError("--by belongs to a worksheet, --store to a marketplace's list: one of them")
    sort = None if kind is None else CaseKind(one_of("kind", kind, set(CaseKind)))

    async def work(room: Room) -> Answer:
        from tracker.cli.case_list import take_list
        from tracker.desk.case_lists import Wanted

        shop = await known_store(store, room) or store
        kinds = frozenset() if sort is None else frozenset({sort})
        wanted = Wanted(shop=shop, complete=complete, kinds=kinds, force=force, dry_run=dry_run)
        return await take_list(room, file, wanted, sort, ignore_columns=ignore_columns)

    return answer(common, work, writes=not dry_run)


async def _order(room: Room, order: str | None, store: str | None) -> OrderRef:
    shop = await known_store(store, room)
    if order is not None:
        return await room.store.order_ref(order, shop)
    return await room.store.newest_order(shop or "")


def _became(due: DueCase, room: Room, key: str) -> Answer:
    told = cases.told_of(due, room.loaded.rules, room.now)
    said = room.phrases.say(key, id=due.case.id, order=due.order.number)
    until = "" if due.at is None or not due.waits else f"  {room.phrases.say('alert.by', at=f'{due.at:%Y-%m-%d %H:%M}Z')}"
    return Answer(document={"case": case_document(due, told)}, text=lambda console: console.line(f"{said}{until}"))


def _time(option: str, text: str) -> datetime:
    try:
        return read_time(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error


def _until(option: str, text: str | None, zone: str) -> datetime | None:
    """A day as the marketplace shows it (its last second there), or a time."""
    if text is None:
        return None
    try:
        return tasks.end_of_day(read_date(text), zone)
    except ValueError:
        return _time(option, text)


def _currency(text: str) -> str:
    from babel.numbers import is_currency

    code = text.strip().upper()
    if not is_currency(code):
        raise UsageError(f"--currency: {text!r} is no currency; write an ISO code such as USD")
    return code
