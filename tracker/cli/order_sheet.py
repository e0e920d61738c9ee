"""`tracker order set --from FILE`: facts from outside, a whole sheet of them; what cannot be noted is kept beside it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from tracker.cli.context import Room
from tracker.cli.output import Answer
from tracker.desk import Refused, orders, tasks
from tracker.intake.importing import knowledge_of
from tracker.intake.outside import Fact, FactsFile, read_facts, rejected_row
from tracker.intake.rejected import clear_rejected, write_rejected
from tracker.intake.taxes import valid
from tracker.model import Rejected
from tracker.store import errors
from tracker.store.rows import OrderPatch

_SHOWN = 10


async def set_all(room: Room, path: Path, *, by: str, store: str | None, reason: str | None, force: bool) -> Answer:
    """Note row by row; a row that is refused stops no other one. Raises FileError where the sheet cannot be read."""
    sheet = await asyncio.to_thread(read_facts, path, room.loaded.rules, knowledge_of(room.loaded).formats, room.now)
    noted = unchanged = 0
    refused = list(sheet.rejected)
    for fact in sheet.facts:
        try:
            if await _note(room, fact, by=by, store=fact.store or store, reason=fact.reason or reason, force=force):
                noted += 1
            else:
                unchanged += 1
        except (Refused, errors.NotThere, errors.NotUnique, errors.Conflict) as error:
            refused.append(rejected_row(fact.row, str(error)))
    rejected = tuple(sorted(refused, key=lambda each: each.row))
    left = await asyncio.to_thread(_leave, path, msgspec.structs.replace(sheet, rejected=rejected))
    document = {
        "file": str(path),
        "rows": len(sheet.facts) + len(sheet.rejected),
        "noted": noted,
        "unchanged": unchanged,
        "rejected": [{"row": row.row, "reason": row.reason} for row in rejected],
        "rejected_file": left,
    }
    code = 0 if not rejected else 3 if noted or unchanged else 1
    return Answer(document=document, text=lambda console: console.line("\n".join(_lines(document, rejected))), code=code)


async def _note(room: Room, fact: Fact, *, by: str, store: str | None, reason: str | None, force: bool) -> bool:
    """Whether the row told anything new."""
    found = await room.store.order_ref(fact.order, store)
    [dossier] = await room.store.load_dossiers([found.id])
    if fact.currency is not None and dossier.order.currency not in {None, fact.currency}:
        raise Refused("bad_value", f"the refund is in {fact.currency}, the order in {dossier.order.currency}")
    patch = fact.patch
    if fact.window_end is not None:
        end = tasks.end_of_day(fact.window_end, room.zone_of(found.store))
        patch = msgspec.structs.replace(patch, window_end=end)
    patch = orders.news(dossier.order, patch)
    if patch.tax_number is not UNSET and patch.tax_number == await room.store.tax_number(found.id):
        patch = msgspec.structs.replace(patch, tax_number=UNSET)
    if patch == OrderPatch():
        return False
    await orders.tell(room.store, found, patch, by=by, reason=reason, now=room.now, force=force, tax=tax_check(room))
    return True


def tax_check(room: Room) -> orders.TaxCheck:
    """Tax numbers as order files are checked for them; the formats are read when a number is to be checked."""
    return lambda number, country: valid(number, country, knowledge_of(room.loaded).formats.tax)


def _leave(path: Path, sheet: FactsFile) -> str | None:
    """The rejected rows beside the file; those of an earlier run go. None where none are left, or none can be written."""
    try:
        clear_rejected(path)
        return str(write_rejected(sheet, path.parent)) if sheet.rejected else None
    except OSError:
        return None


def _lines(document: dict[str, Any], rejected: tuple[Rejected, ...]) -> list[str]:
    lines = [f"{document['file']}: {document['noted']} noted, {document['unchanged']} known already"]
    if rejected:
        where = f" -> {document['rejected_file']}" if document["rejected_file"] else ""
        lines.append(f"  {len(rejected)} rejected{where}")
        lines += [f"    row {row.row}: {row.reason}" for row in rejected[:_SHOWN]]
        if len(rejected) > _SHOWN:
            lines.append(f"    … and {len(rejected) - _SHOWN} more")
    return lines
