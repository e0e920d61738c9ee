"""The brake: pauses, what they withhold, what ends when they end (D21, facts/operator-experience.md "the brake").

A pause is matched in `tracker.policy.brake`, by release() for a row in hand and here for all that wait. Rows it has turned away
carry the word `paused` and its end as `not_before`; whoever ends it, a person or the clock, lets them go in the same transaction:
due at once, and part of a backlog where they are more than a day late.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from tracker.clock import epoch, instant
from tracker.messages import base_key
from tracker.model import ActionKind, CaseKind, Channel, Pause
from tracker.policy.brake import SCOPE, Reach, stopping, stops
from tracker.policy.release import PAUSED
from tracker.store import counting
from tracker.store.connection import Database, Record, Tx, instant_of
from tracker.store.encoding import money
from tracker.store.errors import NotThere
from tracker.store.records import DAEMON, audit
from tracker.store.sweep import OVERDUE_SECONDS
from tracker.store.tables import PAUSE

_PENDING = "o.state = 'pending' AND o.state IN ('held', 'pending', 'sending', 'unknown')"
"""In the words of ix_outbox_live: SQLite takes a partial index only where its condition stands in the statement."""

_CONTESTED = ", ".join(f"'{kind.value}'" for kind in CaseKind if kind.contested)

WAITING = f"""
    SELECT o.id, o.kind, o.store, o.rule, o.channel, o.template, o.intent, o.not_before, o.due_at, o.overdue, o.result,
        o.amount, o.currency, d.country, d.amount, d.currency,
        EXISTS (SELECT 1 FROM buyer_case c WHERE c.order_id = o.order_id AND c.closed_at IS NULL
            AND (c.due_at IS NOT NULL OR c.kind IN ({_CONTESTED})))
    FROM outbox o JOIN dossier d ON d.id = o.order_id WHERE {_PENDING} ORDER BY o.id"""  # noqa: S608 - a constant of ours

_OF_ORDER = "SELECT 1 FROM order_shipment m JOIN shipment p ON p.id = m.shipment_id WHERE m.order_id = o.order_id"

_PARCELS = f"""
    SELECT o.id, s.country, s.carrier
    FROM outbox o JOIN order_shipment l ON l.order_id = o.order_id JOIN shipment s ON s.id = l.shipment_id
    WHERE {_PENDING} AND (s.number = o.shipment OR o.shipment IS NULL OR NOT EXISTS ({_OF_ORDER} AND p.number = o.shipment))
    """  # noqa: S608 - a constant of ours

_FREE = """
    UPDATE outbox SET not_before = ?, result = NULL, overdue = overdue OR (kind = 'message' AND due_at < ?)
    WHERE state = 'pending' AND id IN (??)"""

_END = "UPDATE pause SET ended_at = ?, ended_by = ? WHERE id = ?"

_OVER = counting.PAUSES.replace("until IS NULL OR until > ?", "until <= ?")

_LATE = f"""
    state = 'pending' AND not_before <= ? AND NOT overdue AND kind = 'message' AND approved_by IS NULL AND due_at < ?
        AND coalesce(result, '') NOT LIKE '{PAUSED}%'"""

LOOK = f"""
    SELECT EXISTS (SELECT 1 FROM pause WHERE ended_at IS NULL AND until <= ?), EXISTS (SELECT 1 FROM outbox WHERE {_LATE})
    """  # noqa: S608 - constants of ours

_MARK = f"UPDATE outbox SET overdue = TRUE WHERE {_LATE}"  # noqa: S608 - a constant of ours

_WINDOWS = """
    SELECT store, number, country, NULL, window_end, 'window.extend' FROM dossier
    WHERE window_end > ? AND window_end <= ? AND received_at IS NULL AND refunded_at IS NULL
        AND state NOT IN ('finished', 'cancelled')
        AND EXISTS (SELECT 1 FROM order_shipment l JOIN shipment s ON s.id = l.shipment_id
                    WHERE l.order_id = dossier.id AND s.status NOT IN ('delivered', 'returned'))"""

_CLAIMS = """
    SELECT d.store, s.number, d.country, s.carrier, c.latest_on, c.rule
    FROM claim c JOIN shipment s ON s.id = c.shipment_id JOIN outbox o ON o.id = c.row_id JOIN dossier d ON d.id = o.order_id
    WHERE c.latest_on >= ? AND c.latest_on <= ? AND c.state IN ('draft', 'ready')"""

_CHUNK = 400


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A pending row as the brake sees it. `worth` is what the buyer paid for the order, `amount` the refund's own."""

    id: int
    intent: str
    reach: Reach
    due_at: datetime
    ready: bool
    """Its time has come: nothing but a pause, a cap or a ramp is between it and the buyer."""
    late: bool
    """More than a day: it goes out as part of a backlog."""
    counted: bool
    """It is counted there already."""
    amount: Decimal | None = None
    currency: str | None = None
    worth: Decimal | None = None
    worth_currency: str | None = None


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """A date that a pause of deadlines would let pass: of a window, a claim, a case. `subject` is the order or parcel.

    `what` is the kind of a case.
    """

    kind: str
    store: str
    subject: str
    at: datetime
    what: str | None = None


