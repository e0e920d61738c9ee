"""The header row: one way to write a header, where the row is, which column is which.

Header texts vary between sites, languages and years, and in ERP tools the user chooses columns and order: never read by position.
Duplicate names are keyed by (name, occurrence); an alias `name#2` means the second, `name*` every header that begins so.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from tracker.intake.cells import Cell

ROWS_SEARCHED = 15
FEWEST_HITS = 2
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'", "\ufeff": None, "\u200b": None})


@lru_cache(maxsize=8192)
def normalise(header: str) -> str:
    """NFKC, trim, collapse white space, strip a leading `*`, casefold. Aliases go through it too (`N.º` becomes `n.o`)."""
    folded = unicodedata.normalize("NFKC", header.translate(_APOSTROPHES))
    return " ".join(folded.split()).removeprefix("*").strip().casefold()


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The header row of a sheet: its cells as they are, and the key of each (`name`, or `name#2` for a second one)."""

    cells: tuple[str, ...]
    keys: tuple[str, ...]

    @classmethod
    def of(cls, row: Sequence[Cell]) -> Header:
        """The header that a row would be."""
        cells = tuple(str(cell) for cell in row)
        seen: dict[str, int] = {}
        keys = []
        for name in map(normalise, cells):
            seen[name] = seen.get(name, 0) + 1
            keys.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
        return cls(cells=cells, keys=tuple(keys))

    def find(self, alias: str) -> int | None:
        """The column that a normalised alias means, or None."""
        for at, key in enumerate(self.keys):
            if matches(alias, key):
                return at
        return None

    def hits(self, aliases: Iterable[str]) -> int:
        """How many columns one of the aliases means."""
        exact, begins = split_aliases(aliases)
        return sum(bool(key) and (key in exact or key.startswith(begins)) for key in self.keys)


def matches(alias: str, key: str) -> bool:
    """Whether a normalised alias means the column of this key."""
    return key.startswith(alias[:-1]) if alias.endswith("*") else key == alias


def split_aliases(aliases: Iterable[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Aliases for whole names, and beginnings of names."""
    whole, begins = set(), []
    for alias in aliases:
        if alias.endswith("*"):
            begins.append(alias[:-1])
        else:
            whole.add(alias)
    return frozenset(whole), tuple(begins)


def find_header(rows: Sequence[Sequence[Cell]], aliases: Iterable[str]) -> tuple[int, int]:
    """(index of the row with most alias hits among the first 15, its hits); the first one where several are equal."""
    known = frozenset(aliases)
    best = (0, 0)
    for index, row in enumerate(rows[:ROWS_SEARCHED]):
        hits = Header.of(row).hits(known)
        if hits > best[1]:
            best = (index, hits)
    return best
