"""The configurations that were in force, and the guard between them (faults row 20): which one waits, what waits for it.

At most one waits: the one in force. What was held for rules that were replaced before anybody accepted them is taken back, and
the rules of now decide anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from tracker.clock import epoch
from tracker.store.connection import Database, Record, Tx, instant_of, required
from tracker.store.encoding import json_text, mapping
from tracker.store.errors import NotThere
from tracker.store.records import DAEMON, audit

ACCEPTED, WAITING = "accepted", "waiting"

_ALL = """
    SELECT hash, state, first_at, in_force_at, touched, open_parcels, summary, accepted_at, accepted_by
    FROM ruleset ORDER BY in_force_at DESC"""

_SNAPSHOT = "SELECT snapshot FROM ruleset WHERE hash = ?"

HELD = """
    SELECT config_version, count(*) FROM outbox
    WHERE state = 'held' AND state IN ('held', 'pending', 'sending', 'unknown') AND hold = 'rules_wait' GROUP BY config_version"""
"""By ix_outbox_live, never by the hash of every effect that there ever was."""

_IN_FORCE = """
    INSERT INTO ruleset (hash, first_at, in_force_at, state, touched, open_parcels, summary, snapshot, accepted_at, accepted_by)
    VALUES (?, ?, ?, ?, 0, 0, ?, ?, ?, ?)
    ON CONFLICT (hash) DO UPDATE SET in_force_at = excluded.in_force_at, state = excluded.state, touched = 0, open_parcels = 0,
        summary = excluded.summary, snapshot = excluded.snapshot, accepted_at = excluded.accepted_at,
        accepted_by = excluded.accepted_by"""

_WAITS = "state = 'held' AND hold = 'rules_wait' AND config_version = ?"

_WAKE = f"""
    UPDATE dossier SET next_decide_at = ?, version = version + 1
    WHERE id IN (SELECT order_id FROM outbox WHERE {_WAITS})"""  # noqa: S608 - the same

_TOLD = f"""
    INSERT INTO audit (at, who, what, order_id, subject, reason, before, after)
    SELECT ?, ?, ?, order_id, dedup_key, ?, '{{}}', '{{}}' FROM outbox WHERE {_WAITS}"""  # noqa: S608 - the same

_TAKE_BACK = f"""
    UPDATE outbox SET state = 'cancelled', hold = NULL, withdrawn = TRUE, result = ? WHERE {_WAITS}"""  # noqa: S608 - the same

_FREE = f"""
    UPDATE outbox SET
        state = CASE kind WHEN 'refund' THEN 'held' ELSE 'pending' END,
        hold = CASE kind WHEN 'refund' THEN 'money_needs_approval' END,
        held_since = CASE kind WHEN 'refund' THEN ? END,
        not_before = CASE WHEN not_before < ? THEN ? ELSE not_before END,
        overdue = overdue OR (? AND kind = 'message')
    WHERE {_WAITS}"""  # noqa: S608 - the same

_OPEN = """
    SELECT d.id, d.next_decide_at, d.waits_for_answer FROM dossier d
    WHERE d.id > ? AND d.id <= ? AND (? IS NULL OR d.store = ?) AND (d.next_decide_at IS NOT NULL OR EXISTS (
        SELECT 1 FROM order_shipment l JOIN shipment s ON s.id = l.shipment_id
        WHERE l.order_id = d.id AND s.next_poll_at IS NOT NULL))
    ORDER BY d.id LIMIT ?"""

_ADVANCE = "UPDATE dossier SET next_decide_at = ? WHERE id = ? AND (next_decide_at IS NULL OR next_decide_at > ?)"

_SPAN = 10_000
"""Orders that one page looks through at most: years of settled ones must not hold up the loop."""


class Ruleset(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration that was in force, by its hash.

    `touched` of `open_parcels` got new effects by it within a day, `summary` counts them by intent; `held` effects wait for its
    acceptance. `in_force`: it is the newest. `compared`: its effects were counted; until then nobody need look at it.
    """

    hash: str
    state: str
    first_at: datetime
    in_force_at: datetime
    in_force: bool
    compared: bool
    touched: int
    open_parcels: int
    held: int
    summary: Mapping[str, Any]
    accepted_at: datetime | None
    accepted_by: str | None

    @property
    def waits(self) -> bool:
        """Whether a person has to accept it."""
        return self.in_force and self.compared and self.state == WAITING


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What begins with rules: `baseline` are the ones to compare with (hash, snapshot), None where nothing is to be compared.

    `waits`: they are not accepted yet, so new effects wait. `compared`: they were compared already.
    """

    baseline: tuple[str, bytes] | None
    waits: bool
    compared: bool


class OpenDossier(msgspec.Struct, frozen=True):
    """An order that is still looked at: its id, when it is decided next (epoch seconds), whether it waits for an answer."""

    id: int
    next_decide_at: int | None
    waits_for_answer: bool


class OpenPage(msgspec.Struct, frozen=True):
    """Some open orders; `last` is where the next page begins, None after the last one."""

    found: tuple[OpenDossier, ...]
    last: int | None


class Rulesets:
    """The store's methods for rule sets, and for looking through all open orders."""

    _db: Database

    async def rulesets(self) -> list[Ruleset]:
        """All that were in force, the newest first."""
        return await self._db.read(_rulesets)

    async def snapshot_of(self, version: str) -> bytes | None:
        """What the rules of that hash were built from; None where they were never in force."""
        found: bytes | None = await self._db.read(lambda tx: tx.value(_SNAPSHOT, version))
        return found

    async def begin_ruleset(self, version: str, snapshot: bytes, now: datetime) -> Begun:
        """These rules are in force from now on. The first ones of a database are accepted, later ones wait to be compared."""
        return await self._db.write(lambda tx: _begin(tx, version, snapshot, now))

    async def settle_ruleset(
        self, version: str, now: datetime, *, waits: bool, touched: int, open_parcels: int, summary: Mapping[str, Any]
    ) -> int:
        """The comparison has ended. Where too little is new to wait, everything held meanwhile goes on; how many effects.

        Of a fleet each worker compares: has one found that a person must look, another's count changes nothing.
        """

        def settle(tx: Tx) -> int:
            if touched and not waits and _found_waiting(tx, version):
                return 0
            tx.run(
                "UPDATE ruleset SET touched = ?, open_parcels = ?, summary = ? WHERE hash = ?",
                touched,
                open_parcels,
                json_text({**summary, "compared": True}),
                version,
            )
            if waits or _state(tx, version) == ACCEPTED:
                return 0
            tx.run("UPDATE ruleset SET state = 'accepted', accepted_at = ?, accepted_by = ? WHERE hash = ?", now, DAEMON, version)
            return _free(tx, version, DAEMON, "few enough are new", now, backlog=False)

        return await self._db.write(settle)

    async def accept_ruleset(self, version: str, *, by: str, now: datetime) -> int | None:
        """A person accepts the rules that wait: their effects go on as a backlog (D21). How many; None: they were accepted.

        `version` may be the beginning of the hash. Raises NotThere, which names the rules that wait.
        """

        def accept(tx: Tx) -> int | None:
            found = _named(_rulesets(tx), version)
            if found.state == ACCEPTED:
                return None
            tx.run("UPDATE ruleset SET state = 'accepted', accepted_at = ?, accepted_by = ? WHERE hash = ?", now, by, found.hash)
            freed = _free(tx, found.hash, by, "the rules were accepted", now, backlog=True)
            subject = f"rules/{found.hash}"
            audit(tx, now, who=by, what="rules_accepted", order_id=None, subject=subject, after={"released": freed})
            return freed

        return await self._db.write(accept)

    async def free_ruleset(self, version: str, now: datetime) -> int | None:
        """Whether a person has accepted these rules meanwhile: None if not, else how many effects still waited and go on now."""
        accepted = await self._db.read(lambda tx: _state(tx, version) == ACCEPTED)
        return await self._db.write(lambda tx: free_accepted(tx, version, now)) if accepted else None

    async def open_dossiers(self, after: int, limit: int, *, store: str | None = None) -> OpenPage:
        """Orders that time or an answer can still change, by id; `after` the last one of the page before, 0 at the begin."""

        def look(tx: Tx) -> OpenPage:
            rows = tx.rows(_OPEN, after, after + _SPAN, store, store, limit)
            found = tuple([OpenDossier(row[0], row[1], bool(row[2])) for row in rows])
            if len(found) == limit:
                return OpenPage(found, found[-1].id)
            newest = tx.value("SELECT max(id) FROM dossier") or 0
            return OpenPage(found, after + _SPAN if after + _SPAN < newest else None)

        return await self._db.read(look)

    async def advance_dossiers(self, dossiers: Sequence[tuple[int, datetime]]) -> int:
        """Let these orders be decided at that instant, unless they are decided earlier anyway; how many were moved."""
        tuples = [(epoch(at), order_id, epoch(at)) for order_id, at in dossiers]
        return await self._db.write(lambda tx: tx.many(_ADVANCE, tuples)) if tuples else 0


