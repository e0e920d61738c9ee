"""Claims against carriers: read, changed on the revision that was seen, every change with its row of history (R86, R87).

No row is ever deleted. A posting carries the date of its event; what belongs to a closed month goes into the first open one, with
a reference to the old (facts/compensation.md section 6).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from tracker.compensation import moved, outstanding
from tracker.model import Claim, ClaimChange, ClaimMove, ClaimState
from tracker.store.claim_rows import ADD, HISTORY, SELECTED, UPDATE, added, change_of, claim_of, columns_of, differences, updated
from tracker.store.connection import Database, Record, Tx
from tracker.store.encoding import money_text
from tracker.store.errors import Conflict, NotThere
from tracker.store.records import DAEMON, audit, wake
from tracker.store.tables import CLAIM, STATEMENT_LINE

OPENED = "opened"
"""The first event of every history."""

_VIEWS = f"""
    SELECT {SELECTED}, s.number, s.carrier, s.service, d.store, d.number, o.order_id
    FROM claim c JOIN shipment s ON s.id = c.shipment_id JOIN outbox o ON o.id = c.row_id JOIN dossier d ON d.id = o.order_id
    WHERE (? IS NULL OR s.carrier = ?) AND (? IS NULL OR d.store = ?) AND (? = 0 OR c.state IN (??))
    ORDER BY c.latest_on IS NULL, c.latest_on, c.id"""  # noqa: S608 - names of ours

_VIEW = f"""
    SELECT {SELECTED}, s.number, s.carrier, s.service, d.store, d.number, o.order_id
    FROM claim c JOIN shipment s ON s.id = c.shipment_id JOIN outbox o ON o.id = c.row_id JOIN dossier d ON d.id = o.order_id
    WHERE c.id = ?"""  # noqa: S608 - names of ours

_SEEN_ON = "SELECT DISTINCT l.order_id FROM claim c JOIN order_shipment l ON l.shipment_id = c.shipment_id WHERE c.id = ?"

_OF_PARCEL = f"""
    SELECT {SELECTED}, s.number FROM claim c JOIN shipment s ON s.id = c.shipment_id
    WHERE c.shipment_id = (SELECT shipment_id FROM alias WHERE number = ?) AND c.attempt = ?"""  # noqa: S608 - names of ours


_CARRIER = "SELECT s.carrier FROM claim c JOIN shipment s ON s.id = c.shipment_id WHERE c.id = ?"


class ClaimView(msgspec.Struct, frozen=True, kw_only=True):
    """A claim with what people call it by: carrier, service, and the order under which it was registered."""

    claim: Claim
    carrier: str | None
    service: str | None
    store: str
    order: str
    order_id: int


class StatementUse(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a carrier's statement and the claims it settles: before, after. `key` names the line for ever."""

    carrier: str
    key: str
    file: str
    line: int
    on: date
    tracking_no: str
    amount: Decimal
    currency: str
    settles: tuple[tuple[Claim, Claim], ...]


