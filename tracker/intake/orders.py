"""One row -> the order as this row tells it."""

from __future__ import annotations

import re
from datetime import datetime

from tracker.intake import taxes
from tracker.intake.addresses import address_problems
from tracker.intake.cells import identity, line, text
from tracker.intake.goods import items_of
from tracker.intake.profiles import Field
from tracker.intake.record import Record
from tracker.model import OrderFacts, OrderState
from tracker.rules import Store

_MAIL = re.compile(r"[^@\s,;:<>()\"\\]+@[^@\s,;:<>()\"\\]+\.[^@\s,;:<>()\"\\]+")

# Where a file has several status columns (payment, fulfilment), the one that says most about the parcel speaks.
_DECISIVE = (
    OrderState.CANCELLED,
    OrderState.FINISHED,
    OrderState.SHIPPED,
    OrderState.UNPAID,
    OrderState.PAID,
    OrderState.UNKNOWN,
)


def order_of(record: Record, number: str, store: Store) -> OrderFacts:
    """The order's facts; a cell that is empty or a column that is missing says None. Raises RowError."""
    destination = record.country()
    paid_at, shipped_at = (record.instant(field, store) for field in (Field.PAID_AT, Field.SHIPPED_AT))
    amount, currency = record.price(store)
    refunded, refunds_currency = record.money(Field.REFUNDED, Field.CURRENCY, store)
    state, raw_state = _state(record, paid_at=paid_at, shipped_at=shipped_at)
    return OrderFacts(
        store=store.id,
        platform=store.platform,
        number=number,
        row=record.row.number,
        state=state,
        raw_state=raw_state,
        country=destination,
        region=record.line(Field.REGION),
        buyer_name=record.line(Field.BUYER),
        buyer_email=_email(record),
        tax_number=_tax_number(record, destination),
        amount=amount,
        currency=currency or refunds_currency,
        ordered_at=record.instant(Field.ORDERED_AT, store),
        paid_at=paid_at,
        shipped_at=shipped_at,
        promised_at=record.instant(Field.PROMISED_AT, store),
        received_at=record.instant(Field.RECEIVED_AT, store),
        window_end=record.instant(Field.WINDOW_END, store),
        refunded_amount=refunded or None,
        promised_from=record.instant(Field.PROMISED_FROM, store),
        ship_by=record.instant(Field.SHIP_BY, store),
        confirmed_at=record.instant(Field.CONFIRMED_AT, store),
        payment=_payment(record),
        address_problems=address_problems(record, destination),
        buyer_phone=record.line(Field.PHONE),
        items=items_of(record, store),
    )


def _state(record: Record, *, paid_at: datetime | None, shipped_at: datetime | None) -> tuple[OrderState | None, str | None]:
    if record.line(Field.CANCELLED_AT):
        return OrderState.CANCELLED, record.line(Field.STATE)
    said = [(_meant(record, word), word) for word in map(line, record.cells(Field.STATE)) if not record.format.is_no_state(word)]
    if not said:
        return None, None
    state, word = min(said, key=lambda each: _DECISIVE.index(each[0]))
    if state is OrderState.PAID and Field.PAID_AT in record.layout.columns and paid_at is None and shipped_at is None:
        return OrderState.UNPAID, word  # a boleto that waits for its payment stands under the same word
    return state, word


def _meant(record: Record, word: str) -> OrderState:
    state = record.format.state(word)
    if state is None:
        record.note(f"status {word!r} is not known: kept as it is, never read as shipped")
    return state or OrderState.UNKNOWN


def _payment(record: Record) -> str | None:
    said = record.line(Field.PAYMENT)
    return None if said is None else record.formats.payment(said) or None


def _email(record: Record) -> str | None:
    written = record.line(Field.EMAIL)
    if written and not _MAIL.fullmatch(written):
        record.note("an e-mail address that is none was left out")
        return None
    return written


def _tax_number(record: Record, destination: str | None) -> str | None:
    kinds = record.formats.tax
    written = identity(record.cell(Field.TAX_NUMBER))
    if not written:
        return taxes.in_remark("\n".join(map(text, record.cells(Field.REMARK))), destination, kinds)
    if taxes.valid(written, destination, kinds) is False:
        record.note("a tax number whose check digits are wrong was kept: ask the buyer for the right one")
    return written