def _rulesets(tx: Tx) -> list[Ruleset]:
    held = {row[0]: row[1] for row in tx.rows(HELD)}
    return [_ruleset(row, held.get(row[0], 0), in_force=place == 0) for place, row in enumerate(tx.rows(_ALL))]


def _ruleset(row: Record, held: int, *, in_force: bool) -> Ruleset:
    try:
        summary = mapping(row[6])
    except ValueError:
        # No sweep stands still for it (faults row 33): they are compared again.
        summary = {}
    return Ruleset(
        hash=row[0],
        state=row[1],
        first_at=required(row[2]),
        in_force_at=required(row[3]),
        in_force=in_force,
        compared=bool(summary.pop("compared", False)),
        touched=row[4],
        open_parcels=row[5],
        held=held,
        summary=summary,
        accepted_at=instant_of(row[7]),
        accepted_by=row[8],
    )


def _begin(tx: Tx, version: str, snapshot: bytes, now: datetime) -> Begun:
    known = _rulesets(tx)
    current = known[0] if known else None
    before = next((each.hash for each in known if each.state == ACCEPTED and each.hash != version), None)
    baseline = None if before is None else (before, tx.value(_SNAPSHOT, before))
    if current is not None and current.hash == version:
        return Begun(baseline=baseline, waits=current.state == WAITING, compared=current.compared)
    at = now if current is None else max(now, current.in_force_at + timedelta(microseconds=1))
    if current is not None and current.state == WAITING:
        _supersede(tx, current.hash, version, now)
    accepted = next((each.hash for each in known if each.state == ACCEPTED), None)
    if accepted in {None, version}:
        # The first ones, or back to those that were in force before the ones that nobody accepted.
        tx.run(_IN_FORCE, version, at, at, ACCEPTED, json_text({"compared": True}), snapshot, now, DAEMON)
        return Begun(baseline=None, waits=False, compared=True)
    tx.run(_IN_FORCE, version, at, at, WAITING, json_text({"compared": False}), snapshot, None, None)
    return Begun(baseline=baseline, waits=True, compared=False)


