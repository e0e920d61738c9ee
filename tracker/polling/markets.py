"""The shell that asks marketplaces: delivery windows, open cases, and how extensions in doubt came out (R7, R42).

Cases are read from the platform itself, independently of any mail. An extension in doubt is settled here: the end that moved
proves it; one that has not moved a quarter of an hour later was not made. A marketplace that does not answer moves nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from tracker.clock import Clock, epoch
from tracker.dates import DAY
from tracker.log import Event, get_logger
from tracker.marketplaces.accounts import Accounts, Connected, stop, stopped
from tracker.marketplaces.base import Capability, CaseList, CaseRead, WindowRead
from tracker.marketplaces.errors import Fault, MarketplaceError
from tracker.model import Case, CaseOutcome
from tracker.polling import breaker
from tracker.polling.cadence import spread
from tracker.polling.poller import PollReport
from tracker.polling.pulse import Pulse
from tracker.rules import Extension, Rules
from tracker.store import Conflict, NotThere, Store
from tracker.store.rows import Doubtful, DueWindow, WindowSeen

CHUNK = 20
"""Orders that one unit reads of one account: it must not hold the lane for long at one request a second."""

LATE_ANSWER = timedelta(minutes=15)
"""So long a call that we gave up may still be worked on there: only then does an end that has not moved prove anything."""

SHORTEST, LONGEST = 6 * 3600, 7 * 86_400
"""Seconds between two reads of one window: half of the time until it matters, within these."""

UNKNOWN_END = 86_400
"""Seconds until an order without an end (not shipped yet, say) is read again."""

STRANGE = 600
"""Seconds until an order without an answer is asked about again: the others go first."""

_PERSONS_WORD = timedelta(days=1)
"""A case that a person closed is not opened again by a list that may be a day old."""

_log = get_logger()


def next_read(read: WindowRead, extension: Extension, now: datetime) -> int:
    """When to read a window again (epoch): the nearer it comes, the more often."""
    if read.end is None or read.status not in extension.states:
        return epoch(now) + spread(read.order, UNKNOWN_END)
    matters = (read.end - extension.trigger_days * DAY - now).total_seconds()
    return epoch(now) + spread(read.order, int(min(max(matters / 2, SHORTEST), LONGEST)))


def seen_of(read: WindowRead, extension: Extension, now: datetime) -> WindowSeen:
    """What the store keeps of it. Outside of the states that await the goods the date shown is another one's (shipping, say)."""
    end = read.end if read.status in extension.states else None
    return WindowSeen(end=end, proof=read.proof, over=read.over, next_at=next_read(read, extension, now))


class MarketReader:
    """Reads the accounts in turn, one unit a call."""

    def __init__(self, *, store: Store, clock: Clock, rules: Rules, accounts: Accounts, pulse: Pulse) -> None:
        """`pulse` keeps the circuit breakers, those of the sources beside them."""
        self.store = store
        self.clock = clock
        self.rules = rules
        self._accounts = accounts
        self.pulse = pulse
        self.said: dict[tuple[str, str], str] = {}
        self.settled_up_to: dict[str, int] = {}
        """By account: the row after which the next look at what is in doubt begins."""
        self._strange: set[tuple[str, str]] = set()

    async def read_once(self) -> PollReport:
        """Settle what is in doubt, read what is due: of every account a little."""
        worked, more = 0, False
        for account in self._accounts.all:
            if breaker.is_open(await self.pulse.look(account.id), self.clock.now()):
                continue
            unit = _Unit(self, account)
            await unit.run()
            worked += unit.worked
            more = more or unit.more
        return PollReport(worked=worked, more=more)

    @property
    def names(self) -> tuple[str, ...]:
        """The accounts, for whoever tells which of them are down."""
        return tuple(account.id for account in self._accounts.all)

    def strange(self, account: str, case: str) -> None:
        """A case of an order that nobody knows: said once."""
        if (account, case) not in self._strange:
            self._strange.add((account, case))
            _log.warning(Event.MARKET_STRANGE_CASE, account=account, case=case)