class Ramp(msgspec.Struct, frozen=True, kw_only=True):
    """What of a store waits in a ramp, and how much of it has gone out today."""

    waiting: int = 0
    gone_today: int = 0


class Brake:
    """The store's methods for the brake."""

    _db: Database

    async def pauses(self, now: datetime) -> list[Pause]:
        """The pauses that stand, oldest first."""
        return list(await self._db.read(lambda tx: counting.standing(tx, now)))

    async def pause(self, wanted: Pause, now: datetime) -> Pause:
        """Pull the brake. `wanted.id` and `wanted.since` are given here."""

        def begin(tx: Tx) -> Pause:
            row_id = tx.insert(PAUSE, **_columns(wanted), since=now)
            made = replace(wanted, id=row_id, since=now)
            _note(tx, made, "paused", wanted.by, now)
            return made

        return await self._db.write(begin)

    async def waiting(self, now: datetime) -> list[Waiting]:
        """Everything that is decided and has not left, in the order in which it was decided."""
        return await self._db.read(lambda tx: _waiting(tx, now))

    async def freed_by(self, ids: Collection[int], now: datetime) -> list[Waiting]:
        """What ending these pauses would let go. Raises NotThere."""
        return await self._db.read(lambda tx: _freed(tx, _ending(tx, ids, now), now))

    async def resume(self, ids: Collection[int], *, by: str, now: datetime) -> list[Waiting]:
        """End these pauses and let go what no other one stops; it. Raises NotThere, and then nothing is ended."""
        return await self._db.write(lambda tx: _end(tx, _ending(tx, ids, now), by, now))

    async def settle_brake(self, now: datetime) -> list[Pause]:
        """End the pauses whose time is over, and note which messages have become late where they waited (D21); those pauses.

        Asked by the daemon every few seconds: one look at two partial indexes as long as there is nothing to do.
        """
        at, late = epoch(now), epoch(now) - OVERDUE_SECONDS
        over, marks = await self._db.read(lambda tx: tx.row(LOOK, at, at, late))
        if not over and not marks:
            return []

        def settle(tx: Tx) -> list[Pause]:
            ended = [counting.pause_of(row) for row in tx.rows(_OVER, at)]
            if ended:
                _end(tx, ended, DAEMON, now)
            tx.run(_MARK, at, late)
            return ended

        return await self._db.write(settle)

    async def backlogs(self, now: datetime) -> dict[str, Ramp]:
        """The backlog of every store that has one, or had one today."""

        def count(tx: Tx) -> dict[str, Ramp]:
            day = counting.midnight(now)
            stores = [row[0] for row in tx.rows("SELECT store FROM store_start")]
            found = {
                store: Ramp(waiting=tx.value(counting.BACKLOG, store), gone_today=tx.value(counting.RELEASED, store, day))
                for store in stores
            }
            return {store: each for store, each in found.items() if each.waiting or each.gone_today}

        return await self._db.read(count)

    async def deadlines(self, pause: Pause, until: datetime, now: datetime) -> list[Deadline]:
        """Ends of windows and claims up to `until` that this pause could let pass; tracker.metrics knows the dates of cases."""
        return await self._db.read(lambda tx: sorted(_deadlines(tx, pause, until, now), key=lambda each: (each.at, each.subject)))


