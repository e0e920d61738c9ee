"""`tracker report`: registers as files."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from tracker.cli.context import Room, answer
from tracker.cli.errors import Failed, UsageError
from tracker.cli.options import At, Time
from tracker.cli.output import Answer, Console
from tracker.reports.savings import Line
from tracker.times import case_due

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
        out: Write it into this file as well: a page where the name ends with .html, else text.
        send: Hand it over now to whom [reports.handover] names, instead of printing it. It also tries the ways alerts go.
    """

    async def work(room: Room) -> Answer:
        from tracker.reports import handover as report
        from tracker.reports.handover_page import page

        if send:
            return await _send(room)

        found = await report.hand_over(room.store, room.loaded, room.now, since=since)
        told = [report.title(found, room.phrases), "", *report.lines(found, room.phrases)]
        if out is not None:
            html = out.suffix.lower() in {".html", ".htm"}
            text = page(told[0], told[2:], room.phrases.language) if html else "\n".join(told) + "\n"
            await asyncio.to_thread(out.write_text, text, encoding="utf-8")
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


app.command("tracker.cli.month_end:month_end", name="month-end")


@app.command
def evidence(
    *orders: str,
    store: str | None = None,
    cases: Annotated[bool, Parameter(negative=())] = False,
    due: str = "24h",
    out: Path = Path("evidence"),
    common: At = At(),
) -> int:
    """Write the record of orders with times and hashes, a folder each: page, answers of the sources, archive, pictures.

    Example: `tracker report evidence 8170000000000011 --out evidence`

    Example: `tracker report evidence --cases --due 24h`

    Args:
        orders: Numbers of orders or parcels.
        store: The store, where two of them use the same number.
        cases: The orders of all open cases that want an answer soon.
        due: How soon: 24h, 3d.
        out: The folder to write into.
    """
    if bool(orders) == cases:
        raise UsageError("name orders, or take those of the open cases: --cases")
    within = _duration(due)

    async def work(room: Room) -> Answer:
        from tracker.reports.evidence import FontMissing, Packed, TooLarge, record_of, write_folder

        ids = await _due_cases(room, within) if cases else [(await room.store.order_ref(each, store)).id for each in orders]
        rules, packed, failed = room.loaded.rules, list[Packed](), list[tuple[str, str]]()
        found = await room.store.load_dossiers(list(dict.fromkeys(ids)))
        shared = Counter(each.order.number for each in found)
        for dossier in found:
            record, copies = await record_of(room.store, dossier, rules, room.now)
            limits = rules.marketplace(dossier.order.platform).evidence
            font = room.loaded.settings.evidence_font
            number, store_id = dossier.order.number, dossier.order.store
            name = number if shared[number] == 1 else f"{number}_{store_id}"
            try:
                packed.append(await asyncio.to_thread(write_folder, out, record, copies, limits, font, name=name))
            except (FontMissing, TooLarge, OSError) as error:
                failed.append((dossier.order.number, str(error)))
            except ImportError as error:
                raise Failed("extra_missing", _NO_PICTURES.format(platform=dossier.order.platform)) from error

        def text(console: Console) -> None:
            say = console.phrases.say
            for each in packed:
                console.line(say("report.evidence", order=each.order, folder=each.folder, files=", ".join(each.to_send)))
            for order, message in failed:
                console.line(say("report.no_pictures", order=order, message=message))
            if not packed and not failed:
                console.line(say("report.no_cases", due=due))

        document = {
            "evidence": msgspec.to_builtins(packed),
            "failed": [{"order": order, "message": message} for order, message in failed],
        }
        return Answer(document=document, text=text, code=0 if not failed else 3 if packed else 1)

    return answer(common, work)


@app.command
def savings(*, month: str | None = None, orders: Annotated[bool, Parameter(negative=())] = False, common: At = At()) -> int:
    """What a month brought and cost: cash, avoided and seen afterwards, estimated, lost. The four are never added up.

    Example: `tracker report savings --month 2026-02`

    Args:
        month: The month, 2026-02 (UTC); the present one by default.
        orders: Name the orders of each line.
    """
    _month(month)

    async def work(room: Room) -> Answer:
        from tracker.reports import savings as report

        found = await report.savings(room.store, month or room.now.strftime("%Y-%m"))

        def text(console: Console) -> None:
            say = console.phrases.say
            for book in report.BOOKS:
                told = [each for each in found.lines if each.book == book]
                console.line(say(f"savings.{book}"))
                for each in told or (None,):
                    console.line(f"  {say('savings.nothing') if each is None else _saving(each, say)}")
                    if each is not None and orders:
                        console.line(f"    {', '.join(each.orders)}")
            for source, count in found.registrations.items():
                console.line(say("savings.registrations", source=source, count=count))

        return Answer(document=msgspec.to_builtins(found), text=text)

    return answer(common, work)


def _saving(line: Line, say: Callable[..., str]) -> str:
    money = say("savings.unknown") if line.unknown == line.count else f"{line.amount} {line.currency or ''}".rstrip()
    more = say("savings.and_unknown", count=line.unknown) if 0 < line.unknown < line.count else ""
    return say("savings.line", kind=say(f"savings.{line.kind}"), count=line.count, money=money) + more


_NO_PICTURES = "{platform} takes pictures only, and they need an extra: pip install '.[evidence]' in the program's folder"
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}


def _month(text: str | None) -> None:
    if text is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise UsageError(f"{text!r} is no month; write 2026-02")


def _duration(text: str) -> timedelta:
    unit = _UNITS.get(text[-1:])
    if unit is None or not text[:-1].isdecimal():
        raise UsageError(f"{text!r} is no length of time; write 24h or 3d")
    return int(text[:-1]) * unit


async def _due_cases(room: Room, within: timedelta) -> list[int]:
    """Orders whose open cases want an answer, or evidence, until then; what is overdue included, the most pressing first."""
    found = []
    ids = list(dict.fromkeys(each.order.id for each in await room.store.cases(open_only=True)))
    for dossier in await room.store.load_dossiers(ids):
        alive = [case for case in dossier.cases if case.closed_at is None]
        dates = [case.evidence_due_at for case in alive if case.evidence_due_at is not None]
        dues = (case_due(case, dossier, room.loaded.rules) for case in alive if case.answered_at is None)
        dates += [each.at for each in dues if each is not None]
        if dates and min(dates) <= room.now + within:
            found.append((min(dates), dossier.order.id))
    return [order for _, order in sorted(found)]
