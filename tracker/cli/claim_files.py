"""`tracker claims export|import|reconcile`: the carrier's form, its answers and its statement; and the desk's own worksheet."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter

from tracker.cli.choice import known_carrier, known_store
from tracker.cli.context import Room, answer
from tracker.cli.errors import Failed, UsageError
from tracker.cli.options import At, Person
from tracker.cli.output import Answer, Console
from tracker.desk import claim_answers, claim_sheets, reconcile
from tracker.desk import claims as desk
from tracker.model import ClaimState, Liable
from tracker.store.claims import ClaimView

if TYPE_CHECKING:
    from tracker.desk.claim_sheets import Line
    from tracker.reports.claim_form import Filing
    from tracker.rules import ClaimSheet

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def export(  # noqa: PLR0913 - a carrier's form and the worksheet share the command
    file: Path | None = None,
    /,
    *,
    ready: Annotated[bool, Parameter(negative=())] = False,
    carrier: str | None = None,
    unverified: Annotated[bool, Parameter(negative=())] = False,
    store: str | None = None,
    mine: Annotated[bool, Parameter(negative=())] = False,
    to: str | None = None,
    force: Annotated[bool, Parameter(negative=())] = False,
    common: Person = Person(),
) -> int:
    """Write the claims that can be filed with a carrier, in its own form (.xlsx or .csv); without --carrier the desk's worksheet.

    Claims under terms that nobody has verified are left out of a form: look the terms up, then add --unverified.

    Example: `tracker claims export --ready --carrier yanwen`

    Example: `tracker claims export today.xlsx`

    Args:
        file: Where to write; of a form claims-CARRIER-DATE.xlsx by default.
        ready: Those that can be filed now; a form holds no others.
        carrier: Whose form.
        unverified: Those under terms that are not verified, too.
        store: One store only.
        mine: Of the worksheet: yours only.
        to: Of the worksheet: those of this person only.
        force: Over a file that is there.
    """
    if carrier is None:
        from tracker.cli.queues import Claims
        from tracker.cli.worksheets import Chosen, export_sheet

        if file is None:
            raise UsageError("name the worksheet to write, or the carrier whose form it is: --ready --carrier CARRIER")
        return export_sheet(Claims(), file, Chosen(store=store, mine=mine, to=to, force=force), common)
    if not ready:
        raise UsageError("a carrier's form holds what can be filed: add --ready")
    if file is not None and file.suffix.lower() not in {".xlsx", ".csv"}:
        raise UsageError(f"{file} should end in .xlsx or .csv")

    async def work(room: Room) -> Answer:
        whose = await known_carrier(carrier, room)
        return await _form(room, whose, file, store, unverified=unverified, force=force)

    return answer(common, work)


async def _form(room: Room, carrier: str, file: Path | None, store: str | None, *, unverified: bool, force: bool) -> Answer:
    from tracker.reports.claim_form import form
    from tracker.reports.sheet import write_csv, write_xlsx

    rules = room.loaded.rules
    out = file or Path(f"claims-{carrier}-{room.now:%Y-%m-%d}.xlsx")
    if out.exists() and not force:
        raise Failed("file_exists", f"{out} exists: give another name, or --force")
    views = await room.store.claims((ClaimState.READY,), carrier=carrier, store=await known_store(store, room))
    mine = [view for view in views if view.claim.liable is Liable.CARRIER]
    sure = [view for view in mine if unverified or _verified(room, view)]
    filings = [await _filing(room, view) for view in sure]
    layout = claim_sheets.layouts_for(rules.claim_sheets, "form", carrier)[0]
    sheet = form(filings, layout, room.loaded.phrases)
    if out.suffix.lower() == ".csv":
        write_csv(out, sheet)
    else:
        write_xlsx(out, [sheet], created=room.now)
    left = len(mine) - len(sure)
    document = {"file": str(out), "carrier": carrier, "form": layout.id, "claims": len(sure), "unverified_left_out": left}

    def text(console: Console) -> None:
        console.line(console.phrases.say("claim_files.exported", count=len(sure), file=out))
        if left:
            console.line(console.phrases.say("claim_files.unverified", count=left))

    return Answer(document=document, text=text)


def _verified(room: Room, view: ClaimView) -> bool:
    """Whether somebody has read the terms; of mixed ones the unverified figures are told by `claims explain`."""
    from tracker.compensation import terms_of

    terms = terms_of(view.claim.rule, room.loaded.rules)
    return terms is not None and terms.evidence_of_rule != "unverified"


async def _filing(room: Room, view: ClaimView) -> Filing:
    from tracker.compensation import checklist, terms_of
    from tracker.reports.claim_form import Filing

    dossier, shipment = await desk.parcel_of(room.store, view)
    papers = checklist(view.claim, terms_of(view.claim.rule, room.loaded.rules), shipment)
    return Filing(claim=view.claim, shipment=shipment, order=dossier.order, papers=papers)


def import_(
    file: Path,
    /,
    *,
    carrier: str | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    store: Annotated[str | None, Parameter(show=False)] = None,
    common: Person = Person(),
) -> int:
    """Take a carrier's answers (--carrier), or the decisions of a worksheet (--by). Exit 0: all taken, 3: in part, 1: none.

    A file with a column that nobody knows is refused as a whole. The same file twice changes nothing.

    Example: `tracker claims import answers.xlsx --carrier yanwen`

    Example: `tracker claims import today.xlsx --by Mei`

    Args:
        carrier: Whose answers they are.
        dry_run: Show what would be taken; nothing is written.
    """
    if carrier is None:
        from tracker.cli.queues import Claims
        from tracker.cli.worksheets import import_sheet

        return import_sheet(Claims(), file, common, dry_run=dry_run, foreign={"store": store})
    if common.by is not None and os.environ.get("TRACKER_BY") != common.by:
        raise UsageError("answers are the carrier's word, a worksheet is yours: --carrier or --by, not both")
    if store is not None:
        raise UsageError("a carrier's answers name their parcels: leave out --store")

    async def work(room: Room) -> Answer:
        whose = await known_carrier(carrier, room)
        layout, lines = _read(room, file, "answers", whose)
        doing = desk.Desk(store=room.store, rules=room.loaded.rules, by=f"{whose} ({file.name})", now=room.now)
        if dry_run:
            async with room.store.trial():
                found = await claim_answers.take(doing, lines, layout, whose)
        else:
            found = await claim_answers.take(doing, lines, layout, whose)
        return _answered(file, found, dry_run=dry_run)

    return answer(At(config=common.config, json=common.json, at=common.at), work, writes=not dry_run)


def _answered(file: Path, found: list[claim_answers.Answered], *, dry_run: bool) -> Answer:
    fates = (claim_answers.TAKEN, claim_answers.UNCHANGED, claim_answers.REFUSED)
    counts = {fate: sum(each.fate == fate for each in found) for fate in fates}
    document = {"file": str(file), "dry_run": dry_run, **counts, "rows": [msgspec.to_builtins(each) for each in found]}

    def text(console: Console) -> None:
        rows = [(each.line, each.parcel, each.fate, each.state, each.message) for each in found]
        console.table(("line", "parcel", "result", "state", "message"), rows, empty="list.nothing_here")
        console.line(console.phrases.say("claim_files.answered", **counts))

    worked = counts[claim_answers.TAKEN] + counts[claim_answers.UNCHANGED]
    return Answer(document=document, text=text, code=0 if not counts[claim_answers.REFUSED] else 3 if worked else 1)


def reconcile_(
    file: Path,
    /,
    *,
    carrier: str,
    month: str,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    common: At = At(),
) -> int:
    """Hold a carrier's statement against what it approved: matched, partly paid, unknown here, missing there.

    Each line is used once; the same statement twice settles nothing twice. Exit 3 where lines are left over.

    Example: `tracker claims reconcile statement.xlsx --carrier yanwen --month 2026-11 --dry-run`

    Args:
        carrier: Whose statement it is.
        month: The month of the statement, 2026-11.
        dry_run: Show what would match; nothing is written.
    """
    if not _MONTH.fullmatch(month):
        raise UsageError(f"{month!r} is no month; write 2026-11")

    async def work(room: Room) -> Answer:
        whose = await known_carrier(carrier, room)
        layout, lines = _read(room, file, "statement", whose)
        doing = desk.Desk(store=room.store, rules=room.loaded.rules, by=f"{whose} ({file.name})", now=room.now)
        found = await reconcile.reconcile(doing, lines, layout, carrier=whose, month=month, file=file.name, dry_run=dry_run)
        document: dict[str, Any] = {"file": str(file), "carrier": whose, "dry_run": dry_run, **msgspec.to_builtins(found)}
        left = found.unknown or found.partly_paid
        return Answer(document=document, text=lambda console: _tell(console, found, dry_run=dry_run), code=3 if left else 0)

    return answer(common, work, writes=not dry_run)


def _tell(console: Console, found: reconcile.Reconciled, *, dry_run: bool) -> None:
    say = console.phrases.say
    for name in ("matched", "partly_paid", "unknown", "used_before"):
        lines: tuple[reconcile.Found, ...] = getattr(found, name)
        console.head(say(f"claim_files.{name}", count=len(lines)))
        rows = [(each.line, each.tracking_no, _money(each.amount, each.currency), each.left or "", each.why) for each in lines]
        if rows:
            console.table(("line", "parcel", "amount", "claim_open", "message"), rows, empty="list.nothing_here")
    absent = found.not_on_statement
    console.head(say("claim_files.not_on_statement", count=len(absent)))
    missing = [(each.claim, each.tracking_no, _money(each.open, each.currency), each.approved_on) for each in absent]
    if missing:
        console.table(("id", "parcel", "claim_open", "on"), missing, empty="list.nothing_here")
    if dry_run:
        console.line(say("worksheet_result.tried"))


def _money(amount: object, currency: str | None) -> str | None:
    return None if amount is None else f"{amount} {currency or ''}".strip()


def _read(room: Room, file: Path, kind: str, carrier: str) -> tuple[ClaimSheet, list[Line]]:
    """The lines of a carrier's file. Raises `Refused`, FileError."""
    from tracker.intake.files import read_contents
    from tracker.intake.reading import sheets_of

    layouts = claim_sheets.layouts_for(room.loaded.rules.claim_sheets, kind, carrier)
    titles = [title for layout in layouts for names in layout.columns.values() for title in names]
    sheets = sheets_of(read_contents(file).data, titles)
    lines = [[(line.number, line.cells) for line in sheet.lines] for sheet in sheets]
    return claim_sheets.read(file.name, lines, layouts, kind)
