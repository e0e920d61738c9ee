"""Make a value fit for one line of a text: no control characters, no direction tricks, no endless names (faults 24, 25)."""

from __future__ import annotations

import unicodedata

_LIMITS = {"name": 60, "last_event": 160, "url": 2000}
_LIMIT = 500
_JOINERS = {"\u200c", "\u200d"}
_FIRST_STRONG, _POP = "\u2068", "\u2069"
_ELLIPSIS = "…"
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
"""Two of them make a flag."""


def clean(name: str, value: str) -> str:
    """`value` for the blank `name`: NFC, one line, capped; right-to-left words are isolated. Empty when nothing is left."""
    kept = "".join(_plain(char) for char in unicodedata.normalize("NFC", value))
    line = shorten(" ".join(kept.split()), _LIMITS.get(name, _LIMIT))
    if any(unicodedata.bidirectional(char) in {"R", "AL"} for char in line):
        return f"{_FIRST_STRONG}{line}{_POP}"
    return line


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, never cut inside a character that is composed of several code points."""
    if len(text) <= limit:
        return text
    end = limit - len(_ELLIPSIS)
    while end > 0 and _continues(text, end):
        end -= 1
    return text[:end].rstrip() + _ELLIPSIS


def _plain(char: str) -> str:
    """Line breaks become spaces; surrogates and formatting characters vanish, the joiners of scripts and emoji stay."""
    category = unicodedata.category(char)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "" if category in {"Cs", "Cf"} and char not in _JOINERS else char


def _continues(text: str, index: int) -> bool:
    """Whether the code point at `index` belongs to the one before it (marks, skin tones, joined emoji, flags of two letters)."""
    char = text[index]
    if char in _FLAG_LETTERS:
        before = text[:index]
        return (len(before) - len(before.rstrip(_FLAG_LETTERS))) % 2 == 1
    return (
        unicodedata.category(char).startswith("M")
        or char in _JOINERS
        or text[index - 1] in _JOINERS
        or "\U0001f3fb" <= char <= "\U0001f3ff"
    )
