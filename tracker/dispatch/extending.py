"""One extension of a delivery window by the marketplace's own call (R7): claim, journal, call, journal, finish, as for a message.

The window is read afresh before the call, and read back after it: the end that moved is the only proof. "So many days are not
allowed" steps down within the same claim, each step a journalled attempt. What is in doubt is `unknown` until it was read back
(tracker.polling.markets), never repeated blindly. A definite no goes to a person, with the reason.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from tracker.clock import Clock, epoch
from tracker.crashpoint import fault
from tracker.dispatch.sending import Sender
from tracker.log import Event, get_logger
from tracker.marketplaces.accounts import AUTH_PAUSE, Accounts, Connected, stop, stopped
from tracker.marketplaces.base import Answer, Capability, WindowRead
from tracker.marketplaces.errors import Fault, MarketplaceError
from tracker.model import Dossier, JournalEnd, Mode, OutboxRow, OutboxState, WindowSource
from tracker.policy.birth import API
from tracker.rules import Extension, Rules
from tracker.store import Store
from tracker.store.rows import WindowSeen

AGAIN = timedelta(minutes=15)
"""A marketplace that is down is asked again so much later."""

_HAND_OVER = 3
"""When two thirds of the time before the end have passed in vain, a person extends: a third of it is his."""

_log = get_logger()


class _Step(msgspec.Struct, frozen=True, kw_only=True):
    """What one call came to: `state` of the row, `why`, `shorter`: so many days are not allowed, ask for fewer."""

    state: OutboxState
    why: str = ""
    shorter: bool = False
    person: bool = False
    wait: timedelta | None = None
    seen: WindowSeen | None = None
    request: str | None = None


class Extender:
    """Extends windows through the accounts that shall do it."""

    def __init__(self, *, store: Store, clock: Clock, rules: Rules, accounts: Accounts, sender: Sender, who: str) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules
        self._accounts = accounts
        self._sender = sender
        self._who = who

    async def extend(self, row: OutboxRow, dossier: Dossier) -> bool:
        """Extend one window at most once for its present end. False: the facts moved, look again."""
        account = self._accounts.of(row.store, Capability.EXTEND)
        if account is None:
            return await self._by_hand(row, "no account of this store extends windows")
        if (why := self._not_by_itself(row, dossier)) is not None:
            return await self._by_hand(row, why)
        now = self._clock.now()
        for capability in (Capability.WINDOW, Capability.EXTEND):
            off = stopped(await self._store.capabilities(), account.id, capability, epoch(now))
            if off is not None:
                return await self._by_hand(row, f"{account.id} cannot do it at present: {off.why}")
        try:
            read = await account.market.window(dossier.order.number)
        except MarketplaceError as error:
            return await self._unread(row, account, error)
        return await self._with(row, dossier, account, read)

    def _not_by_itself(self, row: OutboxRow, dossier: Dossier) -> str | None:
        """Why no call is made for a row that was born for one: the configuration has changed since (D22)."""
        shop, extension = self._rules.stores.get(row.store), self._rules.marketplace(dossier.order.platform).extension
        mode = Mode.OBSERVE if shop is None else shop.mode_for(row.intent.value)
        if mode is not Mode.LIVE:
            return f"the store's mode is {mode.value}: only a live one extends by itself"
        return None if extension.mode == API else "this marketplace's windows are extended by hand"

    async def _with(self, row: OutboxRow, dossier: Dossier, account: Connected, read: WindowRead) -> bool:
        """The window was read just now."""
        extension, now = self._rules.marketplace(dossier.order.platform).extension, self._clock.now()
        if read.over:
            await self._store.save_window(row.order_id, WindowSeen(end=None, proof=read.proof, over=True), now)
            return False
        if read.disputed:
            await self._store.put_off_capability(account.id, Capability.DISPUTES.value, epoch(now))
            return await self._later(row, timedelta(hours=1), "the marketplace shows a dispute: it is read first")
        if read.frozen or read.end is None or read.status not in extension.states:
            frozen = " and frozen" if read.frozen else ""
            return await self._by_hand(row, f"the marketplace shows the order as {read.status}{frozen}: no call can extend it")
        window = dossier.order.window
        if window is None or window.end != read.end or window.source is not WindowSource.API:
            await self._store.save_window(row.order_id, WindowSeen(end=read.end, proof=read.proof), now)
            return False
        fault("extend_before_claim")
        if not await self._store.claim_row(row.id, who=self._who, version=dossier.version, now=now):
            return False
        fault("extend_after_claim")
        try:
            await self._steps(row, dossier.order.number, account, extension, read.end)
        except Exception as error:
            # Claimed, and nobody knows how far it came: else the row would stay `sending`, seen by nobody, until the next start.
            self._sender.owe(row, JournalEnd(attempt=row.attempts + 1, state=OutboxState.UNKNOWN, result=repr(error)))
            raise
        return True

    async def _steps(self, row: OutboxRow, number: str, account: Connected, extension: Extension, end: datetime) -> None:
        """15 days, then fewer where so many are not allowed: one claim, each step a journalled attempt."""
        attempt: int | None = row.attempts + 1
        for days in extension.days:
            step = await self._call(row, number, account, extension, end, days, attempt or 0)
            if not step.shorter:
                await self._write_down(row, account, step, days)
                return
            attempt = await self._store.next_attempt(row.id, step.why, self._clock.now())
            if attempt is None:
                return
            _log.info(Event.EXTENSION_SHORTER, key=row.key, days=days, reason=step.why)
        await self._write_down(
            row, account, _Step(state=OutboxState.PENDING, why="no length that we know is allowed", person=True), 0
        )

    async def _call(
        self, row: OutboxRow, number: str, account: Connected, extension: Extension, end: datetime, days: int, attempt: int
    ) -> _Step:
        if not self._sender.begin(row, attempt):
            return _Step(state=OutboxState.PENDING, why="the send journal cannot be written", wait=AGAIN)
        await self._store.begin_extension(row.id, attempt=attempt, days=days, end_before=end, now=self._clock.now())
        fault("extend_after_journal_begin")
        try:
            answer = await account.market.extend(number, days)
        except MarketplaceError as error:
            step = await self._failed(account, error)
        except Exception as error:  # noqa: BLE001 - nobody foresaw it, so nobody knows how far the call came
            _log.exception(Event.UNIT_FAILED, unit=f"marketplace {account.id}", error=repr(error))
            step = _Step(state=OutboxState.UNKNOWN, why=repr(error))
        else:
            fault("extend_after_call")
            step = await self._answered(account, number, extension, end, days, answer)
        self._sender.end(row, JournalEnd(attempt=attempt, state=step.state, result=step.why or None, provider_id=step.request))
        fault("extend_after_journal_end")
        return step

    async def _answered(
        self, account: Connected, number: str, extension: Extension, end: datetime, days: int, answer: Answer
    ) -> _Step:
        """A yes is proven by the end that moved; a no steps down, or is a person's."""
        if not answer.accepted:
            why = f"{days} days refused: {answer.code or 'no code'} {answer.memo}".strip()[:300]
            shorter = answer.code in extension.too_long
            return _Step(state=OutboxState.PENDING, why=why, shorter=shorter, person=not shorter)
        doubt = f"the marketplace said yes to {days} days; the new end is yet to be read back"
        try:
            read = await account.market.window(number)
        except MarketplaceError as error:
            return _Step(state=OutboxState.UNKNOWN, why=f"{doubt} ({error.message})", request=answer.request)
        if read.end is None or read.end <= end:
            return _Step(state=OutboxState.UNKNOWN, why=doubt, request=answer.request)
        seen = WindowSeen(end=read.end, proof=read.proof)
        return _Step(state=OutboxState.SENT, why=read.proof, seen=seen, request=answer.request)

    async def _failed(self, account: Connected, error: MarketplaceError) -> _Step:
        """The call itself went wrong."""
        if error.fault is Fault.THROTTLED:
            return _Step(state=OutboxState.PENDING, why=error.message, wait=timedelta(seconds=error.retry_after or 60))
        if error.fault is Fault.AUTH:
            await stop(self._store, account.id, Capability.EXTEND, error, self._clock.now())
            return _Step(state=OutboxState.PENDING, why=error.message, wait=AUTH_PAUSE)
        if error.fault is Fault.GONE:
            await stop(self._store, account.id, Capability.EXTEND, error, self._clock.now())
        if error.fault in {Fault.GONE, Fault.REFUSED}:
            return _Step(state=OutboxState.PENDING, why=error.message, person=True)
        return _Step(state=OutboxState.UNKNOWN, why=error.message)

    async def _write_down(self, row: OutboxRow, account: Connected, step: _Step, days: int) -> None:
        """The database's half. Where it cannot take it, the row becomes `unknown` later: the read-back settles it."""
        now = self._clock.now()
        if step.seen is not None:
            await self._store.extension_proven(row.id, step.seen, days=days, request=step.request, at=now, now=now)
            await self._store.capability_works(account.id, Capability.EXTEND.value, now, epoch(now))
            _log.info(Event.OUTBOX_SENT, key=row.key, channel=row.channel.value, store=row.store)
        elif step.state is OutboxState.UNKNOWN:
            await self._store.finish_row(row.id, OutboxState.UNKNOWN, now, result=step.why, provider_id=step.request)
            _log.error(Event.OUTBOX_UNKNOWN, key=row.key, channel=row.channel.value, reason=step.why)
        elif step.person or _persons_turn(row, now):
            await self._store.extension_by_hand(row.id, step.why, now, claimed=True)
            _log.warning(Event.OUTBOX_BY_HAND, key=row.key, channel=row.channel.value, reason=step.why)
        else:
            until = now + (step.wait or AGAIN)
            await self._store.extension_put_off(row.id, step.why, until, now)
            seconds = round((until - now).total_seconds())
            _log.warning(Event.OUTBOX_REFUSED, key=row.key, channel=row.channel.value, reason=step.why, retry_in=seconds)

    async def _unread(self, row: OutboxRow, account: Connected, error: MarketplaceError) -> bool:
        """The window could not be read before the call: nothing was done, so that waiting is safe while there is time."""
        if error.fault in {Fault.GONE, Fault.AUTH}:
            await stop(self._store, account.id, Capability.WINDOW, error, self._clock.now())
        if error.fault in {Fault.GONE, Fault.REFUSED}:
            return await self._by_hand(row, error.message)
        wait = AUTH_PAUSE if error.fault is Fault.AUTH else max(AGAIN, timedelta(seconds=error.retry_after or 0))
        return await self._later(row, wait, error.message)

    async def _later(self, row: OutboxRow, wait: timedelta, why: str) -> bool:
        """Not now; a person has it once the last third of the time has begun."""
        now = self._clock.now()
        if _persons_turn(row, now):
            return await self._by_hand(row, why)
        await self._store.defer_row(row.id, now + wait, why, now)
        return True

    async def _by_hand(self, row: OutboxRow, why: str) -> bool:
        """The same row, for a person: nobody called, or the platform said a definite no."""
        await self._store.extension_by_hand(row.id, why, self._clock.now())
        _log.warning(Event.OUTBOX_BY_HAND, key=row.key, channel=row.channel.value, reason=why)
        return True


def _persons_turn(row: OutboxRow, now: datetime) -> bool:
    """Whether what waits any longer would leave a person too little time."""
    return row.deadline is not None and (row.deadline - now) * _HAND_OVER <= row.deadline - min(row.not_before, row.created_at)
