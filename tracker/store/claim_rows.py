"""How claims and their history lie in the tables: one list of columns for reading and writing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from tracker.model import (
    Claim,
    ClaimChange,
    ClaimState,
    Exchange,
    Liable,
    LossType,
    Paper,
    Payment,
    Phase,
)
from tracker.store.connection import Record, required, stored
from tracker.store.encoding import json_text, money, money_text

_PAYMENTS = msgspec.json.Decoder(tuple[Payment, ...])
_EXCHANGE = msgspec.json.Decoder(Exchange)
_PAPERS = msgspec.json.Decoder(dict[str, Paper])
_FIELDS = msgspec.json.Decoder(dict[str, tuple[str, str]])


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _day_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _same(value: object) -> object:
    return value


Codec = tuple[Callable[[Any], Any], Callable[[Any], Any]]
"""From the table, to the table."""

_TEXT: Codec = (_same, _same)
_DAY: Codec = (_day, _day_text)
_MONEY: Codec = (money, money_text)

COLUMNS: Mapping[str, Codec] = {
    "attempt": _TEXT,
    "state": (ClaimState, str),
    "rule": _TEXT,
    "phase": (Phase, str),
    "cause": _TEXT,
    "earliest_on": _DAY,
    "latest_on": _DAY,
    "payable": _MONEY,
    "currency": _TEXT,
    "opened_at": (required, stored),
    "id": _TEXT,
    "revision": _TEXT,
    "rule_version": _TEXT,
    "loss_type": (LossType, str),
    "liable": (Liable, str),
    "closes_first": (bool, _same),
    "inquiry_on": _DAY,
    "inquiry_ref": _TEXT,
    "filed_on": _DAY,
    "carrier_ref": _TEXT,
    "claimed": _MONEY,
    "claimed_currency": _TEXT,
    "answer_due_on": _DAY,
    "papers_wanted_on": _DAY,
    "answered_on": _DAY,
    "approved": _MONEY,
    "exchange": (lambda text: None if text is None else _EXCHANGE.decode(text), lambda it: None if it is None else json_text(it)),
    "appeal_until": _DAY,
    "payout_due_on": _DAY,
    "payments": (_PAYMENTS.decode, json_text),
    "reversed_on": _DAY,
    "item_cost": _MONEY,
    "item_cost_currency": _TEXT,
    "weight_kg": _MONEY,
    "insured": _MONEY,
    "insured_currency": _TEXT,
    "papers": (_PAPERS.decode, json_text),
    "owner": _TEXT,
    "note": _TEXT,
}
"""Column of `claim`, which is also the field of `Claim`: how it is read and written."""

SELECTED = ", ".join(f"c.{name}" for name in COLUMNS)
"""The columns for a SELECT from `claim c`, in the order that `claim_of` takes them."""

_CHANGEABLE = [name for name in COLUMNS if name not in {"attempt", "opened_at", "id", "revision"}]

UPDATE = f"""
    UPDATE claim SET {", ".join(f"{name} = ?" for name in _CHANGEABLE)}, revision = revision + 1
    WHERE id = ? AND revision = ?"""  # noqa: S608 - names of ours

_SHOWN = [name for name in _CHANGEABLE if name != "state"]


def claim_of(row: Record, number: str) -> Claim:
    """A claim from the `SELECTED` columns, for the parcel with this present number."""
    return Claim(shipment=number, **{name: read(value) for (name, (read, _)), value in zip(COLUMNS.items(), row, strict=True)})


def columns_of(claim: Claim) -> dict[str, Any]:
    """Everything but the id, as it is written; keyed by column."""
    return {name: write(getattr(claim, name)) for name, (_, write) in COLUMNS.items() if name != "id"}


def updated(claim: Claim) -> tuple[Any, ...]:
    """The values of `UPDATE`: what may change, then id and the revision that was seen."""
    texts = columns_of(claim)
    return (*(texts[name] for name in _CHANGEABLE), claim.id, claim.revision)


def differences(before: Claim | None, after: Claim) -> dict[str, tuple[str, str]]:
    """What a change changed, as text: field -> (old, new)."""
    new = columns_of(after)
    old = {} if before is None else columns_of(before)
    return {
        name: (_shown(old.get(name)), _shown(new[name]))
        for name in _SHOWN
        if _shown(old.get(name)) != _shown(new[name]) and not (before is None and _shown(new[name]) in {"[]", "{}", "0", "False"})
    }


def _shown(value: object) -> str:
    return "" if value is None else str(value)


HISTORY = """
    SELECT h.claim_id, h.at, h.who, h.event, h."on", h.before, h.after, h.why, h.fields, h.month, h.late, h.amount, h.settled,
        h.currency, h.count, h.id, h.carrier
    FROM claim_history h"""

ADD = """
    INSERT INTO claim_history (claim_id, at, who, event, "on", before, after, why, fields, month, late, amount, settled, currency,
        count, carrier)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


def change_of(row: Record) -> ClaimChange:
    """A row of the history."""
    return ClaimChange(
        claim=row[0],
        at=required(row[1]),
        who=row[2],
        event=row[3],
        on=date.fromisoformat(row[4]),
        before=None if row[5] is None else ClaimState(row[5]),
        after=ClaimState(row[6]),
        why=row[7],
        fields=_FIELDS.decode(row[8]),
        month=row[9],
        late=row[10],
        amount=Decimal(row[11]),
        settled=Decimal(row[12]),
        currency=row[13],
        count=row[14],
        id=row[15],
        carrier=row[16],
    )


def added(change: ClaimChange) -> tuple[Any, ...]:
    """The values of `ADD`."""
    return (
        change.claim,
        change.at,
        change.who,
        change.event,
        change.on.isoformat(),
        change.before,
        change.after,
        change.why,
        json_text(dict(change.fields)),
        change.month,
        change.late,
        money_text(change.amount),
        money_text(change.settled),
        change.currency,
        change.count,
        change.carrier,
    )
