"""The shell that acts: release, then do (facts/engine.md 2.5). One outbox row a call; the outcome of every call is written down.

Messages go through `sending`; tasks and lines of the claims register need no call, so row and result stand in one transaction.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

import msgspec
from msgspec.structs import replace

from tracker.channels.base import Channel
from tracker.clock import Clock
from tracker.dispatch.beginning import begin, told
from tracker.dispatch.clockwatch import ClockWatch
from tracker.dispatch.extending import Extender
from tracker.dispatch.prepare import NotByItselfError, Prepared, Preparer
from tracker.dispatch.sending import Sender
from tracker.journal import Journal
from tracker.log import Event, get_logger
from tracker.marketplaces.accounts import Accounts
from tracker.messages import RenderError
from tracker.model import Channel as ChannelName
from tracker.model import DecisionReason, Dossier, JournalEnd, OutboxRow, OutboxState, Release, ReleaseVerdict, Totals
from tracker.policy import release
from tracker.rules import Rules
from tracker.store import Store, StoreError

PARKED = timedelta(hours=1)
"""How long a row rests that could not be worked on (faults row 33)."""

LET_GO = timedelta(minutes=1)
"""How long a row rests whose facts moved between the look and the claim."""

JOURNAL_PAUSE = timedelta(minutes=5)

_PAGE = 200
_PAGE_AGE = timedelta(seconds=15)
"""How many due rows are put in order at once, and how long that order holds: then something more urgent gets its turn."""

_log = get_logger()


class DispatchReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit did: `worked` rows (one at most, or expired tasks), whether more are due."""

    worked: int = 0
    more: bool = False


