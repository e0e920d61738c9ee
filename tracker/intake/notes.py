"""What a person should know about a file that was taken: said once, with how many rows it concerns."""

from __future__ import annotations


class Notes:
    """Warnings in the order in which they came up."""

    def __init__(self) -> None:
        self._rows: dict[str, list[int]] = {}

    def add(self, sentence: str, row: int) -> None:
        """Note a sentence, and the row that gave rise to it."""
        rows = self._rows.setdefault(sentence, [])
        if row not in rows:
            rows.append(row)

    def said(self) -> tuple[str, ...]:
        """Each sentence once: `… (3 rows, first row 5)`."""
        return tuple(sentence + self._where(rows) for sentence, rows in self._rows.items())

    @staticmethod
    def _where(rows: list[int]) -> str:
        return f" (row {rows[0]})" if len(rows) == 1 else f" ({len(rows)} rows, first row {rows[0]})"