class Claims:
    """The store's methods for claims."""

    _db: Database

    async def claims(
        self, states: Collection[ClaimState] = (), *, carrier: str | None = None, store: str | None = None
    ) -> list[ClaimView]:
        """Claims, the one whose window closes first in front; of these states, this carrier, this store, where named."""
        wanted = [state.value for state in states] or [""]
        values = (carrier, carrier, store, store, len(states))
        rows = await self._db.read(lambda tx: tx.among(_VIEWS, wanted, *values))
        return [_view(row) for row in rows]

    async def claim(self, claim_id: int) -> ClaimView:
        """One claim. Raises NotThere."""
        return await self._db.read(lambda tx: _one(tx, claim_id))

    async def claim_changes(self, claim_id: int | None = None) -> list[ClaimChange]:
        """The history of one claim, or of all, oldest first."""
        where = " WHERE ? IS NULL OR h.claim_id = ? ORDER BY h.id"
        rows = await self._db.read(lambda tx: tx.rows(HISTORY + where, claim_id, claim_id))
        return [change_of(row) for row in rows]

    async def change_claim(
        self, before: Claim, after: Claim, *, event: str, on: date, who: str, why: str, now: datetime
    ) -> ClaimView:
        """Write a change that was made on `before`. Nothing is written when nothing differs.

        Raises Conflict where the claim has been changed since it was seen, NotThere.
        """

        def write(tx: Tx) -> ClaimView:
            change(tx, before, after, event=event, on=on, who=who, why=why, now=now)
            return _one(tx, before.id)

        return await self._db.write(write)

    async def open_again(self, before: Claim, after: Claim, fresh: Claim, *, who: str, why: str, now: datetime) -> ClaimView:
        """End a claim and open the next attempt for the same parcel, in one transaction. Raises Conflict, NotThere."""

        def write(tx: Tx) -> ClaimView:
            view = _one(tx, before.id)
            change(tx, before, after, event="given_up", on=now.astimezone(UTC).date(), who=who, why=why, now=now)
            row_id = tx.value("SELECT row_id FROM claim WHERE id = ?", before.id)
            claim_id = register(tx, row_id, fresh, who=who, now=now)
            wake(tx, [view.order_id], now)
            return _one(tx, claim_id)

        return await self._db.write(write)

    async def used_lines(self, carrier: str) -> set[str]:
        """Keys of the statement lines of this carrier that were used: a line is used once."""
        rows = await self._db.read(lambda tx: tx.rows("SELECT key FROM statement_line WHERE carrier = ?", carrier))
        return {row[0] for row in rows}

    async def settle_claims(self, uses: Sequence[StatementUse], *, who: str, now: datetime) -> None:
        """Use statement lines: all of them, or none. Raises Conflict where a line was used or a claim has changed meanwhile."""

        def write(tx: Tx) -> None:
            for use in uses:
                _use(tx, use, who, now)

        await self._db.write(write)

    async def closed_months(self) -> list[str]:
        """The months whose register is frozen, oldest first."""
        rows = await self._db.read(lambda tx: tx.rows("SELECT id FROM closed_month ORDER BY id"))
        return [row[0] for row in rows]

    async def frozen_month(self, month: str) -> tuple[bytes, bytes] | None:
        """The very bytes of a closed month's .csv and .xlsx; None while it is open."""
        row = await self._db.read(lambda tx: tx.row("SELECT sheet, book FROM closed_month WHERE id = ?", month))
        return None if row is None else (bytes(row[0]), bytes(row[1]))

    async def close_month(
        self, month: str, sheet: bytes, book: bytes, *, by: str, now: datetime, seen: int | None = None
    ) -> None:
        """Freeze a month. `seen` is the newest row of the history that its register was made of.

        Raises Conflict where it, or a later one, is closed already, where an earlier one with postings is not, and where
        something was posted in it since it was seen.
        """

        def write(tx: Tx) -> None:
            last = _closed_through(tx)
            if last is not None and last >= month:
                raise Conflict(f"{last} is closed already, so {month} cannot be: what comes late goes into the first open month.")
            earlier = tx.value("SELECT min(month) FROM claim_history WHERE month < ? AND month > ?", month, last or "")
            if earlier is not None:
                raise Conflict(f"{earlier} has postings and is not closed: close it first, so that its register is frozen too.")
            newest = tx.value("SELECT max(id) FROM claim_history WHERE month <= ?", month)
            if seen is not None and newest is not None and newest > seen:
                raise Conflict(f"something was posted in {month} meanwhile; nothing was closed. Run it again.")
            tx.run(
                "INSERT INTO closed_month (id, closed_at, closed_by, sheet, book) VALUES (?, ?, ?, ?, ?)",
                month,
                now,
                by,
                sheet,
                book,
            )
            audit(tx, now, who=by, what="month_closed", order_id=None, subject=f"register/{month}")

        await self._db.write(write)