def _supersede(tx: Tx, version: str, by: str, now: datetime) -> None:
    reason = f"replaced by rules {by} before anybody accepted them"
    tx.run(_WAKE, epoch(now), version)
    tx.run(_TOLD, now, DAEMON, "effect_withdrawn", reason, version)
    tx.run(_TAKE_BACK, reason, version)


def _free(tx: Tx, version: str, who: str, reason: str, now: datetime, *, backlog: bool) -> int:
    """Everything that waits for these rules goes on; money waits for its own approval."""
    tx.run(_WAKE, epoch(now), version)
    tx.run(_TOLD, now, who, "hold_released", reason, version)
    return tx.run(_FREE, now, epoch(now), epoch(now), backlog, version)


def free_accepted(tx: Tx, version: str, now: datetime) -> int | None:
    """What was held for these rules after they were accepted goes on; None where they are not accepted.

    A sweep that had looked before the word came writes after it: nobody would let its effects go any more.
    """
    if _state(tx, version) != ACCEPTED:
        return None
    return _free(tx, version, DAEMON, "the rules were accepted", now, backlog=True)


def _found_waiting(tx: Tx, version: str) -> bool:
    row = tx.row("SELECT state, summary FROM ruleset WHERE hash = ?", version)
    return row is not None and row[0] == WAITING and bool(mapping(row[1]).get("compared"))


def _state(tx: Tx, version: str) -> str | None:
    state: str | None = tx.value("SELECT state FROM ruleset WHERE hash = ?", version)
    return state


def _named(known: Sequence[Ruleset], version: str) -> Ruleset:
    """The rules of this hash. Raises NotThere: unknown, ambiguous, or replaced."""
    found = [each for each in known if version and each.hash.startswith(version)]
    waiting = next((each.hash for each in known if each.in_force and each.state == WAITING), None)
    told = f"The rules that wait are {waiting}: tracker config accept {waiting}" if waiting else "No rules wait for acceptance"
    if len(found) != 1:
        raise NotThere(f"{'Several' if found else 'No'} rules begin with {version!r}. {told}")
    if found[0].state == WAITING and not found[0].in_force:
        raise NotThere(f"Rules {found[0].hash} are not in force any more: others took their place, and nothing waits. {told}")
    return found[0]
