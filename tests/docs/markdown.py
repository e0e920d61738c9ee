"""Markdown as the generated pages use it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; bars inside cells are escaped, an empty cell stays empty, a cell of several lines becomes one."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def code(text: str) -> str:
    """`text` as code; nothing for nothing."""
    return f"`{text}`" if text else ""


def codes(texts: Iterable[str]) -> str:
    """Several, with commas."""
    return ", ".join(code(text) for text in texts)
