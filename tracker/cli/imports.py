"""`tracker import`: order and shipping files as sellers have them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import At
from tracker.cli.output import Answer


def import_files(
    *files: Path,
    format: str | None = None,  # noqa: A002 - what the user writes
    store: str | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    limit: Annotated[int, Parameter(validator=Number(gte=0))] = 20,
    common: At = At(),
) -> int:
    """Read order and shipping files. The same file again changes nothing; rejected rows go into a file beside it.

    Example: `tracker import orders.xls forwarder.xlsx`

    Args:
        files: .xls, .xlsx, .csv or .txt, as the marketplace, the ERP or the forwarder exports them.
        format: The layout, where it is not recognised by itself.
        store: The store of rows that do not name one.
        dry_run: Only say what would change, row by row, and what it costs at the sources; nothing is written, not even the
            rejected rows.
        limit: Changed rows of a dry run to show, 0 for all of them; --json has them all.
    """
    if not files:
        raise UsageError("name at least one file: tracker import orders.xls")

    async def work(room: Room) -> Answer:
        from tracker.intake import costs, importing, report
        from tracker.intake.reading import Wish

        reports = await importing.import_files(
            files,
            room.store,
            room.now,
            knowledge=importing.knowledge_of(room.loaded),
            wish=Wish(format=format, store=store),
            dry_run=dry_run,
        )
        loaded = room.loaded
        paid = (
            costs.costs(reports, loaded.settings.sources, loaded.rules.sources, await room.store.quota_days(), room.now.date())
            if dry_run
            else []
        )
        more = {"quota": [costs.cost_document(cost) for cost in paid]} if dry_run else {}
        return Answer(
            document=report.document(reports) | more,
            text=lambda console: console.line("\n".join([report.summary(reports, limit), *costs.cost_lines(paid)])),
            code=report.exit_code(reports),
        )

    return answer(common, work, writes=not dry_run)
