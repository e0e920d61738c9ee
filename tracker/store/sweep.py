"""Which dossiers to decide, and writing the verdicts: one transaction per at most 400 (facts/engine.md 2.4).

A verdict that was given on an older version of the facts is dropped whole: whoever moved the facts has set the dossier due again.
A verdict that says what the last one said writes no record, only when to look again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from tracker.clock import epoch
from tracker.crashpoint import fault
from tracker.model import ActionKind, DecisionReason, Dossier, HoldReason, Intent, OutboxState, Verdict
from tracker.store import claims, dossiers
from tracker.store.connection import Database, Record, Tx, stored
from tracker.store.encoding import json_text, money_text
from tracker.store.errors import Conflict
from tracker.store.leases import DECIDED_SECONDS
from tracker.store.records import DAEMON, audit
from tracker.store.replay import take_spent
from tracker.store.rows import Freed, NewRow, SweepWritten, VerdictWrite
from tracker.store.rulesets import free_accepted
from tracker.store.taking_back import take_back

STAGES = frozenset({Intent.STAGE1, Intent.STAGE2, Intent.STAGE3})

TURNED_BAD = frozenset(
    {
        DecisionReason.NOT_FOUND_CONFIRMED,
        DecisionReason.NEVER_SCANNED,
        DecisionReason.SILENT_BEYOND_LIMIT,
        DecisionReason.CARRIER_SAYS_LOST,
    }
)
"""Reasons by which a parcel counts as untrackable or lost for the plausibility hold (D25)."""

OVERDUE_SECONDS = 86_400
"""A message that was due a day before it could be decided belongs to a backlog (D21); other effects are no part of a ramp."""

_DUE = """
    SELECT next_decide_at, id FROM dossier
    WHERE next_decide_at <= ? AND next_decide_at >= ? AND (next_decide_at > ? OR id > ?)
    ORDER BY next_decide_at, id LIMIT ?"""

_LEASE = """
    UPDATE dossier SET lease_until = ? WHERE id IN (
        SELECT id FROM dossier
        WHERE next_decide_at <= ? AND (lease_until IS NULL OR lease_until < ?)
        ORDER BY next_decide_at, id LIMIT ? FOR UPDATE SKIP LOCKED)
    RETURNING next_decide_at, id"""
"""On a fleet; it ends with the verdict, or by itself."""

_UNLEASE = "UPDATE dossier SET lease_until = NULL WHERE id IN (??)"

_KNOWN = "SELECT id, version, verdict_digest, store FROM dossier WHERE id IN (??)"

_LOCKED = f"{_KNOWN} ORDER BY id FOR UPDATE"
"""Nobody else changes them from here on: what is decided below holds until it is written."""

_OPEN = """
    INSERT INTO outbox (dedup_key, subject, intent, occasion, kind, state, channel, reason, rule, order_id, store, shipment,
    template,
        created_at, not_before, due_at, overdue, deadline, amount, currency, urgent, hold, held_since, rejected, withdrawn,
        attempts, config_version, evidence, approved_by, remedy)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)
    ON CONFLICT (dedup_key) DO UPDATE SET state = excluded.state, channel = excluded.channel, reason = excluded.reason,
        rule = excluded.rule, template = excluded.template, created_at = excluded.created_at, not_before = excluded.not_before,
        due_at = excluded.due_at, overdue = excluded.overdue, deadline = excluded.deadline, amount = excluded.amount,
        currency = excluded.currency, urgent = excluded.urgent, hold = excluded.hold, held_since = excluded.held_since,
        withdrawn = excluded.withdrawn, config_version = excluded.config_version, evidence = excluded.evidence, task_id = NULL,
        sent_at = NULL, result = NULL, approved_by = excluded.approved_by, decided_at = NULL, in_line_since = NULL,
        first_approved_by = NULL, snoozed_until = NULL, answered = NULL, remedy = excluded.remedy, tried = '[]'
    WHERE outbox.withdrawn"""

_FREE = """
    UPDATE outbox SET state = ?, hold = ?, held_since = ? WHERE dedup_key = ? AND state = 'held' AND hold = 'rules_wait'"""

_SETTLE = """
    UPDATE dossier SET next_decide_at = ?, waits_for_answer = ?, verdict_digest = ?, failures = 0, parked_for = NULL
    WHERE id = ?"""

_ASK = """
    UPDATE shipment SET next_poll_at = ?
    WHERE number = ? AND (next_poll_at IS NULL OR (next_poll_at > ? AND failures = 0))"""
"""A source that just failed is left its pause: whoever waits for facts would hammer it otherwise, at every decision."""

_DATE = """
    UPDATE shipment SET deadline_at = ? WHERE id = ? AND (deadline_at IS NULL OR deadline_at < ? OR deadline_at > ?
        OR NOT EXISTS (SELECT 1 FROM order_shipment l WHERE l.shipment_id = shipment.id AND l.order_id <> ?))"""
"""A parcel of several orders keeps the nearest of their dates."""

_AGAIN = """
    UPDATE shipment SET next_poll_at = ?
    WHERE id = ? AND next_poll_at IS NULL AND deadline_at IS NOT NULL AND status IN ('delivered', 'returned')"""
"""A finished parcel is asked about again when money is open: what was delivered can be taken back."""

_DAY0 = "UPDATE shipment SET day0_seen = ? WHERE number = ?"

_BAD = """
    INSERT INTO bad_parcel (shipment_id, carrier, at)
    SELECT s.id, coalesce(s.carrier, ''), ? FROM alias a JOIN shipment s ON s.id = a.shipment_id WHERE a.number = ?
    ON CONFLICT (shipment_id) DO NOTHING"""

_OTHER_NUMBERS = """
    SELECT other.number FROM alias present JOIN alias other ON other.shipment_id = present.shipment_id
    WHERE present.number = ? AND other.number <> present.number"""


class Sweep:
    """The store's methods for the sweep."""

    _db: Database

    async def due_dossiers(self, now: datetime, limit: int, *, after: tuple[int, int] | None = None) -> list[tuple[int, int]]:
        """(next_decide_at, id) of the dossiers that are due, longest due first; `after` = the last one of the page before.

        On a fleet they are this worker's for two minutes, and `after` means nothing: what is in hand is nobody else's.
        """
        at = epoch(now)
        if self._db.fleet:
            found = await self._db.write_beside(lambda tx: tx.rows(_LEASE, at + DECIDED_SECONDS, at, at, limit))
            return sorted((row[0], row[1]) for row in found)
        last_at, last_id = after or (0, 0)
        rows = await self._db.read(lambda tx: tx.rows(_DUE, at, last_at, last_at, last_id, limit))
        return [(row[0], row[1]) for row in rows]

    async def load_dossiers(self, ids: Sequence[int]) -> list[Dossier]:
        """The dossiers of these orders, in the order asked for; an unknown id is left out."""
        return await self._db.read(lambda tx: dossiers.load(tx, ids))

    async def write_verdicts(self, verdicts: Sequence[VerdictWrite], now: datetime) -> SweepWritten:
        """Write the answers of decide() for at most 400 dossiers in one transaction.

        Twice changes nothing: the dedup key is UNIQUE (D12, I1, I5). The one exception is a row that the facts took back before
        it reached anyone: it opens again.
        """
        written = await self._db.write_beside(lambda tx: _write(tx, verdicts, now))
        fault("sweep_after_commit")
        return written

    async def apply_verdicts(self, verdicts: Sequence[VerdictWrite], *, by: str, now: datetime) -> tuple[str, ...]:
        """Write the planned effects that a person lets happen, all in one transaction; the dedup keys that are new.

        Raises Conflict, and nothing is written, where the facts of one of these orders have moved since they were read.
        """

        def apply(tx: Tx) -> tuple[str, ...]:
            known = dict(tx.among("SELECT id, version FROM dossier WHERE id IN (??)", [write.order_id for write in verdicts]))
            moved = [write.order_id for write in verdicts if known.get(write.order_id) != write.version]
            if moved:
                raise Conflict(
                    f"the facts of {len(moved)} orders moved this very moment; nothing was applied: make the plan anew"
                )
            opened = _write(tx, verdicts, now).opened
            for write in verdicts:
                for new in write.rows:
                    audit(tx, now, who=by, what="plan_applied", order_id=write.order_id, subject=new.decision.key)
            return opened

        return await self._db.write(apply)

    async def park_dossier(self, order_id: int, until: datetime, error: str, now: datetime) -> None:
        """A dossier that cannot be decided is pushed ahead, so that the next one goes on (fault 33). `error` is a short text."""

        def park(tx: Tx) -> None:
            tx.run(
                "UPDATE dossier SET next_decide_at = ?, failures = failures + 1, parked_for = ?, lease_until = NULL WHERE id = ?",
                epoch(until),
                error,
                order_id,
            )
            audit(tx, now, who=DAEMON, what="dossier_parked", order_id=order_id, subject=f"dossier {order_id}", reason=error)

        await self._db.write(park)


