"""One message: claim, journal, call, journal, finish. This order is the promise "at most once" (I1, faults row 1).

`sending` is committed before the journal's line, and that is synced before the call. Whatever breaks after the claim and is no
definite refusal leaves `unknown`: a person resolves it, nothing ever resends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from msgspec.structs import replace

from tracker.channels.base import Ambiguous, Channel, Refused
from tracker.clock import Clock, epoch
from tracker.crashpoint import fault
from tracker.journal import Journal
from tracker.log import Event, get_logger
from tracker.log.tally import Tally
from tracker.model import Channel as ChannelName
from tracker.model import JournalEnd, OutboxRow, OutboxState, Outgoing
from tracker.store import Store, StoreError
from tracker.store.counting import Still

_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 20, 30))
"""After a refusal that allows a retry (faults row 18: greylisting wants 5-30 minutes)."""

MOST_ATTEMPTS = 50
"""About a day of refusals: then it is no passing one."""

_log = get_logger()


class Sender:
    """Sends through the channels to buyers, and writes down what came of it."""

    def __init__(
        self, *, store: Store, clock: Clock, channels: Mapping[ChannelName, Channel], journal: Journal, who: str
    ) -> None:
        self._store = store
        self._clock = clock
        self._channels = channels
        self._journal = journal
        self._who = who
        self._unwritten: dict[int, tuple[OutboxRow, JournalEnd]] = {}
        self._unwritable = Tally()
        self._moves: dict[int, ChannelName] = {}
        """Rows whose channel has refused them for good, with the one they go to next, until that is written down."""

    def reaches(self, channel: ChannelName) -> bool:
        """Whether this channel is set up."""
        return channel in self._channels

    async def send(
        self,
        row: OutboxRow,
        message: Outgoing,
        *,
        version: int,
        cap: int | None,
        still: Still | None = None,
        further: ChannelName | None = None,
    ) -> bool:
        """Send one message at most once. False: it could not be claimed, because the facts or the totals moved (`still`).

        After a definite refusal for good it goes to `further`, where one is named; a doubtful send goes nowhere else (R25).
        """
        fault("send_before_claim")
        text = f"{message.subject}\n\n{message.body}" if message.subject else message.body
        now = self._clock.now()
        if not await self._store.claim_row(row.id, who=self._who, version=version, now=now, cap=cap, body=text, still=still):
            return False
        fault("send_after_claim")
        attempt = row.attempts + 1
        if self.begin(row, attempt):
            fault("send_after_journal_begin")
            outcome = self._onward(row, await self._call(row, message, attempt), further)
            fault("send_after_call")
            self.end(row, outcome)
            fault("send_after_journal_end")
        else:
            outcome = JournalEnd(attempt=attempt, state=OutboxState.PENDING, result="the send journal cannot be written")
        await self._finish(row, outcome)
        return True

    async def _call(self, row: OutboxRow, message: Outgoing, attempt: int) -> JournalEnd:
        """The call itself, and the one honest outcome it had."""
        try:
            delivered = await self._channels[row.channel].deliver(message)
        except Refused as refusal:
            again = refusal.retry and attempt < MOST_ATTEMPTS
            return JournalEnd(attempt=attempt, state=OutboxState.PENDING if again else OutboxState.FAILED, result=refusal.reason)
        except Ambiguous as doubt:
            return JournalEnd(attempt=attempt, state=OutboxState.UNKNOWN, result=doubt.reason)
        except Exception as error:  # noqa: BLE001 - nobody foresaw it, so nobody knows how far the call came
            _log.exception(Event.UNIT_FAILED, unit=f"channel {row.channel.value}", error=repr(error))
            return JournalEnd(attempt=attempt, state=OutboxState.UNKNOWN, result=repr(error))
        return JournalEnd(attempt=attempt, state=OutboxState.SENT, provider_id=delivered.provider_id)

    def _onward(self, row: OutboxRow, outcome: JournalEnd, further: ChannelName | None) -> JournalEnd:
        """A refusal for good is no end while another channel is left: the journal says that the row is pending."""
        if outcome.state is not OutboxState.FAILED or further is None:
            return outcome
        self._moves[row.id] = further
        return replace(outcome, state=OutboxState.PENDING)

    def owe(self, row: OutboxRow, outcome: JournalEnd) -> None:
        """Keep an outcome that the database could not take, until `settle`."""
        self._unwritten[row.id] = (row, outcome)

    async def settle(self) -> None:
        """Write down the outcomes that the database could not take at the time (a full disk, a lock). Raises StoreError."""
        while self._unwritten:
            _, (row, outcome) = self._unwritten.popitem()
            await self._finish(row, outcome)

    async def _finish(self, row: OutboxRow, outcome: JournalEnd) -> None:
        try:
            await self._write_down(row, outcome)
        except StoreError:
            # Else the row would stay `sending`, seen by nobody, until the next start.
            self._unwritten[row.id] = (row, outcome)
            raise

    async def _write_down(self, row: OutboxRow, outcome: JournalEnd) -> None:
        now = self._clock.now()
        if (further := self._moves.get(row.id)) is not None:
            await self._store.fall_back_row(row, further, outcome.result or "", now)
            del self._moves[row.id]
            reason, channel = outcome.result, row.channel.value
            _log.warning(Event.OUTBOX_FELL_BACK, key=row.key, channel=channel, reason=reason, next=further.value)
            return
        pause = _PAUSES[min(row.attempts, len(_PAUSES) - 1)]
        again = now + pause if outcome.state is OutboxState.PENDING else None
        await self._store.finish_row(
            row.id, outcome.state, now, result=outcome.result, provider_id=outcome.provider_id, not_before=again
        )
        channel = row.channel.value
        if outcome.state is OutboxState.SENT:
            _log.info(Event.OUTBOX_SENT, key=row.key, channel=channel, store=row.store)
        elif outcome.state is OutboxState.PENDING:
            _log.warning(Event.OUTBOX_REFUSED, key=row.key, channel=channel, reason=outcome.result, retry_in=pause.seconds)
        elif outcome.state is OutboxState.FAILED:
            _log.error(Event.OUTBOX_FAILED, key=row.key, channel=channel, reason=outcome.result)
        else:
            _log.error(Event.OUTBOX_UNKNOWN, key=row.key, channel=channel, reason=outcome.result)

    def begin(self, row: OutboxRow, attempt: int) -> bool:
        """The line before the call, synced. Without it no call may be made."""
        try:
            self._journal.begin(row.key, attempt=attempt, channel=row.channel, now=self._clock.now())
        except OSError as error:
            self._tell_unwritable(error)
            return False
        return True

    def end(self, row: OutboxRow, outcome: JournalEnd) -> None:
        """The line after the call. Where it cannot be written, a restored backup knows less, but the database knows it all."""
        try:
            self._journal.end(row.key, outcome, channel=row.channel, now=self._clock.now())
        except OSError as error:
            self._tell_unwritable(error)

    def _tell_unwritable(self, error: OSError) -> None:
        """Once an hour, whatever waits: a full disk must not be filled with lines that say so (faults row 34)."""
        if self._unwritable.add("journal", repr(error), epoch(self._clock.now())) is not None:
            _log.error(Event.JOURNAL_UNWRITABLE, path=str(self._journal.path), error=repr(error))
