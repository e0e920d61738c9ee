"""A worksheet on the table: made from a database as the export makes it, filled in, bent, and given back as a reader gives it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from tests.desk.world import NOW, RULES, STORE, World
from tracker.config import load
from tracker.desk import review, tasks, worksheet
from tracker.desk.worksheet import Became, Fate, Told
from tracker.model import Mode
from tracker.reports import worksheet as made
from tracker.reports.sheet import Link
from tracker.rules import Rules, Store

LANGUAGES = load(None, environ={}).languages
DATABASE = "abc123"
SHOP = Store(id=STORE, platform="aliexpress", name="Lume", zone="Asia/Shanghai", currency="USD", mode=Mode.LIVE)
WITH_SHOP = msgspec.structs.replace(RULES, stores={STORE: SHOP})
Value = str | float


def _read(cell: object) -> Value:
    """A cell as the reader of workbooks gives it: numbers as floats, dates as ISO text, nothing as empty text."""
    match cell:
        case None:
            return ""
        case datetime():
            return cell.isoformat(" ", "seconds")
        case Decimal() | int():
            return float(cell)
        case Link():
            return cell.url
        case _:
            return str(cell)


class Paper:
    """Heading and rows of one worksheet, cells by the name of their column."""

    def __init__(self, kind: str, lines: list[made.Line], language: str = "en", database: str = DATABASE) -> None:
        zones = {STORE: SHOP.zone}
        sheet, _ = made.worksheet(kind, lines, made.Setting(phrases=LANGUAGES[language], zones=zones, database=database, at=NOW))
        self.kind = kind
        self.head: list[Value] = [column.title for column in sheet.columns]
        self.names = [name for name in made.LAYOUT[kind] if name not in made.SOMETIMES]
        self.rows: list[list[Value]] = [[_read(cell) for cell in row] for row in sheet.rows]
        assert len(self.head) == len(self.names)

    def fill(self, line: int = 0, **cells: Value) -> Paper:
        """Write into a line, counted from 0; itself, for the next."""
        for name, value in cells.items():
            self.rows[line][self.names.index(name)] = value
        return self

    def cell(self, name: str, line: int = 0) -> Value:
        """What stands there."""
        return self.rows[line][self.names.index(name)]

    @property
    def lines(self) -> list[tuple[int, list[Value]]]:
        """Numbered as in the file."""
        return list(enumerate([self.head, *self.rows], start=1))

    def form(self, lost: tuple[datetime, datetime] | None = None) -> worksheet.Form:
        """What the import expects."""
        return worksheet.Form(
            kind=self.kind,
            version=made.FORMAT,
            database=DATABASE,
            lost=lost,
            mark=made.MARK,
            layout=made.LAYOUT[self.kind],
            sometimes=made.SOMETIMES,
            titles=made.titles(self.kind, LANGUAGES.values()),
        )

    def read(self) -> list[worksheet.Filled]:
        """Given back."""
        return worksheet.read([self.lines], self.form())

    async def decide(self, world: World, by: str = "Mei", rules: Rules = WITH_SHOP, now: datetime = NOW) -> Told:
        """Import it."""
        asking = worksheet.Asking(
            store=world.store,
            rules=rules,
            by=by,
            now=now,
            words=made.words(self.kind, LANGUAGES.values()),
            zone_of=lambda _: "America/Los_Angeles",
        )
        return await worksheet.decide(asking, self.kind, self.read())


async def reviews(world: World, language: str = "en") -> Paper:
    """The review queue."""
    views = await review.waiting(world.store)
    return Paper(made.REVIEW, [made.review_line(view, LANGUAGES[language]) for view in views], language)


async def open_tasks(world: World, language: str = "en") -> Paper:
    """The open tasks."""
    return Paper(made.TASKS, list(made.task_lines(await tasks.listed(world.store), LANGUAGES[language])), language)


def fates(told: Told) -> list[tuple[Fate, str | None]]:
    """What became of each line, and why not."""
    return [(each.fate, None if each.problem is None else each.problem.key) for each in told.lines]


def only(told: Told) -> Became:
    """The one line that decided something."""
    [line] = told.lines
    return line


def problem(told: Told) -> tuple[str, dict[str, Any]]:
    """Why the one line was refused."""
    found = only(told).problem
    assert found is not None
    return found.key, dict(found.values)
