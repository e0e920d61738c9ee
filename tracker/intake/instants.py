"""Dates and times as files write them: by the format's list and zone, out as aware UTC. Day and month are never guessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tracker.intake.cells import Cell, line
from tracker.intake.errors import RowError

# Year first is the one order that cannot be mistaken; a workbook's own dates arrive in this form too.
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)?")


def instant(cell: Cell, formats: tuple[str, ...], zone: ZoneInfo) -> datetime | None:
    """The instant in UTC; None for an empty cell. A date without a time is the beginning of that day in `zone`.

    Raises:
        RowError: the value contradicts the formats.
    """
    written = line(cell)
    if not written:
        return None
    if isinstance(cell, str):
        if _ISO.fullmatch(written) and (found := _from_iso(written)):
            return _utc(found, zone)
        for form in formats:
            try:
                return _utc(datetime.strptime(written, form), zone)  # noqa: DTZ007 -- the zone follows in _utc
            except ValueError:
                continue
    allowed = ", ".join(dict.fromkeys(("YYYY-MM-DD HH:MM", *formats)))
    raise RowError(f"{written!r} is not a date as this file writes them ({allowed})")


def _from_iso(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(re.sub(r" (?=[Z+-])", "", written))
    except ValueError:
        return None


def _utc(found: datetime, zone: ZoneInfo) -> datetime:
    try:
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise RowError(f"{found.isoformat()} is no date of this world") from error
