"""The conversation with 17TRACK: register, change the carrier, look, wake up what was stopped.

What an account pays for is a registration; looking and waking are free (facts: 17TRACK, quota). Memory of a number:

- `registered_at` (ISO time): it is registered; within two days of it "not found" is no news
- `carrier` (int): the carrier 17TRACK has; `asked` (int): the one we asked for, so that its corrections are not fought
- `changes` (int): tried changes of carrier, at most five
- `retracked_at`, `reregistered_at` (ISO time): each is done once, where 17TRACK has stopped looking

Options of an account: `reregister` (a number stopped twice is deleted and paid for again), `lang` (translated texts: one more
registration's worth), `param` (the hint that its carriers want with a registration: `postcode`, `phone` or `date`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from carriers.answers import join
from carriers.base import Account, Batch, Memory, Query, Quota, Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.seventeen_track import wire
from carriers.talks import secret

MAX_CHANGES = 5
_ONLY_REGISTERING = {ErrorKind.QUOTA_EXHAUSTED, ErrorKind.INVALID_REQUEST, ErrorKind.INVALID_NUMBER}
"""Failures of a registration that do not keep us from looking at what is registered: looking costs nothing."""

_LOOK = "gettrackinfo"
_RETRACKED_BEFORE = "-18019905"
_FULL_FOR_TODAY = "-18019907"
"""The day's registrations are used up: unlike the quota (-18019908) they come back by themselves."""

_DAY_S = 86_400.0

_PARAMS: Mapping[str, Callable[[Query], str | None]] = {
    "postcode": lambda query: query.postcode,
    "phone": lambda query: "".join(filter(str.isdecimal, query.phone or ""))[-4:],
    "date": lambda query: query.ship_date,
}
"""Option `param` -> the hint to send; of a phone number the last four digits, which is all that carriers ask for."""

Talk = Generator[Request, Response, None]


def call(account: Account, endpoint: str, items: Sequence[Mapping[str, Any]]) -> Request:
    """One call: POST always, a JSON list of at most 40 items. Raises CarrierError(auth) where the account has no key."""
    key = secret(account, "api_key")
    return Request(
        method="POST",
        url=f"{account.base_url.rstrip('/')}/{endpoint}",
        headers={"17token": key, "content-type": "application/json"},
        body=msgspec.json.encode(items),
    )


def quota(account: Account) -> Generator[Request, Response, Quota]:
    """What the account may still register (free of charge). Raises CarrierError."""
    return wire.quota((yield call(account, "getquota", [])))


