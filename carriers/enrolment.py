"""The conversation with a source that is told about a number once, for money, and then only asked (facts: AfterShip and others).

Create what is new, look at all, create again what the source forgot, wake up what expired. "Exists already" is free, and is
success. Memory of a number:

- `registered_at` (ISO time): it is created; within two days of it "not found" is no news
- `reregistered_at` (ISO time): it was gone and was created again, once; `retracked_at` (ISO time): it was woken up, once
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from carriers.answers import missing
from carriers.base import Account, Batch, Memory, Query, Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.numbers import normalise

_NO_MORE = {ErrorKind.INVALID_REQUEST, ErrorKind.INVALID_NUMBER, ErrorKind.NOT_REGISTERED}
"""Refusals to wake up one number: to ask again would change nothing."""

Talk = Generator[Request, Response, None]
Cuts = Mapping[str, bytes | CarrierError]

T = TypeVar("T")
Record = tuple[str, T | CarrierError]
"""A number, and one record of it."""


class Enrolment(ABC):
    """One conversation of one account. A source says how it creates, looks and wakes; what was learnt is never lost."""

    def __init__(self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime) -> None:
        self.queries = {query.number: query for query in queries}
        self.account = account
        self.now = now
        self.answers: dict[str, bytes | CarrierError] = {}
        self._known = memory.numbers
        self._learnt: dict[str, Mapping[str, Any]] = {}
        self._asleep: dict[str, str] = {}

    @abstractmethod
    def create(self, numbers: Sequence[str]) -> Generator[Request, Response, Cuts]:
        """Create `numbers`: an error for each one that the source refused, with `already_registered` among them."""

    @abstractmethod
    def look(self, numbers: Sequence[str]) -> Generator[Request, Response, tuple[Cuts, Mapping[str, str]]]:
        """Slices and errors by number, and the record id of each number that the source stopped looking at."""

    def of_own_couriers(self, found: Sequence[Record[T]], courier: Callable[[T], str | None]) -> Sequence[Record[T]]:
        """`found` without other couriers' records of a number whose own courier has one: numbers are used again (rule 4)."""
        wanted = {normalise(number): query.carrier_code for number, query in self.queries.items() if query.carrier_code}
        if not wanted:
            return found
        codes = [None if isinstance(said, CarrierError) else courier(said) for _, said in found]
        spelled = [normalise(number) for number, _ in found]
        own = {number for number, code in zip(spelled, codes, strict=True) if code and wanted.get(number) == code}
        places = zip(found, spelled, codes, strict=True)
        return [record for record, number, code in places if number not in own or code == wanted[number]]

    @abstractmethod
    def wake(self, record: str) -> Talk:
        """Have the source look at a record again. Raises CarrierError."""

    def run(self) -> Generator[Request, Response, Batch]:
        """Hold it. A failure after something was learnt stands for the numbers still open."""
        try:
            yield from self._hold()
        except CarrierError as error:
            if not self._learnt and not self.answers:
                raise
            for number in self.queries:
                self.answers.setdefault(number, error)
        return Batch(answers=self.answers, memory=Memory(numbers=self._learnt))

    def _hold(self) -> Talk:
        yield from self._create([number for number in self.queries if "registered_at" not in self._entry(number)])
        gone = yield from self._look([number for number in self.queries if number not in self.answers])
        again = [number for number in gone if number not in self._learnt and "reregistered_at" not in self._entry(number)]
        yield from self._create(again, reregistered_at=self.now.isoformat())
        yield from self._look([number for number in again if number not in self.answers])
        for number in gone:
            fresh = number in self._learnt
            late = CarrierError(ErrorKind.NOT_READY, "created just now and not listed yet") if fresh else missing()
            self.answers.setdefault(number, late)
        yield from self._wake()

    def _entry(self, number: str) -> Mapping[str, Any]:
        return self._learnt.get(number) or self._known.get(number) or {}

    def _learn(self, number: str, **facts: str) -> None:
        self._learnt[number] = {**self._entry(number), **facts}

    def _create(self, numbers: Sequence[str], **facts: str) -> Talk:
        refused = (yield from self.create(numbers)) if numbers else {}
        for number in numbers:
            said = refused.get(number)
            if not isinstance(said, CarrierError):
                self._learn(number, registered_at=self.now.isoformat(), **facts)
            elif said.kind is ErrorKind.ALREADY_REGISTERED:
                self._learn(number, registered_at=self._entry(number).get("registered_at", self.now.isoformat()), **facts)
            else:
                self.answers[number] = said

    def _look(self, numbers: Sequence[str]) -> Generator[Request, Response, list[str]]:
        """Look, and give back the numbers that the source does not list."""
        if not numbers:
            return []
        cuts, asleep = yield from self.look(numbers)
        told = {normalise(number): said for number, said in cuts.items()}
        records = {normalise(number): record for number, record in asleep.items()}
        for number in numbers:
            spelled = normalise(number)
            if spelled in told:
                self.answers[number] = told[spelled]
            if spelled in records:
                self._asleep[number] = records[spelled]
        return [number for number in numbers if number not in self.answers]

    def _wake(self) -> Talk:
        for number, record in self._asleep.items():
            if "retracked_at" in self._entry(number):
                continue
            try:
                yield from self.wake(record)
            except CarrierError as error:
                if error.kind not in _NO_MORE:
                    raise
            self._learn(number, retracked_at=self.now.isoformat())
