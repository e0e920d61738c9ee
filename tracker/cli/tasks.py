"""`tracker tasks`: work that only a person can do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from tracker.cli.choice import known_store
from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import Amount, At, Day, Person
from tracker.cli.output import Answer
from tracker.cli.queues import Tasks
from tracker.cli.rows import outcomes
from tracker.cli.task_rows import COLUMNS, card, cells, task_document
from tracker.cli.worksheets import Chosen, Unwanted, export_sheet, import_sheet
from tracker.desk import each, people, tasks
from tracker.model import TaskState
from tracker.store.rows import TaskResult, TaskView
from tracker.team import folded

app = App(name="tasks", help="Work that only a person can do: paste a text, extend a window, pay a refund, ask a forwarder.")

Items = Annotated[
    int | None, Parameter(help="How many items you saw of a grouped task that nobody has taken: refused when it has grown since.")
]


@app.command(name="list")
def list_(
    *,
    state: list[TaskState] | None = None,
    store: str | None = None,
    mine: Annotated[bool, Parameter(negative=())] = False,
    to: str | None = None,
    common: Person = Person(),
) -> int:
    """Open tasks, nearest deadline first.

    Example: `tracker tasks list --store lume --state open`

    Example: `tracker tasks list --mine --by Mei`

    Args:
        state: Which states; those still to do by default.
        store: One store only.
        mine: Yours only: in your hands, or assigned to you or to somebody on leave for whom you stand in.
        to: Those of this person only.
    """
    if mine and to is not None:
        raise UsageError("--mine or --to NAME, not both")

    async def work(room: Room) -> Answer:
        team = room.loaded.rules.team
        whose = room.who if mine else None if to is None else people.named(to, team)
        of_store = await known_store(store, room)
        found = [
            (task, owner)
            for task in await tasks.listed(room.store, states=state or tasks.OPEN, of_store=of_store)
            if same(owner := tasks.owner(task, team, room.now), whose)
        ]
        rows = [cells(task, people.name_of(owner, team), room.phrases) for task, owner in found]
        return Answer(
            document={"tasks": [task_document(task, owner) for task, owner in found]},
            text=lambda console: console.table(COLUMNS, rows, empty="list.nothing_to_do"),
        )

    return answer(common, work)


@app.command
def show(id: int, /, *, common: At = At()) -> int:  # noqa: A002 - what the user reads in --help
    """One task with its facts, its link and the text to paste.

    Example: `tracker tasks show 7`
    """

    async def work(room: Room) -> Answer:
        task, team = await room.store.task(id), room.loaded.rules.team
        owner = tasks.owner(task, team, room.now)
        return Answer(
            document={"task": task_document(task, owner)},
            text=lambda console: card(console, task, people.name_of(owner, team)),
        )

    return answer(common, work)


@app.command
def take(*ids: int, common: Person = Person()) -> int:
    """Take tasks in hand: a lock with your name.

    Example: `tracker tasks take 7 8 --by Mei`
    """

    async def work(room: Room) -> Answer:
        async def one(task_id: int) -> TaskView:
            return await tasks.take(room.store, task_id, by=room.who, now=room.now)

        return outcomes("in hand", await each(_some(ids), one), note=lambda task: _was_of(task, room))

    return answer(common, work, writes=True)


@app.command
def done(  # noqa: PLR0913 - what a task can want to know
    *ids: int,
    window_end: Day | None = None,
    amount: Amount | None = None,
    ref: str | None = None,
    tracking_number: str | None = None,
    unsure: Annotated[bool, Parameter(negative=())] = False,
    note: str | None = None,
    items: Items = None,
    force: Annotated[bool, Parameter(negative=())] = False,
    common: Person = Person(),
) -> int:
    """Close tasks as done. An extension wants --window-end, a refund --amount and --ref, a parcel sent again --tracking-number.

    Example: `tracker tasks done 7 --window-end 2026-05-01 --by Mei`

    Args:
        window_end: The new last day of the delivery window, as the marketplace shows it.
        amount: What was really paid back, in the order's currency.
        ref: The marketplace's or bank's reference of the refund.
        tracking_number: Under which number the parcel travels that was sent again, or sent on: it is followed from now on.
        unsure: You cannot say whether it was done: it is never done again by itself, and shown as doubtful.
        note: What the next one should know; wanted where another amount was paid than approved.
        force: Take a new end of the window that has passed or lies far ahead.
    """
    told = window_end or amount is not None or ref or tracking_number
    if unsure and told:
        raise UsageError("--unsure says that you do not know; leave out what it was done with")
    if len(ids) > 1 and (told or items is not None):
        raise UsageError("--window-end, --amount, --ref, --tracking-number and --items belong to one task: close them one by one")

    async def work(room: Room) -> Answer:
        async def one(task_id: int) -> TaskView:
            task = await room.store.task(task_id)
            end = None if window_end is None else tasks.end_of_day(window_end, room.zone_of(task.store))
            result = TaskResult(
                window_end=end, amount=amount, reference=ref, tracking_number=tracking_number, note=note, unsure=unsure
            )
            return await tasks.done(room.store, task_id, result, by=room.who, now=room.now, seen=items, force=force)

        return outcomes("doubtful" if unsure else "done", await each(_some(ids), one))

    return answer(common, work, writes=True)


@app.command
def drop(*ids: int, reason: str, items: Items = None, common: Person = Person()) -> int:
    """Give tasks up, with a reason. What they were for is not done again by itself.

    Example: `tracker tasks drop 7 --reason "buyer cancelled by phone" --by Mei`
    """
    if not reason.strip():
        raise UsageError("dropping a task needs a reason that says something: --reason 'why'")
    if len(ids) > 1 and items is not None:
        raise UsageError("--items belongs to one task: drop them one by one")

    async def work(room: Room) -> Answer:
        async def one(task_id: int) -> TaskView:
            return await tasks.drop(room.store, task_id, by=room.who, reason=reason, now=room.now, seen=items)

        return outcomes("dropped", await each(_some(ids), one))

    return answer(common, work, writes=True)


@app.command
def assign(*ids: int, to: str, from_: Annotated[str | None, Parameter(name="--from")] = None, common: Person = Person()) -> int:
    """Say whose work tasks are. What somebody has in hand changes hands.

    Example: `tracker tasks assign 7 8 --to Lin --by Mei`

    Example: `tracker tasks assign --from Mei --to Lin --by Mei`

    Args:
        to: Who does them from now on.
        from_: All open tasks of this person, instead of ids: before a leave, or in an illness.
    """
    if (from_ is None) is not bool(ids):
        raise UsageError("name the tasks by their ids, or all of a person's: --from NAME")

    async def work(room: Room) -> Answer:
        team = room.loaded.rules.team
        person = people.named(to, team)
        chosen = ids if from_ is None else [task.id for task in await tasks.of_person(room.store, people.named(from_, team))]

        async def one(task_id: int) -> TaskView:
            return await tasks.assign(room.store, task_id, to=person, by=room.who, now=room.now)

        found = await each(chosen, one)
        if not found:
            return Answer(document={"results": []}, text=lambda console: console.line(console.phrases.say("list.nothing_to_do")))
        done = room.phrases.say("tasks.assigned", name=people.name_of(person, team))
        return outcomes(done, found, note=lambda task: _stands_in(task, room))

    return answer(common, work, writes=True)


def _stands_in(task: TaskView, room: Room) -> str | None:
    """Who does it in the place of an assignee who is on leave."""
    team = room.loaded.rules.team
    owner = tasks.owner(task, team, room.now)
    return None if same(owner, task.assigned_to) else room.phrases.say("tasks.stands_in", name=people.name_of(owner, team))


def _was_of(task: TaskView, room: Room) -> str | None:
    """Whose task it was that somebody else has taken."""
    if task.assigned_to is None or same(task.assigned_to, room.who):
        return None
    return room.phrases.say("tasks.was_of", name=people.name_of(task.assigned_to, room.loaded.rules.team))


@app.command
def export(
    file: Path,
    /,
    *,
    store: str | None = None,
    mine: Annotated[bool, Parameter(negative=())] = False,
    to: str | None = None,
    force: Annotated[bool, Parameter(negative=())] = False,
    common: Person = Person(),
) -> int:
    """Write the open tasks as a worksheet (.xlsx): one line an order, texts, links, and columns for the decisions.

    Example: `tracker tasks export today.xlsx --store lume`

    Example: `tracker tasks export mine.xlsx --mine --by Mei`

    Args:
        store: One store only.
        mine: Yours only, as in `tracker tasks list --mine`.
        to: Those of this person only.
        force: Over a file that is there, with whatever was filled in.
    """
    return export_sheet(Tasks(), file, Chosen(store=store, mine=mine, to=to, force=force), common)


@app.command(name="import")
def import_(
    file: Path,
    /,
    *,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    store: Unwanted = None,
    carrier: Unwanted = None,
    common: Person = Person(),
) -> int:
    """Take the decisions of a worksheet: done, drop, unsure, each line by itself. Exit 0: all taken, 3: in part, 1: none.

    A line without a decision is left alone. What cannot be taken is told with its line and comes back in X.rejected.xlsx, on
    today's facts. The same file twice changes nothing.

    Example: `tracker tasks import today.xlsx --by Mei`

    Args:
        dry_run: Show what would be taken; nothing is written.
    """
    return import_sheet(Tasks(), file, common, dry_run=dry_run, foreign={"store": store, "carrier": carrier})


def same(owner: str | None, whose: str | None) -> bool:
    """Whether it is the work of `whose`; of None everything is."""
    return whose is None or (owner is not None and folded(owner) == folded(whose))


def _some(ids: tuple[int, ...]) -> tuple[int, ...]:
    if not ids:
        raise UsageError("name at least one id; they stand in: tracker tasks list")
    return ids