def register(tx: Tx, row_id: int, claim: Claim, *, who: str, now: datetime) -> int:
    """Put a claim into the register; its id. A parcel of two orders is claimed once: the first one's claim is found (I5)."""
    shipment_id = tx.value("SELECT shipment_id FROM alias WHERE number = ?", claim.shipment)
    if shipment_id is None:
        raise NotThere(f"There is no parcel {claim.shipment}: its claim cannot be registered.")
    known = tx.value("SELECT id FROM claim WHERE shipment_id = ? AND attempt = ?", shipment_id, claim.attempt)
    if known is not None:
        return int(known)
    values = {name: value for name, value in columns_of(claim).items() if name not in {"opened_at", *_DAYS}}
    days = {name: getattr(claim, name) for name in _DAYS}
    claim_id = tx.insert(CLAIM, shipment_id=shipment_id, row_id=row_id, opened_at=claim.opened_at, **values, **days)
    _add(tx, None, replace(claim, id=claim_id), OPENED, claim.opened_at.astimezone(UTC).date(), who, claim.cause, now)
    return claim_id


_DAYS = ("earliest_on", "latest_on", "inquiry_on", "filed_on", "answer_due_on", "papers_wanted_on", "answered_on", "appeal_until",
         "payout_due_on", "reversed_on")  # fmt: skip
"""Columns that a built statement takes as dates."""


def move(tx: Tx, order_id: int, wanted: ClaimMove, now: datetime) -> None:
    """What the calendar or the parcel does to a claim; only from the state that was seen.

    A parcel of two orders is decided twice, and its claim moves once.
    """
    row = tx.row(_OF_PARCEL, wanted.shipment, wanted.attempt)
    if row is None:
        return
    before = claim_of(row[:-1], row[-1])
    if before.state is not wanted.before:
        return
    last = _last_moved(tx, before.id, payments=True)  # a person may have typed the origin's tomorrow
    today = max(now.astimezone(UTC).date(), last or date.min)
    after = replace(before, state=wanted.after)
    if wanted.after is ClaimState.REVERSED:
        after = replace(after, reversed_on=today)
    if wanted.after is ClaimState.INQUIRY_OPEN:
        after = replace(after, inquiry_on=today, answer_due_on=wanted.answer_due_on)
    _write(tx, before, after)
    _add(tx, before, after, wanted.reason.value, today, DAEMON, wanted.reason.value, now)
    audit(
        tx,
        now,
        who=DAEMON,
        what="claim_moved",
        order_id=order_id,
        subject=f"shipment/{wanted.shipment}",
        reason=wanted.reason,
        before={"state": wanted.before.value},
        after={"state": wanted.after.value},
    )


def change(tx: Tx, before: Claim, after: Claim, *, event: str, on: date, who: str, why: str, now: datetime) -> None:
    """Write one change with its history, and wake the orders it is about. Raises Conflict."""
    if after == before:
        return
    _in_order(tx, before, after, on)
    _write(tx, before, after)
    _add(tx, before, after, event, on, who, why, now)
    orders = [row[0] for row in tx.rows(_SEEN_ON, before.id)]
    audit(
        tx,
        now,
        who=who,
        what=f"claim_{event}",
        order_id=orders[0] if orders else None,
        subject=f"shipment/{before.shipment}",
        reason=why,
        before={"state": before.state.value},
        after={"state": after.state.value},
    )
    wake(tx, orders, now)


def _in_order(tx: Tx, before: Claim, after: Claim, on: date) -> None:
    """A move before the one that it follows would be booked in a month that never saw the first. Raises Conflict."""
    amount, settled, count = moved(before, after)
    if not amount and not count:
        return
    last = _last_moved(tx, before.id, payments=not settled)
    if last is not None and on < last:
        raise Conflict(
            f"claim {before.id} has moved on {last}: what became of it later cannot be dated {on}. Nothing was written."
        )


