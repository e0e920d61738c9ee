"""Looking at no more files than a mark is in: to import and spread out all tests takes longer than to run a few of them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_WANTED = re.compile(r"(?!not\b)(\w+)")
"""The mark with which an expression (`-m`) begins; nothing where it only leaves something out."""


def left_aside(path: Path, expression: str) -> bool:
    """Whether no test of a test file can carry the mark that is asked for: neither it nor its room's conftest.py names it."""
    wanted = _WANTED.match(expression)
    if wanted is None or not path.name.startswith("test_"):
        return False
    return not any(_names(each, wanted[1]) for each in (path, path.with_name("conftest.py")))


@cache
def _names(path: Path, word: str) -> bool:
    return path.is_file() and word in path.read_text(encoding="utf-8")
