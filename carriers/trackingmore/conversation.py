"""The conversation with TrackingMore: `carriers.enrolment`, with forty numbers created a call."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from urllib.parse import quote, urlencode

import msgspec

from carriers.answers import join
from carriers.base import Request, Response
from carriers.enrolment import Cuts, Enrolment, Talk
from carriers.errors import CarrierError, ErrorKind
from carriers.talks import secret
from carriers.trackingmore import wire

_ONLY_CREATING = {ErrorKind.QUOTA_EXHAUSTED, ErrorKind.INVALID_REQUEST, ErrorKind.INVALID_NUMBER}
"""Failures of a creation that do not keep us from looking at what exists: looking costs nothing."""

_EXISTS = ErrorKind.ALREADY_REGISTERED

_PAGE = 200


class Conversation(Enrolment):
    """One conversation about at most 40 numbers of one account."""

    def create(self, numbers: Sequence[str]) -> Generator[Request, Response, Cuts]:
        """All in one call. A failure of the whole call is each number's, where others can still be looked at."""
        try:
            found = yield from self._call("POST", "batch", [self._wanted(number) for number in numbers])
        except CarrierError as error:
            alone = len(numbers) == len(self.queries)
            if error.kind is not _EXISTS and (error.kind not in _ONLY_CREATING or alone):
                raise
            return dict.fromkeys(numbers, error)
        return join(wire.cut(found), numbers)

    def look(self, numbers: Sequence[str]) -> Generator[Request, Response, tuple[Cuts, Mapping[str, str]]]:
        """All in one call; "does not exist" is said about the whole of it where none does."""
        query = urlencode({"tracking_numbers": ",".join(numbers), "page_amount": _PAGE})
        try:
            found = yield from self._call("GET", f"get?{query}")
        except CarrierError as error:
            if error.kind is not ErrorKind.NOT_REGISTERED:
                raise
            return {}, {}
        own = self.of_own_couriers(found, lambda item: item.courier_code)
        return wire.cut(own), {n: said.id for n, said in own if isinstance(said, wire.Item) and said.asleep and said.id}

    def wake(self, record: str) -> Talk:
        """Only what expired can be woken up."""
        yield from self._call("POST", f"retrack/{quote(record, safe='')}")

    def _wanted(self, number: str) -> dict[str, str]:
        code = self.queries[number].carrier_code
        return {"tracking_number": number} | ({"courier_code": code} if code else {})

    def _call(self, method: str, path: str, body: object = None) -> Generator[Request, Response, list[wire.Found]]:
        headers = {"tracking-api-key": secret(self.account, "api_key"), "content-type": "application/json"}
        response = yield Request(
            method=method,
            url=f"{self.account.base_url.rstrip('/')}/trackings/{path}",
            headers=headers,
            body=b"" if body is None else msgspec.json.encode(body),
        )
        return wire.items(response)
