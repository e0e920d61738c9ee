"""`tracker cases import FILE --store S`: a marketplace's list of cases; what cannot be taken is kept beside it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tracker.cli.context import Room
from tracker.cli.output import Answer
from tracker.desk.case_lists import Taken, Wanted, take
from tracker.intake.case_list import CaseList, read_cases, rejected_row
from tracker.intake.rejected import WHY, clear_rejected, write_rejected
from tracker.model import CaseKind, Rejected

_SHOWN = 10


async def take_list(room: Room, path: Path, wanted: Wanted, kind: CaseKind | None, *, ignore_columns: bool) -> Answer:
    """Take the list; the rows that are refused stop no other one. Raises FileError, Refused: nothing was taken."""
    zone = ZoneInfo(room.zone_of(wanted.shop))
    listed = await asyncio.to_thread(read_cases, path, zone, kind=kind, ignore_columns=ignore_columns)
    taken = await take(room.store, [told for _, told in listed.told], len(listed.rejected), wanted, room.now)
    lines = {told.row: line for line, told in listed.told}
    refused = [*listed.rejected, *(rejected_row(lines[row], reason) for row, reason in taken.rejected)]
    rejected = tuple(sorted(refused, key=lambda each: each.row))
    left = None if wanted.dry_run else await asyncio.to_thread(_leave, path, msgspec.structs.replace(listed, rejected=rejected))
    return _answer(path, listed, taken, rejected, left, wanted)


def _leave(path: Path, listed: CaseList) -> str | None:
    """The rejected rows beside the file; those of an earlier run go. None where none are left, or none can be written."""
    try:
        clear_rejected(path)
        return str(write_rejected(listed, path.parent, WHY)) if listed.rejected else None
    except OSError:
        return None


def _answer(
    path: Path, listed: CaseList, taken: Taken, rejected: tuple[Rejected, ...], left: str | None, wanted: Wanted
) -> Answer:
    waits = bool(rejected) and wanted.complete
    document: dict[str, Any] = {
        "file": str(path),
        "store": wanted.shop,
        "dry_run": wanted.dry_run,
        "rows": len(listed.told) + len(listed.rejected),
        "new": list(taken.new),
        "updated": list(taken.changed),
        "unchanged": taken.unchanged,
        "closed": list(taken.closed),
        "complete_waits": waits,
        "ignored_columns": list(listed.ignored),
        "rejected": [{"row": row.row, "reason": row.reason} for row in rejected],
        "rejected_file": left,
    }
    worked = taken.new or taken.changed or taken.unchanged or taken.closed
    code = 0 if not rejected else 3 if worked else 1
    return Answer(document=document, text=lambda console: console.line("\n".join(_lines(document, rejected))), code=code)


def _lines(document: dict[str, Any], rejected: tuple[Rejected, ...]) -> list[str]:
    counts = f"{len(document['new'])} new, {len(document['updated'])} changed, {document['unchanged']} known already"
    lines = [f"{document['file']}: {counts}, {len(document['closed'])} closed, gone from the list"]
    if document["ignored_columns"]:
        lines.append(f"  left out: {', '.join(document['ignored_columns'])}")
    if rejected:
        where = f" -> {document['rejected_file']}" if document["rejected_file"] else ""
        lines.append(f"  {len(rejected)} rejected{where}")
        lines += [f"    row {row.row}: {row.reason}" for row in rejected[:_SHOWN]]
        if len(rejected) > _SHOWN:
            lines.append(f"    … and {len(rejected) - _SHOWN} more")
    if document["complete_waits"]:
        lines.append("  nothing was closed: a list with rejected rows is not complete. Mend them, then import it again")
    if document["dry_run"]:
        lines.append("  tried only, nothing was written")
    return lines
