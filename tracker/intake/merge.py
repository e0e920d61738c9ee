"""Several rows of one order, several rows of one parcel: one fact each (most exports write a row per item)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from tracker.intake.notes import Notes
from tracker.model import OrderFacts, OrderState, ShipmentFacts

_Facts = TypeVar("_Facts", OrderFacts, ShipmentFacts)

# Where items differ, the most open one speaks: a parcel is out, money is in, nothing is over before all of it is.
OPENNESS = (
    OrderState.SHIPPED,
    OrderState.PAID,
    OrderState.UNPAID,
    OrderState.UNKNOWN,
    OrderState.FINISHED,
    OrderState.CANCELLED,
)
_SAME_ON_ALL_ROWS = ("amount", "currency", "country")


def merged_orders(orders: Iterable[OrderFacts], notes: Notes, *, per_item: bool = False) -> tuple[OrderFacts, ...]:
    """One for each (store, number), in the order of the file. What the first row says counts, the state is the most open.

    `per_item`: each row tells the price of its item, and the order's is their sum.
    """
    found: dict[tuple[str, str], OrderFacts] = {}
    for order in orders:
        key = (order.store, order.number)
        found[key] = _order(found[key], order, notes, per_item=per_item) if key in found else order
    return tuple(found.values())


def merged_shipments(shipments: Iterable[ShipmentFacts], notes: Notes) -> tuple[ShipmentFacts, ...]:
    """One for each (number, store, order): a combined parcel of two orders stays two links of one number."""
    found: dict[tuple[str, str | None, str | None], ShipmentFacts] = {}
    for parcel in shipments:
        key = (parcel.number, parcel.store, parcel.order)
        if key in found:
            aliases = tuple(dict.fromkeys((*found[key].aliases, *parcel.aliases)))
            found[key] = msgspec.structs.replace(_filled(found[key], parcel), aliases=aliases)
        else:
            found[key] = parcel
    return _without_shared_aliases(_one_parcel_one_word(tuple(found.values())), notes)


def _one_parcel_one_word(parcels: tuple[ShipmentFacts, ...]) -> tuple[ShipmentFacts, ...]:
    """The rows of a combined parcel name different orders, and one parcel: of what they tell about it the first word counts.

    Otherwise their words would replace each other at every import, and importing again would change something.
    """
    told: dict[str, ShipmentFacts] = {}
    for parcel in parcels:
        told[parcel.number] = _filled(told[parcel.number], parcel) if parcel.number in told else parcel
    return tuple(
        msgspec.structs.replace(
            told[parcel.number],
            store=parcel.store,
            order=parcel.order,
            row=parcel.row,
            aliases=parcel.aliases,
            warnings=parcel.warnings,
        )
        for parcel in parcels
    )


def _without_shared_aliases(parcels: tuple[ShipmentFacts, ...], notes: Notes) -> tuple[ShipmentFacts, ...]:
    """An alias makes two numbers one parcel; one that stands beside several (a bag's, a batch's) would make all of them one."""
    owners: dict[str, set[str]] = {}
    for parcel in parcels:
        for alias in parcel.aliases:
            owners.setdefault(alias, set()).add(parcel.number)
    shared = {alias for alias, numbers in owners.items() if len(numbers) > 1}
    for parcel in parcels:
        for alias in shared.intersection(parcel.aliases):
            notes.add(f"{alias} stands beside several parcels: not taken for a number of any of them", parcel.row)
    return tuple(
        msgspec.structs.replace(parcel, aliases=tuple(alias for alias in parcel.aliases if alias not in shared))
        if shared.intersection(parcel.aliases)
        else parcel
        for parcel in parcels
    )


def _order(first: OrderFacts, further: OrderFacts, notes: Notes, *, per_item: bool) -> OrderFacts:
    if per_item and first.amount is not None and further.amount is not None and first.currency == further.currency:
        first = msgspec.structs.replace(first, amount=first.amount + further.amount)
        further = msgspec.structs.replace(further, amount=None)
    for name in _SAME_ON_ALL_ROWS:
        one, other = getattr(first, name), getattr(further, name)
        if None not in {one, other} and one != other:
            notes.add(f"the rows of order {first.number} differ in {name}: the first one counts", further.row)
    states = [state for state in (first.state, further.state) if state is not None]
    state = min(states, key=OPENNESS.index, default=None)
    raw = first.raw_state if state is first.state else further.raw_state
    items = first.items + further.items
    return msgspec.structs.replace(_filled(first, further), state=state, raw_state=raw, items=items)


def _filled(first: _Facts, further: _Facts) -> _Facts:
    """What the first row leaves open, told by the further one."""
    open_fields = {name for name in first.__struct_fields__ if getattr(first, name) is None}
    return msgspec.structs.replace(first, **{name: getattr(further, name) for name in open_fields})
