"""`tracker review|tasks export X.xlsx` and `import X.xlsx --by NAME`: the queue in a spreadsheet, out and in again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter

from tracker.cli.choice import known_store
from tracker.cli.context import Room, answer
from tracker.cli.errors import Failed, UsageError
from tracker.cli.options import Person
from tracker.cli.output import Answer, Console
from tracker.desk import people, worksheet
from tracker.desk.worksheet import Became, Fate, Told
from tracker.desk.worksheet.cells import whole

if TYPE_CHECKING:
    from tracker.cli.queues import Queue
    from tracker.reports.worksheet import Line, Setting

Unwanted = Annotated[str | None, Parameter(show=False)]
"""Options of other commands' imports, taken only to say that they do not belong to a worksheet."""

_SECOND_TRY = re.compile(r"\.rejected(?:-\d+)?$")


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines are exported: of one store, of one person. `force`: over a file that is there."""

    store: str | None
    mine: bool
    to: str | None
    force: bool = False

    def person(self, room: Room) -> str | None:
        """Whose lines; None for everybody's."""
        if self.mine:
            return room.who
        return None if self.to is None else people.named(self.to, room.loaded.rules.team)


def export_sheet(queue: Queue, file: Path, chosen: Chosen, common: Person) -> int:
    """Write the worksheet; the exit code."""
    if file.suffix.lower() != ".xlsx":
        raise UsageError(f"{file} should end in .xlsx")
    if chosen.mine and chosen.to is not None:
        raise UsageError("--mine or --to NAME, not both")
    if file.exists() and not chosen.force:
        raise Failed("file_exists", f"{file} exists, and somebody may have filled it in: give another name, or --force")

    async def work(room: Room) -> Answer:
        store = await known_store(chosen.store, room)
        lines = await queue.waiting(room, msgspec.structs.replace(chosen, store=store))
        await _write(queue, file, lines, room)
        return Answer(
            document={"file": str(file), "rows": len(lines)},
            text=lambda console: console.line(_said(console, "exported", count=len(lines), file=file)),
        )

    return answer(common, work)


def import_sheet(queue: Queue, file: Path, common: Person, *, dry_run: bool, foreign: dict[str, str | None]) -> int:
    """Take the decisions of a worksheet; the exit code: 0 all, 3 in part, 1 none."""
    given = [f"--{name}" for name, value in foreign.items() if value is not None]
    if given:
        raise UsageError(f"a worksheet knows what each of its lines is about: leave out {' and '.join(given)}")

    async def work(room: Room) -> Answer:
        who = room.who
        filled = worksheet.read(_sheets(file, queue), await _form(queue, room))
        asking = worksheet.Asking(
            store=room.store,
            rules=room.loaded.rules,
            by=who,
            now=room.now,
            words=_words(queue, room),
            zone_of=room.zone_of,
        )
        async with room.store.trial() if dry_run else nullcontext():
            told = await worksheet.decide(asking, queue.kind, filled)
        refused = told.of(Fate.REFUSED)
        rejected = None if dry_run or not refused else _beside(file)
        if rejected is not None:
            await _write(queue, rejected, [await _again(queue, each, room) for each in refused], room)
        return _answer(queue, file, told, rejected, room, dry_run=dry_run)

    return answer(common, work, writes=not dry_run)


# ------------------------------------------------------------------------------------------------------------------ files


def _sheets(file: Path, queue: Queue) -> list[list[tuple[int, Sequence[str | float]]]]:
    from tracker.intake.files import read_contents
    from tracker.intake.reading import sheets_of
    from tracker.reports import worksheet as made

    found = sheets_of(read_contents(file).data, made.LAYOUT[queue.kind])
    return [[(line.number, line.cells) for line in sheet.lines] for sheet in found]


async def _write(queue: Queue, file: Path, lines: Sequence[Line], room: Room) -> None:
    from tracker.reports.sheet import write_xlsx
    from tracker.reports.worksheet import worksheet as made

    write_xlsx(file, made(queue.kind, lines, await _setting(room)), created=room.now)


async def _setting(room: Room) -> Setting:
    from tracker.reports.worksheet import Setting

    zones = {store.id: store.zone for store in room.loaded.rules.stores.values()}
    return Setting(phrases=room.loaded.phrases, zones=zones, database=await room.store.identity(), at=room.now)


