"""`tracker outbox`: everything that was decided, and the doubtful sends."""

from __future__ import annotations

from typing import Literal

from cyclopts import App

from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import At, Person
from tracker.cli.output import Answer
from tracker.cli.rows import card, listing, outcomes
from tracker.desk import each, effects
from tracker.model import OutboxState
from tracker.store.rows import OutboxView

app = App(name="outbox", help="Everything that was decided. A doubtful send is never sent again by itself.")

_RESOLVE = "tracker outbox resolve {id} --to sent|failed --reason 'how you know'"


@app.command(name="list")
def list_(*, state: list[OutboxState] | None = None, store: str | None = None, limit: int = 200, common: At = At()) -> int:
    """Rows of the outbox, newest first.

    Example: `tracker outbox list --state unknown`

    Args:
        state: Which states; all by default.
        store: One store only.
        limit: At most so many rows.
    """

    async def work(room: Room) -> Answer:
        found = await effects.listed(room.store, states=tuple(state or ()), of_store=store, limit=limit)
        return listing("outbox", found, empty="list.nothing_here")

    return answer(common, work)


@app.command
def show(id: int, /, *, common: At = At()) -> int:  # noqa: A002 - what the user reads in --help
    """One row with its evidence and its fate.

    Example: `tracker outbox show 12`
    """

    async def work(room: Room) -> Answer:
        view = await room.store.outbox_view(id)
        doubtful = view.row.state is OutboxState.UNKNOWN
        step = room.phrases.say("card.doubtful", command=_RESOLVE.format(id=id))
        return card("row", view, next_step=step if doubtful else "")

    return answer(common, work)


@app.command
def resolve(*ids: int, to: Literal["sent", "failed"], reason: str, common: Person = Person()) -> int:
    """Say what became of doubtful sends. Nothing is sent again.

    Example: `tracker outbox resolve 12 --to sent --reason "it is in the provider's log" --by Mei`
    """
    if not ids:
        raise UsageError("name at least one id; they stand in: tracker outbox list --state unknown")
    if not reason.strip():
        raise UsageError("say how you know: --reason 'it is in the provider's log'")

    async def work(room: Room) -> Answer:
        async def one(row_id: int) -> OutboxView:
            return await effects.resolve(room.store, row_id, to=to, by=room.who, reason=reason, now=room.now)

        return outcomes(to, await each(ids, one))

    return answer(common, work, writes=True)