def _write(tx: Tx, verdicts: Sequence[VerdictWrite], now: datetime) -> SweepWritten:
    ids = [write.order_id for write in verdicts]
    known = {row[0]: row for row in tx.among(_LOCKED if tx.fleet else _KNOWN, ids)}
    at = stored(now)
    opened: list[str] = []
    closed: list[str] = []
    settled: list[tuple[object, ...]] = []
    told: list[tuple[object, ...]] = []
    dated: list[tuple[int | None, int, int, int | None, int]] = []
    for write in verdicts:
        row = known.get(write.order_id)
        if row is None or row[1] != write.version:
            continue
        verdict = write.verdict
        if write.rows:
            opened += open_rows(tx, write, row[3], now)
        if verdict.withdraw:
            closed += [key for key, reason in verdict.withdraw if _withdraw(tx, key, reason, now)]
        for freed in write.free:
            _free(tx, write.order_id, freed, now)
        for move in verdict.claims:
            claims.move(tx, write.order_id, move, now)
        if verdict.ask_now:
            tx.many(_ASK, [(epoch(now), number, epoch(now)) for number in verdict.ask_now])
        dated += [(when, shipment, epoch(now), when, write.order_id) for shipment, when in write.dates]
        digest = _digest(verdict, write.gist)
        if digest != row[2]:
            told.append((write.order_id, at, write.config_version, json_text(_in_full(verdict))))
        next_at = None if verdict.next_at is None else epoch(verdict.next_at)
        settled.append((next_at, verdict.waits_for_answer, digest, write.order_id))
    tx.many("INSERT INTO decision (order_id, at, config_version, verdict) VALUES (?, ?, ?, ?)", told)
    tx.many(_SETTLE, settled)
    if tx.fleet:
        tx.run_among(_UNLEASE, ids)
    _write_dates(tx, dated, now)
    _free_all_accepted(tx, verdicts, now)
    fault("sweep_before_commit")
    return SweepWritten(written=len(settled), stale=len(verdicts) - len(settled), opened=tuple(opened), closed=tuple(closed))


