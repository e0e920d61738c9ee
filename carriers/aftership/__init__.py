"""AfterShip Tracking API 2026-07, and v4 where `base_url` ends in it: an aggregator (facts: AfterShip).

A number is created one by one, and then looked at with all others in one list. A push is signed with base64 of HMAC-SHA256 over
the raw body in the header `aftership-hmac-sha256`; its `ts`, part of the body, must be within five minutes of now.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime

from carriers.aftership import reading, wire
from carriers.aftership.conversation import Conversation
from carriers.answers import join
from carriers.base import Account, Batch, Memory, Push, Query, Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking
from carriers.signatures import demand, hmac_base64

_WINDOW_S = 300


class Aftership:
    """Adapter `aftership`. Secrets: `api_key`. Options: none; `base_url` ending in `/v4` speaks the older version.

    Pushes: the webhook's secret. Last-mile numbers of 2026-07 (`last_mile`) are unverified.
    """

    name = "aftership"
    batch_size = 50

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """Create what is new, look, wake up what expired: mostly one request."""
        return Conversation(queries, account, memory, now).run()

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut an answer, a list, a creation or a push into slices."""
        return join(wire.cut(wire.page(response).items), asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one slice."""
        return reading.read(raw)

    def read_push(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Sequence[Push]:
        """A push, signed over its body, `ts` included."""
        demand(headers.get("aftership-hmac-sha256"), *((hmac_base64(secret.encode(), body),) if secret else ()))
        page = wire.page(Response(status=200, body=body))
        if page.ts is not None and abs(page.ts - now.timestamp()) > _WINDOW_S:
            raise CarrierError(ErrorKind.AUTH, "the push was signed more than five minutes from now")
        slices = join(wire.cut(page.items), ())
        return [Push(number=number, slice=cut) for number, cut in slices.items() if isinstance(cut, bytes)]
