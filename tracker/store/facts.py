"""Facts of an order that people tell: a refund that was paid, a new end of the window, what the buyer said.

A person's word outranks any file: `stamps` remember whose word each fact is, so that no file takes it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import UNSET
from msgspec.structs import asdict

from tracker.dates import utc_text
from tracker.model import Rank, WindowSource
from tracker.store.connection import Tx, instant_of
from tracker.store.encoding import json_text, money, money_text, stamps
from tracker.store.money import check_refund
from tracker.store.records import audit
from tracker.store.recoveries import add_recovery
from tracker.store.rows import OrderPatch
from tracker.store.tables import DOSSIER
from tracker.store.windows import note

PERSON = 9
"""Rank of a person's word: above every file's (tracker.model.Rank)."""

_FIELDS = (
    *("received_at", "hold_until", "waiting_since", "opted_out", "vip", "note"),
    *("tax_number", "payment", "ship_by", "confirmed_at", "unread_since", "buyer_chat", "reviewed_at", "risky"),
)


def apply(tx: Tx, order_id: int, patch: OrderPatch, *, by: str, reason: str, now: datetime) -> None:
    """Write what a person says about an order. Raises Conflict where a refund would exceed what was paid (I7)."""
    given = {name: value for name, value in asdict(patch).items() if name in _FIELDS and value is not UNSET}
    if patch.stages is not UNSET:
        given["stages"] = None if patch.stages is None else json_text(dict(patch.stages))
    if given:
        _set(tx, order_id, given, what="order_facts_set", by=by, reason=reason, now=now)
    if patch.window_end is not UNSET:
        source = None if patch.window_end is None else WindowSource.TYPED.value
        values = {"window_end": patch.window_end, "window_source": source}
        _set(tx, order_id, values, what="window_set", by=by, reason=reason, now=now)
    if patch.paid_again is not UNSET:
        told = "" if patch.reference is UNSET else patch.reference
        add_recovery(tx, order_id, patch.paid_again, told, by=by, reason=reason, now=now)
    if patch.refunded is not UNSET:
        reference = None if patch.reference is UNSET else patch.reference
        paid_at = now if patch.refunded_at is UNSET else patch.refunded_at
        add_refund(tx, order_id, patch.refunded, reference, by=by, now=now, reason=reason, paid_at=paid_at)


def waits_no_more(tx: Tx, order_id: int, since: str, *, by: str, reason: str, now: datetime) -> None:
    """Somebody has dealt with the message that the buyer waited about since then: outreach may go on (D15).

    `since` is the instant as the task tells it; of a newer message that nobody has seen to he waits still.
    """
    noted = instant_of(tx.value("SELECT waiting_since FROM dossier WHERE id = ?", order_id))
    if noted is not None and utc_text(noted) == since:
        _set(tx, order_id, {"waiting_since": None}, what="order_facts_set", by=by, reason=reason, now=now)


def extend_window(tx: Tx, order_id: int, end: datetime, *, by: str, now: datetime) -> None:
    """The marketplace shows a new end of the window: typed in, one extension more (R7)."""
    extensions = tx.value("SELECT window_extensions FROM dossier WHERE id = ?", order_id) + 1
    values = {"window_end": end, "window_source": WindowSource.TYPED.value, "window_extensions": extensions}
    _set(tx, order_id, values, what="window_extended", by=by, reason="", now=now)


def add_refund(  # noqa: PLR0913 - each is a fact of a refund
    tx: Tx,
    order_id: int,
    amount: Decimal,
    reference: str | None,
    *,
    by: str,
    now: datetime,
    reason: str = "",
    row_id: int = 0,
    paid_at: datetime | None = None,
) -> None:
    """A refund was paid (`paid_at`: else now): added to earlier ones (D13). `row_id` is the recommendation it fulfils.

    Raises Conflict (I7).
    """
    before, known = tx.row("SELECT refunded_amount, refund_reference FROM dossier WHERE id = ?", order_id)
    already = money(before) or Decimal(0)
    if already == amount and known is None:
        # A file told of this very refund before the clerk did: his word adds the reference, not the money once more.
        total = amount
    else:
        check_refund(tx, order_id, amount, None, row_id=row_id)
        total = already + amount
    references = [each for each in (known, reference) if each]
    values = {
        "refunded_at": paid_at or now,
        "refunded_amount": money_text(total),
        "refund_reference": ", ".join(references) or None,
    }
    _set(tx, order_id, values, what="refund_paid", by=by, reason=reason, now=now)


def _told_before(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever the column holds
    """What the audit may keep of an old value: of a way to pay no digits, which may be those of a card (R15)."""
    if name != "payment" or value is None or not any(map(str.isdigit, value)):
        return value
    return "".join(filter(str.isalpha, value.split()[0])) or None


def _set(tx: Tx, order_id: int, values: Mapping[str, Any], *, what: str, by: str, reason: str, now: datetime) -> None:
    row = tx.select(DOSSIER.select().where(DOSSIER.c.id == order_id))[0]._mapping  # noqa: SLF001 - SQLAlchemy's public name of the row as a mapping
    # A window's end is typed in or read from a file with equal right: the newer word counts. Files have even sequences.
    typed = (Rank.MARKETPLACE.value, 2 * tx.value("SELECT coalesce(max(id), 0) FROM import_batch") + 1)
    told = {name: typed if name.startswith("window_") else (PERSON, 0) for name in values}
    stamped = stamps(row["stamps"]) | told
    tx.update(DOSSIER, order_id, **values, stamps=json_text(stamped))
    if "window_end" in values:
        note(tx, order_id, values["window_end"], WindowSource.TYPED, by=by, now=now)
    before = {name: _told_before(name, row[name]) for name in values}
    subject = f"order/{row['store']}/{row['number']}"
    audit(tx, now, who=by, what=what, order_id=order_id, subject=subject, reason=reason, before=before, after=values)
