"""Which parcels to ask about, what adapters remember, and writing what came back: the hot path.

Driver-level statements with tuples, no object per row that is not handed out (facts/performance.md section 9). An answer that
says nothing new moves two columns; an answer that does inserts its new scans only. Nobody is leased: one daemon, and what it has
in flight is in its memory (`skip`); after a crash those parcels are simply asked again (fault 2).
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from carriers.model import TrackingEvent, TrackingStatus
from tracker.clock import epoch
from tracker.crashpoint import fault
from tracker.store import unmapped
from tracker.store.connection import Database, Record, Tx, instant_of
from tracker.store.encoding import json_text, mapping, pack, tracking_event, unpack
from tracker.store.rows import AccountMemory, AnswerWrite, DueShipment, Link, Polled, PollWrite, PollWritten, Remembered

DUE_COLUMNS = """
    id, number, next_poll_at, carrier, service, country, shipped_at, status, moved_at, last_answer_at, failures, linked_number,
    linked_carrier, deadline_at"""
"""What `due` reads of a parcel."""

_DUE = f"""
    SELECT {DUE_COLUMNS}
    FROM shipment
    WHERE next_poll_at <= ? AND next_poll_at >= ? AND (next_poll_at > ? OR id > ?)
    ORDER BY next_poll_at, id LIMIT ?"""  # noqa: S608 - our own words

_QUIET = "UPDATE shipment SET next_poll_at = ?, last_answer_at = ?, failures = 0 WHERE id = ? AND number = ?"

_CHANGED = """
    UPDATE shipment
    SET next_poll_at = ?, last_answer_at = ?, failures = 0, status = ?, moved_at = ?, journey = ?, fingerprints = ?
    WHERE id = ?"""

_LINKED = """
    UPDATE shipment SET linked_number = ?, linked_carrier = ?
    WHERE id = ? AND NOT EXISTS (SELECT 1 FROM alias WHERE number = ? AND shipment_id <> ?)"""
"""Never a number under which another parcel is followed."""

_FAILED = """
    UPDATE shipment SET next_poll_at = ?, failures = failures + 1, failed_kind = coalesce(?, failed_kind)
    WHERE id = ? AND number = ?"""

_ASK = "UPDATE shipment SET next_poll_at = ? WHERE next_poll_at > ? AND id IN (??)"

_LATER = "UPDATE shipment SET next_poll_at = ? WHERE id = ? AND number = ?"

_PARK = "UPDATE shipment SET next_poll_at = ? WHERE id = ?"

_EVENT = """
    INSERT INTO tracking_event (shipment_id, key, seq, time, local_time, offset_minutes, status, reason, raw_code, description,
                                location, country, source, seen_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (shipment_id, key) DO NOTHING"""

_ANSWER = """
    INSERT INTO answer (account, number, memory, digest, status, changed_at) VALUES (?, ?, coalesce(?, '{}'), ?, ?, ?)
    ON CONFLICT (account, number) DO UPDATE
    SET memory = coalesce(?, answer.memory), digest = coalesce(excluded.digest, answer.digest),
        status = coalesce(excluded.status, answer.status), changed_at = excluded.changed_at"""

_FORGET = "UPDATE answer SET digest = NULL WHERE account = ? AND number = ? AND status <> 'not_found'"
"""Not of one that does not find the number either: its run is counted by the same answer again and again."""

_LINKS = """
    SELECT s.id, s.linked_number, s.linked_carrier FROM shipment s
    WHERE s.id IN (??) AND s.linked_number IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM alias a WHERE a.number = s.linked_number AND a.shipment_id <> s.id)
        AND NOT EXISTS (SELECT 1 FROM shipment o WHERE o.linked_number = s.linked_number AND o.id <> s.id)"""
"""A number under which another parcel is followed, or that two parcels share, is a bag's: nobody learns his delivery from it."""

_RAW = "INSERT INTO raw_answer (number, account, at, size, body) VALUES (?, ?, ?, ?, ?)"

RAW_MOST = 65_536
"""Bytes of one answer that are kept as evidence; of a longer one its beginning, and its whole size (D10)."""

_REMEMBERED = "SELECT number, memory, digest, status FROM answer WHERE account = ? AND number IN (??)"

