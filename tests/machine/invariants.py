"""The seven invariants of a house that follows parcels and writes to buyers, looked at on the real database after every step."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.machine import configs
from tracker.messages import MESSAGE_TYPES, base_key
from tracker.model import (
    ActionKind,
    DecisionReason,
    Dossier,
    Effect,
    Intent,
    OutboxState,
    Outgoing,
    TaskState,
)
from tracker.policy import decide
from tracker.store import OutboxView, Store

if TYPE_CHECKING:
    from tests.machine.world import World

ONCE = ("stage1", "stage2")
"""Types of message that an order gets once, whatever happens; nobody in these stories opens a slot again."""

LONGEST = timedelta(days=9)
"""No parcel under way rests longer than a week and its jitter, whatever was answered or failed."""

_EXPLAINS = {
    "outbox_sent": {OutboxState.SENT},
    "outbox_failed": {OutboxState.FAILED},
    "outbox_unknown": {OutboxState.UNKNOWN},
    "outbox_pending": {OutboxState.PENDING},
    "outbox_held": {OutboxState.HELD},
    "outbox_cancelled": {OutboxState.CANCELLED},
    "outbox_rerouted": {OutboxState.PENDING},
    "outbox_fell_back": {OutboxState.PENDING},
    "outbox_recovered": {OutboxState.SENT, OutboxState.FAILED, OutboxState.UNKNOWN, OutboxState.PENDING},
    "outbox_restored": {OutboxState.SENT, OutboxState.FAILED, OutboxState.UNKNOWN},
    "outbox_resolved": {OutboxState.SENT, OutboxState.FAILED},
    "effect_withdrawn": {OutboxState.CANCELLED},
    "task_opened": {OutboxState.SENT},
    "task_taken": {OutboxState.SENT},
    "task_done": {OutboxState.SENT},
    "task_dropped": {OutboxState.SENT},
    "task_expired": {OutboxState.SENT},
    "task_unsure": {OutboxState.UNKNOWN},
    "claim_registered": {OutboxState.SENT},
    "review_approved": {OutboxState.PENDING},
    "review_rejected": {OutboxState.CANCELLED},
    "review_first_approved": {OutboxState.HELD},
    "review_snoozed": {OutboxState.HELD},
    "hold_released": {OutboxState.PENDING},
}
"""Line of the audit -> the states in which the row of that key may stand after it (I6)."""

_DECIDED = {OutboxState.HELD, OutboxState.PENDING}
"""How a row begins: the verdict that opened it explains it."""


async def may_be_sent(world: World, message: Outgoing) -> list[str]:
    """I4 at the door: what forbids this message to this buyer now, as the model and the parcel's own rows have it."""
    kind = MESSAGE_TYPES[base_key(message.template)].kind
    if not kind.outreach:
        return []
    wrong = []
    why = world.model[message.order].silent
    if why is not None:
        wrong.append(f"I4: {message.template} to the buyer of {message.order}, who {why}")
    if kind.counts:
        view = next(each for each in await world.daemon.outbox() if each.row.key == message.key)
        [dossier] = await world.daemon.load_dossiers([view.order.id])
        arrived = [each.number for each in dossier.shipments if each.number == view.row.shipment and each.delivered]
        wrong += [f"I4: {message.template} about {number}, which was delivered" for number in arrived]
    return wrong


async def broken(world: World) -> list[str]:
    """What of I1, I4 (skipped stages), I5, I6 and I7 does not hold at this moment."""
    return await world.tell(lambda store: _look(world, store)) or []


async def _look(world: World, store: Store) -> list[str]:
    wrong = list(world.violations)
    wrong += _sent_twice(world)
    views = await store.outbox()
    keys = Counter((view.row.subject, view.row.intent, view.row.occasion) for view in views)
    wrong += [f"I5: {key} stands {times} times" for key, times in keys.items() if times > 1]
    ids = [(await store.order_ref(f"{shop}/{number}")).id for number, shop in _shops(world).items()]
    for dossier in await store.load_dossiers(ids):
        wrong += _money(dossier)
        wrong += await _skipped(dossier, store)
        mine = [view for view in views if view.order.id == dossier.order.id]
        wrong += await _unexplained(dossier, mine, store, restored=world.restored)
    return wrong


def _shops(world: World) -> dict[str, str]:
    from tests.machine.world import STORES

    return {number: STORES[number] for number in world.model}


def _sent_twice(world: World) -> list[str]:
    """I1, counted where it counts: by the post office, by key, and by what a buyer would call the same message."""
    wrong = [f"I1: {key} was sent {times} times" for key, times in world.post.keys.items() if times > 1]
    wrong += [
        f"I1: the buyer of {order} got {times} times {template}"
        for (order, template), times in world.post.accepted.items()
        if times > 1 and base_key(template) in ONCE
    ]
    return wrong


