"""`tracker explain`: why an order is treated as it is, at any date."""

from __future__ import annotations

from collections.abc import Mapping

from tracker.cli.context import Room, answer
from tracker.cli.options import At
from tracker.cli.output import Answer, Console
from tracker.clock import epoch
from tracker.explain import Explanation, explain, to_text
from tracker.model import Dossier, OutboxState, Release
from tracker.policy import release
from tracker.polling.routing import choices
from tracker.store import NotThere
from tracker.timeline import Seen, as_of


def explain_(number: str, /, *, store: str | None = None, common: At = At()) -> int:
    """The facts, the rules that apply and those that do not with their reasons, what was decided, what comes next.

    Example: `tracker explain RB123456785CN --at 2026-03-01`

    Args:
        number: An order, or any number of a parcel. A parcel of two orders explains both.
        store: The store, where two of them use the same order number.
    """

    async def work(room: Room) -> Answer:
        found = [ref for ref in await room.store.find_orders(number) if store in {None, ref.store}]
        if not found:
            raise NotThere(f"No order and no parcel is called {number!r}. Numbers come from: tracker import FILE")
        dossiers = await room.store.load_dossiers([ref.id for ref in found])
        stories = [await _story(room, dossier, number, past=common.at is not None) for dossier in dossiers]
        return Answer(
            document={"explanations": [story.to_dict() for story in stories]},
            text=lambda console: _text(console, stories),
        )

    return answer(common, work)


async def _story(room: Room, dossier: Dossier, asked: str, *, past: bool) -> Explanation:
    """Today's dossier explained with what release() says now, or the dossier as it stood at another time."""
    if past:
        dossier = as_of(dossier, await _seen(room, dossier), room.now)
    return explain(
        dossier,
        room.loaded.rules,
        room.now,
        room.phrases,
        asked=_named(dossier, asked),
        next_poll_at={} if past else await room.store.next_polls(dossier.order.id),
        asked_of=_asked_of(room, dossier),
        releases={} if past else await _releases(room, dossier),
        windows=[each for each in await room.store.window_history(dossier.order.id) if each.at <= room.now],
    )


def _asked_of(room: Room, dossier: Dossier) -> dict[str, tuple[str, ...]]:
    """The sources of each parcel, those kept for other stores left out."""
    serving = {each.id for each in room.loaded.settings.sources if not each.stores or dossier.order.store in each.stores}
    rules = room.loaded.rules
    return {
        parcel.number: tuple(name for name in choices(parcel.number, parcel.carrier, rules) if name in serving)
        for parcel in dossier.shipments
    }


def _named(dossier: Dossier, asked: str) -> str:
    """The parcel's number as it is written here, where a parcel was asked for."""
    plain = "".join(asked.split()).upper()
    return next((parcel.number for parcel in dossier.shipments if parcel.number == plain), dossier.order.number)


async def _seen(room: Room, dossier: Dossier) -> Mapping[str, list[Seen]]:
    return {
        parcel.number: [
            Seen(event=view.event, at=epoch(view.seen_at), source=view.source) for view in await room.store.events_of(parcel.id)
        ]
        for parcel in dossier.shipments
    }


async def _releases(room: Room, dossier: Dossier) -> dict[str, Release]:
    """What the last guard would say of each row that waits to go."""
    said = {}
    for view in await room.store.rows_of(dossier.order.id):
        if view.row.state is OutboxState.PENDING and view.row.order_id == dossier.order.id:
            totals = await room.store.totals(view.row, room.now)
            said[view.row.key] = release(view.row, dossier, totals, room.loaded.rules, room.now)
    return said


def _text(console: Console, stories: list[Explanation]) -> None:
    for at, story in enumerate(stories):
        if at:
            console.line()
        for line in to_text(story, console.phrases):
            console.line(line)