_NOT_FOUND = TrackingStatus.NOT_FOUND.value

_STATUSES = {each.value: each for each in TrackingStatus}

_ACCOUNT = (
    "INSERT INTO account (id, memory, breaker_failures) VALUES (?, ?, 0) ON CONFLICT (id) DO UPDATE SET memory = excluded.memory"
)

_ANSWERED = """
    INSERT INTO account (id, memory, breaker_failures, last_answer_at) VALUES (?, '{}', 0, ?)
    ON CONFLICT (id) DO UPDATE SET last_answer_at = excluded.last_answer_at"""

_WAKE = """
    UPDATE dossier SET next_decide_at = ?, version = version + 1
    WHERE id IN (SELECT order_id FROM order_shipment WHERE shipment_id IN (??))"""

_WAKE_WAITING = """
    UPDATE dossier SET next_decide_at = ?, version = version + 1
    WHERE waits_for_answer AND id IN (SELECT order_id FROM order_shipment WHERE shipment_id IN (??))"""

_LOCK_ORDERS = """
    SELECT id FROM dossier WHERE id IN (SELECT order_id FROM order_shipment WHERE shipment_id IN (??)) ORDER BY id FOR UPDATE"""
"""A sweep locks orders first and parcels then: who does it the other way round waits for it for ever."""

_STILL_HELD = "SELECT id FROM shipment WHERE lease_token = ? AND id IN (??) ORDER BY id FOR UPDATE"

_OWNERS = """
    SELECT DISTINCT l.shipment_id, d.store FROM order_shipment l JOIN dossier d ON d.id = l.order_id
    WHERE l.shipment_id IN (??)"""

_EVENTS = """
    SELECT shipment_id, key, time, local_time, offset_minutes, status, reason, raw_code, description, location, country
    FROM tracking_event WHERE shipment_id IN (??) ORDER BY shipment_id, seq, key"""


class Unreadable(msgspec.Struct, frozen=True):
    """A parcel whose row holds something that cannot be."""

    id: int
    number: str
    error: str


