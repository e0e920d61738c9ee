"""The send journal against the database: what a restored backup has forgotten, and writing it down again (faults row 36).

An attempt is claimed in the database before its first journal line (tasks: together with its last one). So a database whose rows
have seen fewer attempts than the journal is older than the journal: a backup put back, by our command or by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from tracker.clock import epoch
from tracker.messages import MESSAGE_TYPES
from tracker.model import ActionKind, Attempt, Channel, DecisionReason, HoldReason, Intent, OutboxState
from tracker.policy.window import PERSON
from tracker.store.connection import Database, Record, Tx, required
from tracker.store.dispatch import FIX_DAY0
from tracker.store.records import audit, wake
from tracker.store.tables import OUTBOX

WHO = "journal"
"""Who settled a row that the journal knew better."""

BEHIND = "journal_ahead_at"
"""The mark that a daemon leaves whose database is older than its journal: nothing goes out until `tracker db restore` has run."""

TASK_LOST = "a task that was opened after the backup: ask who worked on it"
NO_END = "begun after the backup was taken; nobody knows whether it left"

_KINDS: Mapping[Intent, ActionKind] = {
    Intent.EXTENSION: ActionKind.EXTENSION,
    Intent.REFUND: ActionKind.REFUND,
    Intent.COMPENSATION: ActionKind.COMPENSATION,
    **dict.fromkeys((each.slot for each in MESSAGE_TYPES.values()), ActionKind.MESSAGE),
    Intent.NUDGE: ActionKind.MESSAGE,
}
"""Every other intent is a person's task."""

_CHUNK = 500

_SEEN = "SELECT dedup_key, attempts, state, id, order_id FROM outbox WHERE dedup_key IN (??)"
_SPENT = "SELECT dedup_key, attempts FROM spent_key WHERE dedup_key IN (??)"

_CATCH_UP = """
    UPDATE outbox SET state = ?, attempts = ?, channel = ?, who = ?, result = ?, provider_id = coalesce(?, provider_id),
        sent_at = ?, hold = NULL, withdrawn = FALSE, rejected = FALSE
    WHERE id = ?"""

_SPEND = """
    INSERT INTO spent_key (dedup_key, state, channel, attempts, at, provider_id, result) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (dedup_key) DO UPDATE SET state = excluded.state, channel = excluded.channel, attempts = excluded.attempts,
        at = excluded.at, provider_id = excluded.provider_id, result = excluded.result"""

_TAKE = "SELECT state, channel, attempts, at, provider_id, result FROM spent_key WHERE dedup_key = ?"

_BORN = """
    UPDATE outbox SET state = CASE WHEN ? = 'pending' THEN state ELSE ? END, channel = ?, attempts = ?, who = ?, provider_id = ?,
        result = ?, hold = CASE WHEN ? = 'pending' THEN hold END, sent_at = CASE WHEN ? IN ('sent', 'unknown') THEN ? END
    WHERE dedup_key = ?"""

_BY_PARCEL = """
    SELECT d.id, d.store FROM alias a JOIN order_shipment l ON l.shipment_id = a.shipment_id JOIN dossier d ON d.id = l.order_id
    WHERE a.number = ? ORDER BY d.id LIMIT 1"""

_ON_ITS_WAY = "state = 'pending' AND (kind IN ('message', 'refund') OR (kind = 'extension' AND channel <> 'task'))"

_HOLD_ON_ITS_WAY = f"UPDATE outbox SET state = 'held', hold = ?, held_since = ?, result = NULL WHERE {_ON_ITS_WAY}"  # noqa: S608 - our own words

