"""Counting what a stranger can cause, so that he cannot fill the log: one line an hour and kind, with the count."""

from __future__ import annotations

from collections import Counter

HOUR = 3600


class Tally:
    """How often each thing happened since it was said last."""

    def __init__(self, every: int = HOUR) -> None:
        """`every`: seconds between two lines about the same thing."""
        self._every = every
        self._said: dict[tuple[str, str], int] = {}
        self._since: Counter[tuple[str, str]] = Counter()
        self.total: Counter[tuple[str, str]] = Counter()
        """All that happened since the start."""

    def add(self, who: str, what: str, at: int, times: int = 1) -> int | None:
        """Count it at `at` (epoch seconds): what is to be said now, the count since the last line; None: nothing yet."""
        key = (who, what)
        self.total[key] += times
        self._since[key] += times
        said = self._said.get(key)
        if said is not None and 0 <= at - said < self._every:
            return None
        self._said[key] = at
        return self._since.pop(key)
