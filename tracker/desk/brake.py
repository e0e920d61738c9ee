"""The brake and the holds as people handle them: what stands still; what goes out when it is let go, and how fast (D21)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from tracker.metrics import deadlines
from tracker.model import ActionKind, HoldReason, Pause
from tracker.policy.brake import SCOPE, stops
from tracker.policy.ramp import days, share
from tracker.rules import Manners, Rules
from tracker.store import Store
from tracker.store.brake import Deadline, Ramp, Waiting
from tracker.store.holds import HeldRow

LOOKS_AHEAD = timedelta(days=14)
"""How far a pause without an end is searched for deadlines that it would let pass."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """So many rows of one store, purpose and channel."""

    store: str
    what: str
    channel: str
    count: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """How a store's backlog goes out: `today` of it at most, all of it in so many calendar `days`, today included."""

    store: str
    backlog: int
    today: int
    days: int


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What goes out when it is let go.

    `at_once` messages are less than a day late and wait for caps alone; `refunds` are sums of approved refunds by currency,
    `orders` what the buyers of all these rows have paid.
    """

    rows: int
    at_once: int
    groups: tuple[Group, ...]
    lines: tuple[Line, ...]
    refunds: Mapping[str, Decimal]
    orders: Mapping[str, Decimal]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A pause with the number of rows that wait for it now."""

    pause: Pause
    waiting: int


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """A new pause: what it stops now, and the deadlines within it that it would let pass."""

    pause: Pause
    stopped: tuple[Group, ...]
    deadlines: tuple[Deadline, ...]


async def standing(store: Store, now: datetime) -> list[Standing]:
    """The pauses that stand, oldest first."""
    pauses = await store.pauses(now)
    rows = await store.waiting(now) if pauses else []
    return [Standing(pause=pause, waiting=sum(row.ready and stops(pause, row.reach) for row in rows)) for pause in pauses]


async def pull(store: Store, rules: Rules, wanted: Pause, now: datetime) -> Pulled:
    """Pause; what it stops from now on."""
    pause = await store.pause(wanted, now)
    stopped = [row for row in await store.waiting(now) if stops(pause, row.reach)]
    end = pause.until or now + LOOKS_AHEAD
    passing = await deadlines(store, rules, end, now, pause) if pause.deadlines else []
    return Pulled(pause=pause, stopped=_groups(stopped), deadlines=tuple(passing))


def matching(pauses: Iterable[Pause], named: Mapping[str, str]) -> list[Pause]:
    """The pauses that name all of this, whatever else they name."""
    return [pause for pause in pauses if all(getattr(pause, field) == value for field, value in named.items())]


def named_by(pause: Pause) -> dict[str, str]:
    """What a pause names."""
    return {field: value for field in SCOPE if (value := getattr(pause, field)) is not None}


async def outlook(store: Store, rows: Sequence[Waiting], manners: Manners, now: datetime) -> Outlook:
    """What goes out when these rows are let go. Read before they are."""
    messages = [row for row in rows if row.reach.kind is ActionKind.MESSAGE]
    joining = Counter(row.reach.store for row in messages if row.late and not row.counted)
    ramps = await store.backlogs(now)
    concerned = {row.reach.store for row in messages if row.late}
    return Outlook(
        rows=len(rows),
        at_once=sum(not row.late for row in messages),
        groups=_groups(rows),
        lines=lines(ramps, joining, concerned, manners),
        refunds=_sums((row.amount, row.currency) for row in rows if row.reach.kind is ActionKind.REFUND),
        orders=_sums((row.worth, row.worth_currency) for row in rows),
    )


def lines(ramps: Mapping[str, Ramp], joining: Mapping[str, int], stores: Collection[str], manners: Manners) -> tuple[Line, ...]:
    """The ramps of these stores after so many more have joined them."""
    found = []
    for store in sorted(stores):
        ramp = ramps.get(store, Ramp())
        waiting, gone = ramp.waiting + joining.get(store, 0), ramp.gone_today
        today = min(waiting, max(share(waiting, gone, manners) - gone, 0))
        found.append(Line(store=store, backlog=waiting, today=today, days=days(waiting, manners, gone)))
    return tuple(found)


def _groups(rows: Iterable[Waiting]) -> tuple[Group, ...]:
    counts = Counter((row.reach.store, row.reach.template or row.intent, row.reach.channel.value) for row in rows)
    return tuple(Group(store=key[0], what=key[1], channel=key[2], count=count) for key, count in sorted(counts.items()))


def _sums(amounts: Iterable[tuple[Decimal | None, str | None]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for amount, currency in amounts:
        if amount is not None and currency is not None:
            sums[currency] = sums.get(currency, Decimal(0)) + amount
    return dict(sorted(sums.items()))


# ------------------------------------------------------------------------------------------------------------------- holds


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Held rows by reason, store, carrier; whatever is None is not looked at."""

    hold: HoldReason | None = None
    store: str | None = None
    carrier: str | None = None

    def takes(self, row: HeldRow) -> bool:
        """Whether the row is one of them."""
        return self.hold in {None, row.hold} and self.store in {None, row.store} and self.carrier in {None, row.carrier}


class LetGo(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that were let go, or would be, and the ramps that they join; how many `stay`, because they go one by one."""

    rows: tuple[HeldRow, ...]
    lines: tuple[Line, ...]
    stay: int


async def chosen(store: Store, choice: Choice, manners: Manners, now: datetime) -> LetGo:
    """What of the held rows this choice takes, and how it would go out."""
    taken = [row for row in await store.held_rows() if choice.takes(row)]
    rows = tuple(row for row in taken if not row.alone)
    joining = Counter(row.store for row in rows if row.message)
    ramps = await store.backlogs(now)
    return LetGo(rows=rows, lines=lines(ramps, joining, joining.keys(), manners), stay=len(taken) - len(rows))


async def let_go(store: Store, choice: Choice, manners: Manners, *, by: str, reason: str, now: datetime) -> LetGo:
    """Let them all go on, as a backlog. Releasing what the time guard holds confirms that the clock is right."""
    found = await chosen(store, choice, manners, now)
    if choice.hold is HoldReason.TIME_GUARD:
        await store.confirm_clock(by=by, reason=reason, now=now)
    done = set(await store.release_rows(found.rows, by=by, reason=reason, now=now))
    return replace(found, rows=tuple(row for row in found.rows if row.id in done))