class Conversation:
    """One conversation about at most 40 numbers of one account."""

    def __init__(self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime) -> None:
        self.queries = {query.number: query for query in queries}
        self.account = account
        self.known = memory.numbers
        self.now = now
        self.today = now.isoformat()
        self.learnt: dict[str, Mapping[str, Any]] = {}
        self.answers: dict[str, bytes | CarrierError] = {}
        self.items: dict[str, wire.Item] = {}

    def run(self) -> Generator[Request, Response, Batch]:
        """Hold it. A failure after something was learnt stands for the numbers still open, so that what was learnt is kept."""
        try:
            yield from self._hold()
        except CarrierError as error:
            if not self.learnt and not self.answers:
                raise
            for number in self.queries:
                self.answers.setdefault(number, error)
        return Batch(answers=self.answers, memory=Memory(numbers=self.learnt))

    def _hold(self) -> Talk:
        for number, query in self.queries.items():
            if query.carrier_code is not None and not query.carrier_code.isdecimal():
                text = f"{query.carrier_code!r} is no carrier of 17TRACK: its codes are numbers such as 3011"
                self.answers[number] = CarrierError(ErrorKind.INVALID_REQUEST, text)
        yield from self._register([number for number in self._open() if "registered_at" not in self._entry(number)])
        yield from self._change_carriers(self._open())
        yield from self._look(self._open())
        lost = [number for number, said in self.answers.items() if _is(said, ErrorKind.NOT_REGISTERED)]
        for number in lost:
            del self.answers[number]
        yield from self._register(lost)
        yield from self._look([number for number in lost if number not in self.answers])
        yield from self._wake()

    def _open(self) -> list[str]:
        return [number for number in self.queries if number not in self.answers]

    def _entry(self, number: str) -> Mapping[str, Any]:
        return self.learnt.get(number) or self.known.get(number) or {}

    def _learn(self, number: str, **facts: str | int | None) -> None:
        merged = {**self._entry(number), **facts}
        self.learnt[number] = {name: value for name, value in merged.items() if value is not None}

    def _wanted(self, number: str) -> int | None:
        code = self.queries[number].carrier_code
        return None if code is None else int(code)

    def _record(self, number: str) -> dict[str, Any]:
        carrier = self._entry(number).get("carrier")
        return {"number": number} if carrier is None else {"number": number, "carrier": carrier}

    def _post(self, endpoint: str, items: Sequence[Mapping[str, Any]]) -> Generator[Request, Response, dict[str, wire.Found]]:
        response = yield call(self.account, endpoint, items)
        told = join(wire.found(response), [item["number"] for item in items])
        # "No information yet" answers a look; whatever else was wanted it refuses.
        return told if endpoint == _LOOK else {number: _done(said) for number, said in told.items()}

    def _register(self, numbers: Sequence[str]) -> Talk:
        if not numbers:
            return
        wanted = {number: self._wanted(number) for number in numbers}
        try:
            told = yield from self._post("register", [self._application(number) for number in numbers])
        except CarrierError as error:
            if error.kind not in _ONLY_REGISTERING and error.code != _FULL_FOR_TODAY:
                raise
            self._until_tomorrow(error)
            if len(numbers) == len(self.queries):
                raise
            told = dict.fromkeys(numbers, error)
        for number, said in told.items():
            if isinstance(said, wire.Item):
                self._learn(number, registered_at=self.today, carrier=said.carrier, asked=wanted[number], retracked_at=None)
            elif said.kind is ErrorKind.ALREADY_REGISTERED:
                # Perhaps under another carrier than we have in mind: look without one, and learn it from the answer.
                self._learn(number, registered_at=self.today, carrier=None)
            else:
                self._until_tomorrow(said)
                self.answers[number] = said

    def _application(self, number: str) -> dict[str, Any]:
        options, hint = self.account.options, None
        if options.get("param") in _PARAMS:
            hint = _PARAMS[options["param"]](self.queries[number])
        wishes = {"carrier": self._wanted(number), "lang": options.get("lang"), "param": hint}
        return {"number": number, "auto_detection": True} | {name: wish for name, wish in wishes.items() if wish}

    def _until_tomorrow(self, error: CarrierError) -> None:
        if error.code == _FULL_FOR_TODAY:
            error.retry_after = _DAY_S - (self.now - self.now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()

    def _change_carriers(self, numbers: Iterable[str]) -> Talk:
        changes = [
            {"number": n, "carrier_old": self._entry(n)["carrier"], "carrier_new": self._wanted(n)}
            for n in numbers
            if self._differs(n)
        ]
        if not changes:
            return
        try:
            told = yield from self._post("changecarrier", changes)
        except CarrierError as error:
            if error.kind not in _ONLY_REGISTERING:
                raise
            # A wish that the source does not understand must not hide what it knows.
            told = dict.fromkeys((change["number"] for change in changes), error)
        for change in changes:
            number, tried = change["number"], self._entry(change["number"]).get("changes", 0) + 1
            if isinstance(told[number], wire.Item):
                self._learn(number, changes=tried, carrier=change["carrier_new"], asked=change["carrier_new"])
            else:
                self._learn(number, changes=tried)

    def _differs(self, number: str) -> bool:
        wanted = self._wanted(number)
        if wanted is None:
            return False
        entry = self._entry(number)
        if entry.get("carrier") is None or entry.get("changes", 0) >= MAX_CHANGES:
            return False
        return wanted not in {entry["carrier"], entry.get("asked")}

    def _look(self, numbers: Sequence[str]) -> Talk:
        if not numbers:
            return
        told = yield from self._post(_LOOK, [self._record(number) for number in numbers])
        for number, said in told.items():
            if isinstance(said, CarrierError):
                self.answers[number] = said
                continue
            self.items[number] = said
            self.answers[number] = wire.to_slice(said)
            if said.carrier is not None and said.carrier != self._entry(number).get("carrier"):
                self._learn(number, carrier=said.carrier)

    def _wake(self) -> Talk:
        """Retrack what 17TRACK stopped, once; then, only if the account allows the cost, delete and register it again, once."""
        asleep = [number for number, item in self.items.items() if item.expired]
        tried = {number for number in asleep if "retracked_at" in self._entry(number)}
        yield from self._retrack([number for number in asleep if number not in tried])
        if self.account.options.get("reregister") is True:
            yield from self._register_anew([n for n in asleep if n in tried and "reregistered_at" not in self._entry(n)])

    def _retrack(self, numbers: Sequence[str]) -> Talk:
        if not numbers:
            return
        told = yield from self._post("retrack", [self._record(number) for number in numbers])
        for number, said in told.items():
            if isinstance(said, wire.Item) or said.code == _RETRACKED_BEFORE:
                self._learn(number, retracked_at=self.today)

    def _register_anew(self, numbers: Sequence[str]) -> Talk:
        if not numbers:
            return
        told = yield from self._post("deletetrack", [self._record(number) for number in numbers])
        gone = [number for number, said in told.items() if isinstance(said, wire.Item)]
        for number in gone:
            self._learn(number, registered_at=None, carrier=None, reregistered_at=self.today)
        answered = dict(self.answers)
        yield from self._register(gone)
        self.answers = answered


def _done(said: wire.Found) -> wire.Found:
    if isinstance(said, wire.Item) and said.track_info is not None:
        return CarrierError(ErrorKind.INVALID_REQUEST, "17TRACK: no tracking information at this time")
    return said


def _is(said: bytes | CarrierError, kind: ErrorKind) -> bool:
    return isinstance(said, CarrierError) and said.kind is kind
