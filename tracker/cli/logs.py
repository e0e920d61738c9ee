"""`tracker logs`: what happened to one order or parcel, in the order in which it was written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from tracker.cli.context import Room, answer
from tracker.cli.options import At
from tracker.cli.output import Answer, Console, shown
from tracker.model import Verdict
from tracker.store import NotThere, OrderRef


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened: when we wrote it down, who did it, what, about what, and why."""

    at: datetime
    who: str
    what: str
    about: str
    says: str


def logs(number: str, /, *, store: str | None = None, limit: int = 200, common: At = At()) -> int:
    """The story of one parcel or order: scans as we learned them, verdicts that said something new, every change and who made it.

    The log of the daemon (journalctl -u tracker) tells what it did; this tells what became of one parcel, from the database.

    Example: `tracker logs LX000000001CN`

    Args:
        number: An order's number, or a parcel's.
        store: The store, where two have an order of that number.
        limit: The newest so many lines.
    """

    async def work(room: Room) -> Answer:
        found = [ref for ref in await room.store.find_orders(number) if store in {None, ref.store}]
        if not found:
            raise NotThere(f"No order and no parcel is called {number!r}. Numbers come from: tracker import FILE")
        stories = []
        for ref in found:
            lines = sorted(await _story(room, ref.id), key=lambda each: each.at)
            stories.append((ref, [each for each in lines if each.at <= room.now][-limit:]))
        return Answer(
            document={
                "stories": [
                    {"store": ref.store, "order": ref.number, "lines": [msgspec.to_builtins(each) for each in lines]}
                    for ref, lines in stories
                ]
            },
            text=lambda console: _text(console, stories),
        )

    return answer(common, work)


async def _story(room: Room, order_id: int) -> list[Line]:
    store = room.store
    [dossier] = await store.load_dossiers([order_id])
    lines = [
        Line(at=view.at, who="tracker", what="decided", about=f"order/{dossier.order.number}", says=_verdict(view.verdict))
        for view in await store.verdicts_of(order_id)
    ]
    lines += [
        Line(at=each.at, who=each.who, what=each.what, about=each.subject, says=_change(each.reason, each.before, each.after))
        for each in await store.audit_of(order_id, limit=1000)
    ]
    for shipment in dossier.shipments:
        lines += [
            Line(
                at=view.seen_at,
                who=view.source,
                what="scan",
                about=shipment.subject,
                says=_said(view.event.local_time, view.event.status.value, view.event.description, view.event.location),
            )
            for view in await store.events_of(shipment.id)
        ]
    return lines


def _verdict(verdict: Verdict) -> str:
    """What it asked for, else the first thing that kept it from asking."""
    if verdict.decisions:
        return ", ".join(f"{each.intent.value} because {each.reason.value}" for each in verdict.decisions)
    first = next(iter(verdict.considered), None)
    return "nothing" if first is None else f"nothing, because {first.reason.value}"


def _change(reason: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    moved = [
        f"{name} {shown(before[name])} -> {shown(value)}" if name in before else f"{name} {shown(value)}"
        for name, value in after.items()
    ]
    return _said(reason, *moved)


def _said(*parts: str | None) -> str:
    return "; ".join(part for part in parts if part)


def _text(console: Console, stories: Sequence[tuple[OrderRef, Sequence[Line]]]) -> None:
    for ref, lines in stories:
        console.head(f"Order {ref.number} of store {ref.store}")
        rows = [(each.at, each.who, each.what, each.about, each.says) for each in lines]
        console.table(("written down", "by", "what", "about", "says"), rows, empty="Nothing was written down yet.")
