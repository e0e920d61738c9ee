"""`read_file`: the bytes of one order or shipping file -> one ImportBatch. Nothing is saved here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Protocol

import msgspec

from tracker.intake.addresses import filled_fields
from tracker.intake.cells import text
from tracker.intake.delimited import read_delimited
from tracker.intake.errors import FileError, RowError
from tracker.intake.files import Contents, read_contents
from tracker.intake.layout import Layout, recognise, row_text
from tracker.intake.merge import merged_orders, merged_shipments
from tracker.intake.notes import Notes
from tracker.intake.numbering import OrderNumbers
from tracker.intake.orders import order_of
from tracker.intake.parcels import parcels_of, shipment_of
from tracker.intake.profiles import Formats
from tracker.intake.record import Record
from tracker.intake.sheets import Line, Sheet
from tracker.intake.stores import StoreFinder, with_default_country
from tracker.intake.workbook import read_workbook
from tracker.model import ImportBatch, OrderFacts, Rejected, ShipmentFacts
from tracker.rules import Rules

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_PAGE = (b"<html", b"<!doctype", b"<table", b"<?xml")
# Below a header of this many columns, one filled cell is a merged title ("September"), not an order.
_WIDE = 4
_WHY_NO_WORKBOOK = {
    "protected": "the workbook is protected by a password: save it without one",
    "unreadable": "the workbook is damaged or no workbook: open it in a spreadsheet program and save it again as .xlsx",
    "too_large": "the workbook holds too many cells: export a shorter period, or delete what stands far outside the table",
}


class Attaching(Protocol):
    """A list of buyers who were told a stage outside of this product (tracker.intake.contacted)."""

    def attach(self, batch: ImportBatch, rules: Rules) -> ImportBatch:
        """The batch with what the list says about its orders."""
        ...


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the person said about the file.

    `format` names its format, `store` the store of rows that do not name one, `cutover` (aware UTC) is noted on the batch (D21),
    `contacts` lists who was written to already.
    """

    format: str | None = None
    store: str | None = None
    cutover: datetime | None = None
    contacts: Attaching | None = None


NO_WISH = Wish()


def read_file(path: Path, *, formats: Formats, rules: Rules, wish: Wish = NO_WISH) -> ImportBatch:
    """Read one file.

    Raises:
        FileError: the file as a whole cannot be taken; the message says how to mend it. A bad row is in `rejected` instead.
    """
    return read_contents_as_batch(read_contents(path), formats=formats, rules=rules, wish=wish)


def read_contents_as_batch(contents: Contents, *, formats: Formats, rules: Rules, wish: Wish = NO_WISH) -> ImportBatch:
    """Like `read_file`, from bytes already read."""
    layout = recognise(sheets_of(contents.data, formats.header_names()), formats, wish.format)
    notes = Notes()
    rows = list(_data_rows(layout, notes))
    plain = [Record(row=row, layout=layout, formats=formats, rules=rules, notes=notes) for row in rows]
    filled = filled_fields(plain)
    records = [msgspec.structs.replace(record, filled=filled) for record in plain]
    finder, numbers = StoreFinder(rules.stores, wish.store, _stores_named(records)), OrderNumbers(records)
    orders: list[OrderFacts] = []
    shipments: list[ShipmentFacts] = []
    rejected: list[Rejected] = []
    for record in records:
        try:
            order, parcels = _take(record, finder, numbers)
        except RowError as error:
            cells = tuple(map(str, record.row.cells))
            rejected.append(Rejected(row=record.row.number, reason=str(error), cells=cells))
        else:
            orders += order
            shipments += parcels
    merged = merged_orders(orders, notes, per_item=layout.format.per_item), merged_shipments(shipments, notes)
    rank_orders, rank_tracking = layout.format.ranks
    batch = ImportBatch(
        file=contents.name,
        format=layout.format.id,
        digest=contents.digest,
        rank_orders=rank_orders,
        rank_tracking=rank_tracking,
        rows=len(records),
        orders=tuple(with_default_country(order, rules.stores) for order in merged[0]),
        shipments=tuple(with_default_country(parcel, rules.stores) for parcel in merged[1]),
        rejected=tuple(rejected),
        cutover_at=wish.cutover,
        header=layout.header.cells,
        warnings=notes.said(),
    )
    return batch if wish.contacts is None else wish.contacts.attach(batch, rules)


def sheets_of(data: bytes, header_names: Iterable[str]) -> list[Sheet]:
    """The tables of a file; `header_names` (normalised) find a text file's encoding. Raises FileError.

    Told by the first bytes, not by the suffix: many tools write text or a web page and call it .xls.
    """
    if data.startswith((_ZIP, _OLE)):
        reading = read_workbook(data)
        error = "protected" if _ENCRYPTED in data else reading.error
        if error:
            raise FileError(_WHY_NO_WORKBOOK[error])
        return [
            Sheet(how=f"sheet {name}", lines=tuple(Line(at, tuple(row)) for at, row in enumerate(rows, start=1)))
            for name, rows in reading.sheets.items()
        ]
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:9].lower().startswith(_PAGE):
        raise FileError("the file is a web page, whatever its name says: open it in a spreadsheet program and save it as .xlsx")
    return [read_delimited(data, header_names)]


def _data_rows(layout: Layout, notes: Notes) -> Iterator[Line]:
    """The lines below the header without empty ones, footers, group lines and repeated headers."""
    for row in layout.lines:
        filled = len(list(islice(filter(None, map(text, row.cells)), 2)))
        if not filled or layout.format.is_footer(row_text(row)):
            continue
        if tuple(map(str, row.cells[: len(layout.header.cells)])) == layout.header.cells:
            continue
        if filled == 1 and len(layout.header.keys) >= _WIDE:
            notes.add("a row with one filled cell was taken for a group line and left out", row.number)
            continue
        yield row


def _stores_named(records: list[Record]) -> Iterator[tuple[str | None, str]]:
    for record in records:
        with suppress(RowError):
            yield record.store_named()


def _take(record: Record, finder: StoreFinder, numbers: OrderNumbers) -> tuple[list[OrderFacts], list[ShipmentFacts]]:
    if record.fulfilled_elsewhere():  # R54
        record.note("skipped: the platform ships this order itself")
        return [], []
    number, parcels = numbers.of(record), parcels_of(record)
    if number is None:
        if not parcels:
            raise RowError("neither an order number nor a tracking number")
        return [], [shipment_of(record, parcel, None, None) for parcel in parcels]
    try:
        store, warning = finder.find(*record.store_named())
    except RowError:
        if not (record.format.parcels_only and parcels):
            raise
        record.note(
            "the file does not say whose order it is: the parcel was taken without it; --store or inbox/<store>/ names the store"
        )
        return [], [shipment_of(record, parcel, None, None) for parcel in parcels]
    if warning:
        record.note(warning)
    order = order_of(record, number, store)
    return [order], [shipment_of(record, parcel, store, number) for parcel in parcels]
