"""Loading dossiers in bulk: a handful of statements for 400 orders, and no event read (journeys lie packed in the shipments)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_DOWN, Decimal
from typing import TypeVar

from tracker.clock import instant
from tracker.model import (
    ActionKind,
    Capability,
    Case,
    CaseKind,
    CaseOutcome,
    CaseReason,
    DateSource,
    DecisionReason,
    Dossier,
    Effect,
    HoldReason,
    Intent,
    Order,
    OrderState,
    OutboxState,
    Remedy,
    Shipment,
    TaskState,
    Window,
    WindowSource,
)
from tracker.store.advisories import concerning, told
from tracker.store.claim_rows import SELECTED, claim_of
from tracker.store.connection import Record, Tx, instant_of, required
from tracker.store.encoding import contacts, ladder, money, settlements, unpack, words

T = TypeVar("T")

_ORDERS = """
    SELECT id, store, platform, number, state, country, region, language, buyer_name, buyer_email, amount, currency, ordered_at,
        paid_at, shipped_at, promised_at, window_end, window_source, window_extensions, refunded_at, refunded_amount,
        refund_reference, received_at, opted_out, vip, hold_until, waiting_since, cutover_at, note, version,
        contacted, backlog, promised_from, ship_by, confirmed_at, payment, tax_number IS NOT NULL, address_problems, buyer_phone,
        unread_since, risky, reviewed_at, stages, buyer_chat,
        CASE WHEN vip THEN (
            SELECT o.number FROM dossier o
            WHERE o.vip AND o.store = dossier.store AND o.id < dossier.id AND o.refunded_at IS NULL
                AND o.state NOT IN ('cancelled', 'unpaid')
                AND (o.buyer_email = dossier.buyer_email OR o.buyer_phone = dossier.buyer_phone)
            ORDER BY o.id LIMIT 1) END
    FROM dossier WHERE id IN (??)"""

_SHIPMENTS = """
    SELECT l.order_id, l.share, s.id, s.number, s.carrier, s.service, s.service_text, s.matched, s.capability, s.settled_by,
        s.origin, s.country, s.shipped_at, s.declared_value, s.declared_currency, s.freight, s.freight_currency, s.last_answer_at,
        s.day0, s.journey, CASE WHEN s.failures > 0 THEN s.failed_kind END, s.linked_number, s.linked_carrier,
        s.deadline_at
    FROM order_shipment l JOIN shipment s ON s.id = l.shipment_id
    WHERE l.order_id IN (??) ORDER BY l.order_id, s.id"""

_EFFECTS = """
    SELECT o.order_id, o.dedup_key, o.subject, o.intent, o.occasion, o.kind, o.state, o.reason, o.created_at, o.shipment,
    o.decided_at,
        o.rejected, o.hold, o.sent_at, o.amount, o.currency, t.state, t.closed_at, i.dropped, o.remedy
    FROM outbox o
    LEFT JOIN task t ON t.id = o.task_id
    LEFT JOIN task_item i ON i.task_id = o.task_id AND i.row_id = o.id
    WHERE o.order_id IN (??) ORDER BY o.id"""

_PARCEL_EFFECTS = """
    SELECT a.shipment_id, o.dedup_key, o.subject, o.intent, o.occasion, o.kind, o.state, o.reason, o.created_at, o.shipment,
        o.decided_at, o.rejected, o.hold, o.sent_at, o.amount, o.currency, t.state, t.closed_at, i.dropped, o.remedy
    FROM alias a
    JOIN outbox o ON o.subject = 'shipment/' || a.number
    LEFT JOIN task t ON t.id = o.task_id
    LEFT JOIN task_item i ON i.task_id = o.task_id AND i.row_id = o.id
    WHERE a.shipment_id IN (??) ORDER BY o.id"""

_CLAIMS = f"""
    SELECT c.shipment_id, {SELECTED} FROM claim c WHERE c.shipment_id IN (??) ORDER BY c.id"""  # noqa: S608 - names of ours

_CASES = """
    SELECT order_id, id, kind, opened_at, due_at, closed_at, due_source, reason, evidence_due_at, answered_at, outcome, amount,
        currency, shipment, note
    FROM buyer_case WHERE order_id IN (??) ORDER BY opened_at, id"""

_MINOR_DIGITS = {
    "BHD": 3,
    "CLP": 0,
    "ISK": 0,
    "JOD": 3,
    "JPY": 0,
    "KRW": 0,
    "KWD": 3,
    "OMR": 3,
    "PYG": 0,
    "TND": 3,
    "UGX": 0,
    "VND": 0,
}
"""ISO 4217 currencies whose smallest unit is not a hundredth."""


def load(tx: Tx, ids: Sequence[int]) -> list[Dossier]:
    """The dossiers of these orders, in the order asked for; an unknown id is left out."""
    orders = {row[0]: row for row in tx.among(_ORDERS, ids)}
    links: dict[int, list[Record]] = {}
    numbers: dict[int, str] = {}
    for row in tx.among(_SHIPMENTS, ids):
        links.setdefault(row[0], []).append(row)
        numbers[row[2]] = row[3]
    parcels = list(numbers)
    effects = _grouped((row[0], _effect(row, None)) for row in tx.among(_EFFECTS, ids))
    shared = _grouped((row[0], _effect(row, f"shipment/{numbers[row[0]]}")) for row in tx.among(_PARCEL_EFFECTS, parcels))
    claims = _grouped((row[0], claim_of(row[1:], numbers[row[0]])) for row in tx.among(_CLAIMS, parcels))
    cases = _grouped((row[0], case_of(row)) for row in tx.among(_CASES, ids))
    advisories = told(tx)
    found = []
    for order_id in ids:
        if order_id not in orders:
            continue
        order = _order(orders[order_id])
        shipments = _shipments(order, links.get(order_id, []))
        found.append(
            Dossier(
                order=order,
                shipments=shipments,
                cases=tuple(cases.get(order_id, ())),
                claims=tuple(claim for shipment in shipments for claim in claims.get(shipment.id, ())),
                effects=_all_effects(effects.get(order_id, []), shipments, shared),
                version=orders[order_id][29],
                advisories=concerning(advisories, order, shipments),
            )
        )
    return found


def even_shares(amount: Decimal, currency: str | None, parcels: int) -> list[Decimal]:
    """The amount split evenly to the smallest unit of its currency; the first parcels carry the units that are left (D23)."""
    if parcels == 1:
        return [amount]
    unit = Decimal(1).scaleb(-_MINOR_DIGITS.get(currency or "", 2))
    each = (amount / parcels).quantize(unit, rounding=ROUND_DOWN)
    left = int((amount - each * parcels) / unit)
    shares = [each + unit if place < left else each for place in range(parcels)]
    shares[0] += amount - sum(shares)
    return shares


def _grouped(pairs: Iterable[tuple[int, T]]) -> dict[int, list[T]]:
    groups: dict[int, list[T]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def _order(row: Record) -> Order:
    window_end = instant_of(row[16])
    return Order(
        id=row[0],
        store=row[1],
        platform=row[2],
        number=row[3],
        state=OrderState(row[4]),
        country=row[5],
        region=row[6],
        language=row[7],
        buyer_name=row[8],
        buyer_email=row[9],
        amount=money(row[10]),
        currency=row[11],
        ordered_at=instant_of(row[12]),
        paid_at=instant_of(row[13]),
        shipped_at=instant_of(row[14]),
        promised_at=instant_of(row[15]),
        window=None if window_end is None else Window(end=window_end, source=WindowSource(row[17]), extensions=row[18]),
        refunded_at=instant_of(row[19]),
        refunded_amount=money(row[20]),
        refund_reference=row[21],
        received_at=instant_of(row[22]),
        opted_out=bool(row[23]),
        vip=bool(row[24]),
        hold_until=instant_of(row[25]),
        waiting_since=instant_of(row[26]),
        cutover_at=instant_of(row[27]),
        contacted=contacts(row[30]),
        settled=settlements(row[31]),
        note=row[28],
        promised_from=instant_of(row[32]),
        ship_by=instant_of(row[33]),
        confirmed_at=instant_of(row[34]),
        payment=row[35],
        tax_number_known=bool(row[36]),
        address_problems=words(row[37]),
        buyer_phone=row[38],
        unread_since=instant_of(row[39]),
        risky=bool(row[40]),
        reviewed_at=instant_of(row[41]),
        stages=ladder(row[42]),
        buyer_chat=row[43],
        vip_with=row[44],
    )


def _shipments(order: Order, rows: list[Record]) -> tuple[Shipment, ...]:
    shares = [money(row[1]) for row in rows]
    if order.amount is not None and rows and all(share is None for share in shares):
        shares = list(even_shares(order.amount, order.currency, len(rows)))
    return tuple(_shipment(row, share) for row, share in zip(rows, shares, strict=True))


def _shipment(row: Record, share: Decimal | None) -> Shipment:
    journey = unpack(row[19])
    return Shipment(
        id=row[2],
        number=row[3],
        carrier=row[4],
        service=row[5] or "standard",
        service_text=row[6],
        matched=bool(row[7]),
        capability=Capability(row[8]) if row[8] else Capability.END_TO_END,
        settled_by=row[9],
        origin=row[10] or "CN",
        country=row[11],
        shipped_at=instant_of(row[12]),
        share=share,
        declared_value=money(row[13]),
        declared_currency=row[14],
        freight=money(row[15]),
        freight_currency=row[16],
        status=journey.status,
        reason=journey.reason,
        raw_status=journey.raw_status,
        first_scan=journey.first_scan,
        last_scan=journey.last_scan,
        delivered_scan=journey.delivered_scan,
        not_found=journey.not_found,
        last_answer_at=None if row[17] is None else instant(row[17]),
        registered_at=journey.registered_at,
        unanswered=row[20],
        stopped_at=journey.stopped_at,
        suspect=journey.suspect,
        last_mile=None if row[21] is None else (row[21], row[22]),
        day0=instant_of(row[18]),
        deadline_at=row[23],
    )


def _effect(row: Record, subject: str | None) -> Effect:
    """One effect; `subject` is the parcel's present one where the effect was decided under an earlier number."""
    subject = subject or row[2]
    state = OutboxState(row[6])
    task = None if row[16] is None else TaskState.DROPPED if row[18] else TaskState(row[16])
    done_at = row[13] if task is None else row[17] if task is TaskState.DONE else None
    return Effect(
        key=f"{subject}:{row[3]}:{row[4]}",
        subject=subject,
        intent=Intent(row[3]),
        occasion=row[4],
        kind=ActionKind(row[5]),
        state=state,
        reason=DecisionReason(row[7]),
        created_at=required(row[8]),
        shipment=row[9],
        decided_at=instant_of(row[10]),
        rejected=bool(row[11]),
        hold=None if row[12] is None else HoldReason(row[12]),
        task=task,
        done_at=instant_of(done_at) if task is not None or state is OutboxState.SENT else None,
        amount=money(row[14]),
        currency=row[15],
        remedy=None if row[19] is None else Remedy(row[19]),
    )


def _all_effects(own: list[Effect], shipments: tuple[Shipment, ...], shared: dict[int, list[Effect]]) -> tuple[Effect, ...]:
    """The order's own effects and those about its parcels: a parcel of two orders is claimed once, and both know."""
    of_parcels = [effect for shipment in shipments for effect in shared.get(shipment.id, ())]
    if not of_parcels:
        return tuple(own)
    return (*(effect for effect in own if not effect.subject.startswith("shipment/")), *of_parcels)


def case_of(row: Record) -> Case:
    """A case from the columns that `_CASES` reads; columns behind them are left alone."""
    return Case(
        id=row[1],
        kind=CaseKind(row[2]),
        opened_at=required(row[3]),
        due_at=instant_of(row[4]),
        closed_at=instant_of(row[5]),
        due_source=None if row[6] is None else DateSource(row[6]),
        reason=CaseReason(row[7]),
        evidence_due_at=instant_of(row[8]),
        answered_at=instant_of(row[9]),
        outcome=None if row[10] is None else CaseOutcome(row[10]),
        amount=money(row[11]),
        currency=row[12],
        shipment=row[13],
        note=row[14],
    )
