"""`tracker report month-end`: the register of a month and its month end, open or frozen."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import Person
from tracker.cli.output import Answer, Console
from tracker.store.claims import after_month


def month_end(
    *,
    month: str | None = None,
    out: Path = Path(),
    close: Annotated[bool, Parameter(negative=())] = False,
    common: Person = Person(),
) -> int:
    """Write the register of claims against carriers with its month end, as .xlsx and .csv, and add it up by carrier and state.

    Roll-forward by carrier and currency, ageing, recovery, what expired unfiled, postings. A closed month is written as it was
    frozen, byte by byte; what comes late goes into the first open month.

    Example: `tracker report month-end --month 2026-02 --out reports`

    Example: `tracker report month-end --month 2026-02 --close --by Mei`

    Args:
        month: The month, 2026-02; the present one by default.
        out: The folder to write into.
        close: Freeze it. It must be over, and every earlier month with postings closed.
    """
    if month is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise UsageError(f"{month!r} is no month; write 2026-02")

    async def work(room: Room) -> Answer:
        wanted = month or room.now.strftime("%Y-%m")
        if close and wanted >= room.now.strftime("%Y-%m"):
            raise UsageError(f"{wanted} is not over: it can be closed from the next month on")
        frozen = await room.store.frozen_month(wanted)
        if frozen is not None:
            if close:
                raise UsageError(f"{wanted} is closed already")
            return await _again(wanted, out, frozen)
        return await _fresh(room, wanted, out, close=close)

    return answer(common, work, writes=close)


async def _again(month: str, out: Path, frozen: tuple[bytes, bytes]) -> Answer:
    """A closed month: the very bytes."""
    sheet, book = frozen
    files = await asyncio.to_thread(_write, out, month, sheet, book)

    def text(console: Console) -> None:
        console.line(console.phrases.say("register_value.closed", month=month, book=files[0], csv=files[1].name))

    return Answer(document={"month": month, "closed": True, "files": [str(file) for file in files]}, text=text)


async def _fresh(room: Room, month: str, out: Path, *, close: bool) -> Answer:
    from tracker.reports.month_end import closes
    from tracker.reports.month_end import month_end as ending
    from tracker.reports.month_sheets import month_sheets
    from tracker.reports.postings import postings
    from tracker.reports.register import Source, register_sheet, totals
    from tracker.reports.sheet import csv_bytes, xlsx_bytes

    store, rules, phrases = room.store, room.loaded.rules, room.loaded.phrases
    orders = await store.claimed_orders()
    source = Source(
        dossiers=await store.load_dossiers(orders),
        changes=await store.claim_changes(),
        items=await store.items_of(orders),
        terms={rule.id: rule for rule in (rules.compensation_default, *rules.compensation)},
        rates=rules.rates,
    )
    views = await store.claims()
    end = ending(views, source.changes, month)
    register = register_sheet(source, rules.stores, phrases, month=month)
    booked = postings(views, source.changes, month, rules.rates)
    sheet = csv_bytes(register)
    begins = datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC)
    ends = datetime.fromisoformat(f"{after_month(month)}-01").replace(tzinfo=UTC)
    again = await store.recoveries(begins, ends)
    recovered = [(each.order, each.store, each.at.date(), each.amount, each.currency) for each in again]
    book = xlsx_bytes([register, *month_sheets(end, booked, recovered, phrases)], created=room.now)
    if close:
        await store.close_month(
            month, sheet, book, by=room.who, now=room.now, seen=max((each.id for each in source.changes), default=0)
        )
    files = await asyncio.to_thread(_write, out, month, sheet, book)
    added = totals(source, month=month)

    def text(console: Console) -> None:
        words = console.phrases
        said = {"month": month, "count": len(register.rows), "book": files[0], "csv": files[1].name}
        console.line(words.say("register_value.written", **said))
        rows = [(each.carrier, words.word("claim", each.state), each.count, _money(each.payable)) for each in added]
        if rows:
            console.table(("carrier", "state", "count", "amount"), rows, empty="")
        if not closes(end):
            console.line(words.say("register_value.does_not_close"))
        if close:
            console.line(words.say("register_value.now_closed", month=month))

    document: dict[str, Any] = {
        "month": month,
        "closed": close,
        "claims": len(register.rows),
        "files": [str(file) for file in files],
        "totals": msgspec.to_builtins(added),
        "roll_forward": msgspec.to_builtins(end.rolls),
        "closes": closes(end),
        "expired_unfiled": [each.claim.number for each in end.leak],
        "recovered": msgspec.to_builtins(again),
        "postings": msgspec.to_builtins(booked),
    }
    return Answer(document=document, text=text, code=0 if closes(end) else 1)


def _write(out: Path, month: str, sheet: bytes, book: bytes) -> tuple[Path, Path]:
    out.mkdir(parents=True, exist_ok=True)
    files = out / f"register-{month}.xlsx", out / f"register-{month}.csv"
    files[0].write_bytes(book)
    files[1].write_bytes(sheet)
    return files


def _money(sums: Mapping[str, str]) -> str | None:
    return ", ".join(f"{amount} {currency}" for currency, amount in sums.items()) or None
