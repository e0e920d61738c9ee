"""The numbers of a mass change (D25), told wherever somebody may approve or release the refunds that it wants."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tracker.cli.context import Room
from tracker.cli.output import Console
from tracker.model import ActionKind
from tracker.policy.release import implausible
from tracker.store.holds import TurnedBad
from tracker.store.rows import OutboxView


async def behind(room: Room, views: Iterable[OutboxView]) -> list[TurnedBad]:
    """The carriers of which too many parcels turned bad within a day, where any of these rows is a refund."""
    if not any(view.row.kind is ActionKind.REFUND for view in views):
        return []
    manners = room.loaded.rules.manners
    return [bad for bad in await room.store.turned_bad(room.now) if implausible(bad.within_24h, bad.usual, manners)]


def numbers(room: Room, bad: TurnedBad) -> dict[str, Any]:
    """What turned bad, what is usual, above what the money stops."""
    manners = room.loaded.rules.manners
    return {
        "carrier": bad.carrier,
        "within_24h": bad.within_24h,
        "usual_per_day": round(bad.usual, 2),
        "more_than": round(manners.plausibility_factor * bad.usual, 2),
        "at_least": manners.plausibility_parcels,
    }


def told(console: Console, room: Room, bad: TurnedBad) -> str:
    """The same as a sentence."""
    return console.phrases.say("brake.plausibility", **numbers(room, bad) | {"carrier": bad.carrier or "?"})
