"""Whose work tasks are: assigned, handed over, taken from each other; and a grouped task closed only as it was seen (D17)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from tests.desk.world import NOW, STORE, World
from tracker.desk import tasks
from tracker.model import Intent, OutboxState, Task, TaskState
from tracker.store import Conflict, TaskResult
from tracker.team import Leave, Person, Team

LIN = Person(id="lin", name="Lin")
MEI = Person(id="mei", name="Mei", deputy="lin", leave=(Leave(date(2026, 3, 2), date(2026, 3, 6)),))
TEAM = Team(people=(MEI, LIN))
LATER = NOW + timedelta(hours=1)


async def _grouped(world: World, number: str, at_hour: int = 0, whose: str | None = None) -> int:
    """A stage 1 text that joins the day's worksheet; the task's id."""
    order = await world.order(number)
    row = await world.effect(order, Intent.STAGE1)
    [dossier] = await world.store.load_dossiers([order])
    task = Task(
        kind="stage1", title="texts", store=STORE, order=number, text="Olá", group="stage1:lume:2026-03-01", assigned_to=whose
    )
    made = await world.store.open_task(row, task, version=dossier.version, now=NOW + timedelta(hours=at_hour))
    assert made is not None
    return made


async def test_the_deputy_owns_the_tasks_of_one_on_leave(world: World) -> None:
    """Level-triggered: the task stays Mei's, and shows as Lin's while she is away."""
    task = await world.store.task(await _grouped(world, "A-1", whose="mei"))
    assert task.assigned_to == "mei"
    assert tasks.owner(task, TEAM, NOW) == "mei"
    assert tasks.owner(task, TEAM, NOW + timedelta(days=2)) == "lin"
    assert tasks.owner(replace(task, taken_by="lin"), TEAM, NOW) == "lin"
    assert tasks.owner(replace(task, assigned_to="gone"), TEAM, NOW) == "gone"
    assert tasks.owner(replace(task, assigned_to=None), TEAM, NOW) is None


async def test_a_task_is_handed_over_with_its_lock(world: World) -> None:
    open_, in_hand = await world.task(await world.order("A-1")), await world.task(await world.order("A-2"))
    await tasks.assign(world.store, open_, to="mei", by="lin", now=NOW)
    await tasks.take(world.store, in_hand, by="mei", now=NOW)
    assert [task.id for task in await tasks.of_person(world.store, "MEI")] == [open_, in_hand]
    for task in await tasks.of_person(world.store, "mei"):
        await tasks.assign(world.store, task.id, to="lin", by="bo", now=NOW)
    assert await tasks.of_person(world.store, "mei") == []
    handed = await world.store.task(in_hand)
    assert (handed.state, handed.taken_by, handed.assigned_to) == (TaskState.IN_HAND, "lin", "lin")
    assert (await world.store.task(open_)).taken_by is None
    [entry] = [each for each in await world.store.audit_of(handed.items[0].order_id) if each.what == "task_assigned"]
    assert (entry.who, entry.before, entry.after["assigned_to"]) == ("bo", {"taken_by": "mei"}, "lin")
    assert (await tasks.done(world.store, in_hand, TaskResult(), by="lin", now=NOW)).state is TaskState.DONE
    with pytest.raises(Conflict, match="is closed: done"):
        await tasks.assign(world.store, in_hand, to="mei", by="bo", now=NOW)


async def test_somebody_elses_task_can_be_taken(world: World) -> None:
    task = await _grouped(world, "A-1", whose="mei")
    taken = await tasks.take(world.store, task, by="lin", now=NOW)
    assert (taken.taken_by, taken.assigned_to) == ("lin", "mei")


@pytest.mark.parametrize("way", ["done", "drop"])
async def test_d17_a_grouped_task_that_grew_is_not_closed_unseen(world: World, way: str) -> None:
    """What joined after the clerk looked would be called done, and its buyers would never be written to."""

    async def close(seen: int | None = None) -> TaskState:
        if way == "done":
            return (await tasks.done(world.store, task, TaskResult(), by="mei", now=LATER, seen=seen)).state
        return (await tasks.drop(world.store, task, by="mei", reason="so", now=LATER, seen=seen)).state

    task = await _grouped(world, "A-1")
    assert [await _grouped(world, number, at_hour=1) for number in ("A-2", "A-3")] == [task, task]
    with pytest.raises(Conflict, match=r"2 of the 3 items of task 1 were added since it was opened\. Take it first"):
        await close()
    with pytest.raises(Conflict, match="has 3 items now, not 1"):
        await close(seen=1)
    assert (await world.store.task(task)).state is TaskState.OPEN
    assert await close(seen=3) in {TaskState.DONE, TaskState.DROPPED}


async def test_a_task_in_hand_stays_as_it_was_taken(world: World) -> None:
    """D17: the next one of the day opens a new task, so the one in hand needs no count."""
    task = await _grouped(world, "A-1")
    await _grouped(world, "A-2", at_hour=1)
    await tasks.take(world.store, task, by="mei", now=LATER)
    assert await _grouped(world, "A-3", at_hour=2) != task
    done = await tasks.done(world.store, task, TaskResult(), by="mei", now=LATER)
    assert (done.state, len(done.live)) == (TaskState.DONE, 2)


async def test_a_task_that_never_grew_is_closed_without_a_word_about_it(world: World) -> None:
    task = await _grouped(world, "A-1")
    await _grouped(world, "A-2")
    assert (await tasks.done(world.store, task, TaskResult(unsure=True), by="mei", now=LATER)).state is TaskState.DROPPED
    assert len(await world.store.outbox(states=[OutboxState.UNKNOWN])) == 2
