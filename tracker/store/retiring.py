"""Putting a database out of service: it can be read for ever, and nobody writes to it any more (facts/daily-operations.md).

The mark is in the database, so it travels with every copy made afterwards. Taking it back treats the database as a backup of the
day it was retired whose send journal is lost: another one may have written to buyers meanwhile.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from tracker.clock import epoch
from tracker.store.connection import Tx, place
from tracker.store.errors import Conflict, Retired
from tracker.store.outside import alone
from tracker.store.records import audit
from tracker.store.replay import hold_pending
from tracker.store.schema import require_current

RETIRED = "retired"

_MARK = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


class Retirement(msgspec.Struct, frozen=True, kw_only=True):
    """Since when a database is out of service, whose word that was and why. `to` says where its work goes on."""

    at: datetime
    by: str
    reason: str
    to: str | None = None


def retirement(tx: Tx) -> Retirement | None:
    """The mark; None: the database is in service."""
    found = tx.value("SELECT value FROM meta WHERE key = ?", RETIRED)
    return None if found is None else msgspec.json.decode(found, type=Retirement)


def refuse_retired(tx: Tx, path: object) -> None:
    """Raises Retired."""
    mark = retirement(tx)
    if mark is not None:
        gone = f" Its work goes on at {mark.to}." if mark.to else ""
        raise Retired(
            f"The database {path} was retired on {mark.at:%Y-%m-%d %H:%MZ} by {mark.by}: {mark.reason}.{gone} It can be read, "
            "nothing is written to it any more. See: tracker db retire --help"
        )


def retire(url: str, mark: Retirement) -> None:
    """Put the database out of service. Raises AnotherDaemon while a daemon runs, Retired, Conflict."""
    require_current(url)
    with alone(url) as tx:
        refuse_retired(tx, place(url))
        tx.run(_MARK, RETIRED, msgspec.json.encode(mark).decode())
        audit(tx, mark.at, who=mark.by, what="database_retired", order_id=None, subject="database", reason=mark.reason)


def take_back(url: str, *, by: str, reason: str, now: datetime, hold_for: timedelta) -> int:
    """Put it into service again: what was on its way is held (how many rows), and so is what comes due in `hold_for`.

    Raises AnotherDaemon while a daemon runs, Conflict when it is not retired.
    """
    require_current(url)
    with alone(url) as tx:
        if retirement(tx) is None:
            raise Conflict(f"The database {place(url)} is in service: there is nothing to take back.")
        tx.run("DELETE FROM meta WHERE key = ?", RETIRED)
        tx.run(_MARK, "restored_until", str(epoch(now + hold_for)))
        held = hold_pending(tx, now)
        audit(tx, now, who=by, what="database_taken_back", order_id=None, subject="database", reason=reason)
        return held