def _columns(pause: Pause) -> dict[str, object]:
    named = {name: getattr(pause, name) for name in SCOPE}
    until = None if pause.until is None else epoch(pause.until)
    return named | {"reason": pause.reason, "by": pause.by, "until": until, "deadlines": pause.deadlines}


def _ending(tx: Tx, ids: Collection[int], now: datetime) -> list[Pause]:
    found = [pause for pause in counting.standing(tx, now) if pause.id in set(ids)]
    missing = sorted(set(ids) - {pause.id for pause in found})
    if missing:
        raise NotThere(f"No pause {', '.join(map(str, missing))} stands. See: tracker pause")
    return found


def _end(tx: Tx, ended: Sequence[Pause], by: str, now: datetime) -> list[Waiting]:
    freed = _freed(tx, ended, now)
    at = epoch(now)
    for start in range(0, len(freed), _CHUNK):
        tx.run_among(_FREE, [row.id for row in freed[start : start + _CHUNK]], at, at - OVERDUE_SECONDS)
    for pause in ended:
        tx.run(_END, now, by, pause.id)
        _note(tx, pause, "resumed", by, now)
    return freed


def _note(tx: Tx, pause: Pause, what: str, by: str, now: datetime) -> None:
    told = {name: value for name, value in _columns(pause).items() if value not in {None, False}}
    audit(tx, now, who=by, what=what, order_id=None, subject=f"pause/{pause.id}", reason=pause.reason, after=told)


def _freed(tx: Tx, ended: Sequence[Pause], now: datetime) -> list[Waiting]:
    """What waits because of these pauses and of no other that stands."""
    gone = {pause.id for pause in ended}
    rest = [pause for pause in counting.standing(tx, now) if pause.id not in gone]
    return [
        row
        for row in _waiting(tx, now)
        if row.ready and any(stops(pause, row.reach) for pause in ended) and stopping(rest, row.reach, now) is None
    ]


def _waiting(tx: Tx, now: datetime) -> list[Waiting]:
    parcels: dict[int, list[Record]] = {}
    for found in tx.rows(_PARCELS):
        parcels.setdefault(found[0], []).append(found)
    return [_row(row, parcels.get(row[0], ()), epoch(now)) for row in tx.rows(WAITING)]


def _row(row: Record, parcels: Iterable[Record], at: int) -> Waiting:
    kind = ActionKind(row[1])
    return Waiting(
        id=row[0],
        intent=row[6],
        reach=Reach(
            kind=kind,
            store=row[2],
            rule=row[3],
            channel=Channel(row[4]),
            template=None if row[5] is None else base_key(row[5]),
            countries={each for each in (row[13], *(parcel[1] for parcel in parcels)) if each},
            carriers={parcel[2] for parcel in parcels if parcel[2]},
            pressing=bool(row[16]),
        ),
        due_at=instant(row[8]),
        ready=row[7] <= at or (row[10] or "").startswith(PAUSED),
        counted=bool(row[9]),
        late=bool(row[9]) or (kind is ActionKind.MESSAGE and row[8] < at - OVERDUE_SECONDS),
        amount=money(row[11]),
        currency=row[12],
        worth=money(row[14]),
        worth_currency=row[15],
    )


def _deadlines(tx: Tx, pause: Pause, until: datetime, now: datetime) -> Iterable[Deadline]:
    """What the brake would match, were it to become due: extensions are tasks, claims lines of the register."""
    days = (now.date().isoformat(), until.date().isoformat())
    kinds = (
        ("window", ActionKind.EXTENSION, Channel.TASK, tx.rows(_WINDOWS, now, until)),
        ("claim", ActionKind.COMPENSATION, Channel.REGISTER, tx.rows(_CLAIMS, *days)),
    )
    for name, kind, channel, rows in kinds:
        for store, subject, country, carrier, at, rule in rows:
            place = Reach(
                kind=kind,
                store=store,
                rule=rule,
                channel=channel,
                countries={country},
                carriers={carrier or pause.carrier or ""},
            )
            if stops(pause, place):
                yield Deadline(kind=name, store=store, subject=subject, at=_instant(at))


def _instant(text: str) -> datetime:
    found = instant_of(text) if " " in text else None
    return found or datetime.fromisoformat(text).replace(tzinfo=UTC)
