"""`tracker order set --from FILE`: what people know about orders, as a sheet (facts/file-formats.md section 7).

One row an order: its number, where needed its store, and any of refunded + reference (currency, date), received, window_end,
hold_until, waiting_since, unread_since, opt_out, vip, risky, chat, reviewed, payment, tax_number, ship_by, confirmed, stages,
note, reason. A cell that is empty tells nothing. A wrong row is rejected whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET

from tracker.intake.cells import Cell, identity, line, order_number, text
from tracker.intake.errors import FileError, RowError
from tracker.intake.files import read_contents
from tracker.intake.headers import Header, find_header, normalise
from tracker.intake.instants import instant
from tracker.intake.money import currency, money
from tracker.intake.profiles import Formats
from tracker.intake.reading import sheets_of
from tracker.intake.rejected import refuse_rejected
from tracker.intake.sheets import Line, Sheet
from tracker.model import Intent, Rejected
from tracker.rules import STAGES, Rules
from tracker.store.rows import OrderPatch

_LONGEST_WORD = 20

_NAMES: Mapping[str, tuple[str, ...]] = {
    "order": ("order", "order number", "order no", "order id", "order-id", "order_id", "订单", "订单号", "订单编号"),
    "store": ("store", "shop", "店铺", "店铺账号"),
    "refunded": ("refunded", "refunded amount", "refund", "refund amount", "退款", "退款金额"),
    "currency": ("currency", "币种"),
    "reference": ("reference", "ref", "refund reference", "refund id", "退款单号", "退款流水号", "流水号"),
    "date": ("date", "refunded on", "refund date", "退款日期", "退款时间"),
    "received": ("received", "received on", "收货", "收货日期", "确认收货"),
    "window_end": ("window_end", "window end", "收货截止", "保护期截止"),
    "hold_until": ("hold_until", "hold until", "暂停至", "暂缓至"),
    "waiting_since": ("waiting_since", "waiting since", "等待回复自"),
    "opt_out": ("opt_out", "opt-out", "opt out", "不再联系", "免打扰"),
    "vip": ("vip", "重要买家"),
    "risky": ("risky", "高风险买家", "风险买家"),
    "unread_since": ("unread_since", "unread since", "未读自"),
    "chat": ("chat", "telegram chat", "会话"),
    "reviewed": ("reviewed", "reviewed on", "评价日期", "已评价"),
    "payment": ("payment", "payment method", "付款方式", "支付方式"),
    "tax_number": ("tax_number", "tax number", "tax id", "cpf", "税号"),
    "ship_by": ("ship_by", "ship by", "ship by date", "最晚发货时间", "发货截止时间"),
    "confirmed": ("confirmed", "shipment confirmed", "确认发货时间"),
    "stages": ("stages", "stage days", "跟进天数"),
    "note": ("note", "备注"),
    "reason": ("reason why", "source", "来源", "依据"),
}
"""Column -> what it may be called, normalised. `reason` is the column of rejected rows, so the reason is called otherwise."""

_FACTS = frozenset(_NAMES) - {"order", "store", "currency", "reference", "date", "reason"}
_DATES = ("%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y.%m.%d", "%Y年%m月%d日")
_YES = frozenset({"yes", "y", "true", "1", "x", "是"})
_NO = frozenset({"no", "n", "false", "0", "否"})


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One row: which order, and what is known of it. `window_end` is a day on the marketplace's page."""

    row: Line
    order: str
    store: str | None
    patch: OrderPatch
    currency: str | None = None
    window_end: date | None = None
    reason: str | None = None


class FactsFile(msgspec.Struct, frozen=True, kw_only=True):
    """A whole sheet: its header as it stands, the rows that can be read, and the others."""

    file: str
    header: tuple[str, ...]
    facts: tuple[Fact, ...]
    rejected: tuple[Rejected, ...]


def read_facts(path: Path, rules: Rules, formats: Formats, now: datetime) -> FactsFile:
    """Read such a sheet (.csv, .txt, .xls, .xlsx); times without a zone are in that of the row's store, else UTC.

    Raises:
        FileError: it cannot be read, has no column of order numbers, or tells nothing about them.
    """
    refuse_rejected(path)
    names = frozenset(name for listed in _NAMES.values() for name in listed)
    sheet, at, header = _table(path, sheets_of(read_contents(path).data, names), names)
    columns = {column: found for column in _NAMES if (found := _column(header, column)) is not None}
    if not columns.keys() & _FACTS:
        raise FileError(f"{path} tells nothing about its orders: it has none of the columns {', '.join(sorted(_FACTS))}")
    facts: list[Fact] = []
    rejected: list[Rejected] = []
    for row in sheet.lines[at + 1 :]:
        if not any(map(text, row.cells)):
            continue
        try:
            facts.append(_fact(_Row(row, columns), rules, formats, now))
        except RowError as error:
            rejected.append(rejected_row(row, str(error)))
    return FactsFile(file=path.name, header=header.cells, facts=tuple(facts), rejected=tuple(rejected))


def rejected_row(row: Line, reason: str) -> Rejected:
    """A row that could not be taken, with all its cells."""
    return Rejected(row=row.number, reason=reason, cells=tuple(map(str, row.cells)))


