"""A file of invented past orders, and the command run on it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from tracker import config
from tracker.cli.backtest import Result, _document, run
from tracker.intake.past import COLUMNS, OPTIONAL, zone_of
from tracker.rules import Rules

AS_OF = "2025-12-31T12:00:00"
RULES: Rules = config.load(None, environ={}).rules

CLEAN: dict[str, str] = {
    "order_id": "a1",
    "destination_country": "BR",
    "destination_state": "SP",
    "status": "delivered",
    "purchased_at": "2025-03-01T10:00:00",
    "paid_at": "2025-03-01T11:00:00",
    "handed_over_at": "2025-03-03T09:00:00",
    "delivered_at": "2025-03-20T15:00:00",
    "promised_at": "2025-04-02T00:00:00",
}


def row(**change: str) -> dict[str, str]:
    """An order that was handed over on 3 March and delivered 17 days later, unless `change` says otherwise."""
    return CLEAN | change


def written(folder: Path, *rows: dict[str, str], columns: tuple[str, ...] = (*COLUMNS, *OPTIONAL)) -> Path:
    """The rows as a file."""
    path = folder / "past.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def tried(folder: Path, *rows: dict[str, str], other: Rules | None = None, zone: str = "UTC") -> dict[str, Any]:
    """The document of a backtest of these rows as of the end of 2025."""
    return document(written(folder, *rows), other=other, zone=zone)


def document(file: Path, *, as_of: str = AS_OF, other: Rules | None = None, zone: str = "UTC") -> dict[str, Any]:
    from tracker.cli.backtest import _as_of

    until = _as_of(as_of, zone_of(zone))
    found: Result = run(file, RULES, other, until, zone)
    return _document(found, until, RULES, other)
