"""`--contacted FILE`: whom a shop has written to already, outside of this product (facts/file-formats.md section 7).

One row a message: order, and where known its store, the stage (stage1, 30, 第一次 ...) and the date. A stage that is not named is
the one that the parcel had come to on that date, at least the first. A row whose order nobody knows is rejected, never dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

import msgspec

from tracker.intake.cells import Cell, order_number, text
from tracker.intake.errors import FileError, RowError
from tracker.intake.files import read_contents
from tracker.intake.headers import Header, find_header, normalise
from tracker.intake.instants import instant
from tracker.intake.reading import sheets_of
from tracker.intake.rejected import write_rejected
from tracker.intake.sheets import Line, Sheet
from tracker.model import Contact, Dossier, ImportBatch, Intent, Order, OrderFacts, Rank, Rejected, Shipment, ShipmentFacts
from tracker.policy.cutover import stage_at
from tracker.rules import Rules

FORMAT = "contacted"
_ORDER, _STORE, _STAGE, _DATE = "order", "store", "stage", "date"
_COLUMNS: Mapping[str, frozenset[str]] = {
    _ORDER: frozenset(
        {
            "order",
            "order number",
            "order no",
            "order no.",
            "order id",
            "order-id",
            "order_id",
            "订单",
            "订单号",
            "订单编号",
            "平台订单号",
        }
    ),
    _STORE: frozenset({"store", "shop", "account", "店铺", "店铺账号", "店铺名称", "账号"}),
    _STAGE: frozenset({"stage", "round", "阶段", "轮次", "次数", "第几次"}),
    _DATE: frozenset(
        {"date", "contacted", "contacted on", "sent", "sent on", "日期", "联系日期", "联系时间", "发送日期", "发送时间"}
    ),
}
"""What a column may be called, normalised."""

_STAGES: Mapping[str, Intent] = {
    word: stage
    for stage, words in (
        (Intent.STAGE1, ("stage1", "stage 1", "1", "30", "第一次", "第一阶段", "阶段一", "阶段1", "一", "首次", "30天")),
        (Intent.STAGE2, ("stage2", "stage 2", "2", "45", "第二次", "第二阶段", "阶段二", "阶段2", "二", "45天")),
        (Intent.STAGE3, ("stage3", "stage 3", "3", "60", "第三次", "第三阶段", "阶段三", "阶段3", "三", "60天")),
    )
    for word in words
}
_DATES = ("%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y.%m.%d", "%Y年%m月%d日")
_DAY = timedelta(days=1)


class ContactStore(Protocol):
    """The store's half (tracker.store)."""

    async def known_orders(self, numbers: Sequence[str]) -> Sequence[Any]:
        """The orders with these numbers: `number`, `store`, `id`."""
        ...

    async def load_dossiers(self, ids: Sequence[int]) -> list[Dossier]:
        """Their dossiers."""
        ...

    async def tell_contacts(self, told: Mapping[int, Mapping[Intent, datetime]], *, by: str, reason: str, now: datetime) -> int:
        """Note the contacts of orders, by their ids."""
        ...


class Told(NamedTuple):
    """One row that could be read. None: the row does not say."""

    line: Line
    number: str
    store: str | None
    stage: Intent | None
    at: datetime


