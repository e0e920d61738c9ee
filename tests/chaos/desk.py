"""The people beside the daemons: they import, approve, release, do tasks, copy the database and put copies back, by command line.

A command that was killed is typed again: what was done stays done, what was not is done now.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random

import msgspec
from openpyxl import load_workbook

from tests.chaos.orders import Order, order
from tests.chaos.plan import BACKUP, IMPORT, RESTORE, REVIEW, SHEET, Round
from tests.chaos.shop import Said, Shop

_TRIES = 3
_DONE = (0, 1, 3)
"""Exit codes of a command that ran to its end: 1 and 3 say that something (else) could not be done."""

_SOON = timedelta(hours=6)


class Killed(msgspec.Struct, frozen=True, kw_only=True):
    """A command that was killed."""

    words: str
    where: str


class Desk:
    """What people have done, and what they were told about it."""

    def __init__(self, shop: Shop, random: Random) -> None:
        self.shop = shop
        self.orders: list[Order] = []
        """All that some import has confirmed."""
        self.said_yes: set[int] = set()
        self.said_no: set[int] = set()
        """Rows whose approval or rejection was confirmed."""
        self.killed: list[Killed] = []
        self.trouble: list[str] = []
        self._random = random
        self._serial = 100_000

    async def bring(self, kinds: tuple[str, ...], crash_at: str = "", kill_after: float | None = None) -> None:
        """A file with new orders comes in, where there are any."""
        if not kinds:
            return
        new = []
        for kind in kinds:
            self._serial += 1
            new.append(order(kind, self._serial, self.shop.world.time.now(), _SOON, self._random))
        file = self.shop.order_file(new)
        said = await self._typed("import", str(file), crash_at=crash_at, kill_after=kill_after)
        if said.code == 0 and said.document["files"][0]["rejected"] == []:
            self.orders += new
        else:
            self.trouble.append(f"import {file.name}: {said}")

    async def beside(self, what: str) -> None:
        """One of the things that people do all day."""
        await {"review": self._review, "hold": self._release, "tasks": self._work}[what]()

    async def kill(self, round_: Round) -> None:
        """The command of this round is killed, and typed again."""
        if round_.command == IMPORT:
            await self.bring(round_.orders, round_.crash_at, None if round_.crash_at else round_.seconds)
        elif round_.command == REVIEW:
            await self._review(round_.crash_at)
        elif round_.command == SHEET:
            await self._sheet(round_.crash_at)
        elif round_.command == BACKUP:
            await self._typed("db", "backup", crash_at=round_.crash_at)
        elif round_.command == RESTORE:
            await self._restore(round_.crash_at)

    async def _typed(self, *words: str, crash_at: str = "", kill_after: float | None = None) -> Said:
        """Type a command until it ran to its end. The first time it may be killed."""
        said = await self.shop.command(*words, crash_at=crash_at, kill_after=kill_after)
        for _ in range(_TRIES):
            if said.code in _DONE:
                return said
            if said.code < 0:
                self.killed.append(Killed(words=" ".join(words[:2]), where=crash_at or f"after {kill_after or 0:.1f} s"))
            said = await self.shop.command(*words)
        if said.code not in _DONE:
            self.trouble.append(f"tracker {' '.join(words)}: {said}")
        return said

    async def _review(self, crash_at: str = "") -> None:
        waiting = await self._listed("review", "reviews")
        for row in waiting[:2] if not crash_at else waiting[:1]:
            yes = self._random.random() < 0.7
            word = "approve" if yes else "reject"
            said = await self._typed("review", word, str(row), "--reason", "looked at it", crash_at=crash_at)
            if said.code == 0:
                (self.said_yes if yes else self.said_no).add(row)

    async def _release(self) -> None:
        held = await self._listed("hold", "holds")
        if held:
            await self._typed("hold", "release", *(str(row) for row in held[:3]), "--note", "looked at it")

    async def _work(self) -> None:
        said = await self.shop.command("tasks", "list")
        for task in said.document.get("tasks", [])[:1]:
            wants = set(task["wants"])
            if self._random.random() < 0.5 or not wants <= {"amount", "reference"}:
                await self._typed("tasks", "take", str(task["id"]))
            else:
                facts = ("--amount", "5.00", "--ref", f"R-{task['id']}", "--note", "as agreed") if wants else ()
                await self._typed("tasks", "done", str(task["id"]), *facts)

    async def _listed(self, group: str, key: str) -> list[int]:
        said = await self.shop.command(group, "list")
        return [each["id"] for each in said.document.get(key, [])]

    async def _sheet(self, crash_at: str) -> None:
        """A worksheet goes out and comes back with yes on every line."""
        file = self.shop.folder / "review.xlsx"
        file.unlink(missing_ok=True)
        await self._typed("review", "export", str(file))
        book = load_workbook(file)
        titles = [cell.value for cell in book.worksheets[0][1]]
        for line in list(book.worksheets[0].iter_rows(min_row=2)):
            line[titles.index("decision")].value = "approve"
            line[titles.index("note")].value = "looked at it"
        book.save(file)
        await self._typed("review", "import", str(file), crash_at=crash_at)

    async def _restore(self, crash_at: str) -> None:
        """A copy is made, and put back at once: nobody lives meanwhile, so nothing is missing in it."""
        said = await self._typed("db", "backup")
        if said.code == 0:
            await self._typed("db", "restore", said.document["path"], crash_at=crash_at)
