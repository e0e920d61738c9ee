"""Whose word counts: which of a file's facts replace the stored ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from tracker.store.encoding import json_text, stamps


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where facts come from. `rank` is the file's for this kind of fact, `batch` its place among all files."""

    batch: int
    file: str
    rank: int
    now: datetime

    @property
    def stamp(self) -> tuple[int, int]:
        """Compared as a whole: rank first, then the newer file. Odd sequences belong to people (tracker.store.facts)."""
        return self.rank, 2 * self.batch

    @property
    def assumption(self) -> tuple[int, int]:
        """The stamp of what no file said."""
        return 0, 2 * self.batch


class Saved(NamedTuple):
    """What became of one order or parcel: `new`, `updated` or `unchanged`; the fields that changed, before and after."""

    outcome: str
    before: Mapping[str, Any] = {}
    after: Mapping[str, Any] = {}


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """What to write: `changed` facts with what stood there `before`, and the new stamps (None: they stay)."""

    changed: Mapping[str, Any]
    before: Mapping[str, Any]
    stamps: str | None


def merge(
    stored: Mapping[str, Any], told: Mapping[str, Any], stamped: str, source: Source, assumed: Collection[str] = ()
) -> Merged:
    """Put a file's facts over the stored ones. `told` has no None; a fact of lower rank, or of an older file, is passed over.

    The lowest rank of all have those of `told` that are only `assumed`.
    """
    marks = stamps(stamped)
    changed: dict[str, Any] = {}
    raised = False
    for name, value in told.items():
        mark = marks.get(name, (0, 0))
        stamp = source.assumption if name in assumed else source.stamp
        if stamp < mark:
            continue
        if stamp > mark:
            marks[name] = stamp
            raised = True
        if value != stored[name]:
            changed[name] = value
    before = {name: stored[name] for name in changed}
    return Merged(changed=changed, before=before, stamps=json_text(marks) if raised else None)


def first_stamps(told: Mapping[str, Any], source: Source, assumed: Collection[str] = ()) -> str:
    """Stamps of a row that is new."""
    return json_text({name: source.assumption if name in assumed else source.stamp for name in told})
