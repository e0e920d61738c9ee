"""`tracker demo`: the whole story on a simulated clock, through the real pipeline."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import sys
from pathlib import Path
from typing import Self

import msgspec

from tracker.cli.errors import Failed, UsageError
from tracker.cli.options import Common
from tracker.cli.output import Answer, Console, emit
from tracker.demo.stage import Occupied
from tracker.demo.story import Progress, Told, tell

_LONGEST = 400
"""Days; the cast has nothing to say after about a hundred."""


def demo(*, days: int = 75, dir: Path = Path("tracker-demo"), common: Common = Common()) -> int:  # noqa: A002 - the option's name
    """Tell a whole story in seconds: three shops, 32 parcels, a carrier on loopback, a clerk, and every ending.

    Example: `tracker demo --days 75 --dir story`

    Args:
        days: How many days of the story to live through.
        dir: Where database, mailbox, worksheet, register and log go. An earlier demo's folder is cleared.
    """
    if not 1 <= days <= _LONGEST:
        raise UsageError(f"--days {days}: tell a story of 1 to {_LONGEST} days")
    try:
        with _Progress(days) as progress:
            told = asyncio.run(tell(days, dir, progress.heard))
    except Occupied as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise Failed("not_writable", f"{error.filename or dir}: {error.strerror or error}") from error
    return emit(Answer(document={"demo": msgspec.to_builtins(told)}, text=lambda console: _text(console, told)), json=common.json)


class _Progress:
    """A bar on a terminal, a line every fifteen days elsewhere; always on stderr."""

    def __init__(self, days: int) -> None:
        from rich.console import Console as Terminal
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self._days = days
        self._said = 0
        self._terminal = sys.stderr.isatty()
        self._bar = Bar(
            TextColumn("day {task.completed:.0f} of {task.total:.0f}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=Terminal(stderr=True),
            disable=not self._terminal,
        )
        self._task = self._bar.add_task("story", total=days)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._bar.stop()

    @property
    def heard(self) -> Progress:
        """What the story calls after every step."""
        return self._hear

    def _hear(self, day: float) -> None:
        self._bar.update(self._task, completed=day)
        if not self._terminal and day >= self._said + 15:
            self._said += 15
            print(f"day {self._said} of {self._days}", file=sys.stderr)


def _text(console: Console, told: Told) -> None:
    console.line(f"{told.orders} orders in {told.parcels} parcels, {told.days} days; the carrier was asked {told.asked} times.")
    console.line()
    for tale in told.tales:
        console.line(f"{tale.order}  {tale.country}  {tale.store}: {tale.ending}")
        for step in tale.steps:
            console.line(f"    {step}")
    for section in told.summary:
        console.line()
        console.line(section.title)
        for line in section.lines:
            why = ", ".join(f"{reason} {count}" for reason, count in line.why.items())
            money = ", ".join(f"{amount} {currency}" for currency, amount in line.money.items())
            console.line(f"  {line.count:3}  {line.what}{f'  {money}' if money else ''}{f'  ({why})' if why else ''}")
    console.line()
    console.line("Where to look:")
    for what, where in told.look.items():
        console.line(f"  {what}: {where}")
    why = f"{_called()} explain J-1003 --config {shlex.quote(told.folder)}"
    console.line(f"  why? {why}      (any order or parcel number; --at 2026-05-10 for another day)")


def _called() -> str:
    """How this program was called, so that the next command can be copied: a venv's program is seldom on the PATH."""
    called = Path(sys.argv[0])
    return "tracker" if called.name != "tracker" or shutil.which("tracker") else shlex.quote(str(called))