async def _form(queue: Queue, room: Room) -> worksheet.Form:
    from tracker.reports import worksheet as made

    languages = room.loaded.languages.values()
    return worksheet.Form(
        kind=queue.kind,
        version=made.FORMAT,
        database=await room.store.identity(),
        lost=await room.store.forgotten_time(),
        mark=made.MARK,
        layout=made.LAYOUT[queue.kind],
        sometimes=made.SOMETIMES,
        titles=made.titles(queue.kind, languages),
    )


def _words(queue: Queue, room: Room) -> dict[str, frozenset[str]]:
    from tracker.reports import worksheet as made

    return made.words(queue.kind, room.loaded.languages.values())


def _beside(file: Path) -> Path:
    """Where refused lines go: X.rejected.xlsx, and never over one that somebody may be filling in."""
    stem = _SECOND_TRY.sub("", file.stem)
    wanted = file.with_name(f"{stem}.rejected.xlsx")
    count = 2
    while wanted.exists():
        wanted = file.with_name(f"{stem}.rejected-{count}.xlsx")
        count += 1
    return wanted


async def _again(queue: Queue, became: Became, room: Room) -> Line:
    """The refused line on today's facts, with why, and with what was filled in where that can stand."""
    from tracker.reports.worksheet import ANSWERS

    line, problem = await queue.line(room, became.filled), became.problem
    ruled_out = problem is None or problem.key in worksheet.RULED_OUT
    kept = [name for name in ANSWERS[queue.kind] if not (ruled_out and name in {"decision", "amount"})]
    answers = {name: _as_cell(became.filled.cells[name]) for name in kept if became.filled.text(name)}
    said = "" if problem is None else problem.said(room.loaded.phrases)
    return msgspec.structs.replace(line, answers=answers, cells={**line.cells, "problem": said})


def _as_cell(cell: str | float) -> str | Decimal:
    return cell.removesuffix(" 00:00:00") if isinstance(cell, str) else Decimal(repr(cell))


# ----------------------------------------------------------------------------------------------------------------- answer


def _answer(queue: Queue, file: Path, told: Told, rejected: Path | None, room: Room, *, dry_run: bool) -> Answer:
    counts = {fate.value: len(told.of(fate)) for fate in Fate}
    document: dict[str, Any] = {
        "file": str(file),
        "kind": queue.kind,
        "dry_run": dry_run,
        "approves": told.approves,
        **counts,
        "silent": told.silent,
        "rows": [_row(each, room) for each in told.lines],
        "rejected_file": None if rejected is None else str(rejected),
    }
    worked = counts[Fate.TAKEN] + counts[Fate.UNCHANGED]
    return Answer(
        document=document,
        text=lambda console: _tell(console, told, rejected, room, counts, dry_run=dry_run),
        code=0 if not counts[Fate.REFUSED] else (3 if worked else 1),
    )


def _row(became: Became, room: Room) -> dict[str, Any]:
    problem = became.problem
    return {
        "line": became.filled.at,
        "id": whole(became.filled.cells.get("id", "")),
        "outbox": became.filled.row,
        "order": became.filled.text("order"),
        "decision": became.word or became.filled.text("decision") or None,
        "result": became.fate,
        "problem": None if problem is None else problem.key,
        "message": _message(became, room),
    }


def _message(became: Became, room: Room) -> str | None:
    if became.problem is not None:
        return became.problem.said(room.phrases)
    if became.first is None:
        return None
    return room.phrases.say("review.second", first=people.name_of(became.first, room.loaded.rules.team))


def _tell(console: Console, told: Told, rejected: Path | None, room: Room, counts: dict[str, int], *, dry_run: bool) -> None:
    if told.approves:
        total = " + ".join(f"{amount} {currency}" for currency, amount in told.approves.items())
        console.line(_said(console, "approves", count=told.refunds, total=total))
    for each in told.lines:
        console.line(_said(console, "line", line=each.filled.at, order=each.filled.text("order"), said=_fate(each, room)))
    console.line(_said(console, "counts", **counts, silent=told.silent) if told.lines else _said(console, "nothing"))
    if dry_run:
        console.line(_said(console, "tried"))
    if rejected is not None:
        console.line(_said(console, "rejected", file=rejected))


def _fate(became: Became, room: Room) -> str:
    message = _message(became, room)
    if became.fate is Fate.REFUSED:
        return message or ""
    word = room.phrases.say(f"worksheet.{became.word}")
    said = room.phrases.say(f"worksheet_result.{became.fate.value}", word=word)
    return said if message is None else f"{said}; {message}"


def _said(console: Console, key: str, **values: object) -> str:
    return console.phrases.say(f"worksheet_result.{key}", **values)