class _Row:
    """A row, asked by the name of a column."""

    def __init__(self, row: Line, columns: Mapping[str, int]) -> None:
        self.row = row
        self._columns = columns

    def cell(self, column: str) -> Cell:
        at = self._columns.get(column)
        return "" if at is None or at >= len(self.row.cells) else self.row.cells[at]

    def line(self, column: str) -> str | None:
        return line(self.cell(column)) or None

    def flag(self, column: str) -> bool | None:
        said = normalise(text(self.cell(column)))
        if said and said not in _YES | _NO:
            raise RowError(f"{column}: {said!r} is neither yes nor no")
        return said in _YES if said else None


def _fact(row: _Row, rules: Rules, formats: Formats, now: datetime) -> Fact:
    number = order_number(row.cell("order"))
    if not number:
        raise RowError("the row has no order number")
    store = _store(row.line("store"), rules)
    zone = ZoneInfo(rules.stores[store].zone if store else "UTC")

    def at(column: str) -> datetime | None:
        if normalise(text(row.cell(column))) == "now":
            return now
        return instant(row.cell(column), _DATES, zone)

    amount, unit = _refund(row)
    end = at("window_end")
    given: dict[str, Any] = {
        "refunded": amount,
        "reference": row.line("reference") if amount is not None else None,
        "refunded_at": _past(at("date"), now) if amount is not None else None,
        "received_at": at("received"),
        "hold_until": at("hold_until"),
        "waiting_since": at("waiting_since"),
        "opted_out": row.flag("opt_out"),
        "vip": row.flag("vip"),
        "risky": row.flag("risky"),
        "unread_since": at("unread_since"),
        "buyer_chat": identity(row.cell("chat")) or None,
        "reviewed_at": at("reviewed"),
        "payment": payment_word(row.line("payment"), formats),
        "tax_number": identity(row.cell("tax_number")) or None,
        "ship_by": at("ship_by"),
        "confirmed_at": at("confirmed"),
        "stages": _stages(row),
        "note": row.line("note"),
    }
    if all(value is None for value in (*given.values(), end)):
        raise RowError("the row tells nothing about its order")
    return Fact(
        row=row.row,
        order=number,
        store=store,
        patch=OrderPatch(**{name: UNSET if value is None else value for name, value in given.items()}),
        currency=unit,
        window_end=end.astimezone(zone).date() if end else None,
        reason=row.line("reason"),
    )


def payment_word(said: str | None, formats: Formats) -> str | None:
    """A way to pay as the rules know it: a known word, else the letters of its first word (R15, R32); None where there are none.

    Whatever stands behind it may be the number of a card or an account: nothing of it is kept.
    """
    plain = normalise(said or "").replace("-", " ").replace("_", " ")
    known = formats.known_payment(plain)
    first = next(iter(plain.split()), "")
    letters = "" if "@" in first else "".join(filter(str.isalpha, first))
    return known or letters[:_LONGEST_WORD] or None


def read_stages(text: str) -> dict[Intent, int] | None:
    """Days of an order's own stages, for instance 40,55,70 (or with blanks, semicolons, slashes); None: not three days."""
    parts = re.split(r"[\s,;/，、]+", text.strip())
    return dict(zip(STAGES, map(int, parts), strict=True)) if len(parts) == len(STAGES) and all(map(_days, parts)) else None


def _days(part: str) -> bool:
    return part.isascii() and part.isdecimal()


def _stages(row: _Row) -> dict[Intent, int] | None:
    written = row.line("stages")
    found = None if written is None else read_stages(written)
    if written is not None and found is None:
        raise RowError(f"stages: three days, for instance 40,55,70 (got {written!r})")
    return found


def _refund(row: _Row) -> tuple[Decimal | None, str | None]:
    found = money(row.cell("refunded"), "en_US", {})
    if found is None:
        if row.line("reference"):
            raise RowError("a reference belongs to a refund: write its amount into the column refunded")
        return None, None
    if not row.line("reference"):
        raise RowError("a refund needs its reference: without one nobody finds it again")
    return found[0], found[1] or currency(row.cell("currency"))


def _past(at: datetime | None, now: datetime) -> datetime | None:
    if at is not None and at > now:
        raise RowError(f"{at.date()} lies ahead: nobody can have refunded then")
    return at


def _store(name: str | None, rules: Rules) -> str | None:
    if name is None:
        return None
    for store in rules.stores.values():
        if normalise(name) in map(normalise, (store.id, store.name, *store.names)):
            return store.id
    raise RowError(f"store {name!r} is not configured: it is one of {', '.join(sorted(rules.stores)) or 'none yet'}")


def _table(path: Path, sheets: Sequence[Sheet], names: frozenset[str]) -> tuple[Sheet, int, Header]:
    """The sheet with the order numbers, where its header stands, and the header."""
    for sheet in sheets:
        at, _ = find_header(sheet.rows(), names)
        header = Header.of(sheet.lines[at].cells if sheet.lines else ())
        if _column(header, "order") is not None:
            return sheet, at, header
    raise FileError(f"{path} has no column of order numbers: call it order (订单号), and the others {', '.join(_NAMES)}")


def _column(header: Header, column: str) -> int | None:
    return next((at for at, key in enumerate(header.keys) if key in _NAMES[column]), None)