def _free_all_accepted(tx: Tx, verdicts: Sequence[VerdictWrite], now: datetime) -> None:
    for version in {write.config_version for write in verdicts if any(new.hold is HoldReason.RULES_WAIT for new in write.rows)}:
        free_accepted(tx, version, now)


def _write_dates(tx: Tx, dated: list[tuple[int | None, int, int, int | None, int]], now: datetime) -> None:
    # In the order of the parcels: two sweeps that lock them crosswise would wait for each other.
    dated.sort(key=lambda row: row[1])
    tx.many(_DATE, dated)
    tx.many(_AGAIN, [(epoch(now), row[1]) for row in dated if row[0] is not None])


def _free(tx: Tx, order_id: int, freed: Freed, now: datetime) -> None:
    """The rules in force before want it by now too: it no longer waits for the new ones (faults row 20)."""
    state = OutboxState.PENDING if freed.hold is None else OutboxState.HELD
    for key in _keys(tx, freed.key):
        if tx.run(_FREE, state, freed.hold, None if freed.hold is None else now, key):
            audit(
                tx, now, who=DAEMON, what="hold_released", order_id=order_id, subject=key, reason="the rules before want it too"
            )


def open_rows(tx: Tx, write: VerdictWrite, store: Record, now: datetime) -> list[str]:
    """Write the rows of one verdict; the keys that are new, or open again after the facts took them back."""
    opened = []
    for new in write.rows:
        decision = new.decision
        if tx.run(_OPEN, *_columns(write, new, store, now)) != 1:
            continue
        opened.append(decision.key)
        take_spent(tx, decision.key)
        if decision.reason in TURNED_BAD and decision.shipment is not None:
            # A loss of before the cut-over turned bad then, not today: a takeover is no mass change (D25).
            tx.run(_BAD, epoch(min(now, decision.not_before or now)), decision.shipment)
        if decision.intent in STAGES:
            tx.many(_DAY0, [(stored(day0), number) for number, day0 in write.verdict.day0.items()])
    return opened