class _Unit:
    """One account's turn."""

    def __init__(self, reader: MarketReader, account: Connected) -> None:
        self._reader = reader
        self._account = account
        self._store = reader.store
        self._clock = reader.clock
        self._extension = reader.rules.marketplace(account.platform).extension
        self.worked = self.windows = self.changed = self.cases = self.news = self.settled = 0
        self.more = False

    async def run(self) -> None:
        """Each capability by itself: what has vanished does not stop the others."""
        states = await self._store.capabilities()
        now = epoch(self._clock.now())
        for capability, work in ((Capability.WINDOW, self._windows), (Capability.DISPUTES, self._disputes)):
            if capability not in self._account.api or stopped(states, self._account.id, capability, now) is not None:
                continue
            known = states.get((self._account.id, capability.value))
            if known is not None and now < known.next_at:
                continue
            before = self.worked
            try:
                await work()
            except MarketplaceError as error:
                await self._failed(capability, error)
                if error.fault is not Fault.GONE:
                    break
            else:
                if self.worked != before:
                    await self._answered(capability, known is not None and known.stopped_at is not None)
        self._tell()

    def _tell(self) -> None:
        """The one line of a turn."""
        if self.worked:
            _log.info(
                Event.MARKET_READ,
                account=self._account.id,
                windows=self.windows,
                changed=self.changed,
                cases=self.cases,
                news=self.news,
                settled=self.settled,
            )

    async def _answered(self, capability: Capability, was_stopped: bool) -> None:  # noqa: FBT001 - told by name where it matters
        now, account = self._clock.now(), self._account
        await self._reader.pulse.answered(account.id, now)
        every = account.disputes_every_s if capability is Capability.DISPUTES else 0
        await self._store.capability_works(account.id, capability.value, now, epoch(now) + every)
        self._reader.said.pop((account.id, capability.value), None)
        if was_stopped:
            _log.info(Event.MARKET_WORKS, account=account.id, capability=capability.value)

    async def _failed(self, capability: Capability, error: MarketplaceError) -> None:
        """Said once until the reason changes; what cannot mend itself is switched off and told to people."""
        now, account = self._clock.now(), self._account
        if error.fault in {Fault.GONE, Fault.AUTH}:
            await stop(self._store, account.id, capability, error, now)
            return
        if error.fault is not Fault.REFUSED:
            await self._reader.pulse.failed(account.id, error.as_source_error, now)
        wait = timedelta(seconds=error.retry_after or 300)
        await self._store.put_off_capability(account.id, capability.value, epoch(now + wait))
        if self._reader.said.get((account.id, capability.value)) != error.message:
            self._reader.said[account.id, capability.value] = error.message
            _log.warning(
                Event.MARKET_FAILED,
                account=account.id,
                capability=capability.value,
                fault=error.fault.value,
                reason=error.message,
            )

    # -------------------------------------------------------------------------------------------------------------- windows

    async def _windows(self) -> None:
        await self._settle()
        now, account = self._clock.now(), self._account
        await self._store.watch_windows(account.id, account.store, now)
        due = await self._store.due_windows(account.store, now, CHUNK)
        for order in due:
            await self._window(order)
        self.more = self.more or len(due) == CHUNK

    async def _window(self, order: DueWindow) -> None:
        """Read one window. An order that the account refuses waits; any other fault ends the turn."""
        now = self._clock.now()
        try:
            read = await self._account.market.window(order.number)
        except MarketplaceError as error:
            if error.fault is not Fault.REFUSED:
                # Else an order whose answer nobody understands would stand first in the line for ever (faults row 33).
                await self._store.put_off_windows([(order.order_id, epoch(now) + STRANGE)], refused=False)
                raise
            wait = spread(order.number, min(UNKNOWN_END << min(order.failures, 3), LONGEST))
            await self._store.put_off_windows([(order.order_id, epoch(now) + wait)])
        else:
            self.changed += await self._store.save_window(order.order_id, seen_of(read, self._extension, now), now)
        self.windows += 1
        self.worked += 1

    async def _settle(self) -> None:
        """Read back what is in doubt."""
        if Capability.EXTEND not in self._account.api:
            return
        after = self._reader.settled_up_to.get(self._account.id, 0)
        doubtful = await self._store.doubtful_extensions(self._account.store, CHUNK, after=after)
        # Those that cannot be settled yet must not keep the others from their turn.
        self._reader.settled_up_to[self._account.id] = doubtful[-1].row_id if len(doubtful) == CHUNK else 0
        for each in doubtful:
            try:
                read = await self._account.market.window(each.number)
            except MarketplaceError as error:
                if error.fault is not Fault.REFUSED:
                    raise
                # An order that the account no longer shows stays in doubt, for a person; it stops nobody else.
                continue
            self.worked += 1
            self.settled += await self._settled(each, read)

    async def _settled(self, each: Doubtful, read: WindowRead) -> bool:
        """Whether this one is in doubt no more. No end (a dispute hides it, say) proves nothing, unless the order is over."""
        now = self._clock.now()
        seen = seen_of(read, self._extension, now)
        if seen.end is not None and seen.end > each.end_before:
            return await self._store.extension_proven(each.row_id, seen, days=each.days, request=None, at=each.at, now=now)
        if now - each.at < LATE_ANSWER or (seen.end is None and not read.over):
            return False
        shown = f"still ends {each.end_before:%Y-%m-%d %H:%M} UTC" if seen.end is not None else "is over"
        why = f"read back: the window {shown} ({read.status}); {read.proof}"
        return await self._store.extension_not_made(each.row_id, seen, why, now)

    # ---------------------------------------------------------------------------------------------------------------- cases

    async def _disputes(self) -> None:
        listed = await self._account.market.disputes(self._clock.now())
        self.worked += 1
        for each in listed.cases:
            self.cases += 1
            self.news += await self._keep(each)
        await self._gone(listed)

    async def _keep(self, read: CaseRead) -> bool:
        """Keep one case; what people know of it beside stays (tracker.store.cases)."""
        now, account = self._clock.now(), self._account
        order = None if read.order is None else await self._order(read.order)
        if order is None:
            self._reader.strange(account.id, read.case.id)
            return False
        known = await self._known(read.case.id)
        if known is not None and _by_a_person(known) and now - (known.closed_at or now) < _PERSONS_WORD:
            return False
        try:
            return await self._store.save_case(order, read.case, now, by=self._by)
        except Conflict:
            # Another order has a case of that id, typed in or of another platform: this one keeps its platform beside it.
            case = replace(read.case, id=f"{account.platform}/{read.case.id}")
            return await self._store.save_case(order, case, now, by=self._by)

    async def _gone(self, listed: CaseList) -> None:
        """Of a complete list: an open case of the platform's own number that is not in it is over there."""
        if not listed.complete:
            return
        account, now = self._account, self._clock.now()
        there = {each.case.id for each in listed.cases}
        kinds = _LISTED[account.platform]
        for view in await self._store.cases(store=account.store):
            case = view.case
            own = case.id.removeprefix(f"{account.platform}/")
            listed_from = listed.since.get(case.kind, case.opened_at)
            if case.kind.value in kinds and own.isdigit() and own not in there and case.opened_at >= listed_from:
                closed = _over(case, now)
                self.news += await self._store.save_case(view.order.id, closed, now, by=self._by, reason="no longer listed")

    async def _order(self, number: str) -> int | None:
        found = await self._store.find_orders(number)
        return next((each.id for each in found if each.store == self._account.store), None)

    async def _known(self, case_id: str) -> Case | None:
        try:
            return (await self._store.case(case_id)).case
        except NotThere:
            return None

    @property
    def _by(self) -> str:
        return f"api {self._account.id}"


_LISTED = {
    "aliexpress": frozenset({"dispute"}),
    "taobao": frozenset({"dispute", "return_request"}),
    "ebay": frozenset({"inquiry", "chargeback"}),
}
"""The kinds of case that a platform's list holds: only of those does being absent from it say anything."""


def _by_a_person(case: Case) -> bool:
    """Closed, and not by a list that did not hold it: what is listed again is open again at once."""
    return case.closed_at is not None and case.outcome is not CaseOutcome.GONE_FROM_LIST


def _over(case: Case, now: datetime) -> Case:
    return replace(case, closed_at=now, outcome=case.outcome or CaseOutcome.GONE_FROM_LIST)
