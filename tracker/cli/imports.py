"""`tracker import`: order and shipping files as sellers have them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import At, Time
from tracker.cli.output import Answer

if TYPE_CHECKING:
    from tracker.intake.contacted import ContactsReport

AHEAD = timedelta(days=31)
"""How far ahead a cut-over may lie: a start that is planned, not a year that was mistyped."""


def import_files(
    *files: Path,
    format: str | None = None,  # noqa: A002 - what the user writes
    store: str | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    limit: Annotated[int, Parameter(validator=Number(gte=0))] = 20,
    cutover: Time | None = None,
    contacted: Path | None = None,
    common: At = At(),
) -> int:
    """Read order and shipping files. The same file again changes nothing; rejected rows go into a file beside it.

    Example: `tracker import orders.xls forwarder.xlsx`

    Args:
        files: .xls, .xlsx, .csv or .txt, as the marketplace, the ERP or the forwarder exports them.
        format: The layout, where it is not recognised by itself; naming a proposed profile is agreeing to it.
        store: The store of rows that do not name one.
        dry_run: Only say what would change, row by row, and what it costs at the sources; nothing is written, not even the
            rejected rows.
        limit: Changed rows of a dry run to show, 0 for all of them; --json has them all.
        cutover: Take the orders over on this day: of what was due before, only live danger is done. It is for orders that are
            new, or that came in since that day without one; no later import moves it.
        contacted: Who was written to already: a file with the columns order, and where known store, stage and date. It may stand
            alone, for orders that are known.
    """
    if not files and contacted is None:
        raise UsageError("name at least one file: tracker import orders.xls")
    if cutover is not None and not files:
        raise UsageError("--cutover belongs to order files: tracker import orders.xls --cutover 2026-03-01")

    async def work(room: Room) -> Answer:
        from tracker.intake import contacted as contacts
        from tracker.intake import costs, importing, report
        from tracker.intake.reading import Wish

        loaded = room.loaded
        _plausible(cutover, room.now)
        # Read before anything is written: a list that cannot be read must not come after the orders.
        told = None if contacted is None else contacts.read_contacts(contacted, loaded.rules, room.now)
        if told is not None:
            await told.tell_known(room.store, loaded.rules, room.now, dry_run=dry_run)
        reports = await importing.import_files(
            files,
            room.store,
            room.now,
            knowledge=importing.knowledge_of(room.loaded),
            wish=Wish(format=format, store=store, cutover=cutover, contacts=told),
            dry_run=dry_run,
        )
        noted = None if told is None else await told.report(dry_run=dry_run)
        paid = (
            costs.costs(reports, loaded.settings.sources, loaded.rules.sources, await room.store.quota_days(), room.now.date())
            if dry_run
            else []
        )
        more: dict[str, Any] = {} if noted is None else {"contacted": noted.document()}
        more |= {"quota": [costs.cost_document(cost) for cost in paid]} if dry_run else {}
        lines = [report.summary(reports, limit)] if reports else []
        lines += [] if noted is None else noted.lines(limit)
        return Answer(
            document=report.document(reports) | more,
            text=lambda console: console.line("\n".join([*lines, *costs.cost_lines(paid)])),
            code=_code(report.exit_code(reports), bool(reports), noted),
        )

    return answer(common, work, writes=not dry_run)


def _plausible(cutover: datetime | None, now: datetime) -> None:
    """A cut-over that lies far ahead would silence every stage until then."""
    if cutover is not None and cutover - now > AHEAD:
        raise UsageError(
            f"--cutover {cutover:%Y-%m-%d} lies more than {AHEAD.days} days ahead: nobody would be written to until then"
        )


def _code(files: int, any_file: bool, noted: ContactsReport | None) -> int:
    """Exit code of both: 3 as soon as one is done in part, or one of two is not."""
    if noted is None:
        return files
    list_code = 0 if not noted.rejected else 3 if noted.noted or any_file else 1
    return list_code if not any_file else files if files == list_code else 3