def _columns(write: VerdictWrite, new: NewRow, store: str, now: datetime) -> tuple[object, ...]:
    decision = new.decision
    at = epoch(now)
    due_at = at if decision.not_before is None else epoch(decision.not_before)
    return (
        decision.key,
        decision.subject,
        decision.intent,
        decision.occasion,
        decision.kind,
        new.state,
        new.channel,
        decision.reason,
        decision.rule,
        write.order_id,
        store,
        decision.shipment,
        decision.template,
        now,
        due_at,
        due_at,
        decision.kind is ActionKind.MESSAGE and at - due_at > OVERDUE_SECONDS,
        decision.deadline,
        money_text(decision.amount),
        decision.currency,
        decision.urgent,
        new.hold,
        None if new.hold is None else now,
        False,
        False,
        write.config_version,
        json_text(dict(decision.evidence)),
        None if new.hold is not None else decision.approved_by,
        decision.remedy,
    )


def _withdraw(tx: Tx, key: str, reason: DecisionReason, now: datetime) -> bool:
    """Take an effect back that has not reached anyone."""
    return any(take_back(tx, each, who=DAEMON, reason=reason.value, now=now) for each in _keys(tx, key))


def _keys(tx: Tx, key: str) -> list[str]:
    """The key, and the ones it had under the parcel's earlier numbers."""
    subject, intent, occasion = key.rsplit(":", 2)
    if not subject.startswith("shipment/"):
        return [key]
    others = tx.rows(_OTHER_NUMBERS, subject.removeprefix("shipment/"))
    return [key, *(f"shipment/{row[0]}:{intent}:{occasion}" for row in others)]


def _in_full(verdict: Verdict) -> Verdict:
    """With the reasons of a quiet order, which are worked out when somebody asks."""
    return verdict if type(verdict.considered) is tuple else replace(verdict, considered=tuple(verdict.considered))


def _digest(verdict: Verdict, gist: Sequence[str] | None) -> bytes:
    """What a verdict says, without what changes by itself (days passed, when it looks again)."""
    said = [f"{each.key}/{each.kind}/{each.reason}/{each.rule}/{each.amount}" for each in verdict.decisions]
    said += [f"{each.rule}/{each.reason}/{each.shipment}" for each in verdict.considered] if gist is None else gist
    said += [f"{key}/{reason}" for key, reason in verdict.withdraw]
    return hashlib.blake2b("\n".join(said).encode(), digest_size=8).digest()
