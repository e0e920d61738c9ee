"""`tracker hold`: what a guard holds back."""

from __future__ import annotations

from cyclopts import App

from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import At, Person
from tracker.cli.output import Answer
from tracker.cli.rows import card, listing, outcomes
from tracker.desk import each, effects
from tracker.model import OutboxState
from tracker.store.rows import OutboxView

app = App(
    name="hold", help="What a guard holds back: first start, a stage days late, too many losses at once, an untrusted clock."
)


@app.command(name="list")
def list_(*, store: str | None = None, common: At = At()) -> int:
    """What is held back, longest first.

    Example: `tracker hold list`
    """

    async def work(room: Room) -> Answer:
        return listing("holds", await effects.held(room.store, of_store=store), empty="Nothing is held back.")

    return answer(common, work)


@app.command
def show(id: int, /, *, common: At = At()) -> int:  # noqa: A002 - what the user reads in --help
    """One held row with its evidence.

    Example: `tracker hold show 12`
    """

    async def work(room: Room) -> Answer:
        view = await room.store.outbox_view(id)
        return card("hold", view, next_step=f"tracker hold release {id}" if view.row.state is OutboxState.HELD else "")

    return answer(common, work)


@app.command
def release(*ids: int, reason: str = "", common: Person = Person()) -> int:
    """Let held rows go on. Each still passes the guards of that moment before anything leaves.

    Example: `tracker hold release 12 13 --by Mei`
    """
    if not ids:
        raise UsageError("name at least one id; they stand in: tracker hold list")

    async def work(room: Room) -> Answer:
        async def one(row_id: int) -> OutboxView:
            return await effects.release(room.store, row_id, by=room.who, reason=reason, now=room.now)

        return outcomes("released", await each(ids, one))

    return answer(common, work, writes=True)
