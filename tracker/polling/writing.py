"""Collects what conversations changed and writes it in transactions of at most 400 parcels, whole ones where that works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tracker.log import Event, get_logger
from tracker.polling.cadence import PARKED, spread
from tracker.store import Store, StoreError
from tracker.store.rows import (
    AnswerWrite,
    DueShipment,
    Link,
    PollChange,
    PollFailure,
    PollLater,
    PollQuiet,
    PollWrite,
    Unmapped,
)

TRANSACTION = 400
"""Parcels in one transaction at most: a longer one blocks the loop (facts/performance.md section 5)."""

_log = get_logger()


class Outcome(msgspec.Struct, kw_only=True):
    """What one conversation changes."""

    changed: list[PollChange] = []
    quiet: list[PollQuiet] = []
    failed: list[PollFailure] = []
    later: list[PollLater] = []
    unmapped: list[Unmapped] = []
    """Codes that no table knows."""
    answers: list[AnswerWrite] = []
    answered: set[str] = set()
    accounts: dict[str, Mapping[str, Any]] = {}
    links: dict[int, Link] = {}
    """Last-mile numbers that are news, by parcel: followed in the same unit."""
    missed: list[DueShipment] = []
    """Parcels that this source does not find, and that is news: another one is asked (R8)."""
    asked: list[int] = []
    """Parcels whose source is to be asked at once: what it pushed is doubted."""
    forget: list[tuple[str, str]] = []
    """(Account, number) whose next answer is looked into although it says what it said before."""
    pushed: list[int] = []
    """Pushed slices that are heard with this: they go in the same transaction."""

    @property
    def size(self) -> int:
        """How many parcels it is about."""
        return len(self.changed) + len(self.quiet) + len(self.failed) + len(self.later)

    def add(self, other: Outcome) -> None:
        """Take over what another conversation changes."""
        self.changed += other.changed
        self.quiet += other.quiet
        self.failed += other.failed
        self.later += other.later
        self.unmapped += other.unmapped
        self.answers += other.answers
        self.answered |= other.answered
        self.accounts |= other.accounts
        self.links |= other.links
        self.missed += other.missed
        self.asked += other.asked
        self.forget += other.forget
        self.pushed += other.pushed


class Writer:
    """Writes at `at` (epoch seconds of the answers)."""

    def __init__(self, store: Store, at: int, token: str | None = None) -> None:
        """`token` of the claim that all this is about; None where one daemon has the database to itself."""
        self._store = store
        self._at = at
        self._token = token
        self._waiting = Outcome()
        self.unheard: set[int] = set()
        """Parcels that nobody has said anything about in this unit: their answer is late, or nobody asked."""

    async def add(self, outcome: Outcome) -> None:
        """Keep it, and write what is kept when it would become too much for one transaction."""
        if self._waiting.size + outcome.size > TRANSACTION:
            await self.flush()
        self._waiting.add(outcome)
        if outcome.failed or outcome.later:
            self.unheard.update([each.id for each in outcome.failed], [each.id for each in outcome.later])

    async def flush(self) -> None:
        """Write what is kept."""
        ready, self._waiting = self._waiting, Outcome()
        if ready.size or ready.answers or ready.accounts or ready.pushed:
            await self._write(ready)

    async def _write(self, ready: Outcome) -> None:
        """One transaction; where one parcel breaks it, the halves, until that parcel is alone and parked (faults row 33)."""
        try:
            await self._store.write_poll(
                PollWrite(
                    at=self._at,
                    changed=tuple(ready.changed),
                    quiet=tuple(ready.quiet),
                    failed=tuple(ready.failed),
                    later=tuple(ready.later),
                    unmapped=tuple(ready.unmapped),
                    answers=tuple(ready.answers),
                    answered=tuple(sorted(ready.answered)),
                    accounts=ready.accounts,
                    asked=tuple(ready.asked),
                    forget=tuple(ready.forget),
                    pushed=tuple(ready.pushed),
                    token=self._token,
                )
            )
        except StoreError:
            raise
        except Exception as error:
            if len(ready.changed) > 1:
                for half in _halves(ready):
                    await self._write(half)
            elif ready.changed:
                await self._park(ready, error)
            else:
                raise

    async def _park(self, ready: Outcome, error: Exception) -> None:
        """The one changed parcel left cannot be written: it rests; what else is in there is written without it."""
        (change,) = ready.changed
        due = self._at + spread(change.number, PARKED)
        rest = Outcome(
            quiet=ready.quiet,
            failed=[*ready.failed, PollFailure(change.id, change.number, due)],
            later=ready.later,
            unmapped=ready.unmapped,
            answers=[answer for answer in ready.answers if answer.number != change.number],
            answered=ready.answered,
            accounts=ready.accounts,
            asked=ready.asked,
            forget=ready.forget,
            pushed=ready.pushed,
        )
        await self._write(rest)
        _log.exception(Event.POLL_PARKED, source=change.source, shipment=change.number, error=repr(error))


def _halves(ready: Outcome) -> tuple[Outcome, Outcome]:
    """Two parts of the changed parcels, each with its answers; pushed slices go with the last, everything else with the first."""
    middle = len(ready.changed) // 2
    later = {change.number for change in ready.changed[middle:]}
    first = Outcome(
        changed=ready.changed[:middle],
        quiet=ready.quiet,
        failed=ready.failed,
        later=ready.later,
        unmapped=ready.unmapped,
        answers=[answer for answer in ready.answers if answer.number not in later],
        answered=ready.answered,
        accounts=ready.accounts,
        asked=ready.asked,
        forget=ready.forget,
    )
    second = Outcome(
        changed=ready.changed[middle:],
        answers=[answer for answer in ready.answers if answer.number in later],
        pushed=ready.pushed,
    )
    return first, second
