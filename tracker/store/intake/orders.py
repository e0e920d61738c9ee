"""Orders of a file: new ones, changed ones, and the parcels that waited for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tracker.clock import epoch
from tracker.model import OrderFacts, OrderState, WindowSource
from tracker.store.connection import Tx, instant_of, stored
from tracker.store.encoding import json_text, money, money_text
from tracker.store.goods import save_items
from tracker.store.intake.links import join_waiting
from tracker.store.intake.stamping import Saved, Source, first_stamps, merge
from tracker.store.records import audit, wake
from tracker.store.tables import DOSSIER
from tracker.store.windows import note, speaks

NEW, UPDATED, UNCHANGED = "new", "updated", "unchanged"

_MORE = ("promised_from", "ship_by", "confirmed_at", "payment", "address_problems", "buyer_phone")
"""Facts of the order before it travels."""
_TIMES = frozenset(
    {
        *("ordered_at", "paid_at", "shipped_at", "promised_at", "received_at", "window_end"),
        *("promised_from", "ship_by", "confirmed_at"),
    }
)
_AMOUNTS = frozenset({"amount", "refunded_amount"})
_TEXTS = ("raw_state", "country", "region", "buyer_name", "buyer_email", "tax_number", "currency", "payment", "buyer_phone")

_COLUMNS = [
    "state",
    "raw_state",
    "country",
    "region",
    "buyer_name",
    "buyer_email",
    "tax_number",
    "amount",
    "currency",
    "ordered_at",
    "paid_at",
    "shipped_at",
    "promised_at",
    "received_at",
    "window_end",
    "refunded_amount",
    *_MORE,
]

_FIND = f"SELECT id, stamps, {', '.join(_COLUMNS)}, refunded_at FROM dossier WHERE store = ? AND number = ?"  # noqa: S608 - our own names

_ADD = f"""
    INSERT INTO dossier (store, number, platform, {", ".join(_COLUMNS)}, window_source, refunded_at, cutover_at, stamps, batch_id,
        next_decide_at, window_extensions, opted_out, vip, version, waits_for_answer, failures)
    VALUES (?, ?, ?, {", ".join("?" * len(_COLUMNS))}, ?, ?, ?, ?, ?, ?, 0, FALSE, FALSE, 0, FALSE, 0)
    RETURNING id"""  # noqa: S608 - our own names

_FIRST_START = "INSERT INTO store_start (store, since) VALUES (?, ?) ON CONFLICT (store) DO NOTHING"


def save_order(tx: Tx, facts: OrderFacts, source: Source, cutover_at: datetime | None) -> Saved:
    """One order. What changed wakes it."""
    told = _told(facts)
    row = tx.row(_FIND, facts.store, facts.number)
    if row is None:
        save_items(tx, _add(tx, facts, told, source, cutover_at), facts.items, source)
        return Saved(NEW, after=_typed(told))
    order_id = row[0]
    save_items(tx, order_id, facts.items, source)
    kept: dict[str, Any] = dict(zip(_COLUMNS, row[2:-1], strict=True))
    _leave(tx, order_id, told, kept, source.now)
    merged = merge(_typed(kept), _typed(told), row[1], source, facts.assumed)
    if not merged.changed:
        if merged.stamps is not None:
            tx.run("UPDATE dossier SET stamps = ? WHERE id = ?", merged.stamps, order_id)
        return Saved(UNCHANGED)
    changes = {name: money_text(value) if name in _AMOUNTS else value for name, value in merged.changed.items()}
    if "window_end" in changes:
        changes["window_source"] = WindowSource.FILE.value
    if "refunded_amount" in changes and row[-1] is None:
        changes["refunded_at"] = source.now
    if merged.stamps is not None:
        changes["stamps"] = merged.stamps
    tx.update(DOSSIER, order_id, **changes)
    if "window_end" in changes:
        note(tx, order_id, changes["window_end"], WindowSource.FILE, by="import", now=source.now, proof=source.file)
    audit(
        tx,
        source.now,
        who="import",
        what="order_updated",
        order_id=order_id,
        subject=f"order/{facts.store}/{facts.number}",
        reason=source.file,
        before=merged.before,
        after=merged.changed,
    )
    wake(tx, [order_id], source.now)
    return Saved(UPDATED, merged.before, merged.changed)


def _leave(tx: Tx, order_id: int, told: dict[str, Any], kept: Mapping[str, Any], now: datetime) -> None:
    """Take out of `told` what this file has no say in."""
    if kept["state"] != OrderState.UNKNOWN and told.get("state") == OrderState.UNKNOWN:
        # A word that no table knows takes nothing back.
        told.pop("state")
    if told.get("state") == kept["state"] != OrderState.UNKNOWN:
        # Two tools call one state by two words: that is no news.
        told.pop("raw_state", None)
    if "window_end" in told and speaks(tx, order_id, now):
        # What the marketplace's own API shows goes before any file (api > typed > file).
        told.pop("window_end")


def _told(facts: OrderFacts) -> dict[str, Any]:
    """What the file says, in the form of the columns; what it does not say is not in it."""
    told: dict[str, Any] = {name: getattr(facts, name) for name in _TEXTS}
    told["state"] = None if facts.state is None else facts.state.value
    told.update({name: stored(getattr(facts, name)) for name in _TIMES})
    told.update({name: money_text(getattr(facts, name)) for name in _AMOUNTS})
    if facts.address_problems is not None:
        told["address_problems"] = json_text(facts.address_problems)
    return {name: value for name, value in told.items() if value is not None}


def _typed(columns: dict[str, Any]) -> dict[str, Any]:
    """Columns as values that compare by meaning: 15.0 is 15.00."""
    typed = dict(columns)
    typed.update({name: instant_of(value) for name, value in columns.items() if name in _TIMES})
    typed.update({name: money(value) for name, value in columns.items() if name in _AMOUNTS})
    return typed


def _add(tx: Tx, facts: OrderFacts, told: dict[str, Any], source: Source, cutover_at: datetime | None) -> int:
    order_id: int = tx.value(
        _ADD,
        facts.store,
        facts.number,
        facts.platform,
        told.get("state", OrderState.UNKNOWN.value),
        *(told.get(name) for name in _COLUMNS[1:]),
        WindowSource.FILE if "window_end" in told else None,
        source.now if "refunded_amount" in told else None,
        cutover_at,
        first_stamps(told, source, facts.assumed),
        source.batch,
        epoch(source.now),
    )
    if facts.window_end is not None:
        note(tx, order_id, facts.window_end, WindowSource.FILE, by="import", now=source.now, proof=source.file)
    tx.run(_FIRST_START, facts.store, source.now)
    join_waiting(tx, order_id, facts.store, facts.number, source.now)
    return order_id