def _money(dossier: Dossier) -> list[str]:
    """I5 and I7: a claim is opened once an attempt; refunds paid, approved or on their way never exceed what was paid."""
    attempts = Counter((each.shipment, each.attempt) for each in dossier.claims)
    wrong = [f"I5: claim {key} stands {times} times" for key, times in attempts.items() if times > 1]
    order = dossier.order
    promised = [each.amount or Decimal(0) for each in dossier.effects if each.kind is ActionKind.REFUND and _promised(each)]
    total = sum(promised, order.refunded_amount or Decimal(0))
    if order.amount is not None and total > order.amount:
        wrong.append(f"I7: {total} of {order.amount} go back to the buyer of {order.number}")
    return wrong


def _promised(effect: Effect) -> bool:
    """Approved or handed over, and not paid yet.

    What was paid stands with the order; a mere recommendation is weighed again when somebody approves it.
    """
    return effect.open and not effect.rejected and effect.state is not OutboxState.HELD and effect.task is not TaskState.DONE


async def _skipped(dossier: Dossier, store: Store) -> list[str]:
    """I4: a later stage without the earlier one says why (superseded, switched off, rounds used up ...)."""
    by_intent = {each.intent for each in dossier.effects}
    if Intent.STAGE2 not in by_intent or Intent.STAGE1 in by_intent:
        return []
    said = {each.reason for view in await store.verdicts_of(dossier.order.id, 200) for each in view.verdict.considered}
    if DecisionReason.SUPERSEDED_BY_LATER_STAGE in said:
        return []
    if any(each.reason is DecisionReason.KNOWN_FROM_JOURNAL for each in dossier.effects):
        return []  # decided in the time that a restored backup has forgotten
    return [f"I4: stage 1 of {dossier.order.number} was skipped without a word"]


async def _unexplained(dossier: Dossier, views: list[OutboxView], store: Store, *, restored: bool) -> list[str]:
    """I6: the newest line of the audit about an effect, or else the verdict that opened it, explains how it stands."""
    lines = {line.subject: line for line in await store.audit_of(dossier.order.id, 10_000)}
    decided = {each.key for view in await store.verdicts_of(dossier.order.id, 10_000) for each in view.verdict.decisions}
    wrong = []
    for view in views:
        row, line = view.row, lines.get(view.row.key)
        if row.state is OutboxState.SENDING:
            wrong.append(f"I6: {row.key} is still being sent while nobody sends")
        elif line is None:
            fine = row.key in decided and row.state in _DECIDED
            wrong += [] if fine else [f"I6: {row.key} is {row.state} and nobody knows why"]
        elif row.state not in _EXPLAINS.get(line.what, set()) | _reopened(row.key in decided, row.state, restored=restored):
            wrong.append(f"I6: {row.key} is {row.state} after {line.what}")
    return wrong


def _reopened(decided: bool, state: OutboxState, *, restored: bool) -> set[OutboxState]:
    """What was withdrawn may be decided anew, and what a restore found on its way is held: both begin as rows do."""
    return {state} & _DECIDED if decided or restored else set()


async def left_behind(world: World) -> list[str]:
    """I2, after a drain: nothing that is due is left; every parcel under way has its next question, every order its next look.

    And nothing is due that nobody has noticed: asked again, the policy wants nothing that is not decided.
    """
    return await world.tell(lambda store: _left_behind(world, store)) or []


async def _left_behind(world: World, store: Store) -> list[str]:
    now = world.clock.now()
    rules = configs.loaded(world.config, world.folder, world.url).rules
    wrong = [f"I2: {each.number} is due and was not asked about" for each in await store.due_shipments(now, 100)]
    due = {order_id for _, order_id in await store.due_dossiers(now, 100)}
    ids = [(await store.order_ref(f"{shop}/{number}")).id for number, shop in _shops(world).items()]
    for dossier in await store.load_dossiers(ids):
        name = dossier.order.number
        if dossier.order.id in due:
            wrong.append(f"I2: {name} is due and was not decided")
            continue
        for number, at in (await store.next_polls(dossier.order.id)).items():
            shipment = next(each for each in dossier.shipments if each.number == number)
            old = shipment.shipped_at is not None and now - shipment.shipped_at > timedelta(days=180)
            if not (shipment.delivered or old) and (at is None or at - now > LONGEST):
                wrong.append(f"I2: {number} is on its way and is asked about {at or 'never'} (now {now})")
        wanted = decide(dossier, rules, now)
        wrong += [f"I2: {each.key} is due since {each.not_before} and undecided" for each in wanted.decisions]
        wrong += [f"I2: {key} is to be taken back ({why}) and stands" for key, why in wanted.withdraw]
    return wrong
