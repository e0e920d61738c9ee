"""`tracker import`: order and shipping files as sellers have them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import At
from tracker.cli.output import Answer


def import_files(
    *files: Path,
    format: str | None = None,  # noqa: A002 - what the user writes
    store: str | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    common: At = At(),
) -> int:
    """Read order and shipping files. The same file again changes nothing; rejected rows go into a file beside it.

    Example: `tracker import orders.xls forwarder.xlsx`

    Args:
        files: .xls, .xlsx, .csv or .txt, as the marketplace, the ERP or the forwarder exports them.
        format: The layout, where it is not recognised by itself.
        store: The store of rows that do not name one.
        dry_run: Only say what would change; nothing is written, not even the rejected rows.
    """
    if not files:
        raise UsageError("name at least one file: tracker import orders.xls")

    async def work(room: Room) -> Answer:
        from tracker.intake import importing, report
        from tracker.intake.reading import Wish

        reports = await importing.import_files(
            files,
            room.store,
            room.now,
            knowledge=importing.knowledge_of(room.loaded),
            wish=Wish(format=format, store=store),
            dry_run=dry_run,
        )
        return Answer(
            document=report.document(reports),
            text=lambda console: console.line(report.summary(reports)),
            code=report.exit_code(reports),
        )

    return answer(common, work, writes=not dry_run)
