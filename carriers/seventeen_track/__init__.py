"""17TRACK Tracking API v2.2 (and v2.4, the same envelope): one source for most carriers (facts: 17TRACK)."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest

from carriers.answers import join
from carriers.base import Account, Batch, Memory, Push, Query, Quota, Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking
from carriers.seventeen_track import conversation, reading, wire
from carriers.seventeen_track.conversation import Conversation


class SeventeenTrack:
    """Adapter `seventeen_track`. Secret: `api_key`. Options: `reregister` (true: pay again for a number stopped twice).

    Also `lang` (`en`: texts translated by 17TRACK, which makes a registration cost two) and `param` (`postcode`, `phone` or
    `date`: the hint that its carriers want with a registration; its form is unverified). `base_url` may end in `/v2.4`.
    """

    name = "seventeen_track"
    batch_size = 40

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """Register what is new, look, wake up what was stopped: one to seven requests, mostly one."""
        return Conversation(queries, account, memory, now).run()

    def quota(self, account: Account) -> Generator[Request, Response, Quota]:
        """Ask what is left of the registrations that were paid for."""
        return conversation.quota(account)

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut an answer, a registration or a push into slices."""
        to_slice, told = wire.to_slice, wire.found(response)
        cut = {number: item if isinstance(item, CarrierError) else to_slice(item) for number, item in told.items()}
        return join(cut, asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one slice."""
        return reading.read(raw)

    def discreet(self, raw: bytes) -> bytes:
        """The slice without streets, coordinates and signers: its scans were cut out of the answer as they came."""
        return reading.discreet(raw)

    def read_push(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Sequence[Push]:
        """A push, signed with the hex SHA-256 of `body + "/" + api_key` in the header `sign`. It carries no time to check."""
        signed = sha256(body + b"/" + secret.encode()).hexdigest()
        if not secret or not compare_digest(signed.encode(), headers.get("sign", "").strip().lower().encode()):
            raise CarrierError(ErrorKind.AUTH, "the push is not signed with this account's key")
        slices = self.split(Response(status=200, body=body), ())
        return [Push(number=number, slice=cut) for number, cut in slices.items() if isinstance(cut, bytes)]
