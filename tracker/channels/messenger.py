"""What the messengers' APIs have in common: one POST, and the one honest outcome it had (faults row 18).

There is no idempotency key: whatever breaks after the request may have left is doubtful, and a person looks at it. Only a failure
to connect, and an answer that says no, are definite.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from carriers.base import Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.http import NOT_SENT, HttpTransport, make_transport
from carriers.reach import Reach
from tracker.channels.base import Ambiguous, Refused

DEADLINE_SECONDS = 30.0
_MOST_BYTES = 256 * 1024
_SERVER_ERRORS = 500
_MOST_SAID = 300
_NUMBER = re.compile(r"\+?\d(?:[ ().-]{0,2}\d){7,}")


class Caller:
    """One account of one API. The token stands in a header or in the path; neither is ever told."""

    def __init__(self, name: str, reach: Reach, *, total_deadline_s: float = DEADLINE_SECONDS) -> None:
        self._name = name
        self._http = HttpTransport(
            account_id=name,
            total_deadline_s=total_deadline_s,
            max_body_bytes=_MOST_BYTES,
            reach=reach,
            transport=make_transport(connections=2, fast=False, reach=reach),  # it tells a failed connection from a lost one
        )

    async def post(self, url: str, body: object, headers: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
        """The status and the JSON object of the answer. Raises Refused when it was not sent, Ambiguous when nobody knows."""
        sent = {"content-type": "application/json", **(headers or {})}
        request = Request(method="POST", url=url, headers=sent, body=msgspec.json.encode(body))
        try:
            answer = await self._http.send(request)
        except CarrierError as error:
            if error.code == NOT_SENT or error.kind is ErrorKind.INVALID_REQUEST:
                raise Refused(f"{self._name}: {error}", retry=True) from error
            raise Ambiguous(f"{self._name}: {error}, after the message may have been handed over") from error
        if answer.status >= _SERVER_ERRORS:
            raise Ambiguous(f"{self._name} answers HTTP {answer.status}, which says nothing about the message")
        return answer.status, _object(answer)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def reason_of(said: object) -> str:
    """What an API gave as its reason, fit for log, journal and database: short, one line, without anybody's number."""
    text = said if isinstance(said, str) and said.strip() else "no reason"
    return _NUMBER.sub("…", " ".join(text.split()))[:_MOST_SAID]


def _object(answer: Response) -> dict[str, Any]:
    try:
        return msgspec.json.decode(answer.body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
