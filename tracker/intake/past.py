"""Past orders of a CSV file for `tracker backtest`, one row at a time: a million of them take no more memory than one.

A row that cannot be read is handed out as rejected, with its line and the reason; nothing is dropped.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tracker.backtest import PastOrder, RejectedRow
from tracker.intake.countries import country
from tracker.intake.errors import FileError, RowError
from tracker.intake.headers import normalise
from tracker.intake.money import currency, money
from tracker.rules import Rules

COLUMNS = (
    "order_id",
    "destination_country",
    "destination_state",
    "status",
    "purchased_at",
    "paid_at",
    "handed_over_at",
    "delivered_at",
    "promised_at",
)
OPTIONAL = ("amount", "currency", "platform", "service", "tracking_number")
OWN_SHOP = "own_shop"
"""An order without a platform is an own shop's (DESIGN, Commands)."""

_TIMES = ("purchased_at", "paid_at", "handed_over_at", "delivered_at", "promised_at")
_YEARS = range(1990, 2101)
_LONGEST_CELL = 1024 * 1024
_SEPARATORS = ",;\t"


def read_past(file: Path, rules: Sequence[Rules], zone: str) -> Iterator[PastOrder | RejectedRow]:
    """The rows of a file. Naive times are of `zone`; every set of `rules` has to know a row's platform.

    Raises:
        FileError: the file as a whole cannot be taken: no text, a column that is missing or there twice, an unknown zone.
        OSError: it cannot be read.
    """
    reader = _Rows(rules, zone)
    csv.field_size_limit(_LONGEST_CELL)  # of the whole process: there is no other
    with file.open(encoding="utf-8-sig", newline="") as text:
        try:
            head = text.readline()
            if not head.strip():
                raise FileError(f"{file}: is empty: the first line has to name the columns")
            separator = max(_SEPARATORS, key=head.count)
            text.seek(0)
            rows = csv.reader(text, delimiter=separator)
            reader.begin(file, next(rows))
            at = rows.line_num + 1
            for cells in rows:
                if any(cells):
                    yield reader.read(at, cells, rows.line_num)
                at = rows.line_num + 1
        except UnicodeDecodeError:
            raise FileError(f"{file}: is no UTF-8 text: save it as CSV (UTF-8)") from None
        except csv.Error as error:
            raise FileError(f"{file}: cannot be read as separated text: {error}") from error


class _Rows:
    """Cells -> values; what repeats itself is looked up once."""

    def __init__(self, rules: Sequence[Rules], zone: str) -> None:
        self._zone = zone_of(zone)
        self._platforms = _platforms(rules)
        self._places: dict[str, int] = {}
        self._width = 0
        self._countries: dict[str, str | None] = {}

    def begin(self, file: Path, header: Sequence[str]) -> None:
        """The columns. Raises FileError."""
        names = [normalise(name).replace(" ", "_") for name in header]
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            raise FileError(
                f"{file}:1: lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)} (it has: {', '.join(names)})"
            )
        twice = sorted({name for name in (*COLUMNS, *OPTIONAL) if names.count(name) > 1})
        if twice:
            raise FileError(f"{file}:1: has the column {twice[0]} twice")
        self._width = len(names)
        self._places = {name: names.index(name) for name in (*COLUMNS, *OPTIONAL) if name in names}

    def read(self, line: int, cells: Sequence[str], last: int) -> PastOrder | RejectedRow:
        """One row, of the lines from `line` to `last`."""
        if len(cells) != self._width:
            runs = f"; it runs on to line {last}: a quotation mark is not closed" if last > line else ""
            return RejectedRow(line, f"has {len(cells)} cells, the header {self._width}{runs}")
        row = {name: cells[place].strip() for name, place in self._places.items()}
        try:
            return self._past(line, row)
        except RowError as error:
            return RejectedRow(line, str(error))

    def _past(self, line: int, row: Mapping[str, str]) -> PastOrder:
        if not row["order_id"]:
            raise RowError("order_id is empty")
        amount, code = _amount(row)
        times = {name: self._time(name, row[name]) for name in _TIMES}
        return PastOrder(
            row=line,
            number=row["order_id"],
            platform=self._platform(row.get("platform", "")),
            country=self._country(row["destination_country"]),
            region=row["destination_state"] or None,
            status=row["status"].casefold(),
            amount=amount,
            currency=code,
            service=row.get("service") or None,
            tracking_number=row.get("tracking_number") or None,
            **times,
        )

    def _platform(self, written: str) -> str:
        if not written:
            return OWN_SHOP
        found = self._platforms.get(normalise(written))
        if found is None:
            raise RowError(
                f"platform {written!r} is in no marketplaces.toml; known: {', '.join(sorted({*self._platforms.values()}))}"
            )
        return found

    def _country(self, written: str) -> str | None:
        if written not in self._countries:
            self._countries[written] = country(written, {})
        return self._countries[written]

    def _time(self, column: str, written: str) -> datetime | None:
        if not written:
            return None
        try:
            at = datetime.fromisoformat(written)
            known = at.replace(tzinfo=self._zone) if at.tzinfo is None else at
            known = known if known.tzinfo is UTC else known.astimezone(UTC)
        except (ValueError, OverflowError):
            raise RowError(f"{column} {written!r} is no time; write 2026-03-01T12:30:00") from None
        if known.year not in _YEARS:
            raise RowError(f"{column} {written!r} lies outside of the years {_YEARS[0]} to {_YEARS[-1]}")
        return known


def zone_of(name: str) -> tzinfo:
    """The zone of that name (IANA). Raises FileError."""
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FileError(f"no such time zone: {name!r}; write one like America/Sao_Paulo or UTC") from None


def _platforms(rules: Sequence[Rules]) -> dict[str, str]:
    """Every name that a file may write -> the marketplace's id; only what all rules know."""
    known = {normalise(name): each.id for each in rules[0].marketplaces.values() for name in (each.id, *each.names)}
    return {name: id_ for name, id_ in known.items() if all(id_ in each.marketplaces for each in rules)}


def _amount(row: Mapping[str, str]) -> tuple[Decimal | None, str | None]:
    found = money(row.get("amount", ""), "en", {})
    code = currency(row.get("currency", ""))
    if found is None:
        return None, None
    amount, said = found
    if said is not None and code is not None and said != code:
        raise RowError(f"the amount is in {said}, the column currency says {code}")
    if (code or said) is None:
        raise RowError(f"amount {row['amount']!r} has no currency: money without one cannot be added up")
    return amount, code or said