class Dispatcher:
    """Does what the outbox holds. Units may run side by side: each takes another row."""

    def __init__(  # noqa: PLR0913 - what the guard, the text and the call need
        self,
        *,
        store: Store,
        clock: Clock,
        rules: Rules,
        preparer: Preparer,
        channels: Mapping[ChannelName, Channel],
        journal: Journal,
        time_guard: Callable[[], bool] = lambda: False,
        trust_clock: Callable[[], None] = lambda: None,
        clock_came_back: Callable[[], bool] = lambda: False,
        who: str = "tracker",
        accounts: Accounts | None = None,
    ) -> None:
        """`channels` to buyers by name; `accounts` at marketplaces: windows are extended through them.

        `time_guard`: the clock is not trusted (faults row 13), `trust_clock` ends that;
        `clock_came_back` tells once that it was set back.
        """
        self._store = store
        self._clock = clock
        self._rules = rules
        self._preparer = preparer
        self._journal = journal
        self._who = who
        self._sender = Sender(store=store, clock=clock, channels=channels, journal=journal, who=who)
        self._extender = Extender(
            store=store, clock=clock, rules=rules, accounts=accounts or Accounts(), sender=self._sender, who=who
        )
        self._clock_watch = ClockWatch(store, time_guard, trust_clock, clock_came_back)
        self._distrusted = False
        self._behind = False
        self._in_hand: set[int] = set()
        self._seen: set[str] = set()
        self._page: deque[int] = deque()
        self._looked_at: datetime | None = None

    async def dispatch_once(self) -> DispatchReport:
        """Work on the most urgent due row; when there is none, drop tasks whose time has passed."""
        if self._behind:
            return DispatchReport()
        await self._sender.settle()
        now = self._clock.now()
        self._distrusted = await self._clock_watch.distrusted(now)
        row = await self._next(now)
        if row is None:
            return DispatchReport(worked=await self._store.expire_tasks(now))
        self._in_hand.add(row.id)
        try:
            await self._work(row, now)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - one row must not stop the others
            await self._park(row.id, row.key, error, now)
        finally:
            self._in_hand.discard(row.id)
        return DispatchReport(worked=1, more=True)

    async def _next(self, now: datetime) -> OutboxRow | None:
        """The most urgent due row as it stands now. Their order is remembered for a moment: sorting 10,000 for each is dear."""
        while True:
            if not self._page or self._looked_at is None or abs(now - self._looked_at) > _PAGE_AGE:
                for pause in await self._store.settle_brake(now):
                    _log.info(Event.PAUSE_ENDED, **told(pause))
                self._page, self._looked_at = deque(await self._due(now)), now
                if not self._page:
                    return None
            row_id = self._page.popleft()
            if row_id in self._in_hand or not await self._store.reserve_row(row_id, who=self._who, now=now):
                continue
            row = await self._read(row_id, now)
            if row is None or row.state is not OutboxState.PENDING or row.not_before > now or row.id in self._in_hand:
                continue
            return row

    async def _due(self, now: datetime) -> list[int]:
        try:
            return [row.id for row in await self._store.due_rows(now, _PAGE, skip=self._in_hand)]
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - one of them cannot be read; which, shows when each is looked at
            return await self._store.due_ids(now, _PAGE, skip=self._in_hand)

    async def _read(self, row_id: int, now: datetime) -> OutboxRow | None:
        """A row as it stands now; one that cannot be read is parked (faults row 33)."""
        try:
            return await self._store.row(row_id)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever stands in it, the others go on
            await self._park(row_id, str(row_id), error, now)
            return None

    async def _park(self, row_id: int, key: str, error: Exception, now: datetime) -> None:
        await self._store.defer_row(row_id, now + PARKED, repr(error), now)
        log = _log.error if repr(error) in self._seen else _log.exception
        self._seen.add(repr(error))
        log(Event.OUTBOX_PARKED, key=key, error=repr(error))

    async def recover(self) -> None:
        """At start: rows left `sending` by a run that died; what the journal cannot tell is `unknown` (faults row 1).

        A database that is older than the journal, because a backup was put back by hand, sends nothing until `tracker db restore`
        has run (faults row 36). Then say what modes and pauses withhold, and look again at what a raised mode no longer
        does (D22).
        """
        await self._compare()
        for row in await self._store.recover(self._journal.ends(), self._clock.now()):
            if row.state is OutboxState.UNKNOWN:
                _log.error(Event.OUTBOX_UNKNOWN, key=row.key, channel="", reason="the daemon died while it was being sent")
        await self._clock_watch.begin(self._clock.now())
        await begin(self._store, self._rules, self._clock.now())

    async def _compare(self) -> None:
        await self._store.know_journal(self._who, str(self._journal.path))
        lost = await self._store.forgotten(self._journal.tail())
        self._behind = bool(lost)
        await self._store.mark_behind(self._clock.now() if lost else None)
        if lost:
            _log.error(Event.DATABASE_BEHIND, keys=len(lost), newest=lost[-1], journal=str(self._journal.path))

    async def _work(self, row: OutboxRow, now: datetime) -> None:
        dossiers = await self._store.load_dossiers([row.order_id])
        if not dossiers:
            await self._store.cancel_row(row.id, "the order is gone", now)
            return
        (dossier,) = dossiers
        verdict = await self._released(row, dossier, now)
        if verdict.verdict in {ReleaseVerdict.DEFER, ReleaseVerdict.CANCEL}:
            # Before the text is made: whoever pauses a broken template does not want its rows to fail meanwhile.
            await self._withhold(row, verdict, now)
            return
        try:
            prepared = self._preparer.prepare(row, dossier, now)
        except RenderError as error:
            await self._store.fail_row(row.id, str(error), now)
            _log.error(Event.OUTBOX_FAILED, key=row.key, channel=row.channel.value, reason=str(error))
        except NotByItselfError as hit:
            await self._store.reroute_row(row.id, ChannelName.TASK, str(hit), now)
            _log.warning(Event.OUTBOX_LINT_HIT, key=row.key, rule=hit.rule, words=hit.words)
        else:
            if verdict.verdict is ReleaseVerdict.SEND:
                await self._do(row, dossier, prepared, verdict, now)
            else:
                await self._withhold(row, verdict, now)

    async def _released(self, row: OutboxRow, dossier: Dossier, now: datetime) -> Release:
        """What the guard says on fresh facts."""
        return self._judged(row, dossier, now, await self._store.totals(row, now))

    def _judged(self, row: OutboxRow, dossier: Dossier, now: datetime, totals: Totals) -> Release:
        return release(row, dossier, replace(totals, time_guard=totals.time_guard or self._distrusted), self._rules, now)

    def _goes(self, row: OutboxRow, dossier: Dossier, now: datetime, totals: Totals) -> bool:
        """The same of a fleet's totals at the moment of the claim."""
        return self._judged(row, dossier, now, totals).verdict is ReleaseVerdict.SEND

    async def _withhold(self, row: OutboxRow, verdict: Release, now: datetime) -> None:
        if verdict.verdict is ReleaseVerdict.HOLD and verdict.hold is not None:
            await self._store.hold_row(row.id, verdict.hold, verdict.why, now)
            _log.info(Event.OUTBOX_HELD, key=row.key, store=row.store, reason=verdict.hold.value)
        elif verdict.verdict is ReleaseVerdict.CANCEL:
            await self._store.cancel_row(row.id, verdict.why, now)
            _log.info(Event.OUTBOX_CANCELLED, key=row.key, reason=verdict.why)
        else:
            # A "later" that names no later time would be asked again at once, for ever.
            until = max(verdict.until or now + PARKED, now + LET_GO)
            await self._store.defer_row(row.id, until, verdict.said, now, in_line=verdict.in_line)

    async def _do(self, row: OutboxRow, dossier: Dossier, prepared: Prepared, verdict: Release, now: datetime) -> None:
        if row.channel is ChannelName.REGISTER:
            done = await self._open_claim(row, dossier, now)
        elif row.channel is ChannelName.TASK:
            done = await self._open_task(row, dossier, prepared, now)
        elif row.channel is ChannelName.MARKETPLACE:
            done = await self._extender.extend(row, dossier)
        elif self._sender.reaches(row.channel):
            message = self._preparer.outgoing(row, dossier, prepared)
            done = await self._sender.send(
                row,
                message,
                version=dossier.version,
                cap=verdict.cap,
                still=partial(self._goes, row, dossier, now),
                further=self._further(row),
            )
        else:
            await self._no_channel(row, now)
            done = True
        if not done:
            await self._store.defer_row(row.id, now + LET_GO, "the facts moved", now)

    def _further(self, row: OutboxRow) -> ChannelName | None:
        """Where a message goes that this channel refuses for good: the store's next fallback that is set up (R25)."""
        shop = self._rules.stores.get(row.store)
        tried = row.tried
        while shop is not None and (found := shop.next_channel(row.channel, tried)) is not None:
            if found is ChannelName.TASK or self._sender.reaches(found):
                return found
            tried = (*tried, found.value)
        return None

    async def _no_channel(self, row: OutboxRow, now: datetime) -> None:
        """The configuration names a channel that is not set up: the message waits for the operator, nothing is lost."""
        why = f"channel {row.channel.value} is not set up in tracker.toml"
        await self._store.defer_row(row.id, now + PARKED, why, now)
        _log.warning(Event.OUTBOX_REFUSED, key=row.key, channel=row.channel.value, reason=why, retry_in=PARKED.seconds)

    async def _open_claim(self, row: OutboxRow, dossier: Dossier, now: datetime) -> bool:
        """Enter the claim into the register: row and claim in one transaction, no person and no call needed."""
        claim = self._preparer.claim(row, dossier, now)
        if claim is None:
            return await self._store.cancel_row(row.id, DecisionReason.NO_CLAIM_RULE.value, now)
        if await self._store.open_claim(row.id, claim, version=dossier.version, now=now) is None:
            return False
        _log.info(
            Event.OUTBOX_CLAIM_OPENED,
            key=row.key,
            earliest_on=claim.earliest_on and claim.earliest_on.isoformat(),
            latest_on=claim.latest_on and claim.latest_on.isoformat(),
        )
        return True

    async def _open_task(self, row: OutboxRow, dossier: Dossier, prepared: Prepared, now: datetime) -> bool:
        """Make the task: row and task in one transaction. Journalled too, because a clerk who pastes a text writes to a buyer."""
        attempt = row.attempts + 1
        if not self._sender.begin(row, attempt):
            return await self._store.defer_row(row.id, now + JOURNAL_PAUSE, "the send journal cannot be written", now)
        task_id = await self._store.open_task(
            row.id,
            self._preparer.task(row, dossier, prepared, now),
            version=dossier.version,
            now=now,
            still=partial(self._goes, row, dossier, now),
        )
        state = OutboxState.PENDING if task_id is None else OutboxState.SENT
        self._sender.end(
            row, JournalEnd(attempt=attempt, state=state, provider_id=None if task_id is None else f"task {task_id}")
        )
        if task_id is None:
            return False
        _log.info(Event.OUTBOX_TASK_OPENED, key=row.key, store=row.store, task=task_id)
        return True
