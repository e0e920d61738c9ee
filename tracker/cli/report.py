"""`tracker report`: registers as files."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from tracker.cli.context import Room, answer
from tracker.cli.errors import Failed, UsageError
from tracker.cli.options import At, Time
from tracker.cli.output import Answer, Console

app = App(name="report", help="The handover of a shift, registers as files.")


@app.command
def handover(
    *,
    since: Time | None = None,
    out: Path | None = None,
    send: Annotated[bool, Parameter(negative=())] = False,
    common: At = At(),
) -> int:
    """What the next shift finds: due before noon, what happened since the last handover, what waits, the money at risk.

    Example: `tracker report handover --out handover.txt`

    Args:
        since: Count from this time (UTC) instead of the last handover.
        out: Write the text into this file as well.
        send: Hand it over now to whom [reports.handover] names, instead of printing it. It also tries the ways alerts go.
    """

    async def work(room: Room) -> Answer:
        from tracker.reports import handover as report

        if send:
            return await _send(room)

        found = await report.hand_over(room.store, room.loaded, room.now, since=since)
        told = [report.title(found, room.phrases), "", *report.lines(found, room.phrases)]
        if out is not None:
            await asyncio.to_thread(out.write_text, "\n".join(told) + "\n", encoding="utf-8")
        return Answer(document=msgspec.to_builtins(found), text=lambda console: console.line("\n".join(told)))

    return answer(common, work)


async def _send(room: Room) -> Answer:
    from tracker.alerts import Teller
    from tracker.channels.base import Refused
    from tracker.wiring import hand_over

    if not Teller.wanted(room.loaded):
        raise UsageError("there is nobody to tell: describe a [[target]] in tracker.toml, or an address in team.toml")
    teller = Teller(room.loaded, room.store, room.clock)
    try:
        said = await hand_over(room.loaded, room.store, teller, f"by-hand-{room.now:%Y%m%dT%H%M%SZ}", room.now)
    except Refused as refusal:
        raise Failed("untold", refusal.reason) from refusal
    finally:
        await teller.close()
    return Answer(document={"said": said}, text=lambda console: console.line(said))


@app.command(name="month-end")
def month_end(*, month: str | None = None, out: Path = Path(), common: At = At()) -> int:
    """Write the register of claims against carriers, as .xlsx and .csv, and add it up by carrier and state.

    Example: `tracker report month-end --month 2026-02 --out reports`

    Args:
        month: The month in which the claims were opened, 2026-02; the present one by default.
        out: The folder to write into.
    """
    if month is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise UsageError(f"{month!r} is no month; write 2026-02")

    async def work(room: Room) -> Answer:
        from tracker.reports.register import register_sheet, totals
        from tracker.reports.sheet import write_both

        wanted = month or room.now.strftime("%Y-%m")
        dossiers = await room.store.load_dossiers(await room.store.claimed_orders())
        sheet = register_sheet(dossiers, room.loaded.rules.stores, room.loaded.phrases, month=wanted)
        files = write_both(out, f"register-{wanted}", sheet, created=room.now)
        added = totals(dossiers, month=wanted)

        def text(console: Console) -> None:
            words = console.phrases
            written = words.say("register_value.written", month=wanted, count=len(sheet.rows), book=files[0], csv=files[1].name)
            console.line(written)
            rows = [(each.carrier, words.word("claim", each.state), each.count, _money(each.payable)) for each in added]
            if rows:
                console.table(("carrier", "state", "count", "amount"), rows, empty="")

        document = {"month": wanted, "claims": len(sheet.rows), "files": [str(file) for file in files]}
        return Answer(document=document | {"totals": msgspec.to_builtins(added)}, text=text)

    return answer(common, work)


def _money(sums: Mapping[str, str]) -> str | None:
    return ", ".join(f"{amount} {currency}" for currency, amount in sums.items()) or None
