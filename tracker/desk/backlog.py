"""What a cut-over, an outage, a pause or a restore left behind, and what people say about it: done elsewhere, send it, skip it.

Which stages were skipped is decided afresh each time it is asked, by the daemon's own decide(): nothing is kept that could drift.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from tracker.desk.errors import Refused
from tracker.messages import MESSAGE_TYPES
from tracker.model import Considered, DecisionReason, Dossier, HoldReason, Intent, Settle
from tracker.policy import decide
from tracker.policy.ramp import days, share
from tracker.rules import STAGES, Manners, Rules
from tracker.store import Store
from tracker.store.backlog import HeldCount, InLine, SettleWrite
from tracker.store.errors import NotThere, NotUnique
from tracker.store.holds import HeldRow

SETTLED_HOLDS = frozenset({HoldReason.FIRST_START, HoldReason.STALE_STAGE, HoldReason.RESTORED})
"""Holds whose messages are part of a backlog; an untrusted clock and rules that wait have their own commands."""

STAGE, REFUND, CLAIM, INQUIRY = "stage", "refund", "claim", "inquiry"
_LEFT = frozenset({DecisionReason.BEFORE_CUTOVER, DecisionReason.SKIPPED_BY_PERSON})
_NEWS = frozenset(each.slot for each in MESSAGE_TYPES.values())
"""Rules of texts beside the ladder: of an event before the cut-over nothing is said, and there is nothing to settle."""
_PAGE = 400


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing of one order that nobody does by itself. `kind` is a stage's name, else refund, claim or inquiry.

    `reason` says why: before_cutover, skipped_by_person, or the hold of the waiting message `row`.
    """

    store: str
    order: str
    order_id: int
    version: int
    kind: str
    reason: str
    detail: str = ""
    row: HeldRow | None = None

    @property
    def stage(self) -> Intent | None:
        """The stage of the ladder that it is; only those can be settled."""
        return next((stage for stage in STAGES if stage.value == self.kind), None)


class Pile(msgspec.Struct, frozen=True, kw_only=True):
    """What was skipped, of one store and kind. `seen` is what a person names who settles exactly this stage of this store."""

    store: str
    kind: str
    orders: tuple[str, ...]
    seen: str | None


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of one store that a person must look at, by why and what for; `since` the oldest, `seen` as of a pile."""

    store: str
    hold: HoldReason
    intent: Intent
    rows: int
    since: datetime
    seen: str | None


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of a store that wait for their turn: so many a day at most, through on that (UTC) day (D21)."""

    store: str
    waiting: int
    gone_today: int
    today: int
    through_on: date


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """All that is left behind: skipped, waiting for its turn, held for a person."""

    skipped: tuple[Pile, ...]
    in_line: tuple[Turn, ...]
    held: tuple[Held, ...]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says, and about which part of the backlog: all of it where nothing is named.

    `at`: of DONE when the buyers were told (aware UTC). `seen`: the piles that he looked at (`Pile.seen`); others are refused.
    """

    how: Settle
    reason: str
    store: str | None = None
    stage: Intent | None = None
    orders: tuple[str, ...] = ()
    at: datetime | None = None
    seen: str | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: stages settled by (store, kind), orders that were left alone and why, and what the ramp makes of it."""

    settled: Mapping[tuple[str, str], int]
    refused: Mapping[str, str]
    in_line: tuple[Turn, ...] = ()
    observing: tuple[str, ...] = ()
    """Stores in mode observe: what is to speak waits there until the mode is raised."""


async def left(store: Store, rules: Rules, now: datetime, *, of_store: str | None = None) -> Backlog:
    """The whole backlog, of one store where it is named."""
    skipped = [item for item in await _skipped(store, rules, now) if item.reason != DecisionReason.SKIPPED_BY_PERSON.value]
    seen = _seen([*skipped, *await _held(store, rules, now)])
    piles: dict[tuple[str, str], list[str]] = {}
    for item in skipped:
        piles.setdefault((item.store, item.kind), []).append(item.order)
    turns = [_turn(line, rules.manners, now) for line in await store.in_line(now)]
    found = Backlog(
        skipped=tuple(
            Pile(store=name, kind=kind, orders=tuple(orders), seen=seen.get((name, kind)))
            for (name, kind), orders in sorted(piles.items())
        ),
        in_line=tuple(turns),
        held=tuple(_held_of(each, seen) for each in await store.held_counts()),
    )
    return found if of_store is None else _only(found, of_store)


def _only(found: Backlog, store: str) -> Backlog:
    return Backlog(
        skipped=tuple(each for each in found.skipped if each.store == store),
        in_line=tuple(each for each in found.in_line if each.store == store),
        held=tuple(each for each in found.held if each.store == store),
    )


