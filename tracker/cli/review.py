"""`tracker review`: recommendations that wait for a person's word."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from tracker.cli import mass
from tracker.cli.bulk import Asked, approve_many
from tracker.cli.choice import known_store
from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import Amount, At, Person, Time
from tracker.cli.output import Answer, Console
from tracker.cli.queues import Reviews
from tracker.cli.rows import card, listing, outcomes, second_of
from tracker.cli.worksheets import Chosen, Unwanted, export_sheet, import_sheet
from tracker.desk import each, review
from tracker.model import DecisionReason, OutboxState, Remedy
from tracker.store.rows import OutboxView

app = App(name="review", help="Recommendations that wait for a person's word. The daemon never moves money by itself.")

Seen = Annotated[int | None, Parameter(help="The version you saw in the column facts: refused when the facts have moved since.")]
Switch = Parameter(negative=())


@app.command(name="list")
def list_(*, store: str | None = None, snoozed: Annotated[bool, Switch] = False, common: At = At()) -> int:
    """What waits for approval, nearest deadline first.

    Example: `tracker review list --store lume`

    Args:
        store: One store only.
        snoozed: What somebody has put off, instead of what waits now.
    """

    async def work(room: Room) -> Answer:
        both = await review.waiting(room.store, of_store=await known_store(store, room), snoozed=None)
        chosen = [view for view in both if review.is_snoozed(view, room.now) is snoozed]
        later = len(both) - len(chosen)
        found = listing("reviews", chosen, empty="list.nothing_waits")
        bad = await mass.behind(room, chosen)

        def text(console: Console) -> None:
            found.text(console)
            if later and not snoozed:
                console.line(console.phrases.say("review.snoozed", count=later))
            for one in bad:
                console.line(mass.told(console, room, one))

        document = {**found.document, "snoozed": len(chosen) if snoozed else later}
        return Answer(document=document | {"plausibility": [mass.numbers(room, one) for one in bad]}, text=text)

    return answer(common, work)


@app.command
def show(id: int, /, *, common: At = At()) -> int:  # noqa: A002 - what the user reads in --help
    """One recommendation with its evidence.

    Example: `tracker review show 12`
    """

    async def work(room: Room) -> Answer:
        view = await room.store.outbox_view(id)
        seen = f"{id} --facts {view.order.version}"
        yes, no = f"tracker review approve {seen} --reason WHY", f"reject {seen} --reason WHY"
        step = f"{yes}   {room.phrases.say('card.or')}   {no}"
        return card("review", view, next_step=step if view.row.state is OutboxState.HELD else "")

    return answer(common, work)


@app.command
def approve(  # noqa: PLR0913 - what a person can say with a yes
    *ids: int,
    reason: str,
    facts: Seen = None,
    as_: Annotated[Remedy | None, Parameter(name="--as")] = None,
    amount: Amount | None = None,
    up_to: Amount | None = None,
    store: str | None = None,
    note: str = "",
    dry_run: Annotated[bool, Switch] = False,
    common: Person = Person(),
) -> int:
    """Approve, with a reason. A refund becomes a task; the buyer is told when that is closed with reference and amount.

    With --as another remedy is chosen than was proposed: `tracker review show ID` has them all with their costs. What is sent
    again, or on, becomes a task that wants the new tracking number; wait is a no that says so.

    A large refund wants two people: the first yes is kept, and somebody else says the second. With --up-to and no id, all small
    refunds of one reason are approved at once.

    Example: `tracker review approve 12 --facts 7 --reason "the carrier confirms it" --by Mei`

    Example: `tracker review approve 12 --as partial_refund --amount 6 --reason "he keeps it" --by Mei`

    Example: `tracker review approve --reason not_found_confirmed --up-to 8 --dry-run`

    Args:
        reason: Why; with --up-to the reason of the recommendations, as the list shows it.
        as_: full_refund, partial_refund, reship, forward or wait, instead of what was proposed.
        amount: With --as full_refund or partial_refund: what is paid back, where the proposal is not it.
        up_to: Approve the small refunds up to this amount, each in its own currency; [refunds] bulk_up_to limits it.
        store: With --up-to: of one store only.
        note: With --up-to: why, for those who ask later.
        dry_run: Only show what would be approved, with the total.
    """
    if up_to is not None:
        if ids or facts is not None or as_ is not None or amount is not None:
            raise UsageError("--up-to approves many by their reason: leave out the ids, --facts, --as and --amount")
        return approve_many(Asked(reason=_reason(reason), up_to=up_to, store=store, note=note, dry_run=dry_run), common)
    if store is not None or note or dry_run:
        raise UsageError("--store, --note and --dry-run belong to --up-to AMOUNT, which approves many by their reason")
    if as_ is None:
        if amount is not None:
            raise UsageError("--amount belongs to --as; another sum of what was proposed: tracker review edit ID --amount AMOUNT")
        return _decide(ids, approve=True, facts=facts, reason=reason, common=common)
    remedy, done = as_, "rejected" if as_ is Remedy.WAIT else "approved"

    async def one(room: Room, row_id: int) -> OutboxView:
        rules, by, now = room.loaded.rules, room.who, room.now
        return await review.approve_as(
            room.store, row_id, remedy=remedy, amount=amount, by=by, reason=reason, seen=facts, rules=rules, now=now
        )

    return _each(done, ids, facts, reason, one, common)


@app.command
def reject(*ids: int, reason: str, facts: Seen = None, common: Person = Person()) -> int:
    """Reject, with a reason that the next one who asks will read.

    Example: `tracker review reject 12 --reason "buyer agreed to wait" --by Mei`
    """
    return _decide(ids, approve=False, facts=facts, reason=reason, common=common)


@app.command
def snooze(*ids: int, until: Time, reason: str, facts: Seen = None, common: Person = Person()) -> int:
    """Put recommendations off: they leave the list until then. Never past their deadline.

    Example: `tracker review snooze 12 --until 2026-05-04 --reason "the buyer asks his post office" --by Mei`

    Args:
        until: When it comes back into the list, UTC.
    """

    async def one(room: Room, row_id: int) -> OutboxView:
        return await review.snooze(room.store, row_id, until=until, by=room.who, reason=reason, seen=facts, now=room.now)

    return _each("put off", ids, facts, reason, one, common)


@app.command
def edit(id: int, /, *, amount: Amount, reason: str, facts: Seen = None, common: Person = Person()) -> int:  # noqa: A002
    """Change the amount of a recommended refund, before it is approved.

    Example: `tracker review edit 12 --amount 9.90 --reason "half of the parcel arrived" --by Mei`

    Args:
        amount: In the order's currency; never more than was paid less what is refunded and approved.
    """

    async def one(room: Room, row_id: int) -> OutboxView:
        return await review.edit(room.store, row_id, amount=amount, by=room.who, reason=reason, seen=facts, now=room.now)

    return _each("changed", (id,), facts, reason, one, common)


@app.command
def export(
    file: Path,
    /,
    *,
    store: str | None = None,
    mine: Annotated[bool, Switch] = False,
    to: str | None = None,
    force: Annotated[bool, Switch] = False,
    common: Person = Person(),
) -> int:
    """Write what waits for approval as a worksheet (.xlsx): one line each, with evidence, texts and columns for the decisions.

    Example: `tracker review export monday.xlsx --store lume`

    Args:
        store: One store only.
        mine: Of the stores that are yours to look after today (team.toml).
        to: Of the stores of this person.
        force: Over a file that is there, with whatever was filled in.
    """
    return export_sheet(Reviews(), file, Chosen(store=store, mine=mine, to=to, force=force), common)


@app.command(name="import")
def import_(
    file: Path,
    /,
    *,
    dry_run: Annotated[bool, Switch] = False,
    store: Unwanted = None,
    carrier: Unwanted = None,
    common: Person = Person(),
) -> int:
    """Take the decisions of a worksheet: approve, reject, snooze. Exit 0: all taken, 3: in part, 1: none.

    The sums that it approves are shown; a changed amount is an edit and wants a reason. A line without a decision is left alone.
    What cannot be taken is told with its line and comes back in X.rejected.xlsx, on today's facts. The same file twice changes
    nothing.

    Example: `tracker review import monday.xlsx --by Mei --dry-run`

    Args:
        dry_run: Show what would be taken, with the sums; nothing is written.
    """
    return import_sheet(Reviews(), file, common, dry_run=dry_run, foreign={"store": store, "carrier": carrier})


def _decide(ids: tuple[int, ...], *, approve: bool, facts: int | None, reason: str, common: Person) -> int:
    async def one(room: Room, row_id: int) -> OutboxView:
        rules = room.loaded.rules
        return await review.decide(
            room.store, row_id, approve=approve, by=room.who, reason=reason, seen=facts, rules=rules, now=room.now
        )

    return _each("approved" if approve else "rejected", ids, facts, reason, one, common)


def _each(
    done: str,
    ids: tuple[int, ...],
    facts: int | None,
    reason: str,
    one: Callable[[Room, int], Awaitable[OutboxView]],
    common: Person,
) -> int:
    if not reason.strip():
        raise UsageError("a decision needs a reason that says something: --reason 'why'")
    if not ids:
        raise UsageError("name at least one id; they stand in: tracker review list")
    if facts is not None and len(ids) > 1:
        raise UsageError("--facts belongs to one id: decide them one by one")

    async def work(room: Room) -> Answer:
        found = await each(ids, lambda row_id: one(room, row_id))
        return outcomes(done, found, note=lambda view: second_of(view, room))

    return answer(common, work, writes=True)


def _reason(text: str) -> DecisionReason:
    try:
        return DecisionReason(text.strip())
    except ValueError:
        near = get_close_matches(text.strip(), list(DecisionReason), n=1)
        meant = f", did you mean {near[0]}" if near else ""
        raise UsageError(
            f"with --up-to, --reason is a reason of recommendations, as tracker review list shows it; {text!r} is none{meant}"
        ) from None
