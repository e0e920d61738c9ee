"""`tracker review`: recommendations that wait for a person's word."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import At, Person
from tracker.cli.output import Answer
from tracker.cli.rows import card, listing, outcomes
from tracker.desk import each, review
from tracker.model import OutboxState
from tracker.store.rows import OutboxView

app = App(name="review", help="Recommendations that wait for a person's word. The daemon never moves money by itself.")

Seen = Annotated[int | None, Parameter(help="The version you saw in the column facts: refused when the facts have moved since.")]


@app.command(name="list")
def list_(*, store: str | None = None, common: At = At()) -> int:
    """What waits for approval, nearest deadline first.

    Example: `tracker review list --store lume`
    """

    async def work(room: Room) -> Answer:
        return listing("reviews", await review.waiting(room.store, of_store=store), empty="Nothing waits for your word.")

    return answer(common, work)


@app.command
def show(id: int, /, *, common: At = At()) -> int:  # noqa: A002 - what the user reads in --help
    """One recommendation with its evidence.

    Example: `tracker review show 12`
    """

    async def work(room: Room) -> Answer:
        view = await room.store.outbox_view(id)
        seen = f"{id} --facts {view.order.version}"
        step = f"tracker review approve {seen} --reason WHY   or   reject {seen} --reason WHY"
        return card("review", view, next_step=step if view.row.state is OutboxState.HELD else "")

    return answer(common, work)


@app.command
def approve(*ids: int, reason: str, facts: Seen = None, common: Person = Person()) -> int:
    """Approve, with a reason. A refund becomes a task; the buyer is told when that is closed with reference and amount.

    Example: `tracker review approve 12 --facts 7 --reason "the carrier confirms it" --by Mei`
    """
    _said(reason)
    return _decide(ids, approve=True, facts=facts, reason=reason, common=common)


@app.command
def reject(*ids: int, reason: str, facts: Seen = None, common: Person = Person()) -> int:
    """Reject, with a reason that the next one who asks will read.

    Example: `tracker review reject 12 --reason "buyer agreed to wait" --by Mei`
    """
    _said(reason)
    return _decide(ids, approve=False, facts=facts, reason=reason, common=common)


def _said(reason: str) -> None:
    if not reason.strip():
        raise UsageError("a decision needs a reason that says something: --reason 'why'")


def _decide(ids: tuple[int, ...], *, approve: bool, facts: int | None, reason: str, common: Person) -> int:
    if not ids:
        raise UsageError("name at least one id; they stand in: tracker review list")
    if facts is not None and len(ids) > 1:
        raise UsageError("--facts belongs to one id: decide them one by one")

    async def work(room: Room) -> Answer:
        async def one(row_id: int) -> OutboxView:
            return await review.decide(
                room.store, row_id, approve=approve, by=room.who, reason=reason, seen=facts, now=room.now
            )

        return outcomes("approved" if approve else "rejected", await each(ids, one))

    return answer(common, work, writes=True)
