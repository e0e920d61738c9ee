"""The conversation with AfterShip: `carriers.enrolment`, with one call for each number that is created."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from urllib.parse import quote, urlencode

import msgspec

from carriers.aftership import wire
from carriers.base import Request, Response
from carriers.enrolment import Cuts, Enrolment, Talk
from carriers.errors import CarrierError, ErrorKind
from carriers.talks import secret

_PAGE = 200
_PAGES = 5
"""Pages that are turned at most: fifty numbers fill a part of one, more of them would be somebody else's."""

_LONGEST_WINDOW_S = 60.0
"""Its windows are one second long: what tells more is no epoch second."""

_OF_THE_NUMBER = {ErrorKind.INVALID_REQUEST, ErrorKind.INVALID_NUMBER, ErrorKind.ALREADY_REGISTERED}
"""What the next number need not meet."""


class Conversation(Enrolment):
    """One conversation about at most 50 numbers of one account."""

    def create(self, numbers: Sequence[str]) -> Generator[Request, Response, Cuts]:
        """One call a number. What speaks of the account ends the creating, not the looking, which costs nothing."""
        refused: dict[str, bytes | CarrierError] = {}
        for at, number in enumerate(numbers):
            code = self.queries[number].carrier_code
            wanted = {"tracking_number": number} | ({"slug": code} if code else {})
            try:
                yield from self._call("POST", "", {"tracking": wanted} if self._old else wanted)
            except CarrierError as error:
                refused[number] = error
                if error.kind not in _OF_THE_NUMBER:
                    if at == 0 and len(numbers) == len(self.queries):
                        raise
                    return refused | dict.fromkeys(numbers[at:], error)
        return refused

    def look(self, numbers: Sequence[str]) -> Generator[Request, Response, tuple[Cuts, Mapping[str, str]]]:
        """All in one list, page by page."""
        found: list[wire.Found] = []
        turn: dict[str, str] = {}
        for _ in range(_PAGES):
            query = urlencode({"tracking_numbers": ",".join(numbers), "limit": _PAGE} | turn)
            page = yield from self._call("GET", f"?{query}")
            found.extend(page.items)
            if page.cursor is None:
                break
            turn = {"cursor": page.cursor}
        own = self.of_own_couriers(found, lambda item: item.slug)
        return wire.cut(own), {n: said.id for n, said in own if isinstance(said, wire.Item) and said.asleep and said.id}

    def wake(self, record: str) -> Talk:
        """Only what expired can be woken up."""
        yield from self._call("POST", f"/{quote(record, safe='')}/retrack")

    @property
    def _old(self) -> bool:
        return self.account.base_url.rstrip("/").endswith("/v4")

    def _call(self, method: str, path: str, body: object = None) -> Generator[Request, Response, wire.Page]:
        key = secret(self.account, "api_key")
        response = yield Request(
            method=method,
            url=f"{self.account.base_url.rstrip('/')}/trackings{path}",
            headers={"aftership-api-key" if self._old else "as-api-key": key, "content-type": "application/json"},
            body=b"" if body is None else msgspec.json.encode(body),
        )
        try:
            return wire.page(response)
        except CarrierError as error:
            if error.kind is ErrorKind.RATE_LIMITED and error.retry_after is None:
                error.retry_after = self._reset(response)
            raise

    def _reset(self, response: Response) -> float | None:
        """Seconds until the source's window opens again (`X-RateLimit-Reset`, epoch seconds), where it tells that."""
        text = response.headers.get("x-ratelimit-reset", "")
        if not (text.isascii() and text.isdigit()):
            return None
        return min(max(1.0, float(text) - self.now.timestamp()), _LONGEST_WINDOW_S)
