"""The store's statements against the page that says which moves are legal (facts/engine.md 2.5, I1)."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from tests.store.build import NOW, decided, decision, dossier, given, held, pending, tasked
from tracker.clock import FixedClock
from tracker.model import Channel, DecisionReason, HoldReason, Intent, OutboxState, Task, TaskState
from tracker.outbox import MOVES, TASK_MOVES, allowed
from tracker.store import Conflict, NewRow, NotThere, Store, TaskResult, create, open_store

MESSAGE = decision()
MONEY = decision(Intent.REFUND)


async def _version(store: Store) -> int:
    return (await dossier(store)).version


async def _claim(store: Store, row: int) -> None:
    await store.claim_row(row, who="t", version=await _version(store), now=NOW)


async def _open_task(store: Store, row: int) -> None:
    task = Task(kind="k", title="t", store="shop", order="8001")
    await store.open_task(row, task, version=await _version(store), now=NOW)


async def _withdraw(store: Store, row: int) -> None:
    key = (await store.outbox_view(row)).row.key
    await decided(store, withdraw=((key, DecisionReason.DELIVERED),))


async def _approve(store: Store, row: int) -> None:
    await store.decide_row(row, await _version(store), approve=True, by="Mei", reason="r", now=NOW)


async def _reject(store: Store, row: int) -> None:
    await store.decide_row(row, await _version(store), approve=False, by="Mei", reason="r", now=NOW)


async def _again(store: Store, row: int) -> None:
    key = (await store.outbox_view(row)).row.key
    await decided(store, pending(MESSAGE) if key == MESSAGE.key else held(MONEY))


async def _unsure(store: Store, row: int) -> None:
    view = await store.outbox_view(row)
    await store.done_task(view.task_id or 0, TaskResult(unsure=True), by="Mei", now=NOW)


ACTS: dict[str, Callable[[Store, int], Awaitable[object]]] = {
    "claim": _claim,
    "open_task": _open_task,
    "withdraw": _withdraw,
    "approve": _approve,
    "reject": _reject,
    "decide again": _again,
    "unsure": _unsure,
    "hold": lambda store, row: store.hold_row(row, HoldReason.PLAUSIBILITY, "why", NOW),
    "defer": lambda store, row: store.defer_row(row, NOW, "why", NOW),
    "cancel": lambda store, row: store.cancel_row(row, "why", NOW),
    "fail": lambda store, row: store.fail_row(row, "why", NOW),
    "reroute": lambda store, row: store.reroute_row(row, Channel.TASK, "why", NOW),
    "sent": lambda store, row: store.finish_row(row, OutboxState.SENT, NOW),
    "failed": lambda store, row: store.finish_row(row, OutboxState.FAILED, NOW),
    "unknown": lambda store, row: store.finish_row(row, OutboxState.UNKNOWN, NOW),
    "refused": lambda store, row: store.finish_row(row, OutboxState.PENDING, NOW, not_before=NOW),
    "release": lambda store, row: store.release_hold(row, by="Mei", reason="r", now=NOW),
    "resolve sent": lambda store, row: store.resolve_row(row, OutboxState.SENT, by="Mei", reason="r", now=NOW),
    "resolve failed": lambda store, row: store.resolve_row(row, OutboxState.FAILED, by="Mei", reason="r", now=NOW),
}

PENDING, HELD, SENDING = OutboxState.PENDING, OutboxState.HELD, OutboxState.SENDING
SENT, FAILED, UNKNOWN, CANCELLED = OutboxState.SENT, OutboxState.FAILED, OutboxState.UNKNOWN, OutboxState.CANCELLED

WAYS: dict[str, tuple[NewRow, tuple[str, ...], set[OutboxState]]] = {
    "pending": (pending(MESSAGE), (), {SENDING, SENT, CANCELLED, HELD, FAILED}),
    "held for money": (held(MONEY), (), {PENDING, CANCELLED}),
    "held for a look": (pending(MESSAGE), ("hold",), {PENDING, CANCELLED}),
    "sending": (pending(MESSAGE), ("claim",), {SENT, FAILED, UNKNOWN, PENDING}),
    "sent": (pending(MESSAGE), ("claim", "sent"), set()),
    "sent, as a task": (pending(MESSAGE, Channel.TASK), ("open_task",), {UNKNOWN}),
    "sent, its task dropped": (pending(MESSAGE, Channel.TASK), ("open_task", "withdraw"), {PENDING}),
    "sent, its money task dropped": (pending(MONEY, Channel.TASK), ("open_task", "withdraw"), {HELD}),
    "failed": (pending(MESSAGE), ("claim", "failed"), set()),
    "unknown": (pending(MESSAGE), ("claim", "unknown"), {SENT, FAILED}),
    "unknown, as a task": (pending(MESSAGE, Channel.TASK), ("open_task", "unsure"), {SENT, FAILED}),
    "cancelled by the facts": (pending(MESSAGE), ("withdraw",), {PENDING}),
    "money cancelled by the facts": (held(MONEY), ("withdraw",), {HELD}),
    "cancelled by the guard": (pending(MESSAGE), ("cancel",), {PENDING}),
    "rejected": (held(MONEY), ("reject",), set()),
}
"""A row's state, the road to it, and where any act of the store may take it from there (itself left out)."""


