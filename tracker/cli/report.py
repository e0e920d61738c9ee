"""`tracker report`: registers as files."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import msgspec
from cyclopts import App

from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import At, Time
from tracker.cli.output import Answer

app = App(name="report", help="The handover of a shift, registers as files.")


@app.command
def handover(*, since: Time | None = None, out: Path | None = None, common: At = At()) -> int:
    """What the next shift finds: due before noon, what happened since the last handover, what waits, the money at risk.

    Example: `tracker report handover --out handover.txt`

    Args:
        since: Count from this time (UTC) instead of the last handover.
        out: Write the text into this file as well.
    """

    async def work(room: Room) -> Answer:
        from tracker.reports import handover as report

        found = await report.hand_over(room.store, room.loaded, room.now, since=since)
        told = [report.title(found, room.phrases), "", *report.lines(found, room.phrases)]
        if out is not None:
            await asyncio.to_thread(out.write_text, "\n".join(told) + "\n", encoding="utf-8")
        return Answer(document=msgspec.to_builtins(found), text=lambda console: console.line("\n".join(told)))

    return answer(common, work)


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
            text=lambda console: console.line(
                console.phrases.say(
                    "register_value.written", month=wanted, count=len(sheet.rows), book=files[0], csv=files[1].name
                )
            ),
        )

    return answer(common, work)
