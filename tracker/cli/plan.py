"""`tracker plan`: what will happen, under the rules in force or compared with others, and what of it needs a person."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from tracker import config
from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import At, Day, read_time
from tracker.cli.output import Answer, Console
from tracker.config import Loaded
from tracker.model import Dossier
from tracker.plan import (
    FORMAT,
    FORMAT_VERSION,
    Changed,
    Chores,
    Comparison,
    Forecast,
    SavedOrder,
    SavedPlan,
    Tally,
    Total,
    compare,
    forecast,
    saved_order,
    too_many,
    touch,
    write_plan,
)
from tracker.rules import Rules

BATCH = 200

ASSUMPTIONS = (
    "sources keep answering and see nothing new",
    "texts go out when they are due, extensions are made at once, refunds are approved and paid at once",
    "guards of the moment (hourly caps, 72 hours between texts, pauses, the ramp) are left out",
)

_SPAN = re.compile(r"\+(\d{1,4})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LONGEST = timedelta(days=366)


def plan(
    *,
    until: str = "+14d",
    against: Path | None = None,
    needs_person: Annotated[bool, Parameter(negative=())] = False,
    from_: Annotated[Day | None, Parameter(name="--from")] = None,
    to: Day | None = None,
    store: str | None = None,
    out: Path | None = None,
    common: At = At(),
) -> int:
    """What will be sent, extended, claimed and proposed, by day and store. Nothing is decided by it.

    With `--against` the difference that another configuration makes: what only it does, what it does no more, what moves. With
    `--needs-person` the work that only people can do: before a holiday.

    Example: `tracker plan --until +7d` · `tracker plan --against new/tracker.toml`

    Args:
        until: How far: +14d, +36h, +2w, or a time (UTC).
        against: The tracker.toml of other rules, or its folder.
        needs_person: What needs a person between --from and --to.
        from_: First day of it, in each store's own zone.
        to: Last day of it.
        store: One store only.
        out: Write the plan there too; tracker apply FILE does later what it found due now, or refuses.
    """
    _check(needs_person=needs_person, first=from_, last=to, against=against)
    if out is not None and (against is not None or needs_person):
        raise UsageError("--out saves a plan of the rules in force: leave out --against and --needs-person")

    async def work(room: Room) -> Answer:
        rules = room.loaded.rules
        if store is not None and store not in rules.stores:
            raise UsageError(f"store {store!r} is not configured; there are: {', '.join(sorted(rules.stores)) or 'none'}")
        look = _Look(room, store)
        if from_ is not None and to is not None:
            return await _needs_person(look, rules, from_, to)
        end = _until(until, room.now)
        return await (_ahead(look, end, out) if against is None else _against(look, end, _other(against)))

    return answer(common, work)


class _Look:
    """All open orders, a batch at a time, and those that could not be decided."""

    def __init__(self, room: Room, store: str | None) -> None:
        self.room = room
        self.orders = 0
        self.undecided: list[str] = []
        self._store = store

    async def dossiers(self) -> AsyncIterator[Dossier]:
        after: int | None = 0
        while after is not None:
            page = await self.room.store.open_dossiers(after, BATCH, store=self._store)
            for dossier in await self.room.store.load_dossiers([each.id for each in page.found]):
                self.orders += 1
                yield dossier
            after = page.last

    def forecast(self, dossier: Dossier, rules: Rules, until: datetime) -> Forecast | None:
        """None for an order whose store or marketplace these rules do not know: it is told, not planned."""
        try:
            return forecast(dossier, rules, self.room.now, until)
        except KeyError:
            self.undecided.append(f"{dossier.order.store}/{dossier.order.number}")
            return None

    def document(self, end: datetime) -> dict[str, Any]:
        return {
            "at": self.room.now,
            "until": end,
            "config": self.room.loaded.rules.version,
            "orders": self.orders,
            "assumes": ASSUMPTIONS,
            "undecided": {"count": len(self.undecided), "examples": self.undecided[:3]},
        }


async def _ahead(look: _Look, end: datetime, out: Path | None) -> Answer:
    rules = look.room.loaded.rules
    tally = Tally(rules)
    kept: list[SavedOrder] = []
    async for dossier in look.dossiers():
        found = look.forecast(dossier, rules, end)
        if found is None:
            continue
        tally.add(found.effects)
        if out is not None and (saved := saved_order(dossier, found)) is not None:
            kept.append(saved)
    lines = tally.lines()
    due = None if out is None else _save(look, end, kept, out)
    document = look.document(end) | {
        "file": None if out is None else str(out),
        "due_now": due,
        "totals": {name: _total(total) for name, total in tally.totals.items()},
        "days": [
            {"day": line.day, "store": line.store, "what": line.what, "intent": line.intent, "template": line.template}
            | _total(line.total)
            for line in lines
        ],
    }

    def text(console: Console) -> None:
        _head(console, look, f"{_sum_up(tally.totals)} until {end:%Y-%m-%d %H:%M}Z")
        rows = [
            (line.day, line.store, line.what, console.phrases.word("intent", line.intent), line.total.count, line.total.held,
             _money(line.total), line.total.examples)
            for line in lines
        ]  # fmt: skip
        console.table(("day", "store", "what", "purpose", "count", "of it held", "amount", "orders"), rows, empty="Nothing.")
        if out is not None:
            console.line(f"Written to {out}. {due} effects are due now: tracker apply {out} lets exactly these happen.")

    return Answer(document=document, text=text)


def _save(look: _Look, end: datetime, kept: list[SavedOrder], out: Path) -> int:
    plan_ = SavedPlan(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        at=look.room.now,
        until=end,
        config=look.room.loaded.rules.version,
        orders=tuple(kept),
    )
    out.write_bytes(write_plan(plan_))
    return plan_.due


async def _against(look: _Look, end: datetime, other: Loaded) -> Answer:
    old, new = look.room.loaded.rules, other.rules
    comparison = Comparison()
    touched = open_parcels = 0
    async for dossier in look.dossiers():
        before, after = look.forecast(dossier, old, end), look.forecast(dossier, new, end)
        if before is None or after is None:
            continue
        comparison.add(compare(before.effects, after.effects))
        found = touch(dossier, old, new, look.room.now, asleep_until=None)
        touched += found.parcels
        open_parcels += found.open_parcels
    waits = too_many(touched, open_parcels)
    lines = sorted(comparison.totals.items())
    guard = {"touched": touched, "open_parcels": open_parcels, "would_wait": waits}
    document = look.document(end) | {
        "against": new.version,
        "orders_touched": comparison.orders_touched,
        "at_once": guard,
        "differences": [{"how": how, "what": what, "intent": intent} | _total(total) for (how, what, intent), total in lines],
    }

    def text(console: Console) -> None:
        _head(console, look, f"{_difference(comparison)} until {end:%Y-%m-%d %H:%M}Z, in {comparison.orders_touched} orders")
        rows = [
            (how, what, console.phrases.word("intent", intent), total.count, _money(total), total.examples)
            for (how, what, intent), total in lines
        ]
        console.table(("how", "what", "purpose", "count", "amount", "orders"), rows, empty="Both do the same.")
        console.line(f"At once: {touched} of {open_parcels} open parcels get new effects within a day.")
        if waits:
            console.line("That is more than a reload may do unasked: its new effects would wait for tracker config accept.")

    return Answer(document=document, text=text)


async def _needs_person(look: _Look, rules: Rules, first: date, last: date) -> Answer:
    chores = Chores(rules, first, last)
    if last - look.room.now.date() > _LONGEST:
        raise UsageError("a plan looks a year ahead at most")
    # A day more on both sides: no zone is farther away.
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=2)
    if end < look.room.now:
        raise UsageError(f"--to {last} lies in the past: a plan looks ahead of {look.room.now:%Y-%m-%d}")
    async for dossier in look.dossiers():
        found = look.forecast(dossier, rules, end)
        if found is not None:
            chores.add(found.chores)
    lines = chores.lines()
    document = look.document(end) | {
        "from": first,
        "to": last,
        "totals": {name: _total(total) for name, total in sorted(chores.totals.items())},
        "days": [
            {"day": line.day, "store": line.store, "work": line.work, "first_deadline": line.first_deadline} | _total(line.total)
            for line in lines
        ],
    }

    def text(console: Console) -> None:
        _head(console, look, f"What needs a person from {first} to {last}, by the day it comes up")
        rows = [
            (line.day, line.store, line.work.value.replace("_", " "), line.total.count, line.first_deadline, _money(line.total),
             line.total.examples)
            for line in lines
        ]  # fmt: skip
        console.table(("day", "store", "work", "count", "first deadline", "amount", "orders"), rows, empty="Nothing.")

    return Answer(document=document, text=text)


# ------------------------------------------------------------------------------------------------------------------ options


def _check(*, needs_person: bool, first: date | None, last: date | None, against: Path | None) -> None:
    if needs_person is not (first is not None and last is not None) or (first is None) is not (last is None):
        raise UsageError("--needs-person, --from and --to belong together: tracker plan --needs-person --from D --to D")
    if first is not None and last is not None and last < first:
        raise UsageError(f"--to {last} lies before --from {first}")
    if needs_person and against is not None:
        raise UsageError("--needs-person and --against are two questions: ask one at a time")


def _until(text: str, now: datetime) -> datetime:
    span = _SPAN.fullmatch(text.strip())
    try:
        end = read_time(text) if span is None else now + int(span[1]) * _UNITS[span[2]]
    except ValueError:
        raise UsageError(f"--until {text!r}: write +14d, +36h, +2w, or a time like 2026-03-01T12:30Z") from None
    if end < now:
        raise UsageError(f"--until {text} lies in the past: a plan looks ahead of {now:%Y-%m-%d %H:%M}Z")
    if end - now > _LONGEST:
        raise UsageError("a plan looks a year ahead at most")
    return end


def _other(path: Path) -> Loaded:
    """The other configuration, under the same environment. Raises ConfigError."""
    return config.load(config.find(path, os.environ), environ=os.environ)


# --------------------------------------------------------------------------------------------------------------------- words


def _total(total: Total) -> dict[str, Any]:
    return msgspec.to_builtins(total, enc_hook=str)  # type: ignore[no-any-return]


def _money(total: Total) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in sorted(total.amounts.items()))


def _sum_up(totals: Mapping[str, Total]) -> str:
    parts = []
    for name, total in totals.items():
        money = _money(total)
        parts.append(f"{total.count:,} {name.replace('_', ' ')}" + (f" ({money})" if money else ""))
    return ", ".join(parts)


def _difference(comparison: Comparison) -> str:
    kinds = dict.fromkeys(what for _, what, _ in comparison.totals)
    told = []
    for what in kinds:
        new, gone = comparison.count(Changed.NEW, what), comparison.count(Changed.GONE, what)
        moved = comparison.count(Changed.MOVED, what)
        words = [f"+{new:,}"] * bool(new) + [f"-{gone:,}"] * bool(gone) + [f"{moved:,} moved"] * bool(moved)
        told.append(f"{' / '.join(words)} {what.replace('_', ' ')}")
    return ", ".join(told) or "No difference"


def _head(console: Console, look: _Look, text: str) -> None:
    console.head(text)
    console.line(f"{look.orders:,} open orders. Assumed: {'; '.join(ASSUMPTIONS)}.")
    if look.undecided:
        shown = ", ".join(look.undecided[:3])
        console.line(f"{len(look.undecided)} orders cannot be planned, their store or marketplace is not configured: {shown}")
