"""What is seen at each kill, before anything starts again: which mails are in doubt, which questions got no answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from tests.chaos.shop import Shop
from tests.chaos.world import Asked

_SENDING = "SELECT dedup_key, attempts, channel FROM outbox WHERE state = 'sending' AND who = ?"

_ANSWERED = "SELECT number, last_answer_at FROM shipment"

_BY_PROOF = "marketplace"
"""A channel that can be asked afterwards: what is in doubt there is proven later, and needs no person."""


class Kill(msgspec.Struct, frozen=True, kw_only=True):
    """One process that SIGKILL has ended. `where` tells the point, or the seconds it had lived."""

    number: int
    who: str
    where: str
    at: datetime
    life: str = ""
    answered: Mapping[str, int | None] = {}
    """Every number and when it was answered last (epoch seconds), as the database knew it just after the end."""

    def __str__(self) -> str:
        return f"kill {self.number} ({self.who}, {self.where}, {self.at:%Y-%m-%d %H:%M:%S})"


class Witness:
    """Keeps the kills of one shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.kills: list[Kill] = []
        self.ends: list[Kill] = []
        """Not kills, but ends all the same."""
        self.left: dict[str, Kill] = {}
        """Dedup key of a row that a kill left `sending` -> that kill."""
        self.doubtful: dict[str, Kill] = {}
        """Dedup key of a mail that may have been sent and of which no journal tells -> the kill that left it so."""

    async def see(self, who: str, where: str, life: str, *, killed: bool = True) -> None:
        """This life of a daemon was killed just now, or has ended because its database went away."""
        now = self.shop.world.time.now()
        answered = dict(await self.shop.rows(_ANSWERED))
        kill = Kill(number=len(self.kills) + 1, who=who, where=where, at=now, life=life, answered=answered)
        (self.kills if killed else self.ends).append(kill)
        journal = self.shop.journal(who)
        for key, attempt, channel in await self.shop.rows(_SENDING, who):
            end = journal.get(key)
            self.left.setdefault(key, kill)
            if channel != _BY_PROOF and (end is None or end.attempt != attempt):
                self.doubtful.setdefault(key, kill)

    def hear(self, words: str, where: str) -> None:
        """A command was killed."""
        kill = Kill(number=len(self.kills) + 1, who=f"tracker {words}", where=where, at=self.shop.world.time.now())
        self.kills.append(kill)

    def explains(self, first: Asked) -> bool:
        """Whether this question has no answer because a kill ended the life that asked it."""
        ended = next((kill for kill in (*self.kills, *self.ends) if kill.life and kill.life == first.life), None)
        return ended is not None and (ended.answered.get(first.number) or 0) < int(first.at.timestamp())