def _held_of(count: HeldCount, seen: Mapping[tuple[str, str], str]) -> Held:
    mine = seen.get((count.store, count.intent.value)) if count.hold in SETTLED_HOLDS else None
    return Held(store=count.store, hold=count.hold, intent=count.intent, rows=count.rows, since=count.since, seen=mine)


async def settle(store: Store, rules: Rules, wish: Wish, *, by: str, now: datetime, dry_run: bool = False) -> Outcome:
    """Write what a person says about stages that were left behind; each order only on the facts that it was looked up with.

    DONE: the buyer was told elsewhere. SEND: it speaks after all, in its turn of the ramp and on fresh facts; a refund goes to
    the review queue. SKIP: nothing is ever said of it. Raises `Refused`.
    """
    _check(wish, rules, now)
    items, refused = await _wanted(store, rules, wish, now)
    if wish.seen is not None and wish.seen != _digest(items):
        raise Refused("moved_on", f"it is not what you saw ({wish.seen}) any more. Look again: tracker backlog list")
    observing = {item.store for item in items if wish.how is Settle.SEND and _observes(rules, item)}
    if not dry_run:
        refused |= await _write(store, wish, items, by=by, now=now)
    done = Counter((item.store, item.kind) for item in items if _name(item) not in refused)
    turns: Iterable[Turn] = ()
    if wish.how is Settle.SEND:
        turns = _turns(await store.in_line(now), done if dry_run else _not_yet_in_line(items, refused), rules.manners, now)
    return Outcome(settled=done, refused=refused, in_line=tuple(turns), observing=tuple(sorted(observing)))


def _check(wish: Wish, rules: Rules, now: datetime) -> None:
    if not wish.reason.strip():
        raise Refused("missing_reason", "settling a backlog needs a reason: --reason 'why'")
    if wish.store is not None and wish.store not in rules.stores:
        raise Refused("unknown_store", f"store {wish.store!r} is not configured: {', '.join(sorted(rules.stores))}")
    if wish.at is not None and wish.how is not Settle.DONE:
        raise Refused("unexpected_value", "--on belongs to --as done: when the buyers were told")
    if wish.at is not None and wish.at > now:
        raise Refused("bad_value", f"{wish.at:%Y-%m-%d} lies ahead: nobody can have been told then")


async def _write(store: Store, wish: Wish, items: Sequence[Item], *, by: str, now: datetime) -> dict[str, str]:
    """Write it; the orders that were left alone, because their facts moved meanwhile."""
    waiting = [item.row for item in items if item.row is not None]
    released: set[int] = set()
    if wish.how is Settle.SEND and waiting:
        released = set(await store.release_rows(waiting, by=by, reason=wish.reason, now=now))
    asked = [item for item in items if wish.how is not Settle.SEND or item.row is None]
    stages: dict[int, list[Item]] = {}
    for item in asked:
        stages.setdefault(item.order_id, []).append(item)
    words = [
        SettleWrite(
            order_id=order_id,
            version=mine[0].version,
            stages=tuple(stage for item in mine if (stage := item.stage) is not None),
            how=wish.how,
            at=wish.at or now,
        )
        for order_id, mine in stages.items()
    ]
    done = await store.settle_backlog(words, by=by, reason=wish.reason, now=now)
    late = [item for item in asked if item.order_id not in done]
    late += [item for item in items if item not in asked and item.row is not None and item.row.id not in released]
    return {_name(item): "its facts moved meanwhile: look again" for item in late}


# ---------------------------------------------------------------------------------------------------------------- which ones


async def _wanted(store: Store, rules: Rules, wish: Wish, now: datetime) -> tuple[list[Item], dict[str, str]]:
    """The items a person speaks of, and the orders he named of which nothing is left behind."""
    named, refused = await _named(store, wish)
    items = [item for item in [*await _skipped(store, rules, now), *await _held(store, rules, now)] if item.stage is not None]
    items = [
        item
        for item in items
        if wish.store in {None, item.store}
        and wish.stage in {None, item.stage}
        and (item.order_id in named if wish.orders else item.reason != DecisionReason.SKIPPED_BY_PERSON.value)
    ]
    found = {item.order_id for item in items}
    for order_id, name in named.items():
        if order_id not in found:
            refused[name] = f"nothing of it is left behind. See: tracker explain {name.rpartition('/')[2]}"
    return items, refused


async def _named(store: Store, wish: Wish) -> tuple[dict[int, str], dict[str, str]]:
    named: dict[int, str] = {}
    refused: dict[str, str] = {}
    for text in wish.orders:
        try:
            found = await store.order_ref(text, wish.store)
        except (NotThere, NotUnique) as error:
            refused[text] = str(error)
        else:
            named[found.id] = f"{found.store}/{found.number}"
    return named, refused


