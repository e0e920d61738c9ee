"""What people say and do in the machine's stories, through the desk's own functions; the model hears what was taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal

from tests.machine import configs
from tests.machine.world import PARCELS, STORES, Told, World
from tracker.desk import cases, effects, review, tasks
from tracker.desk.cases import NewCase, Said
from tracker.desk.orders import tell
from tracker.model import CaseKind, CaseOutcome, Intent, OutboxState, Pause
from tracker.rules import Rules
from tracker.store import OrderPatch, Store, TaskResult, TaskView

ANSWERS = (
    "writes",
    "is satisfied",
    "opts out",
    "has received it",
    "disputes",
    "settles the dispute",
    "is refunded in part",
    "is refunded in full",
    "is imported again",
    "is told of a later window",
)
BY = "lin"
SECOND = "mei"
LITTLE = Decimal("7.00")


class People:
    """Everybody who is not the daemon."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._references = 0
        self._written: set[str] = set()

    @property
    def _rules(self) -> Rules:
        return configs.loaded(self._world.config, self._world.folder, self._world.url).rules

    # --------------------------------------------------------------------------------------------------------- about an order

    async def say(self, order: str, what: str) -> None:
        """One of ANSWERS about this order."""
        doing: dict[str, Callable[[str, Store], Awaitable[object]]] = {
            "disputes": self._dispute,
            "settles the dispute": self._settle,
            "is imported again": lambda number, store: self._world.bring(store, {number: PARCELS[number]}),
        }
        patches = self._patches(order)
        if what in doing:
            await self._world.tell(lambda store: doing[what](order, store))
            return
        patch, change = patches[what]
        taken = await self._world.tell(lambda store: self._tell(store, order, patch))
        if taken is not None:
            change(self._world.model[order])

    def _patches(self, order: str) -> dict[str, tuple[OrderPatch, Callable[[Told], None]]]:
        now, left = self._world.clock.now(), Decimal("40.00") - self._world.model[order].refunded
        self._references += 1
        reference = f"RF-{self._references}"
        return {
            "writes": (OrderPatch(waiting_since=now), lambda told: setattr(told, "waiting", True)),
            "is satisfied": (OrderPatch(waiting_since=None), lambda told: setattr(told, "waiting", False)),
            "opts out": (OrderPatch(opted_out=True), lambda told: setattr(told, "opted_out", True)),
            "has received it": (OrderPatch(received_at=now), lambda told: setattr(told, "received", True)),
            "is refunded in part": (OrderPatch(refunded=LITTLE, reference=reference), _paid(LITTLE)),
            "is refunded in full": (OrderPatch(refunded=left or LITTLE, reference=reference), _paid(left or LITTLE)),
            "is told of a later window": (OrderPatch(window_end=now + timedelta(days=60)), lambda _: None),
        }

    async def _tell(self, store: Store, order: str, patch: OrderPatch) -> bool:
        name = f"{STORES[order]}/{order}"
        await tell(store, name, patch, by=BY, reason="a story", now=self._world.clock.now())
        return True

    async def _dispute(self, order: str, store: Store) -> None:
        told, now = self._world.model[order], self._world.clock.now()
        if told.dispute is not None:
            return
        ref = await store.order_ref(f"{STORES[order]}/{order}")
        new = NewCase(kind=CaseKind.DISPUTE, due_at=now + timedelta(days=5))
        told.dispute = (await cases.add(store, self._rules, ref, new, by=BY, now=now)).case.id

    async def _settle(self, order: str, store: Store) -> None:
        told = self._world.model[order]
        if told.dispute is None:
            return
        case, now = told.dispute, self._world.clock.now()
        await cases.say(store, self._rules, case, Said(outcome=CaseOutcome.WON), by=BY, now=now)
        told.dispute = None

    # ------------------------------------------------------------------------------------------------------------ at the desk

    async def review(self, word: str) -> None:
        """Approve, reject or put off the first row that waits for a word; two people where that is wanted."""
        await self._world.tell(lambda store: self._review(store, word))

    async def _review(self, store: Store, word: str) -> None:
        now = self._world.clock.now()
        waiting = await review.waiting(store, now=now)
        if not waiting:
            return
        row = waiting[0].row.id
        if word == "snooze":
            await review.snooze(store, row, until=now + timedelta(days=2), by=BY, reason="later", seen=None, now=now)
            return
        for by in (BY, SECOND):
            view = await store.outbox_view(row)
            if view.row.state is OutboxState.HELD:
                await review.decide(
                    store, row, approve=word == "approve", by=by, reason="looked", seen=None, rules=self._rules, now=now
                )

    async def work(self, word: str, *, every: bool) -> None:
        """Do, take, drop the oldest task or all; "unsure": the clerk cannot say whether she did it."""
        await self._world.tell(lambda store: self._work(store, word, every=every))

    async def _work(self, store: Store, word: str, *, every: bool) -> None:
        found = await tasks.listed(store)
        for task in found if every else found[:1]:
            await self._world.tell(lambda own, one=task: self._one(own, one, word))  # type: ignore[misc]

    async def _one(self, store: Store, task: TaskView, word: str) -> None:
        now = self._world.clock.now()
        if word == "take":
            await tasks.take(store, task.id, by=BY, now=now)
        elif word == "drop":
            await tasks.drop(store, task.id, by=BY, reason="a story", now=now, seen=len(task.live))
        elif word == "unsure":
            self._paste(task)
            await tasks.done(store, task.id, TaskResult(unsure=True), by=BY, now=now, seen=len(task.live))
        else:
            await tasks.done(store, task.id, self._result(task), by=BY, now=now, seen=len(task.live))
            self._paste(task)
            self._paid_back(task)

    def _result(self, task: TaskView) -> TaskResult:
        self._references += 1
        if "window_end" in task.wants:
            return TaskResult(window_end=self._world.clock.now() + timedelta(days=15))
        if "amount" in task.wants:
            return TaskResult(amount=Decimal(task.items[0].facts["amount"]), reference=f"RF-{self._references}")
        if "tracking_number" in task.wants:
            return TaskResult(tracking_number=task.items[0].facts["shipment"])
        return TaskResult(note="done")

    def _paste(self, task: TaskView) -> None:
        """A text in a task is written to the buyer by hand; after a restore the clerk knows what she has written already."""
        for item in task.live:
            if item.text and item.key not in self._written:
                self._written.add(item.key)
                self._world.post.pasted(item.order, task.kind, item.key)

    def _paid_back(self, task: TaskView) -> None:
        if "amount" in task.wants:
            for item in task.live:
                self._world.model[item.order].refunded += Decimal(item.facts["amount"])
        if task.kind == Intent.BUYER_WAITING.value:
            for item in task.live:
                self._world.model[item.order].waiting = False

    async def resolve(self, to: str) -> None:
        """Settle the first doubtful send."""
        await self._world.tell(lambda store: self._resolve(store, to))

    async def _resolve(self, store: Store, to: str) -> None:
        doubtful = await effects.listed(store, states=(OutboxState.UNKNOWN,))
        if doubtful:
            now = self._world.clock.now()
            await effects.resolve(store, doubtful[-1].row.id, to=to, by=BY, reason="asked the provider", now=now)

    async def release(self) -> None:
        """Let go all that a guard holds, and confirm the time."""
        await self._world.tell(self._release)

    async def _release(self, store: Store) -> None:
        now = self._world.clock.now()
        for view in await effects.held(store):
            await self._world.tell(
                lambda own, row=view.row.id: effects.release(own, row, by=BY, reason="looked", now=now)  # type: ignore[misc]
            )

    async def pause(self, order: str) -> None:
        """The brake for the order's store."""
        now = self._world.clock.now()
        wanted = Pause(id=0, reason="a story", by=BY, since=now, store=STORES[order])
        await self._world.tell(lambda store: store.pause(wanted, now))

    async def resume(self) -> None:
        """End every pause."""
        await self._world.tell(self._resume)

    async def _resume(self, store: Store) -> None:
        now = self._world.clock.now()
        standing = [pause.id for pause in await store.pauses(now)]
        if standing:
            await store.resume(standing, by=BY, now=now)


def _paid(amount: Decimal) -> Callable[[Told], None]:
    def pay(told: Told) -> None:
        told.refunded += amount

    return pay
