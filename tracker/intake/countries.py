"""Country names to ISO 3166-1 alpha-2: the country decides the ladder, so an unknown one rejects the row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from babel import Locale
from babel.core import get_global

from tracker.intake.cells import Cell, line
from tracker.intake.errors import RowError
from tracker.intake.headers import normalise

LOCALES = ("en", "pt", "es", "ru", "zh", "fr", "de", "it")
_ALPHA2, _ALPHA3 = re.compile("[A-Z]{2}"), re.compile("[A-Z]{3}")
# CLDR's own: pseudo locales, "unknown", and unions that are no destination.
_NO_COUNTRY = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})


def country(cell: Cell, aliases: Mapping[str, tuple[str, ...]]) -> str | None:
    """ISO2 of a code (2 or 3 letters) or a name in one of eight languages; None for an empty cell.

    `aliases` maps ISO2 to further normalised names (formats.toml [countries]). Raises RowError for what nobody knows.
    """
    written = line(cell)
    if not written:
        return None
    folded = normalise(written)
    for code, names in aliases.items():
        if folded in names:
            return code
    upper = written.upper()
    if found := _codes().get(upper):
        return found
    if found := _names().get(folded):
        return found
    raise RowError(f"{written!r} is not a country that is known: correct it, or add the name under [countries] in formats.toml")


@cache
def _names() -> Mapping[str, str]:
    """Normalised territory names in all the locales -> ISO2 (no name means two countries)."""
    return {
        normalise(name): code
        for locale in LOCALES
        for code, name in Locale(locale).territories.items()
        if _ALPHA2.fullmatch(code) and code not in _NO_COUNTRY
    }


@cache
def _codes() -> Mapping[str, str]:
    """ISO2 and ISO3 (from CLDR's territory aliases) -> ISO2."""
    known = frozenset(_names().values())
    aliases: Mapping[str, list[str]] = get_global("territory_aliases")
    threes = {
        alias: codes[0] for alias, codes in aliases.items() if _ALPHA3.fullmatch(alias) and len(codes) == 1 and codes[0] in known
    }
    return {**threes, **{code: code for code in known}}
