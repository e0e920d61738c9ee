"""Text that no spreadsheet takes for a formula (faults row 29; OWASP, CSV injection)."""

from __future__ import annotations

import re
import unicodedata

_STARTS = frozenset("=+-@\t\r\n\0")
_LATER = re.compile(r"([;\t\r\n][\s\"']*)([^\s\"'])")
"""Where a spreadsheet whose language separates by `;`, or by TAB, begins a cell in the middle of ours."""


def like_a_formula(text: str) -> bool:
    """Whether a spreadsheet would run it. NFKC: those of China and Japan take the full-width signs for the plain ones."""
    return bool(text) and unicodedata.normalize("NFKC", text[:1])[:1] in _STARTS


def disarmed(text: str) -> str:
    """The text for a cell of a CSV file: a `'` before each sign that would begin a formula."""
    if ";" in text or not text.isprintable():
        text = _LATER.sub(lambda found: f"{found[1]}'{found[2]}" if like_a_formula(found[2]) else found[0], text)
    return f"'{text}" if like_a_formula(text) else text
