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

Table = Mapping[str, Meaning]
"""Code -> what it says."""


@cache
def rows(name: str) -> Sequence[Mapping[str, str]]:
    """All rows of `codes/<name>.csv`, in file order. Raises FileNotFoundError for a table that does not exist."""
    text = files(__package__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def meaning(row: Mapping[str, str]) -> Meaning:
    """The `status` and `reason` columns of a row as our words. Raises ValueError for a word that is not ours."""
    return TrackingStatus(row["status"]), TrackingReason(row["reason"]) if row["reason"] else None


UNKNOWN: Meaning = (TrackingStatus.UNKNOWN, None)


@cache
def table(name: str, *columns: str) -> Mapping[str, Meaning]:
    """`codes/<name>.csv` by the text of `columns` (several: joined by a blank). Raises ValueError for a word that is not ours."""
    return {" ".join(row[column] for column in columns): meaning(row) for row in rows(name)}


class Glossary:
    """Looks the codes of one slice up in a table, and collects those that it does not know (one warning each)."""

    def __init__(self, known: Mapping[str, Meaning]) -> None:
        self._known = known
        self._unmapped: dict[str, None] = {}

    def of(self, code: str | None, *families: str) -> Meaning:
        """What `code` means; where no row knows it, the first of `families` that one does, without a reason. None is `unknown`.

        A fallback never tells a delivery, and no code at all is nothing to warn about.
        """
        if not code:
            return UNKNOWN
        meant = self._known.get(code)
        if meant is not None:
            return meant
        self._unmapped[code] = None
        for family in families:
            status, _ = self._known.get(family, UNKNOWN)
            if status not in {TrackingStatus.UNKNOWN, TrackingStatus.DELIVERED}:
                return status, None
        return UNKNOWN

    def known(self, code: str | None) -> Meaning:
        """What `code` means; one that no row knows is `unknown`, and nothing to warn about."""
        return self._known.get(code or "", UNKNOWN)

    @property
    def unmapped(self) -> tuple[str, ...]:
        """The codes that no row knows, in the order in which they came."""
        return tuple(self._unmapped)
