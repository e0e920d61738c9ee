"""Parcels of a file: found by any of their numbers, joined with their orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.clock import epoch
from tracker.model import Rank, ShipmentFacts
from tracker.store.connection import Tx, instant_of, stored
from tracker.store.encoding import money, money_text
from tracker.store.intake.links import has_order, join_order
from tracker.store.intake.orders import NEW, UNCHANGED, UPDATED
from tracker.store.intake.stamping import Saved, Source, first_stamps, merge
from tracker.store.intake.uniting import unite
from tracker.store.records import audit, wake
from tracker.store.tables import SHIPMENT

_SERVICE = ("service_text", "carrier", "service", "capability", "settled_by", "matched")
_PLAIN = ("origin", "country", "declared_currency", "freight_currency")
_AMOUNTS = frozenset({"declared_value", "freight"})

_FIND = """
    SELECT id, stamps, number, service_text, carrier, service, capability, settled_by, matched, origin, country,
    declared_currency,
        freight_currency, declared_value, freight, shipped_at
    FROM shipment WHERE id = ?"""

_COLUMNS = [
    "number",
    "service_text",
    "carrier",
    "service",
    "capability",
    "settled_by",
    "matched",
    "origin",
    "country",
    "declared_currency",
    "freight_currency",
    "declared_value",
    "freight",
    "shipped_at",
]

_ADD = """
    INSERT INTO shipment (number, service_text, carrier, service, capability, settled_by, matched, origin, country,
    declared_currency,
        freight_currency, declared_value, freight, shipped_at, stamps, batch_id, failures, status, fingerprints)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 'unknown', ?)
    RETURNING id"""

_ALIAS = "INSERT INTO alias (number, shipment_id) VALUES (?, ?) ON CONFLICT (number) DO NOTHING"

_ORDERS = "SELECT order_id FROM order_shipment WHERE shipment_id = ?"


def save_shipment(tx: Tx, facts: ShipmentFacts, source: Source, rank_orders: Rank) -> Saved:
    """One parcel. What changed wakes its orders; a new number is asked about at once."""
    numbers = list(dict.fromkeys((facts.number, *facts.aliases)))
    known = sorted({row[0] for row in tx.among("SELECT shipment_id FROM alias WHERE number IN (??)", numbers)})
    if not known:
        shipment_id = _add(tx, facts, source)
        saved = Saved(NEW, after=_typed(_told(facts)))
    else:
        shipment_id = known[0]
        for other in known[1:]:
            unite(tx, shipment_id, other, source)
        saved = _update(tx, shipment_id, facts, source)
        if len(known) > 1:
            saved = saved._replace(outcome=UPDATED)
    added = sum(tx.run(_ALIAS, number, shipment_id) for number in numbers)
    # A forwarder's row may change carrier, channel and number of a parcel, never its order.
    may_join = rank_orders is not Rank.FORWARDER or not has_order(tx, shipment_id)
    joined = facts.order is not None and may_join and join_order(tx, shipment_id, facts.store, facts.order, source.now)
    if saved.outcome == NEW or not (joined or added):
        return saved
    more = {"order": facts.order} if joined else {}
    return Saved(UPDATED, saved.before, {**saved.after, **more, **({"numbers": tuple(numbers)} if added else {})})


def _told(facts: ShipmentFacts) -> dict[str, Any]:
    """What the file says, in the form of the columns. The service's six facts come together or not at all."""
    told: dict[str, Any] = {name: getattr(facts, name) for name in _PLAIN}
    told["number"] = facts.number
    if facts.service_text is not None or facts.carrier is not None:
        told.update({name: getattr(facts, name) for name in _SERVICE})
        told["capability"] = None if facts.capability is None else facts.capability.value
    told["shipped_at"] = stored(facts.shipped_at)
    told.update({name: money_text(getattr(facts, name)) for name in _AMOUNTS})
    return {name: value for name, value in told.items() if value is not None}


def _add(tx: Tx, facts: ShipmentFacts, source: Source) -> int:
    told = _told(facts)
    # A parcel of which no file has named the service is not known to be matched: it is never lost by silence.
    values = {"matched": False, **told}
    added: int = tx.value(
        _ADD, *(values.get(name) for name in _COLUMNS), first_stamps(told, source, facts.assumed), source.batch, b""
    )
    return added


def _update(tx: Tx, shipment_id: int, facts: ShipmentFacts, source: Source) -> Saved:
    row = tx.row(_FIND, shipment_id)
    kept: dict[str, Any] = dict(zip(_COLUMNS, row[2:], strict=True))
    told = _told(facts)
    if kept["matched"] and not told.get("matched"):
        # An unknown text tells nothing about the service: what a known one told stays.
        told = {name: value for name, value in told.items() if name not in _SERVICE}
    elif "matched" in told:
        told = dict.fromkeys(_SERVICE) | told
    merged = merge(_typed(kept), _typed(told), row[1], source, facts.assumed)
    if not merged.changed:
        if merged.stamps is not None:
            tx.run("UPDATE shipment SET stamps = ? WHERE id = ?", merged.stamps, shipment_id)
        return Saved(UNCHANGED)
    _write(tx, shipment_id, merged.changed, merged.stamps, source)
    orders = [each[0] for each in tx.rows(_ORDERS, shipment_id)]
    for order_id in orders:
        audit(
            tx,
            source.now,
            who="import",
            what="shipment_updated",
            order_id=order_id,
            subject=f"shipment/{facts.number}",
            reason=source.file,
            before=merged.before,
            after=merged.changed,
        )
    wake(tx, orders, source.now)
    return Saved(UPDATED, merged.before, merged.changed)


def _write(tx: Tx, shipment_id: int, changed: Mapping[str, Any], marks: str | None, source: Source) -> None:
    changes = {name: money_text(value) if name in _AMOUNTS else value for name, value in changed.items()}
    if marks is not None:
        changes["stamps"] = marks
    tx.update(SHIPMENT, shipment_id, **changes)
    if "number" in changes and has_order(tx, shipment_id):
        tx.run("UPDATE shipment SET next_poll_at = ? WHERE id = ?", epoch(source.now), shipment_id)


def _typed(columns: Mapping[str, Any]) -> dict[str, Any]:
    typed = dict(columns)
    typed.update({name: money(value) for name, value in columns.items() if name in _AMOUNTS})
    if "shipped_at" in columns:
        typed["shipped_at"] = instant_of(columns["shipped_at"])
    if "matched" in columns:
        typed["matched"] = bool(columns["matched"])
    return typed