_WAKE_ON_ITS_WAY = f"""
    UPDATE dossier SET next_decide_at = ?, version = version + 1
    WHERE id IN (SELECT order_id FROM outbox WHERE {_ON_ITS_WAY})"""  # noqa: S608 - our own words


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal knew better: a key and the state it has now. `order` is False where the backup lacks the order itself."""

    key: str
    state: OutboxState
    channel: Channel
    order: bool


class Agreement:
    """The store's methods for comparing itself with the send journal."""

    _db: Database

    async def forgotten(self, attempts: Mapping[str, Attempt]) -> list[str]:
        """Keys whose newest attempt this database has not seen, in the order of the journal; none when the two agree."""
        return await self._db.read(lambda tx: forgotten(tx, attempts))

    async def mark_behind(self, since: datetime | None) -> None:
        """Note that the journal is ahead of this database since then; None: the two agree."""

        def mark(tx: Tx) -> None:
            if since is None:
                tx.run("DELETE FROM meta WHERE key = ?", BEHIND)
            else:
                tx.run("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING", BEHIND, since.isoformat())

        if (await self.behind_since() is None) is not (since is None):
            await self._db.write(mark)

    async def behind_since(self) -> datetime | None:
        """Since when a daemon keeps everything back because the send journal is ahead of this database; None: they agree."""
        found = await self._db.read(lambda tx: tx.value("SELECT value FROM meta WHERE key = ?", BEHIND))
        return None if found is None else datetime.fromisoformat(found)


def forgotten(tx: Tx, attempts: Mapping[str, Attempt]) -> list[str]:
    """See `Agreement.forgotten`."""
    rows, spent = _known(tx, list(attempts))
    return [key for key, attempt in attempts.items() if _is_forgotten(attempt, rows.get(key), spent.get(key, 0))]


def _is_forgotten(attempt: Attempt, row: Record, spent: int) -> bool:
    seen = max(spent, 0 if row is None else row[1])
    if attempt.attempt <= seen:
        return False
    # A task's first line stands before its transaction: one that was never committed leaves a line, and harms nobody.
    undone = attempt.channel is Channel.TASK and (attempt.end is None or attempt.end.state is OutboxState.PENDING)
    return not (undone and row is not None and attempt.attempt == seen + 1)


def replay(tx: Tx, attempts: Mapping[str, Attempt], now: datetime) -> list[Settled]:
    """Write down what the journal knows better; then nothing that it knows can leave a second time.

    *end* -> its state; *begin* alone -> unknown; a task's end -> unknown, because the task itself is gone. A key whose order the
    backup lacks, or that was only refused, is kept aside until the order wants it again.
    """
    rows, spent = _known(tx, list(attempts))
    settled = []
    for key, attempt in attempts.items():
        row = rows.get(key)
        if row is None and attempt.attempt > spent.get(key, 0):
            settled.append(_remember(tx, attempt, now))
        elif row is not None and (attempt.attempt > row[1] or (attempt.attempt == row[1] and row[2] == OutboxState.SENDING)):
            settled.append(_catch_up(tx, attempt, row[3], row[4], now))
    for row_id, order_id, key, channel in tx.rows("SELECT id, order_id, dedup_key, channel FROM outbox WHERE state = 'sending'"):
        # Claimed when the copy was taken, and the journal has no line of it: as after a crash.
        tx.run("UPDATE outbox SET state = 'unknown', result = ?, sent_at = ? WHERE id = ?", NO_END, now, row_id)
        _tell(tx, key, order_id, OutboxState.UNKNOWN, now)
        settled.append(Settled(key=key, state=OutboxState.UNKNOWN, channel=Channel(channel), order=True))
    return settled


def take_spent(tx: Tx, key: str) -> None:
    """A row was born just now: if the journal knew its key already, it is what the journal says (used by the sweep)."""
    found = tx.row(_TAKE, key)
    if found is None:
        return
    state, channel, attempts, at, provider_id, result = found
    # A time, not its text: PostgreSQL takes what a CASE gives for text, and puts no text into a column of times.
    tx.run(_BORN, state, state, channel, attempts, WHO, provider_id, result, state, state, required(at), key)
    tx.run("DELETE FROM spent_key WHERE dedup_key = ?", key)


def _known(tx: Tx, keys: Sequence[str]) -> tuple[dict[str, Record], dict[str, int]]:
    rows: dict[str, Record] = {}
    spent: dict[str, int] = {}
    for start in range(0, len(keys), _CHUNK):
        some = keys[start : start + _CHUNK]
        rows |= {row[0]: row for row in tx.among(_SEEN, some)}
        spent |= {row[0]: row[1] for row in tx.among(_SPENT, some)}
    return rows, spent


