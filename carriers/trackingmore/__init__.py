"""TrackingMore API v4: an aggregator (facts: TrackingMore).

A number is created once, forty a call, and then only looked at. A push is signed with HMAC-SHA256 over the raw body; the source's
documents show it both as base64 and as hex, and either is taken. A third form, over a timestamp alone, proves nothing about the
body: it is refused, and polling stays the safety net. Try a real push before you rely on it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime

from carriers.answers import join
from carriers.base import Account, Batch, Memory, Push, Query, Request, Response
from carriers.errors import CarrierError
from carriers.model import Tracking
from carriers.signatures import demand, hmac_base64, hmac_hex
from carriers.trackingmore import reading, wire
from carriers.trackingmore.conversation import Conversation


class Trackingmore:
    """Adapter `trackingmore`. Secrets: `api_key`. Options: none.

    Pushes: the webhook's secret; a signature over the body as base64 or hex (its form is unverified).
    """

    name = "trackingmore"
    batch_size = 40

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """Create what is new, look, wake up what expired: one to six requests, mostly one."""
        return Conversation(queries, account, memory, now).run()

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut an answer, a creation or a push into slices."""
        return join(wire.cut(wire.items(response)), asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one slice."""
        return reading.read(raw)

    def read_push(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Sequence[Push]:
        """A push, signed over its body in the header `signature`. It carries no signed time to check."""
        key = secret.encode()
        demand(headers.get("signature"), *((hmac_base64(key, body), hmac_hex(key, body)) if secret else ()))
        slices = self.split(Response(status=200, body=body), ())
        return [Push(number=number, slice=cut) for number, cut in slices.items() if isinstance(cut, bytes)]
