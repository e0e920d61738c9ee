"""What of the schedule was done last, and what came of it: the errands' only memory, so that a restart repeats nothing."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import msgspec

from tracker.store.connection import Database, Tx, instant_of, required

_FINISH = """
    INSERT INTO errand (name, occasion, at, result) VALUES (?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET occasion = excluded.occasion, at = excluded.at, result = excluded.result,
        failed_at = NULL, error = NULL"""

_FAIL = """
    INSERT INTO errand (name, occasion, at, result, failed_at, error) VALUES (?, '', ?, '', ?, ?)
    ON CONFLICT (name) DO UPDATE SET failed_at = excluded.failed_at, error = excluded.error"""


JOURNAL_OF = "journal of "
"""How the errand is called that a worker of a fleet does for itself; its name follows."""


class ErrandDone(msgspec.Struct, frozen=True, kw_only=True):
    """The last `occasion` that was done (a local date, a month; "" never), when, and what came of it in one sentence.

    `failed_at` and `error` are set while it has failed since then.
    """

    occasion: str
    at: datetime
    result: str
    failed_at: datetime | None = None
    error: str | None = None


class Errands:
    """The store's methods for the schedule."""

    _db: Database

    async def errands(self) -> dict[str, ErrandDone]:
        """Every errand that ran or failed at least once, by name."""
        return await self._db.read(errands)

    async def finish_errand(self, name: str, occasion: str, now: datetime, result: str) -> None:
        """This occasion is done."""
        await self._db.write(lambda tx: tx.run(_FINISH, name, occasion, now, result))

    async def fail_errand(self, name: str, now: datetime, error: str) -> None:
        """It could not be done; the last occasion that was done stays what it was."""
        await self._db.write(lambda tx: tx.run(_FAIL, name, now, now, error))


def errands(tx: Tx) -> dict[str, ErrandDone]:
    """See `Errands.errands`. One that cannot be read counts as never done: it is done anew (faults row 33)."""
    rows = tx.rows("SELECT name, occasion, at, result, failed_at, error FROM errand ORDER BY name")
    found = {}
    for name, occasion, at, result, failed_at, error in rows:
        with suppress(ValueError):
            found[name] = ErrandDone(
                occasion=occasion, at=required(at), result=result, failed_at=instant_of(failed_at), error=error
            )
    return found