class Contacts:
    """The rows of one such file, and what became of each: noted, rejected, or still without an order."""

    def __init__(self, path: Path, digest: str, header: Header, told: Iterable[Told], rejected: Iterable[Rejected]) -> None:
        """Use `read_contacts`."""
        self.path = path
        self._digest = digest
        self._header = header
        self._open = list(told)
        self._rejected = list(rejected)
        self.rows = len(self._open) + len(self._rejected)
        self.noted = 0

    def attach(self, batch: ImportBatch, rules: Rules) -> ImportBatch:
        """The batch with what the rows say of its orders: both are saved in one go, so that nobody decides between."""
        orders: dict[str, list[OrderFacts]] = {}
        for order in batch.orders:
            orders.setdefault(order.number, []).append(order)
        parcels: dict[tuple[str | None, str | None], list[ShipmentFacts]] = {}
        for parcel in batch.shipments:
            parcels.setdefault((parcel.store, parcel.order), []).append(parcel)
        contacts = []
        for told in self._take(orders):
            mine = [order for order in orders[told.number] if told.store in {None, order.store}]
            contact = self._contact(told, [_dossier(each, parcels.get((each.store, each.number), [])) for each in mine], rules)
            contacts += [] if contact is None else [contact]
        return msgspec.structs.replace(batch, contacted=tuple(contacts))

    async def tell_known(self, store: ContactStore, rules: Rules, now: datetime, *, dry_run: bool) -> None:
        """Note the rows whose orders are known already."""
        ids: dict[str, list[int]] = {}
        for known in await store.known_orders([told.number for told in self._open]):
            ids.setdefault(known.number, []).append(known.id)
        found = {each.order.id: each for each in await _loaded(store, [one for each in ids.values() for one in each])}
        news: dict[int, dict[Intent, datetime]] = {}
        for told in self._take(ids):
            mine = [found[one] for one in ids[told.number] if told.store in {None, found[one].order.store}]
            contact = self._contact(told, mine, rules)
            if contact is not None:
                stages = news.setdefault(mine[0].order.id, {})
                stages[contact.stage] = max(contact.at, stages.get(contact.stage, contact.at))
        if not dry_run:
            await store.tell_contacts(news, by="import", reason=self.path.name, now=now)

    def _take(self, known: Mapping[str, object]) -> list[Told]:
        """The open rows of these orders; the others stay open."""
        mine = [told for told in self._open if told.number in known]
        self._open = [told for told in self._open if told.number not in known]
        return mine

    def _contact(self, told: Told, mine: Sequence[Dossier], rules: Rules) -> Contact | None:
        if not mine:
            self._open.append(told)
            return None
        if len(mine) > 1:
            stores = ", ".join(sorted(each.order.store for each in mine))
            self._reject(told, f"order {told.number} is one of several stores ({stores}): name the store in a column store")
            return None
        stage = told.stage or stage_at(mine[0], rules, told.at)
        if stage is None:
            self._reject(told, f"no date tells how old order {told.number} was then: name the stage in a column stage")
            return None
        self.noted += 1
        return Contact(store=mine[0].order.store, number=told.number, stage=stage, at=told.at)

    def _reject(self, told: Told, reason: str) -> None:
        self._rejected.append(Rejected(row=told.line.number, reason=reason, cells=tuple(map(str, told.line.cells))))

    async def report(self, *, dry_run: bool) -> ContactsReport:
        """What became of the rows, when all files are in: those without an order are rejected, and kept beside the file."""
        for told in self._open:
            again = "import its order file, and name the file of rejected rows with --contacted then"
            self._reject(told, f"order {told.number} is not known, and not in the files of this import: {again}")
        self._open = []
        rejected = tuple(sorted(self._rejected, key=lambda each: each.row))
        found = ContactsReport(file=str(self.path), rows=self.rows, noted=self.noted, rejected=rejected, dry_run=dry_run)
        if dry_run or not rejected:
            return found
        kept = ImportBatch(
            file=self.path.name,
            format=FORMAT,
            digest=self._digest,
            rank_orders=Rank.FORWARDER,
            rank_tracking=Rank.FORWARDER,
            rows=self.rows,
            rejected=rejected,
            header=self._header.cells,
        )
        try:
            written = await asyncio.to_thread(write_rejected, kept, self.path.parent)
        except OSError as error:
            return msgspec.structs.replace(found, warning=f"the rejected rows could not be written ({error.strerror})")
        return msgspec.structs.replace(found, rejected_file=str(written))


class ContactsReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows of a file of contacts."""

    file: str
    rows: int
    noted: int
    rejected: tuple[Rejected, ...] = ()
    rejected_file: str | None = None
    warning: str | None = None
    dry_run: bool = False

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        more = {name: value for name in ("rejected_file", "warning", "dry_run") if (value := getattr(self, name))}
        rejected = [{"row": row.row, "reason": row.reason} for row in self.rejected]
        return {"file": self.file, "rows": self.rows, "noted": self.noted, "rejected": rejected, **more}

    def lines(self, limit: int) -> list[str]:
        """For eyes, with `limit` rejected rows at most (0: all of them)."""
        would = "would be " if self.dry_run else ""
        lines = [f"{self.file}: {self.rows} rows of buyers written to already, {self.noted} {would}noted"]
        if self.rejected:
            shown = self.rejected[:limit] if limit else self.rejected
            where = f" -> {self.rejected_file}" if self.rejected_file else ""
            lines.append(f"  {len(self.rejected)} rejected{where}")
            lines += [f"    row {row.row}: {row.reason}" for row in shown]
            if len(shown) < len(self.rejected):
                lines.append(f"    … and {len(self.rejected) - len(shown)} more")
        return lines if self.warning is None else [*lines, f"  warning: {self.warning}"]


def read_contacts(path: Path, rules: Rules, now: datetime) -> Contacts:
    """Read such a file (.csv, .txt, .xls, .xlsx).

    Raises:
        FileError: it cannot be read, or has no column of order numbers.
    """
    contents = read_contents(path)
    names = frozenset().union(*_COLUMNS.values())
    sheet, at, header = _table(path, sheets_of(contents.data, names), names)
    columns = {column: _column(header, column) for column in _COLUMNS}
    told: list[Told] = []
    rejected: list[Rejected] = []
    for line in sheet.lines[at + 1 :]:
        if not any(map(text, line.cells)):
            continue
        try:
            told.append(_told(line, columns, rules, now))
        except RowError as error:
            rejected.append(Rejected(row=line.number, reason=str(error), cells=tuple(map(str, line.cells))))
    return Contacts(path, contents.digest, header, told, rejected)


def _table(path: Path, sheets: Sequence[Sheet], names: frozenset[str]) -> tuple[Sheet, int, Header]:
    """The sheet with the order numbers, where its header stands, and the header."""
    seen = []
    for sheet in sheets:
        at, _ = find_header(sheet.rows(), names)
        header = Header.of(sheet.lines[at].cells if sheet.lines else ())
        if _column(header, _ORDER) is not None:
            return sheet, at, header
        seen += [cell for cell in header.cells if cell]
    found = f" (found: {', '.join(seen[:8])})" if seen else ""
    raise FileError(
        f"{path} has no column of order numbers{found}. Expected: order (订单号), and where known store (店铺), "
        "stage (阶段: stage1, stage2, stage3 or 30, 45, 60) and date (日期)"
    )


def _column(header: Header, column: str) -> int | None:
    return next((at for at, key in enumerate(header.keys) if key in _COLUMNS[column]), None)


def _told(line: Line, columns: Mapping[str, int | None], rules: Rules, now: datetime) -> Told:
    def cell(column: str) -> Cell:
        at = columns[column]
        return "" if at is None or at >= len(line.cells) else line.cells[at]

    number = order_number(cell(_ORDER))
    if not number:
        raise RowError("the row has no order number")
    store = _store(text(cell(_STORE)), rules)
    zone = ZoneInfo("UTC" if store is None else rules.stores[store].zone)
    return Told(line, number, store, _stage(text(cell(_STAGE))), _when(cell(_DATE), zone, now))


def _store(name: str, rules: Rules) -> str | None:
    if not name:
        return None
    wanted = normalise(name)
    for store in rules.stores.values():
        if wanted in map(normalise, (store.id, store.name, *store.names)):
            return store.id
    raise RowError(f"store {name!r} is not configured: it is one of {', '.join(sorted(rules.stores)) or 'none yet'}")


def _stage(word: str) -> Intent | None:
    if not word:
        return None
    stage = _STAGES.get(normalise(word))
    if stage is None:
        raise RowError(f"{word!r} is no stage: write stage1, stage2 or stage3 (or 30, 45, 60)")
    return stage


def _when(cell: Cell, zone: ZoneInfo, now: datetime) -> datetime:
    """The instant; of a day without a time its end, of no date now: 72 hours count from the later one."""
    at = instant(cell, _DATES, zone)
    if at is None:
        return now
    if at > now:
        raise RowError(f"{text(cell)!r} lies ahead: nobody can have been written to then")
    whole = at.astimezone(zone).time() == datetime.min.time()
    return min(at + _DAY - timedelta(seconds=1), now) if whole else at


def _dossier(facts: OrderFacts, parcels: Sequence[ShipmentFacts]) -> Dossier:
    """An order of a file with its parcels, as far as its age goes."""
    order = Order(
        id=0,
        store=facts.store,
        platform=facts.platform,
        number=facts.number,
        country=facts.country,
        paid_at=facts.paid_at,
        shipped_at=facts.shipped_at,
    )
    known = [
        Shipment(id=0, number=each.number, service=each.service or "standard", country=each.country, shipped_at=each.shipped_at)
        for each in parcels
    ]
    return Dossier(order=order, shipments=tuple(known or [Shipment(id=0, number="", country=facts.country)]))


async def _loaded(store: ContactStore, ids: Sequence[int]) -> list[Dossier]:
    found: list[Dossier] = []
    for start in range(0, len(ids), 400):
        found += await store.load_dossiers(ids[start : start + 400])
    return found
