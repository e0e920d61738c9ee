"""`tracker hold`: what a guard holds back."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from tracker.cli import mass
from tracker.cli.brake import lines
from tracker.cli.choice import one_of
from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import At, Person
from tracker.cli.output import Answer, Console, shown
from tracker.cli.rows import card, listing, outcomes
from tracker.desk import brake, each, effects
from tracker.model import HoldReason, OutboxState
from tracker.store.desk import REVIEW_HOLDS
from tracker.store.rows import OutboxView

app = App(
    name="hold", help="What a guard holds back: first start, a stage days late, too many losses at once, an untrusted clock."
)

REASONS = tuple(reason.value for reason in HoldReason if reason not in REVIEW_HOLDS)

Switch = Parameter(negative=())
All = Annotated[bool, Parameter(name="--all", negative=())]


@app.command(name="list")
def list_(*, store: str | None = None, reason: str | None = None, carrier: str | None = None, common: At = At()) -> int:
    """What is held back, longest first, with the numbers of a mass change and the clock's state.

    Example: `tracker hold list --reason stale_stage`

    Args:
        store: One store only.
        reason: Held for this reason only: first_start, stale_stage, plausibility, time_guard, store_observes …
        carrier: Parcels of one carrier only.
    """

    async def work(room: Room) -> Answer:
        choice = _choice(room, store, reason, carrier)
        ids = {row.id for row in await room.store.held_rows() if choice.takes(row)}
        views = [view for view in await effects.held(room.store) if view.row.id in ids]
        counts = Counter((view.row.hold, view.row.store) for view in views)
        since = await room.store.clock_distrusted_at()
        bad = await room.store.turned_bad(room.now) if any(hold is HoldReason.PLAUSIBILITY for hold, _ in counts) else []
        found = listing("holds", views, empty="list.nothing_held")
        document = {
            **found.document,
            "groups": [{"hold": hold, "store": of, "count": count} for (hold, of), count in sorted(counts.items())],
            "clock_distrusted_since": since,
            "plausibility": [mass.numbers(room, one) for one in bad],
        }

        def text(console: Console) -> None:
            found.text(console)
            if len(views) > 1:
                rows = [(console.phrases.word("hold", hold or ""), of, count) for (hold, of), count in sorted(counts.items())]
                console.table(("hold", "store", "count"), rows, empty="")
            if since is not None:
                console.line(console.phrases.say("brake.clock", at=shown(since)))
            for one in bad:
                console.line(mass.told(console, room, one))

        return Answer(document=document, text=text)

    return answer(common, work)


@app.command
def show(id: int, /, *, common: At = At()) -> int:  # noqa: A002 - what the user reads in --help
    """One held row with its evidence; of a mass change, the numbers.

    Example: `tracker hold show 12`
    """

    async def work(room: Room) -> Answer:
        view = await room.store.outbox_view(id)
        found = card("hold", view, next_step=f"tracker hold release {id}" if view.row.state is OutboxState.HELD else "")
        bad = await room.store.turned_bad(room.now) if view.row.hold is HoldReason.PLAUSIBILITY else []

        def text(console: Console) -> None:
            found.text(console)
            for one in bad:
                console.line(mass.told(console, room, one))

        return Answer(document={**found.document, "plausibility": [mass.numbers(room, one) for one in bad]}, text=text)

    return answer(common, work)


@app.command
def release(
    *ids: int,
    all_: All = False,
    reason: str | None = None,
    store: str | None = None,
    carrier: str | None = None,
    note: str = "",
    dry_run: Annotated[bool, Switch] = False,
    common: Person = Person(),
) -> int:
    """Let held rows go on: some by id, or many at once. What comes out is a backlog: a tenth a day, open cases first.

    Each still passes the guards of its moment before anything leaves. Releasing what the time guard holds says that the clock is
    right, also where nothing is held yet.

    Example: `tracker hold release --reason first_start --store lume --by Mei --dry-run`

    Args:
        ids: Rows by number; they stand in `tracker hold list`.
        all_: Everything that is held, or all that the other options leave.
        reason: What is held for this reason: first_start, stale_stage, plausibility, time_guard, store_observes …
        store: What is held of this store.
        carrier: What is held of parcels of this carrier.
        note: Why; the audit keeps it.
        dry_run: Show what would be released and how fast it would go out, and release nothing.
    """
    many = all_ or any(each is not None for each in (reason, store, carrier))
    if bool(ids) == many:
        raise UsageError("name ids (they stand in: tracker hold list), or choose many: --all, --reason, --store, --carrier")
    if ids:
        if dry_run:
            raise UsageError("--dry-run belongs to --all, --reason, --store, --carrier; of one row: tracker hold show ID")
        return _some(ids, note, common)

    async def work(room: Room) -> Answer:
        choice, manners = _choice(room, store, reason, carrier), room.loaded.rules.manners
        bad = [] if choice.hold is not HoldReason.PLAUSIBILITY else await room.store.turned_bad(room.now)
        if dry_run:
            found = await brake.chosen(room.store, choice, manners, room.now)
        else:
            found = await brake.let_go(room.store, choice, manners, by=room.who, reason=note.strip(), now=room.now)
        confirmed = choice.hold is HoldReason.TIME_GUARD and not dry_run
        document = {
            "dry_run": dry_run,
            "released": 0 if dry_run else len(found.rows),
            "results": [{"id": row.id, "done": not dry_run, "hold": row.hold, "store": row.store} for row in found.rows],
            "stay": found.stay,
            "ramp": msgspec.to_builtins(found.lines),
            "clock_confirmed": confirmed,
            "plausibility": [mass.numbers(room, one) for one in bad],
        }

        def text(console: Console) -> None:
            key = "brake.would_release" if dry_run else "brake.released"
            console.line(console.phrases.say(key, count=len(found.rows)))
            if found.stay:
                console.line(console.phrases.say("brake.stay", count=found.stay))
            if confirmed:
                console.line(console.phrases.say("brake.clock_confirmed"))
            for one in bad:
                console.line(mass.told(console, room, one))
            lines(console, found.lines)

        return Answer(document=document, text=text)

    return answer(common, work, writes=not dry_run)


def _some(ids: tuple[int, ...], note: str, common: Person) -> int:
    async def work(room: Room) -> Answer:
        who = room.who

        async def one(row_id: int) -> OutboxView:
            return await effects.release(room.store, row_id, by=who, reason=note, now=room.now)

        return outcomes(room.phrases.say("brake.one_released"), await each(ids, one))

    return answer(common, work, writes=True)


def _choice(room: Room, store: str | None, reason: str | None, carrier: str | None) -> brake.Choice:
    rules = room.loaded.rules
    if reason in {hold.value for hold in REVIEW_HOLDS}:
        raise UsageError(f"--reason: what is held for {reason} waits in: tracker review list")
    return brake.Choice(
        hold=None if reason is None else HoldReason(one_of("reason", reason, REASONS)),
        store=None if store is None else one_of("store", store, rules.stores),
        carrier=None if carrier is None else one_of("carrier", carrier, rules.carriers),
    )