def _outcome(attempt: Attempt) -> tuple[OutboxState, str | None, str | None]:
    """State, provider's id, result."""
    if attempt.end is None:
        return OutboxState.UNKNOWN, None, NO_END
    if attempt.channel is Channel.TASK and attempt.end.state is OutboxState.SENT:
        return OutboxState.UNKNOWN, None, TASK_LOST
    return attempt.end.state, attempt.end.provider_id, attempt.end.result


def _catch_up(tx: Tx, attempt: Attempt, row_id: int, order_id: int, now: datetime) -> Settled:
    state, provider_id, result = _outcome(attempt)
    tx.run(_CATCH_UP, state, attempt.attempt, attempt.channel, WHO, result, provider_id, _sent_at(state, attempt), row_id)
    tx.run(FIX_DAY0, row_id)
    _tell(tx, attempt.key, order_id, state, now)
    return Settled(key=attempt.key, state=state, channel=attempt.channel, order=True)


def _remember(tx: Tx, attempt: Attempt, now: datetime) -> Settled:
    """A key without a row: the row is made where its order is known, else the key is kept aside."""
    state, provider_id, result = _outcome(attempt)
    subject, intent, occasion = attempt.key.rsplit(":", 2)
    order = _order_of(tx, subject)
    known = Intent(intent) if intent in set(Intent) else None
    if order is None or known is None or state is OutboxState.PENDING:
        tx.run(_SPEND, attempt.key, state, attempt.channel, attempt.attempt, attempt.at, provider_id, result)
        return Settled(key=attempt.key, state=state, channel=attempt.channel, order=order is not None)
    row_id = tx.insert(
        OUTBOX,
        dedup_key=attempt.key,
        subject=subject,
        intent=known.value,
        occasion=occasion,
        kind=_kind(known, occasion).value,
        state=state.value,
        channel=attempt.channel.value,
        reason=DecisionReason.KNOWN_FROM_JOURNAL.value,
        rule=WHO,
        order_id=order[0],
        store=order[1],
        created_at=attempt.at,
        not_before=epoch(attempt.at),
        due_at=epoch(attempt.at),
        attempts=attempt.attempt,
        who=WHO,
        sent_at=_sent_at(state, attempt),
        provider_id=provider_id,
        result=result,
    )
    tx.run(FIX_DAY0, row_id)
    _tell(tx, attempt.key, order[0], state, now)
    return Settled(key=attempt.key, state=state, channel=attempt.channel, order=True)


def _kind(intent: Intent, occasion: str) -> ActionKind:
    """An extension that no call may make any more is a task of the same intent (tracker.policy.window)."""
    if intent is Intent.EXTENSION and occasion.endswith(f"/{PERSON}"):
        return ActionKind.TASK
    return _KINDS.get(intent, ActionKind.TASK)


def _order_of(tx: Tx, subject: str) -> Record:
    """Id and store of the order that a key speaks of: named itself, or by its parcel."""
    kind, _, name = subject.partition("/")
    if kind == "shipment":
        return tx.row(_BY_PARCEL, name)
    store, _, number = name.partition("/")
    return tx.row("SELECT id, store FROM dossier WHERE store = ? AND number = ?", store, number) if kind == "order" else None


def _sent_at(state: OutboxState, attempt: Attempt) -> datetime | None:
    return attempt.at if state in {OutboxState.SENT, OutboxState.UNKNOWN} else None


def _tell(tx: Tx, key: str, order_id: int, state: OutboxState, now: datetime) -> None:
    audit(tx, now, who=WHO, what="outbox_restored", order_id=order_id, subject=key, reason=state.value)
    wake(tx, [order_id], now)


def hold_pending(tx: Tx, now: datetime) -> int:
    """Everything that was on its way waits for a person; how many. A task for a person is somebody's look already.

    Their orders are decided again: to the rules what is held is another matter than what is on its way.
    """
    tx.run(_WAKE_ON_ITS_WAY, epoch(now))
    held: int = tx.run(_HOLD_ON_ITS_WAY, HoldReason.RESTORED, now)
    return held
