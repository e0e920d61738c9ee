"""A source without a network and without a memory: what a parcel has done follows from its number and the time.

Most parcels arrive within a month, some are slow enough to be written about, a few never come.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime, timedelta
from zlib import crc32

import msgspec

from carriers.base import Account, Batch, Memory, Query, Request, Response
from carriers.fake import Fake, Step, Story
from carriers.model import TrackingStatus
from tracker.clock import Clock

_WAY = (
    (0.1, TrackingStatus.IN_TRANSIT, "Handed over", "CN"),
    (0.6, TrackingStatus.IN_TRANSIT, "Arrived in the country of destination", "BR"),
    (1.0, TrackingStatus.DELIVERED, "Delivered", "BR"),
)
"""Part of its life at which a parcel is scanned."""

SHORTEST, USUAL, SLOW = 16.0, 13.0, 15.0
"""Days to delivery: at least, what is spread on top, and what a slow one takes besides."""

SLOW_SHARE, LOST_SHARE = 0.035, 0.005
MEAN_DAYS = SHORTEST + USUAL / 2 + 1
"""How long a parcel lives, about; one more day until it is asked about no more."""

_STORIES = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NUMBERS = msgspec.json.Decoder(list[str])


class Quick(Fake):
    """The scripted adapter, asked by numbers."""

    batch_size = 400

    def ask(
        self,
        queries: Sequence[Query],
        account: Account,
        memory: Memory,
        now: datetime,
    ) -> Generator[Request, Response, Batch]:
        """One call for all numbers."""
        response = yield Request(method="POST", url="mem:", body=msgspec.json.encode([query.number for query in queries]))
        return Batch(answers={number: bytes(raw) for number, raw in _STORIES.decode(response.body).items()})


class Oracle:
    """The transport: tells every number's life so far. `born` gives the instant at which it was sent."""

    def __init__(self, clock: Clock, start: datetime, per_day: float) -> None:
        self._clock, self._start, self._per_day = clock, start, per_day
        self.asked = 0

    async def send(self, request: Request) -> Response:
        """One answer."""
        now = self._clock.now()
        numbers = _NUMBERS.decode(request.body)
        self.asked += len(numbers)
        return Response(status=200, body=msgspec.json.encode({number: self._story(number, now) for number in numbers}))

    async def close(self) -> None:
        """Nothing is held."""

    def _story(self, number: str, now: datetime) -> Story:
        born = self._start + timedelta(days=int(number[2:11]) / self._per_day)
        days = life(number)
        told = []
        for part, status, text, country in _WAY:
            if days is None and part > 0.1:
                break
            at = born + timedelta(days=part * (days or SHORTEST))
            if at > now:
                break
            told.append(Step(at=at, status=status, text=text, country=country))
        return Story(number, told)


def life(number: str) -> float | None:
    """Days from hand-over to delivery, always the same for one number; None: it never comes."""
    chance = crc32(number.encode()) / 2**32
    if chance < LOST_SHARE:
        return None
    usual = SHORTEST + USUAL * (chance * 997 % 1)
    return usual + SLOW if chance < LOST_SHARE + SLOW_SHARE else usual
