"""The conversation about tickets, which goes on across polls and restarts.

A number's own memory holds its `ticket` and when that was asked for (`asked_at`), so that conversations side by side can never
lose one. The account's memory only says which tickets were not ready and when (`tried`): where two conversations overwrite each
other there, a ticket is asked for once too early, no more.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from carriers.answers import join
from carriers.base import Batch, Memory, Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.russian_post import wire

_USABLE = timedelta(hours=12)
"""So long a ticket may wait to be fetched. The source keeps its answer for 32 hours, but what is heard counts as fresh, and facts
that cost money must be younger than a day (D20): a new ticket costs a quarter of an hour."""

_PAUSE = timedelta(minutes=15)
"""Between a ticket and the first question for its answer, and between two such questions."""

_LONGEST = 14
"""Characters of a number (14 digits, or UPU S10). The source refuses a whole list for one that is longer (error 21)."""

_OF_THE_TICKET = frozenset({ErrorKind.BAD_RESPONSE, ErrorKind.INVALID_REQUEST})
"""Errors that say something about one ticket only; with any other the conversation ends."""

Talk = Generator[Request, Response, None]


class Tickets:
    """One conversation: which numbers wait for which ticket, what was answered, what is to be remembered."""

    def __init__(self, post: wire.Post, memory: Memory, now: datetime) -> None:
        self._post = post
        self._memory = memory
        self._now = now
        self._tried = {ticket: at for ticket, at in memory.account.get("tried", {}).items() if self._age(at) < _USABLE}
        self._answers: dict[str, bytes | CarrierError] = {}
        self._learnt: dict[str, Mapping[str, Any]] = {}
        self._heard = False

    def hold(self, numbers: Sequence[str]) -> Generator[Request, Response, Batch]:
        """Fetch what is ready, then ask for a ticket for whatever none covers. Raises CarrierError where nobody answered."""
        for number in numbers:
            if len(number) > _LONGEST:
                text = f"longer than the {_LONGEST} characters of a number of Russian Post"
                self._answers[number] = CarrierError(ErrorKind.INVALID_NUMBER, text)
        try:
            for (ticket, asked_at), waiting in self._open(numbers).items():
                yield from self._fetch(ticket, asked_at, waiting)
            new = [number for number in dict.fromkeys(numbers) if number not in self._answers]
            if new:
                yield from self._order(new)
        except CarrierError as error:
            if not self._heard:
                raise
            self._answers |= {number: error for number in numbers if number not in self._answers}
        tried = {} if self._tried == self._memory.account.get("tried", {}) else {"tried": self._tried}
        return Batch(answers=self._answers, memory=Memory(account=tried, numbers=self._learnt))

    def _open(self, numbers: Sequence[str]) -> dict[tuple[str, str], list[str]]:
        """The tickets that may still be answered, and the numbers that wait for each."""
        waiting: dict[tuple[str, str], list[str]] = {}
        for number in numbers:
            kept = self._memory.numbers.get(number, {})
            if number not in self._answers and "ticket" in kept and self._age(kept["asked_at"]) < _USABLE:
                waiting.setdefault((kept["ticket"], kept["asked_at"]), []).append(number)
        return waiting

    def _fetch(self, ticket: str, asked_at: str, numbers: Sequence[str]) -> Talk:
        """Ask for the answer to a ticket, unless it is too early for that."""
        early = _PAUSE - self._age(self._tried.get(ticket, asked_at))
        if early > timedelta(0):
            self._wait(numbers, early)
            return
        try:
            response = yield self._post.answer(ticket)
            found = join(wire.found(response, numbers), numbers)
        except CarrierError as error:
            self._without(ticket, numbers, error)
            return
        self._heard = True
        self._tried.pop(ticket, None)
        self._answers |= found
        # The ticket is spent, for a number that its answer leaves out too.
        self._learnt |= {number: {} for number in numbers}

    def _without(self, ticket: str, numbers: Sequence[str], error: CarrierError) -> None:
        """What a ticket without an answer means. Raises `error` where it is not about this ticket alone."""
        if error.kind is ErrorKind.NOT_READY:
            self._heard = True
            self._tried[ticket] = self._now.isoformat()
            self._wait(numbers, _PAUSE)
        elif error.kind is ErrorKind.REQUEST_EXPIRED:
            # Its numbers stay without an answer here, and so get a new ticket at the end of this conversation.
            self._heard = True
            self._learnt |= {number: {} for number in numbers}
        elif error.kind in _OF_THE_TICKET:
            self._answers |= dict.fromkeys(numbers, error)
            if error.kind is ErrorKind.INVALID_REQUEST:
                self._learnt |= {number: {} for number in numbers}
        else:
            raise error

    def _order(self, numbers: Sequence[str]) -> Talk:
        """Ask for a ticket; its answer is there in a quarter of an hour."""
        ticket = wire.ticket((yield self._post.ticket(numbers)))
        self._heard = True
        self._learnt |= {number: {"ticket": ticket, "asked_at": self._now.isoformat()} for number in numbers}
        self._wait(numbers, _PAUSE)

    def _wait(self, numbers: Sequence[str], pause: timedelta) -> None:
        error = CarrierError(
            ErrorKind.NOT_READY, "the answer to the ticket is not ready", retry_after=float(-(-pause // timedelta(seconds=1)))
        )
        self._answers |= dict.fromkeys(numbers, error)

    def _age(self, at: str) -> timedelta:
        return self._now - datetime.fromisoformat(at)
