"""Code tables as data: what a source calls it, and what we call it. One CSV file a table, read once.

`status` and `reason` are our words; `verified` says whether code and meaning stand in a public document. A new code is a new row.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from carriers.model import TrackingReason, TrackingStatus

Meaning = tuple[TrackingStatus, TrackingReason | None]
"""What a code says: where the parcel stands, and why."""


@cache
def rows(name: str) -> Sequence[Mapping[str, str]]:
    """All rows of `codes/<name>.csv`, in file order. Raises FileNotFoundError for a table that does not exist."""
    text = files(__package__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def meaning(row: Mapping[str, str]) -> Meaning:
    """The `status` and `reason` columns of a row as our words. Raises ValueError for a word that is not ours."""
    return TrackingStatus(row["status"]), TrackingReason(row["reason"]) if row["reason"] else None
