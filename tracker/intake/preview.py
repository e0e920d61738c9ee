"""The rows of a dry run: what would become of each order and parcel, for eyes and for `--json`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from tracker.model import Change

_NOUNS = {"order": "order", "shipment": "parcel"}


def change_document(change: Change) -> dict[str, Any]:
    """`{"row", "what", "store", "number", "outcome", "fields": [{"name", "before", "after"}]}`; a new one has no before."""
    return {
        "row": change.row,
        "what": change.what,
        "store": change.store,
        "number": change.number,
        "outcome": change.outcome,
        "fields": [{"name": name, "before": change.before.get(name), "after": value} for name, value in change.after.items()],
    }


def change_lines(changes: Sequence[Change], limit: int) -> Iterator[str]:
    """A line for each row that changes anything, `limit` at most (0: all); an unchanged row is counted elsewhere."""
    changed = sorted((change for change in changes if change.outcome != "unchanged"), key=lambda change: change.row)
    shown = changed[:limit] if limit else changed
    for change in shown:
        yield f"    row {change.row}: {change.outcome} {_NOUNS[change.what]} {change.number}{_told(change)}"
    if len(shown) < len(changed):
        yield f"    … and {len(changed) - len(shown)} more; --limit 0 shows them all"


def _told(change: Change) -> str:
    if change.outcome == "new":
        return f" ({change.store})" if change.store else ""
    return ": " + ", ".join(f"{name} {_text(change.before.get(name))} -> {_text(value)}" for name, value in change.after.items())


def _text(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%MZ")
        case tuple() | list():
            return " ".join(map(str, value))
        case _:
            return str(value)