@pytest.mark.parametrize("way", WAYS)
async def test_every_act_on_a_row_in_every_state(tmp_path: Path, way: str) -> None:
    """Each act moves it as the table says, or not at all; what is `unknown` or `sent` never becomes `pending` (I1)."""
    row, road, reachable = WAYS[way]
    url = f"sqlite:///{tmp_path / 'tracker.db'}"
    create(url, rehearsal=True, now=NOW)
    store = await open_store(url, clock=FixedClock(NOW))
    await given(store)
    await decided(store, row)
    for step in road:
        await ACTS[step](store, 1)
    start = (await store.outbox_view(1)).row.state
    await store.close()
    reached = set()
    for name, act in ACTS.items():
        copy = tmp_path / f"{name}.db"
        shutil.copy(tmp_path / "tracker.db", copy)
        store = await open_store(f"sqlite:///{copy}", clock=FixedClock(NOW))
        with suppress(Conflict, NotThere):
            await act(store, 1)
        state = (await store.outbox_view(1)).row.state
        await store.close()
        assert state is start or allowed(start, state), f"{name} moved {start} to {state}"
        reached.add(state)
    assert reached - {start} == reachable


def test_the_table_has_no_move_that_no_act_makes() -> None:
    starts = {
        "pending": PENDING,
        "held": HELD,
        "money": None,
        "sending": SENDING,
        "sent": SENT,
        "failed": FAILED,
        "unknown": UNKNOWN,
        "cancelled": CANCELLED,
        "rejected": CANCELLED,
    }
    made = set()
    for way, (row, road, reachable) in WAYS.items():
        start = CANCELLED if way.startswith("money cancelled") else starts[way.replace(",", "").split()[0]]
        made |= {(start, state) for state in reachable}
        made |= {(None, row.state)} if not road else set()
    assert made | {(PENDING, PENDING)} == set(MOVES)


@pytest.mark.parametrize(
    ("road", "state"),
    [
        ((), TaskState.OPEN),
        (("take",), TaskState.IN_HAND),
        (("done",), TaskState.DONE),
        (("take", "done"), TaskState.DONE),
        (("drop",), TaskState.DROPPED),
        (("take", "drop"), TaskState.DROPPED),
        (("withdraw",), TaskState.DROPPED),
        (("expire",), TaskState.EXPIRED),
        (("take", "expire"), TaskState.EXPIRED),
        (("unsure", "resolve sent"), TaskState.DONE),
    ],
)
async def test_a_task_moves_as_its_table_says(tmp_path: Path, road: tuple[str, ...], state: TaskState) -> None:
    url = f"sqlite:///{tmp_path / 'tracker.db'}"
    create(url, rehearsal=True, now=NOW)
    store = await open_store(url, clock=FixedClock(NOW))
    await given(store)
    task_id = await tasked(store, MESSAGE, valid_until=NOW)
    acts: dict[str, Callable[[], Awaitable[object]]] = {
        "take": lambda: store.take_task(task_id, by="Mei", now=NOW),
        "done": lambda: store.done_task(task_id, TaskResult(), by="Mei", now=NOW),
        "drop": lambda: store.drop_task(task_id, by="Mei", reason="r", now=NOW),
        "expire": lambda: store.expire_tasks(NOW),
    }
    seen: list[TaskState | None] = [None, TaskState.OPEN]
    for step in road:
        await (acts[step]() if step in acts else ACTS[step](store, 1))
        seen.append((await store.task(task_id)).state)
    await store.close()
    assert seen[-1] is state
    assert all(pair in TASK_MOVES for pair in pairwise(seen))
