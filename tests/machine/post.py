"""The post office: a channel that counts what it accepted, whatever it says about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

from tracker.channels.base import Ambiguous, Delivered, Refused
from tracker.model import Outgoing

MOODS = ("accept", "refuse_once", "refuse", "hang_after", "hang_before", "break_after")


class Post:
    """Takes one message after the other. `watch` looks at each before it is taken, `beside` happens while it is."""

    def __init__(self, watch: Callable[[Outgoing], Awaitable[None]], beside: Callable[[], Awaitable[None]]) -> None:
        self.accepted: Counter[tuple[str, str]] = Counter()
        """(Order, type of message) -> how often it has reached the buyer. Not by our own key: that is on trial, too."""
        self.keys: Counter[str] = Counter()
        self.moods: list[str] = []
        self._watch = watch
        self._beside = beside

    async def deliver(self, message: Outgoing) -> Delivered:
        """One message, as the next mood has it: accepted, refused, or nobody knows."""
        await self._watch(message)
        await self._beside()
        mood = self.moods.pop(0) if self.moods else "accept"
        if mood == "refuse_once":
            raise Refused("451 greylisted", retry=True)
        if mood == "refuse":
            raise Refused("550 no such user", retry=False)
        if mood == "hang_before":
            raise Ambiguous("no answer to DATA")
        self.accepted[message.order, message.template] += 1
        self.keys[message.key] += 1
        if mood == "hang_after":
            raise Ambiguous("no answer after the final dot")
        if mood == "break_after":
            raise RuntimeError("the connection broke in a way that nobody foresaw")
        return Delivered(provider_id=f"queued-{sum(self.keys.values())}")

    def pasted(self, order: str, template: str, key: str) -> None:
        """A clerk has written this to the buyer by hand."""
        self.accepted[order, template] += 1
        self.keys[key] += 1