class Polling:
    """The store's methods for the polling shell."""

    _db: Database

    async def due_shipments(
        self, now: datetime, limit: int, *, after: tuple[int, int] | None = None, skip: Collection[int] = frozenset()
    ) -> list[DueShipment]:
        """Parcels due to be asked about, longest due first, without `skip`; `after` = (next_poll_at, id) of the last page's last.

        The cost follows what is due, not what exists (partial index).
        """
        return (await self._due_shipments(now, limit, after, skip))[0]

    async def park_shipments(self, ids: Collection[int], until: datetime) -> None:
        """Parcels that cannot be read rest until then: they would be the first at every tick (faults row 33)."""
        await self._db.write_beside(lambda tx: tx.many(_PARK, [(epoch(until), each) for each in ids]))

    async def _due_shipments(
        self, now: datetime, limit: int, after: tuple[int, int] | None, skip: Collection[int]
    ) -> tuple[list[DueShipment], list[Unreadable]]:
        """Those that can be read, and those that cannot."""
        due_at = epoch(now)
        found: list[DueShipment] = []
        strange: list[Unreadable] = []
        last_at, last_id = after or (0, 0)
        while len(found) < limit:
            page = await self._db.read(lambda tx, at=last_at, key=last_id: tx.rows(_DUE, due_at, at, at, key, limit))  # type: ignore[misc]
            known, unknown = readable([row for row in page if row[0] not in skip])
            found += known
            strange += unknown
            if len(page) < limit:
                break
            last_id, last_at = page[-1][0], page[-1][2]
        return found[:limit], strange

    async def load_memory(self, account: str, numbers: Sequence[str]) -> AccountMemory:
        """What the account's adapter keeps, for itself and about `numbers`."""

        def load(tx: Tx) -> AccountMemory:
            own = tx.value("SELECT memory FROM account WHERE id = ?", account)
            rows = tx.among(_REMEMBERED, numbers, account)
            # Numbers that were registered together remember the same: one object for all of them.
            memories = {text: mapping(text) for text in {row[1] for row in rows}}
            kept = {row[0]: Remembered(memories[row[1]], row[2], row[3] != _NOT_FOUND) for row in rows}
            return AccountMemory(mapping(own or "{}"), kept)

        return await self._db.read(load)

    async def load_polled(self, ids: Sequence[int]) -> dict[int, Polled]:
        """The stored journeys of parcels whose answer changed. One that cannot be read is left out (faults row 33)."""
        rows = await self._db.read(
            lambda tx: tx.among(
                "SELECT id, number, journey, fingerprints, shipped_at, country FROM shipment WHERE id IN (??)", ids
            )
        )
        return {row[0]: polled for row in rows if (polled := _polled(row)) is not None}

    async def owners(self, ids: Sequence[int]) -> dict[int, frozenset[str]]:
        """The stores whose orders are in these parcels, by parcel."""
        rows = await self._db.read(lambda tx: tx.among(_OWNERS, ids))
        owners: dict[int, set[str]] = {}
        for shipment, store in rows:
            owners.setdefault(shipment, set()).add(store)
        return {shipment: frozenset(stores) for shipment, stores in owners.items()}

    async def links(self, ids: Sequence[int]) -> dict[int, Link]:
        """The last-mile numbers of these parcels that are theirs alone, by parcel."""
        rows = await self._db.read(lambda tx: tx.among(_LINKS, ids))
        return {row[0]: Link(row[1], row[2]) for row in rows}

    async def load_events(self, ids: Sequence[int]) -> dict[int, tuple[TrackingEvent, ...]]:
        """The stored scans of these parcels, in the order in which their sources list them."""
        rows = await self._db.read(lambda tx: tx.among(_EVENTS, ids))
        events: dict[int, list[TrackingEvent]] = {}
        for row in rows:
            events.setdefault(row[0], []).append(tracking_event(row[1:]))
        return {key: tuple(found) for key, found in events.items()}

    async def write_poll(self, write: PollWrite) -> PollWritten:
        """Write what came back about at most 400 parcels, in one transaction.

        Dossiers wake where something material changed, and where they wait for an answer. A parcel whose number was changed by an
        import meanwhile keeps its schedule: it is asked under the new number.
        """
        written = await self._db.write_beside(lambda tx: _write(tx, _fenced(tx, write)))
        fault("poll_after_commit")
        return written


def due(row: Record) -> DueShipment:
    """A parcel, of its `DUE_COLUMNS`; one that is asked about no more is due at 0."""
    return DueShipment(
        id=row[0],
        number=row[1],
        next_poll_at=row[2] or 0,
        carrier=row[3],
        service=row[4] or "standard",
        country=row[5],
        shipped_at=instant_of(row[6]),
        status=_STATUSES[row[7]],
        moved_at=row[8],
        last_answer_at=row[9],
        failures=row[10],
        linked_number=row[11],
        linked_carrier=row[12],
        deadline_at=row[13],
    )


def readable(rows: Iterable[Record]) -> tuple[list[DueShipment], list[Unreadable]]:
    """The parcels of rows with `DUE_COLUMNS`, and what cannot be one (faults row 33)."""
    found: list[DueShipment] = []
    strange: list[Unreadable] = []
    for row in rows:
        try:
            found.append(due(row))
        except (ValueError, TypeError, LookupError) as error:
            strange.append(Unreadable(row[0], row[1], repr(error)))
    return found, strange


def _polled(row: Record) -> Polled | None:
    try:
        journey = unpack(row[2])
    except (msgspec.MsgspecError, TypeError):
        return None
    return Polled(id=row[0], number=row[1], journey=journey, fingerprints=row[3], shipped_at=instant_of(row[4]), country=row[5])


def _fenced(tx: Tx, write: PollWrite) -> PollWrite:
    """Without the parcels that somebody else has by now; their orders and they themselves are locked, always in this order."""
    if write.token is None:
        return write
    named = {
        **{each.id: each.number for each in write.changed},
        **{each.id: each.number for each in write.quiet},
        **{each.id: each.number for each in write.failed},
        **{each.id: each.number for each in write.later},
    }
    ids = sorted(named)
    tx.among(_LOCK_ORDERS, ids)
    held = {row[0] for row in tx.among(_STILL_HELD, ids, write.token)}
    if len(held) == len(ids):
        return write
    lost = {number for id_, number in named.items() if id_ not in held}
    return replace(
        write,
        changed=tuple(each for each in write.changed if each.id in held),
        quiet=tuple(each for each in write.quiet if each.id in held),
        failed=tuple(each for each in write.failed if each.id in held),
        later=tuple(each for each in write.later if each.id in held),
        answers=tuple(each for each in write.answers if each.number not in lost),
        forget=tuple(each for each in write.forget if each[1] not in lost),
    )


