"""`tracker report`: registers as files."""

from __future__ import annotations

import re
from pathlib import Path

from cyclopts import App

from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import At
from tracker.cli.output import Answer

app = App(name="report", help="Registers as files.")


@app.command(name="month-end")
def month_end(*, month: str | None = None, out: Path = Path(), common: At = At()) -> int:
    """Write the register of claims against carriers, as .xlsx and .csv.

    Example: `tracker report month-end --month 2026-02 --out reports`

    Args:
        month: The month in which the claims were opened, 2026-02; the present one by default.
        out: The folder to write into.
    """
    if month is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise UsageError(f"{month!r} is no month; write 2026-02")

    async def work(room: Room) -> Answer:
        from tracker.reports.register import register_sheet
        from tracker.reports.sheet import write_both

        wanted = month or room.now.strftime("%Y-%m")
        dossiers = await room.store.load_dossiers(await room.store.claimed_orders())
        sheet = register_sheet(dossiers, room.loaded.rules.stores, room.loaded.phrases, month=wanted)
        files = write_both(out, f"register-{wanted}", sheet, created=room.now)
        return Answer(
            document={"month": wanted, "claims": len(sheet.rows), "files": [str(file) for file in files]},
            text=lambda console: console.line(f"{wanted}: {len(sheet.rows)} claims in {files[0]} and {files[1].name}"),
        )

    return answer(common, work)
