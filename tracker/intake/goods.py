"""The goods of a row: what the register of losses names (R86)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from tracker.intake.cells import identity, text
from tracker.intake.profiles import Field
from tracker.intake.record import Record
from tracker.model import OrderItem
from tracker.rules import Store


def items_of(record: Record, store: Store) -> tuple[OrderItem, ...]:
    """The one line of goods of a row; none where it names none (the summary row of an order, a package's). Raises RowError."""
    sku, title = identity(record.cell(Field.SKU)) or None, record.line(Field.TITLE)
    if sku is None and title is None:
        return ()
    price, currency = record.money(Field.PRICE, Field.CURRENCY, store)
    return (OrderItem(sku=sku, title=title, quantity=_quantity(record), price=price, currency=currency),)


def _quantity(record: Record) -> int:
    """One where nothing is said, or nothing that counts pieces."""
    said = text(record.cell(Field.QUANTITY))
    try:
        number = Decimal(said)
    except InvalidOperation:
        return 1
    return int(number) if number == number.to_integral_value() and number > 0 else 1
