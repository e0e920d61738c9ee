"""The stand-in carrier: what has happened to each parcel, and the one answer that it gives about it, sometimes an old one."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec

from carriers.base import Request, Response
from carriers.fake import Outage, Script, Step
from carriers.model import TrackingStatus

FINAL = frozenset({TrackingStatus.DELIVERED, TrackingStatus.RETURNED})


class Carrier:
    """Speaks as the scripted adapter reads: `scans` is the truth, `served` all that was ever told, in whatever order."""

    def __init__(self, beside: Callable[[], Awaitable[None]] | None = None) -> None:
        """`beside` happens while a question is on its way."""
        self.scans: dict[str, list[Step]] = {}
        self.served: dict[str, set[tuple[datetime, str]]] = {}
        self.taken_back: set[str] = set()
        self.down: Outage | None = None
        self._stale: dict[str, int] = {}
        self._mixing: random.Random | None = None
        self._beside = beside

    async def send(self, request: Request) -> Response:
        """One answer about every number."""
        if self._beside is not None:
            await self._beside()
        numbers = {number: self._told(number) for number in self.scans}
        for number, steps in ({} if self.down else numbers).items():
            self.served.setdefault(number, set()).update((step.at, step.text) for step in steps)
        return Response(status=200, body=msgspec.json.encode(Script(numbers=numbers, outages=[self.down] if self.down else [])))

    async def close(self) -> None:
        """Nothing is held."""

    def _told(self, number: str) -> list[Step]:
        steps = self.scans[number]
        shown = [step for at, step in enumerate(steps) if at < self._stale.get(number, len(steps)) or step.status in FINAL]
        if self._mixing is not None:
            shown = [*shown, *shown[: len(shown) // 2 + 1]]
            self._mixing.shuffle(shown)
        return shown

    def happened(self, number: str, status: TrackingStatus, now: datetime, late: timedelta = timedelta()) -> None:
        """A scan, known to the source only `late` after it was made. A parcel that has ended is scanned no more."""
        steps = self.scans[number]
        if not any(step.status in FINAL for step in steps):
            told = f"{status.value} {len(steps)}"
            steps.append(Step(at=now - late, status=status, text=told, country="BR" if status in FINAL else "CN"))

    def take_back(self, number: str) -> bool:
        """The end is taken back: what was told before is all that is left of it."""
        left = [step for step in self.scans[number] if step.status not in FINAL]
        if not left or len(left) == len(self.scans[number]):
            return False
        self.scans[number] = left
        self.taken_back.add(number)
        return True

    def forget_newest(self, number: str, scans: int) -> None:
        """From now on an old copy answers: without the newest scans, until `catch_up`."""
        self._stale[number] = max(1, len(self.scans[number]) - scans)

    def mix(self, seed: int | None) -> None:
        """From now on scans come in any order and twice; None: as they were made, once."""
        self._mixing = None if seed is None else random.Random(seed)  # noqa: S311 - repeatable

    def catch_up(self) -> None:
        """The truth, in order, once, and no outage."""
        self._stale.clear()
        self._mixing = None
        self.down = None
