"""The shell that decides: load what is due, ask the pure policy, write its verdicts (facts/engine.md 2.4). One unit a call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from tracker.clock import Clock
from tracker.crashpoint import fault
from tracker.log import Event, get_logger
from tracker.model import Considered, Decision, Dossier, OutboxState, Verdict
from tracker.policy import decide
from tracker.policy.birth import birth
from tracker.policy.deadlines import moved_deadlines
from tracker.policy.quiet import Unsaid
from tracker.rules import Rules
from tracker.store import Store, StoreError
from tracker.store.rows import NewRow, SweepWritten, VerdictWrite
from tracker.sweep.gate import RulesGate, withhold

TRANSACTION = 400
"""Dossiers decided and written in one transaction at most."""

PARKED = timedelta(days=1)
MISSING = timedelta(hours=1)
"""Until an order is looked at again whose store no file describes."""
"""How long an order rests that could not be decided (faults row 33)."""

SOONEST = timedelta(minutes=5)
"""A verdict that wants to be looked at again at once would keep the sweep busy for ever."""

_log = get_logger()


class SweepReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit did: `worked` dossiers were decided or parked, `more` are due."""

    worked: int = 0
    more: bool = False


class Sweeper:
    """Decides the dossiers that are due, whether or not any carrier answers."""

    def __init__(self, *, store: Store, clock: Clock, rules: Rules, gate: RulesGate | None = None) -> None:
        """`gate` knows whether these rules wait for a person's word; without one they are in force unasked."""
        self._store = store
        self._clock = clock
        self._rules = rules
        self._gate = gate
        self._seen: set[str] = set()

    async def sweep_once(self) -> SweepReport:
        """Decide up to 400 due dossiers."""
        now, started = self._clock.now(), self._clock.monotonic()
        due = [order_id for _, order_id in await self._store.due_dossiers(now, TRANSACTION)]
        if not due:
            return SweepReport()
        fault("sweep_before_load")
        waits = None if self._gate is None else await self._gate.standing()
        verdicts = []
        for dossier in await self._load(due, now):
            try:
                write = written(dossier, decide(dossier, self._rules, now), self._rules, now)
                verdicts.append(write if waits is None else withhold(dossier, write, waits, now))
            except Exception as error:  # noqa: BLE001 - whatever one order does, it must not hurt the others
                await self._park(dossier.order.id, dossier.order.number, error, now)
        done = await self._write(verdicts, now)
        _log.info(
            Event.SWEEP_DONE,
            dossiers=len(verdicts),
            decisions=len(done.opened),
            withdrawn=len(done.closed),
            seconds=round(self._clock.monotonic() - started, 3),
        )
        return SweepReport(worked=len(due), more=len(due) == TRANSACTION)

    async def _load(self, due: Sequence[int], now: datetime) -> list[Dossier]:
        """All at once; where one of them cannot be loaded, one by one without it."""
        try:
            return await self._store.load_dossiers(due)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - the same
            if len(due) == 1:
                await self._park(due[0], str(due[0]), error, now)
                return []
        return [dossier for order_id in due for dossier in await self._load([order_id], now)]

    async def _write(self, verdicts: Sequence[VerdictWrite], now: datetime) -> SweepWritten:
        """All in one transaction; where one of them cannot be written, the halves, until that one is alone and parked."""
        try:
            return await self._store.write_verdicts(verdicts, now)
        except StoreError:
            raise
        except Exception as error:
            if not verdicts:
                raise
            if len(verdicts) == 1:
                await self._park(verdicts[0].order_id, str(verdicts[0].order_id), error, now)
                return SweepWritten(written=0, stale=0)
        middle = len(verdicts) // 2
        first, second = await self._write(verdicts[:middle], now), await self._write(verdicts[middle:], now)
        return SweepWritten(
            written=first.written + second.written,
            stale=first.stale + second.stale,
            opened=first.opened + second.opened,
            closed=first.closed + second.closed,
        )

    async def _park(self, order_id: int, order: str, error: Exception, now: datetime) -> None:
        if isinstance(error, UndescribedStoreError):
            # Nobody's mistake in the code: a file is missing, and comes back.
            await self._store.park_dossier(order_id, now + MISSING, str(error), now)
            _log.error(Event.SWEEP_PARKED, order=order, error=str(error))
            return
        await self._store.park_dossier(order_id, now + PARKED, repr(error), now)
        # One mistake can park a hundred thousand orders: its traceback is told once.
        log = _log.error if repr(error) in self._seen else _log.exception
        self._seen.add(repr(error))
        log(Event.SWEEP_PARKED, order=order, error=repr(error))


class UndescribedStoreError(Exception):
    """An order's store has no file any more: moved away, renamed, or read from another folder."""

    def __init__(self, store: str) -> None:
        super().__init__(f"no file describes its store: put stores/{store}.toml back beside tracker.toml, under this name")


def written(dossier: Dossier, verdict: Verdict, rules: Rules, now: datetime) -> VerdictWrite:
    """A verdict as the store takes it: its decisions as outbox rows, its next look soon where it acted, never at once again."""
    rows = tuple(row for decision in verdict.decisions if (row := born(decision, dossier, rules)) is not None)
    if rows or (verdict.next_at is not None and verdict.next_at < now + SOONEST):
        # What was decided has a life of its own from now on (it lapses, it is superseded): that is decided with it in sight.
        verdict = replace(verdict, next_at=now + SOONEST)
    considered: Sequence[Considered] = verdict.considered
    return VerdictWrite(
        order_id=dossier.order.id,
        version=dossier.version,
        verdict=verdict,
        rows=rows,
        config_version=rules.version,
        dates=moved_deadlines(dossier, rules, now),
        gist=considered.gist() if isinstance(considered, Unsaid) else None,
    )


def born(decision: Decision, dossier: Dossier, rules: Rules) -> NewRow | None:
    """The outbox row of one decision; None for a decision to do nothing: it is kept with the verdict.

    Raises UndescribedStoreError where the store has to be known, and no file describes it.
    """
    try:
        begun = birth(decision, dossier, rules)
    except KeyError:
        if dossier.order.store in rules.stores:
            raise
        raise UndescribedStoreError(dossier.order.store) from None
    if begun is None:
        return None
    state = OutboxState.PENDING if begun.hold is None else OutboxState.HELD
    return NewRow(decision=decision, channel=begun.channel, state=state, hold=begun.hold)