async def _skipped(store: Store, rules: Rules, now: datetime) -> list[Item]:
    """What decide() leaves alone because of a cut-over, or because a person said so."""
    ids = await store.taken_over()
    items: list[Item] = []
    for start in range(0, len(ids), _PAGE):
        for dossier in await store.load_dossiers(ids[start : start + _PAGE]):
            considered = decide(dossier, rules, now).considered
            items += [_item(dossier, each) for each in considered if each.reason in _LEFT and each.rule not in _NEWS]
    return items


def _item(dossier: Dossier, considered: Considered) -> Item:
    order = dossier.order
    return Item(
        store=order.store,
        order=order.number,
        order_id=order.id,
        version=dossier.version,
        kind=_kind(considered.rule),
        reason=considered.reason.value,
        detail=considered.detail,
    )


def _kind(rule: str) -> str:
    """By the rule that says it: `br-standard.stage1`, `refund.returned`, a task's own name, else the carrier's terms."""
    last = rule.rpartition(".")[2]
    if any(last == stage.value for stage in STAGES):
        return last
    if rule.startswith("refund"):
        return REFUND
    if rule == Intent.FORWARDER_INQUIRY.value:
        return INQUIRY
    return rule if rule in _TASKS else CLAIM


async def _held(store: Store, rules: Rules, now: datetime) -> list[Item]:
    """Stages that wait behind a hold of a backlog, each with its row; without those that the next pass takes back."""
    rows = [row for row in await store.held_rows() if row.hold in SETTLED_HOLDS and _intent(row) in _STAGE_WORDS]
    ids = list(dict.fromkeys(row.order_id for row in rows))
    orders: dict[int, Dossier] = {}
    for start in range(0, len(ids), _PAGE):
        orders |= {each.order.id: each for each in await store.load_dossiers(ids[start : start + _PAGE])}
    gone = {key for each in orders.values() for key, _ in decide(each, rules, now).withdraw}
    return [
        Item(
            store=row.store,
            order=orders[row.order_id].order.number,
            order_id=row.order_id,
            version=orders[row.order_id].version,
            kind=_intent(row),
            reason=row.hold.value,
            row=row,
        )
        for row in rows
        if row.key not in gone
    ]


def _intent(row: HeldRow) -> str:
    """The stage that it tells: `delay` in the place of stage 3 goes by that name, and is settled with it (D2)."""
    _, intent, occasion = row.key.rsplit(":", 2)
    return occasion if intent == Intent.DELAY.value and occasion == Intent.STAGE3.value else intent


_TASKS = frozenset(intent.value for intent in Intent)
_STAGE_WORDS = frozenset(stage.value for stage in STAGES)


def _name(item: Item) -> str:
    return f"{item.store}/{item.order}"


def _observes(rules: Rules, item: Item) -> bool:
    return rules.stores[item.store].mode_for(item.kind).value == "observe"


def _seen(items: Iterable[Item]) -> dict[tuple[str, str], str]:
    """The name of what can be settled, by store and stage."""
    piles: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        if item.stage is not None:
            piles.setdefault((item.store, item.kind), []).append(item)
    return {key: _digest(mine) for key, mine in piles.items()}


def _digest(items: Collection[Item]) -> str:
    """A short name of exactly these stages of these orders."""
    told = sorted(f"{item.order_id}/{item.kind}" for item in items)
    return hashlib.blake2b("\n".join(told).encode(), digest_size=4).hexdigest()


# ------------------------------------------------------------------------------------------------------------------ the ramp


def _turn(line: InLine, manners: Manners, now: datetime, more: int = 0) -> Turn:
    waiting = line.waiting + more
    through = now.date() + timedelta(days=max(days(waiting, manners, line.gone_today) - 1, 0))
    today = max(share(waiting, line.gone_today, manners) - line.gone_today, 0)
    return Turn(store=line.store, waiting=waiting, gone_today=line.gone_today, today=today, through_on=through)


def _turns(lines: Sequence[InLine], more: Mapping[tuple[str, str], int], manners: Manners, now: datetime) -> list[Turn]:
    """The ramps of the stores that are concerned, with what is to join them."""
    joining: Counter[str] = Counter()
    for (store, kind), count in more.items():
        if kind != Intent.STAGE3.value:  # a recommendation waits for a person, in no line
            joining[store] += count
    known = {line.store: line for line in lines}
    stores = [store for store, count in sorted(joining.items()) if count or store in known]
    return [_turn(known.get(name, InLine(store=name, waiting=0, gone_today=0)), manners, now, joining[name]) for name in stores]


def _not_yet_in_line(items: Sequence[Item], refused: Mapping[str, str]) -> Counter[tuple[str, str]]:
    """What the next pass makes rows of; a held row stands in line as soon as it is let go."""
    found: Counter[tuple[str, str]] = Counter()
    for item in items:
        found[item.store, item.kind] += int(item.row is None and _name(item) not in refused)
    return found
