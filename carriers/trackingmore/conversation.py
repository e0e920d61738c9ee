"""The conversation with TrackingMore: create, look, create again what it forgot, wake up what expired.

What an account pays for is a creation; "exists already" is free. Memory of a number:

- `registered_at` (ISO time): it is created; within two days of it "not found" is no news
- `reregistered_at` (ISO time): it was gone and was created again, once; `retracked_at` (ISO time): it was woken up, once
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from carriers.answers import join, missing
from carriers.base import Account, Batch, Memory, Query, Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.numbers import normalise
from carriers.talks import secret
from carriers.trackingmore import wire

_ONLY_CREATING = {ErrorKind.QUOTA_EXHAUSTED, ErrorKind.INVALID_REQUEST, ErrorKind.INVALID_NUMBER}
"""Failures of a creation that do not keep us from looking at what exists: looking costs nothing."""

_NO_MORE = {ErrorKind.INVALID_REQUEST, ErrorKind.INVALID_NUMBER, ErrorKind.NOT_REGISTERED}
"""Refusals to wake up one number: to ask again would change nothing."""

_PAGE = 200

Talk = Generator[Request, Response, None]


class Conversation:
    """One conversation about at most 40 numbers of one account."""

    def __init__(self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime) -> None:
        self.queries = {query.number: query for query in queries}
        self.account = account
        self.known = memory.numbers
        self.now = now.isoformat()
        self.learnt: dict[str, Mapping[str, Any]] = {}
        self.answers: dict[str, bytes | CarrierError] = {}
        self.expired: dict[str, str] = {}

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
        yield from self._create([number for number in self.queries if "registered_at" not in self._entry(number)])
        gone = yield from self._look([number for number in self.queries if number not in self.answers])
        again = [number for number in gone if number not in self.learnt and "reregistered_at" not in self._entry(number)]
        yield from self._create(again, reregistered_at=self.now)
        yield from self._look([number for number in again if number not in self.answers])
        for number in gone:
            fresh = number in self.learnt
            late = CarrierError(ErrorKind.NOT_READY, "created just now and not listed yet") if fresh else missing()
            self.answers.setdefault(number, late)
        yield from self._wake()

    def _entry(self, number: str) -> Mapping[str, Any]:
        return self.learnt.get(number) or self.known.get(number) or {}

    def _learn(self, number: str, **facts: str) -> None:
        self.learnt[number] = {**self._entry(number), **facts}

    def _call(self, method: str, path: str, body: object = None) -> Generator[Request, Response, list[wire.Found]]:
        headers = {"tracking-api-key": secret(self.account, "api_key"), "content-type": "application/json"}
        response = yield Request(
            method=method,
            url=f"{self.account.base_url.rstrip('/')}/trackings/{path}",
            headers=headers,
            body=b"" if body is None else msgspec.json.encode(body),
        )
        return wire.items(response)

    def _create(self, numbers: Sequence[str], **facts: str) -> Talk:
        if not numbers:
            return
        wanted = [{"tracking_number": number} | self._courier(number) for number in numbers]
        try:
            found = yield from self._call("POST", "batch", wanted)
        except CarrierError as error:
            if error.kind not in _ONLY_CREATING or len(numbers) == len(self.queries):
                raise
            found = [(number, error) for number in numbers]
        for number, said in join(dict(found), numbers).items():
            if not isinstance(said, CarrierError):
                self._learn(number, registered_at=self.now, **facts)
            elif said.kind is ErrorKind.ALREADY_REGISTERED:
                self._learn(number, registered_at=self._entry(number).get("registered_at", self.now), **facts)
            else:
                self.answers[number] = said

    def _courier(self, number: str) -> dict[str, str]:
        code = self.queries[number].carrier_code
        return {"courier_code": code} if code else {}

    def _look(self, numbers: Sequence[str]) -> Generator[Request, Response, list[str]]:
        """Look, and give back the numbers that the source does not list."""
        if not numbers:
            return []
        query = urlencode({"tracking_numbers": ",".join(numbers), "page_amount": _PAGE})
        try:
            found = yield from self._call("GET", f"get?{query}")
        except CarrierError as error:
            if error.kind is not ErrorKind.NOT_REGISTERED:
                raise
            found = []
        cuts = {normalise(number): said for number, said in wire.cut(found).items()}
        records = {normalise(number): said.id for number, said in found if isinstance(said, wire.Item) and said.asleep}
        for number in numbers:
            spelled = normalise(number)
            if spelled in cuts:
                self.answers[number] = cuts[spelled]
            record = records.get(spelled)
            if record:
                self.expired[number] = record
        return [number for number in numbers if number not in self.answers]

    def _wake(self) -> Talk:
        for number, record in self.expired.items():
            if "retracked_at" in self._entry(number):
                continue
            try:
                yield from self._call("POST", f"retrack/{quote(record, safe='')}")
            except CarrierError as error:
                if error.kind not in _NO_MORE:
                    raise
            self._learn(number, retracked_at=self.now)