def _write(tx: Tx, write: PollWrite) -> PollWritten:
    at = write.at
    tx.many(_QUIET, [(row.next_poll_at, at, row.id, row.number) for row in write.quiet])
    tx.many(_FAILED, [(row.next_poll_at, row.kind, row.id, row.number) for row in write.failed])
    tx.many(_LATER, [(row.next_poll_at, row.id, row.number) for row in write.later])
    unmapped.note(tx, write.unmapped, at)
    events = _write_changes(tx, write)
    _write_memory(tx, write)
    tx.run_among(_ASK, write.asked, at, at)
    if tx.run_among("DELETE FROM pushed WHERE id IN (??)", write.pushed):
        fault("push_heard_before_commit")
    material = [change.id for change in write.changed if change.material]
    counted = [row.id for row in write.quiet] + [change.id for change in write.changed if not change.material]
    woken = tx.run_among(_WAKE, material, at) + tx.run_among(_WAKE_WAITING, counted, at)
    fault("poll_before_commit")
    return PollWritten(events=events, woken=woken)


def _write_changes(tx: Tx, write: PollWrite) -> int:
    if not write.changed:
        return 0
    ids = [change.id for change in write.changed]
    known_as = {row[0]: row[1:] for row in tx.among("SELECT id, number, fingerprints FROM shipment WHERE id IN (??)", ids)}
    states, events, links = [], [], []
    for change in write.changed:
        number, known = known_as.get(change.id, (None, b""))
        if number != change.number:
            # Renumbered, or united with another parcel, while it was asked about: it is asked again under its present number.
            continue
        if change.events:
            known += b"".join([event.key for event in change.events])
            events += _event_tuples(change.id, change.events, len(known) // 8, change.source, write.at)
        journey = change.journey
        states.append((change.next_poll_at, write.at, journey.status.value, journey.moved_at, pack(journey), known, change.id))
        if change.link is not None:
            links.append((change.link.number, change.link.carrier, change.id, change.link.number, change.id))
    tx.many(_CHANGED, states)
    tx.many(_LINKED, links)
    # In the order of their key, so that the table grows at its end: scans put in between split its pages again and again.
    events.sort()
    return tx.many(_EVENT, events)


def _event_tuples(shipment: int, events: Sequence[TrackingEvent], known: int, source: str, at: int) -> list[tuple[object, ...]]:
    first = known - len(events)
    # str() of a word is a plain text for the driver, at a quarter of what `.value` costs.
    return [
        (
            shipment,
            event.key,
            first + place,
            event.time,
            event.local_time,
            event.offset,
            str(event.status),
            None if event.reason is None else str(event.reason),
            event.raw_code,
            event.description,
            event.location,
            event.country,
            source,
            at,
        )
        for place, event in enumerate(events)
    ]


def _write_memory(tx: Tx, write: PollWrite) -> None:
    tx.many(_ANSWER, [_answer(answer, write.at) for answer in write.answers])
    tx.many(_RAW, [_raw(answer, write.at) for answer in write.answers if answer.slice is not None])
    tx.many(_FORGET, write.forget)
    tx.many(_ACCOUNT, [(account, json_text(memory)) for account, memory in write.accounts.items()])
    tx.many(_ANSWERED, [(account, write.at) for account in write.answered])


def _raw(answer: AnswerWrite, at: int) -> tuple[object, ...]:
    body = answer.slice or b""
    return (answer.number, answer.account, at, len(body), zlib.compress(body[:RAW_MOST], 1))


def _answer(answer: AnswerWrite, at: int) -> tuple[object, ...]:
    memory = None if answer.memory is None else json_text(answer.memory)
    status = None if answer.status is None else answer.status.value
    return (answer.account, answer.number, memory, answer.digest, status, at, memory)