def _last_moved(tx: Tx, claim_id: int, *, payments: bool) -> date | None:
    """The day of the newest move of its open sum; parts that are paid may come in any order."""
    rows = tx.rows('SELECT "on", amount, settled, count FROM claim_history WHERE claim_id = ?', claim_id)
    days = [row[0] for row in rows if (Decimal(row[1]) or row[3]) and (payments or not Decimal(row[2]))]
    return date.fromisoformat(max(days)) if days else None


def _write(tx: Tx, before: Claim, after: Claim) -> None:
    if tx.run(UPDATE, *updated(replace(after, id=before.id, revision=before.revision))) != 1:
        see = f"tracker claims show {before.id}"
        raise Conflict(f"Claim {before.id} has changed since you saw it; nothing was written. See: {see}")


def _add(tx: Tx, before: Claim | None, after: Claim, event: str, on: date, who: str, why: str, now: datetime) -> None:
    currency = after.claimed_currency or after.currency
    month, late = _posted(tx, f"{on:%Y-%m}")
    row = ClaimChange(
        claim=after.id,
        at=now,
        who=who,
        event=event,
        on=on,
        before=None if before is None else before.state,
        after=after.state,
        why=why,
        fields=differences(before, after),
        month=month,
        late=late,
        currency=currency,
        carrier=tx.value(_CARRIER, after.id),
    )
    if before is not None and before.claimed_currency not in {None, currency} and outstanding(before):
        # Sums of two currencies are never one posting: what stood in the old one goes, then the new one comes.
        tx.run(ADD, *added(replace(row, amount=-outstanding(before), currency=before.claimed_currency, count=-1, fields={})))
        before = None
    amount, settled, count = moved(before, after)
    tx.run(ADD, *added(replace(row, amount=amount, settled=settled, count=count)))


def _posted(tx: Tx, month: str) -> tuple[str, str | None]:
    """The month in which an event is posted, and the closed one it belongs to."""
    last = _closed_through(tx)
    return (month, None) if last is None or month > last else (after_month(last), month)


def after_month(month: str) -> str:
    """The month after it: 2026-12 -> 2027-01."""
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]), 12)
    return f"{year}-{number + 1:02}"


def _closed_through(tx: Tx) -> str | None:
    found = tx.value("SELECT max(id) FROM closed_month")
    return None if found is None else str(found)


def _use(tx: Tx, use: StatementUse, who: str, now: datetime) -> None:
    if tx.value("SELECT 1 FROM statement_line WHERE carrier = ? AND key = ?", use.carrier, use.key) is not None:
        raise Conflict(f"line {use.line} of {use.file} was used already; nothing was written")
    line_id = tx.insert(
        STATEMENT_LINE,
        carrier=use.carrier,
        key=use.key,
        file=use.file,
        line=use.line,
        on=use.on,
        tracking_no=use.tracking_no,
        amount=money_text(use.amount),
        currency=use.currency,
        used_at=now,
        used_by=who,
    )
    for before, after in use.settles:
        came = after.settled - before.settled
        event = after.state.value if after.state is not before.state else "paid_partly"
        change(tx, before, after, event=event, on=use.on, who=who, why=f"{use.file}, line {use.line}", now=now)
        tx.run("INSERT INTO statement_use (line_id, claim_id, amount) VALUES (?, ?, ?)", line_id, before.id, money_text(came))


def _one(tx: Tx, claim_id: int) -> ClaimView:
    row = tx.row(_VIEW, claim_id)
    if row is None:
        raise NotThere(f"There is no claim {claim_id}. See: tracker claims list")
    return _view(row)


def _view(row: Record) -> ClaimView:
    *claim, number, carrier, service, store, order, order_id = row
    return ClaimView(claim=claim_of(claim, number), carrier=carrier, service=service, store=store, order=order, order_id=order_id)
