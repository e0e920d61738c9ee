"""Who has what in hand: parcels that are asked about, orders that are decided, effects on their way (facts/engine.md 2.3).

On SQLite there is one daemon, and what it has in hand is in its memory: a crash empties that, and the rows are still due. On
PostgreSQL there are many: a claim writes a token and an end into the rows, and whoever comes back late with a token that is no
longer there has lost them (fencing). Nothing else is needed to lose no work: a lease that runs out is claimed again.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from tracker.clock import epoch
from tracker.crashpoint import fault
from tracker.store.connection import Database, Tx
from tracker.store.polling import DUE_COLUMNS, Unreadable, readable
from tracker.store.rows import DueShipment

ASKED_SECONDS = 600
"""How long a parcel may be in hand without a sign; renewed before every conversation."""

DECIDED_SECONDS = 120

RESERVED_SECONDS = 60
"""How long an effect is left to the worker who looks at it."""

SENDING_SECONDS = 900
"""After this a call has ended: a mail server may take ten minutes after DATA. Then nobody knows, and it is shown (`unknown`)."""

TURN_SECONDS = 300

Enqueue: TypeAlias = Callable[[Any, str, Sequence[DueShipment]], Awaitable[None]]
"""Given the transaction's own connection, a claim's token and its parcels: committed with the claim, or not at all."""

_FOREVER = 1 << 62

_LEASE = f"""
    UPDATE shipment SET lease_token = ?, lease_until = ? WHERE id IN (
        SELECT id FROM shipment
        WHERE next_poll_at <= ? AND (lease_until IS NULL OR lease_until < ?) AND coalesce(deadline_at, {_FOREVER}) <= ?
        ORDER BY next_poll_at, id LIMIT ? FOR UPDATE SKIP LOCKED)
    RETURNING {DUE_COLUMNS}"""  # noqa: S608 - our own words

_LEASE_THESE = """
    UPDATE shipment SET lease_token = ?, lease_until = ? WHERE id IN (
        SELECT id FROM shipment WHERE (lease_until IS NULL OR lease_until < ?) AND id IN (??) FOR UPDATE SKIP LOCKED)
    RETURNING id"""

_TAKE = f"UPDATE shipment SET lease_until = ? WHERE lease_token = ? RETURNING {DUE_COLUMNS}"  # noqa: S608 - our own words

_RENEW = "UPDATE shipment SET lease_until = ? WHERE lease_token = ? RETURNING id"

_RELEASE = "UPDATE shipment SET lease_token = NULL, lease_until = NULL WHERE lease_token = ?"

_TURN = """
    INSERT INTO account (id, memory, breaker_failures, turn_token, turn_until) VALUES (?, '{}', 0, ?, ?)
    ON CONFLICT (id) DO UPDATE SET turn_token = excluded.turn_token, turn_until = excluded.turn_until
    WHERE account.turn_until IS NULL OR account.turn_until < ? OR account.turn_token = excluded.turn_token"""

_END_TURN = "UPDATE account SET turn_token = NULL, turn_until = NULL WHERE id = ? AND turn_token = ?"

_RESERVE = """
    UPDATE outbox SET lease_until = ?, who = ?
    WHERE id = ? AND state = 'pending' AND (lease_until IS NULL OR lease_until < ? OR who = ?)"""


class Claim(msgspec.Struct, frozen=True):
    """Parcels in hand. `token` is None where one daemon has the database to itself."""

    token: str | None
    shipments: Sequence[DueShipment]
    unreadable: Sequence[Unreadable] = ()

    @property
    def ids(self) -> frozenset[int]:
        """Their ids."""
        return frozenset(each.id for each in self.shipments)


class Leases:
    """The store's methods for what is in hand."""

    _db: Database

    async def claim_due(
        self, now: datetime, limit: int, enqueue: Enqueue | None = None, *, near: datetime | None = None
    ) -> Claim:
        """Take up to `limit` parcels in hand that are due, longest due first; none: nothing is due, or all is in hand.

        Of a fleet: `enqueue` makes the work item for them in the very transaction; `near` leaves out what has no date to meet
        until then.
        """
        if not self._db.fleet:
            found, strange = await self._due_shipments(now, limit, None, self._db.in_hand)  # type: ignore[attr-defined]
            self._db.in_hand |= {each.id for each in found}
            return Claim(None, found, strange)
        token, at = secrets.token_hex(8), epoch(now)

        def claim(tx: Tx) -> Claim:
            latest = _FOREVER if near is None else epoch(near)
            rows = tx.rows(_LEASE, token, at + ASKED_SECONDS, at, at, latest, limit)
            known, strange = readable(rows)
            found = sorted(known, key=lambda each: (each.next_poll_at, each.id))
            if found and enqueue is not None:
                tx.enqueue(lambda connection: enqueue(connection, token, found))
            fault("lease_before_commit")
            return Claim(token, found, strange)

        made = await self._db.write_beside(claim)
        fault("lease_after_commit")
        return made

    async def take_claim(self, token: str, now: datetime) -> Claim:
        """The parcels of a work item that are still its own; none: the lease ran out, and somebody else has them."""
        until = epoch(now) + ASKED_SECONDS
        rows = await self._db.write_beside(lambda tx: tx.rows(_TAKE, until, token))
        known, strange = readable(rows)
        return Claim(token, sorted(known, key=lambda each: (each.next_poll_at, each.id)), strange)

    async def claim_these(self, shipments: Sequence[DueShipment], now: datetime) -> Claim:
        """Take these parcels in hand, but those that somebody has."""
        if not self._db.fleet:
            free = [each for each in shipments if each.id not in self._db.in_hand]
            self._db.in_hand |= {each.id for each in free}
            return Claim(None, free)
        token, at = secrets.token_hex(8), epoch(now)
        ids = [each.id for each in shipments]
        rows = await self._db.write_beside(lambda tx: tx.among(_LEASE_THESE, ids, token, at + ASKED_SECONDS, at))
        mine = {row[0] for row in rows}
        return Claim(token, [each for each in shipments if each.id in mine])

    async def renew_claim(self, claim: Claim, now: datetime) -> frozenset[int]:
        """Hold on to a claim, before a call that takes its time; the ids that are still in hand."""
        if claim.token is None:
            return claim.ids
        at = epoch(now)
        rows = await self._db.read(lambda tx: tx.rows("SELECT id, lease_until FROM shipment WHERE lease_token = ?", claim.token))
        if any(row[1] < at + ASKED_SECONDS // 2 for row in rows):
            rows = await self._db.write_beside(lambda tx: tx.rows(_RENEW, at + ASKED_SECONDS, claim.token))
        return frozenset(row[0] for row in rows)

    async def release_claim(self, claim: Claim) -> None:
        """Let go of what is left of a claim."""
        if claim.token is None:
            self._db.in_hand -= claim.ids
        elif claim.shipments:
            await self._db.write_beside(lambda tx: tx.run(_RELEASE, claim.token))

    async def take_turn(self, source: str, token: str, now: datetime) -> bool:
        """Whether it is this caller's turn at a source that is asked one conversation at a time. With one daemon it always is."""
        if not self._db.fleet:
            return True
        at = epoch(now)
        return await self._db.write_beside(lambda tx: tx.run(_TURN, source, token, at + TURN_SECONDS, at)) == 1

    async def end_turn(self, source: str, token: str) -> None:
        """The next one may ask."""
        if self._db.fleet:
            await self._db.write_beside(lambda tx: tx.run(_END_TURN, source, token))

    async def reserve_row(self, row_id: int, *, who: str, now: datetime) -> bool:
        """Whether this worker may look at an effect: not while another one does. With one daemon it always may."""
        if not self._db.fleet:
            return True
        at, me = epoch(now), self._db.worker or who
        return await self._db.write_beside(lambda tx: tx.run(_RESERVE, at + RESERVED_SECONDS, me, row_id, at, me)) == 1
