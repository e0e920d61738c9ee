"""A database beside its send journal: none is made where that knows sends, none is well that lacks them (faults row 36)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tracker import journal
from tracker.config import Settings
from tracker.keeping.backup import journals
from tracker.model import Attempt
from tracker.store import Store
from tracker.store.backup import journals_of


def no_new_one(path: Path) -> str | None:
    """Why no new database may be made beside this send journal; None: it knows no sends. Raises OSError."""
    sends = len(journal.attempts(journal.read(path)))
    if not sends:
        return None
    return (
        f"No new database: the send journal {path} knows {sends:,} sends of the one that was here. Put a backup back: "
        "tracker db restore FILE; to begin anew move the journal away"
    )


async def unknown_sends(store: Store, settings: Settings) -> list[str]:
    """The newest keys of the send journals that the database does not know; a journal that may not be read tells nothing."""
    return await store.forgotten(await asyncio.to_thread(_newest, settings))


def _newest(settings: Settings) -> dict[str, Attempt]:
    found: list[journal.Entry] = []
    for path in journals(settings, journals_of(settings.database_url)).values():
        try:
            found += journal.tail(path)
        except OSError:
            continue
    return journal.attempts(found)
