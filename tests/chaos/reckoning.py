"""The reckoning: what the world outside saw, beside what the shop's database says. What does not agree is a finding.

Lost: due and neither done nor shown with a reason. Doubled: done or noted twice. Hidden: in doubt, and no list shows it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import msgspec

from tests.chaos.desk import Desk
from tests.chaos.shop import DOMAIN, Shop
from tests.chaos.witness import Witness
from tracker import config
from tracker.clock import epoch
from tracker.messages import message_id
from tracker.model import ActionKind, Channel, OutboxState
from tracker.policy import decide
from tracker.rules import Rules
from tracker.store import OutboxView, Store
from tracker.sweep import born

LOST, DOUBLED, HIDDEN, TROUBLE = "lost", "doubled", "hidden", "trouble"

_AGAIN = timedelta(hours=5)
"""Two questions about one number lie further apart than this, unless a kill left the first without an answer."""

_GRACE = 5.0
"""Seconds: what came due while the daemons were being stopped is nobody's fault."""

_DEAD = frozenset({OutboxState.CANCELLED, OutboxState.FAILED})


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that must not be. `row` names the order, mail or parcel; `kill` the kill that may have caused it."""

    kind: str
    what: str
    row: str
    kill: str = ""


class Reckoning:
    """Counts one shop, after the peace."""

    def __init__(self, shop: Shop, desk: Desk, witness: Witness) -> None:
        self.shop = shop
        self.world = shop.world
        self.desk = desk
        self.witness = witness
        self.shown = 0
        self.asked_again = 0
        self._rows: dict[str, OutboxView] = {}

    async def all(self) -> list[Finding]:
        """Every finding."""
        found = await self.shop.look(self._inside)
        found += [each async for each in self._shown()]
        found += [*self._mails(), *self._extensions(), *self._questions(), *self._money(), *self._words()]
        return found + [Finding(kind=TROUBLE, what="went wrong", row=each) for each in self.desk.trouble]

    async def _inside(self, store: Store) -> list[Finding]:
        """What the database alone, or it and the world, can tell."""
        self._rows = {view.row.key: view for view in await store.outbox(states=tuple(OutboxState))}
        rules = config.load(self.shop.folder / "tracker.toml", environ=self.shop.environ).rules
        checks = (self._imports, self._due, self._decisions, self._scans, self._tasks, self._claims)
        return [each for check in checks async for each in check(store, rules)]

    # ------------------------------------------------------------------------------------------------------- messages to buyers

    def _mails(self) -> Iterator[Finding]:
        """I1, as the mail server counts: at most one for each dedup key, and none that the database does not know of."""
        mine = {message_id(key, DOMAIN): view for key, view in self._rows.items() if view.row.channel is Channel.SMTP}
        for message, times in self.world.post.accepted.items():
            view = mine.get(message)
            if times > 1:
                yield self._about(DOUBLED, f"the mail server accepted it {times} times", view, message)
            if view is None or view.row.state not in {OutboxState.SENT, OutboxState.UNKNOWN}:
                state = "missing" if view is None else view.row.state.value
                yield self._about(LOST, f"the mail server accepted it, the row is {state}", view, message)
        for message, view in mine.items():
            if view.row.state is OutboxState.SENT and self.world.post.accepted[message] == 0:
                yield self._about(LOST, "the row says sent, the mail server never had it", view, message)
            if view.row.state is OutboxState.SENDING:
                yield self._about(HIDDEN, "sending for ever", view, message)

    async def _shown(self) -> AsyncIterator[Finding]:
        """Every mail in doubt stands in `tracker outbox list`, and nothing else does as unknown."""
        said = await self.shop.command("outbox", "list", "--state", "unknown", "--limit", "1000000")
        listed = {row["id"] for row in said.document["outbox"]}
        by_key = {key: view for key, view in self._rows.items() if view.row.id in listed}
        for key in self.witness.doubtful:
            if key in by_key:
                self.shown += 1
            else:
                yield self._about(HIDDEN, "in doubt since a kill, and not shown as unknown", self._rows.get(key), key)
        for key, view in by_key.items():
            # Another worker cannot read the journal of the dead one: of a fleet's rows more are in doubt than need be.
            explained = self.witness.doubtful if self.shop.fleet is None else self.witness.left
            if key not in explained and view.row.channel is not Channel.MARKETPLACE:
                yield self._about(TROUBLE, "shown as unknown, and no kill explains it", view, key)

    def _extensions(self) -> Iterator[Finding]:
        """Each end of a window was moved once at most, and the shop knows of every one."""
        told = Counter(
            view.order.number
            for view in self._rows.values()
            if view.row.channel is Channel.MARKETPLACE and view.row.state in {OutboxState.SENT, OutboxState.UNKNOWN}
        )
        made = Counter[str]()
        for (number, end), times in self.world.market.extended.items():
            made[number] += times
            if times > 1:
                yield Finding(kind=DOUBLED, what=f"the window that ended {end} was extended {times} times", row=number)
        for number in made.keys() | told.keys():
            if made[number] > told[number]:
                yield Finding(kind=LOST, what=f"extended {made[number]} times, known are {told[number]}", row=number)

    # -------------------------------------------------------------------------------------------------------- parcels and orders

    async def _imports(self, store: Store, rules: Rules) -> AsyncIterator[Finding]:
        known = Counter(await self.shop.rows("SELECT store, number FROM dossier"))
        parcels = Counter(row[0] for row in await self.shop.rows("SELECT number FROM shipment"))
        for order in self.desk.orders:
            for what, times in (("order", known[order.store, order.number]), ("parcel", parcels[order.parcel.number])):
                if times != 1:
                    yield Finding(kind=LOST if times == 0 else DOUBLED, what=f"{what} imported {times} times", row=order.number)

    async def _due(self, store: Store, rules: Rules) -> AsyncIterator[Finding]:
        """I2: nothing that is due waits, and every parcel was asked about."""
        due = await store.next_due()
        for name in ("poll", "decide", "dispatch"):
            at = getattr(due, name)
            if at is not None and at + _GRACE < epoch(self.world.time.now()):
                yield Finding(kind=LOST, what=f"{name} is due since {at} and nobody did it", row=self.shop.name)
        if await store.waiting_pushes(1):
            yield Finding(kind=LOST, what="a push was taken and never heard", row=self.shop.name)
        asked = {each.number for each in self.world.carrier.asked}
        for order in self.desk.orders:
            if order.parcel.number not in asked:
                yield Finding(kind=LOST, what="nobody ever asked about the parcel", row=order.number)

    async def _decisions(self, store: Store, rules: Rules) -> AsyncIterator[Finding]:
        """I2: whatever the rules want by now stands in the outbox. Decided here once more, from the facts alone."""
        now = self.world.time.now() - timedelta(seconds=_GRACE)
        for (order_id,) in await self.shop.rows("SELECT id FROM dossier"):
            for dossier in await store.load_dossiers([order_id]):
                for decision in decide(dossier, rules, now).decisions:
                    if born(decision, dossier, rules) is not None and decision.key not in self._rows:
                        yield Finding(kind=LOST, what="the rules want it, and no row has it", row=decision.key)

    async def _scans(self, store: Store, rules: Rules) -> AsyncIterator[Finding]:
        """I3: the stored scans are those that the carrier told, each once."""
        for shipment_id, number in await self.shop.rows("SELECT id, number FROM shipment"):
            stored = Counter((each.event.time or 0, each.event.description) for each in await store.events_of(shipment_id))
            told = self.world.carrier.told[number]
            if any(times > 1 for times in stored.values()):
                yield Finding(kind=DOUBLED, what="a scan is stored twice", row=number)
            if stored.keys() - told:
                yield Finding(kind=DOUBLED, what="a scan that the carrier never told", row=number)
            if told - stored.keys():
                yield Finding(kind=LOST, what=f"{len(told - stored.keys())} scans were told and are not stored", row=number)

    def _questions(self) -> Iterator[Finding]:
        """A parcel is asked about again at once only where a kill left the first answer unwritten (fault 2)."""
        asked = defaultdict(list)
        for each in self.world.carrier.asked:
            asked[each.number].append(each)
        for number, times in asked.items():
            for first, second in pairwise(times):
                if second.at - first.at >= _AGAIN:
                    continue
                self.asked_again += 1
                if not self.witness.explains(first):
                    yield Finding(kind=DOUBLED, what=f"asked at {first.at} and again at {second.at}, unexplained", row=number)

    # ------------------------------------------------------------------------------------------------------------------- people

    async def _tasks(self, store: Store, rules: Rules) -> AsyncIterator[Finding]:
        items = Counter(row[0] for row in await self.shop.rows("SELECT row_id FROM task_item"))
        for view in self._rows.values():
            if view.row.channel is Channel.TASK and view.row.state is OutboxState.SENT and items[view.row.id] != 1:
                kind = LOST if items[view.row.id] == 0 else DOUBLED
                yield self._about(kind, f"the row stands in {items[view.row.id]} tasks", view, view.row.key)

    async def _claims(self, store: Store, rules: Rules) -> AsyncIterator[Finding]:
        """I5: one claim for each parcel and attempt."""
        found = await self.shop.rows("SELECT shipment_id, attempt, count(*) FROM claim GROUP BY shipment_id, attempt")
        for shipment_id, attempt, times in found:
            if times > 1:
                yield Finding(kind=DOUBLED, what=f"claim {attempt} stands {times} times", row=str(shipment_id))
        known = {row[0] for row in await self.shop.rows("SELECT row_id FROM claim")}
        for view in self._rows.values():
            if view.row.channel is Channel.REGISTER and view.row.state is OutboxState.SENT and view.row.id not in known:
                yield self._about(LOST, "registered, and the register does not have it", view, view.row.key)

    def _money(self) -> Iterator[Finding]:
        """I7: open and approved refunds of an order are no more than what was paid."""
        promised: defaultdict[str, Decimal] = defaultdict(Decimal)
        for view in self._rows.values():
            row = view.row
            if row.kind is ActionKind.REFUND and row.state not in _DEAD and not view.rejected:
                promised[view.order.number] += row.amount or Decimal(0)
        paid = {order.number: Decimal(order.amount) for order in self.desk.orders}
        for number, amount in promised.items():
            if amount > paid.get(number, amount):
                yield Finding(kind=DOUBLED, what=f"refunds of {amount}, paid were {paid[number]}", row=number)

    def _words(self) -> Iterator[Finding]:
        """What a person was told is done stays done."""
        by_id = {view.row.id: view for view in self._rows.values()}
        for row_id in self.desk.said_yes:
            view = by_id.get(row_id)
            if view is None or (view.row.approved_by is None and view.first_approved_by is None):
                yield self._about(LOST, "an approval was confirmed and is gone", view, str(row_id))
        for row_id in self.desk.said_no:
            view = by_id.get(row_id)
            if view is None or not view.rejected:
                yield self._about(LOST, "a rejection was confirmed and is gone", view, str(row_id))

    def _about(self, kind: str, what: str, view: OutboxView | None, key: str) -> Finding:
        name = key if view is None else view.row.key
        return Finding(kind=kind, what=what, row=name, kill=str(self.witness.doubtful.get(name, "")))
