"""Russian Post: the batch service with its tickets, and the single service (facts: carriers, 22).

Rules of this source: a ticket is answered after 15 minutes at the earliest, asked for at most once per 15 minutes while it is not
ready, and kept for 32 hours; an empty history means "not found"; times of the batch service name no zone.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime

from carriers.answers import join
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.errors import CarrierError
from carriers.model import Tracking
from carriers.russian_post import reading, wire
from carriers.russian_post.tickets import Tickets
from carriers.talks import Call, once, one_by_one


class RussianPost(Pushless):
    """Adapter `russian_post`. Secrets: `login`, `password`. Options: `mode = "single"`, `language` (`RUS`, `ENG`).

    Single mode asks one number a call, answered at once and with exact times: for few parcels (100 calls a day, unverified).
    """

    name = "russian_post"
    batch_size = 3000

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """Fetch the answers of open tickets and open a ticket for the rest; or, in single mode, ask number by number."""
        post = wire.Post(account)

        def history(query: Query) -> Call:
            return once(post.history(query.number))

        if account.options.get("mode") == "single":
            return (yield from one_by_one(queries, history, self.split))
        return (yield from Tickets(post, memory, now).hold([query.number for query in queries]))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut the answer to a ticket, or one history, into one slice per number. A fresh ticket is one that is not ready."""
        return join(wire.found(response, asked), asked)

    def read(self, raw: bytes) -> Tracking:
        """Read the operations of one number."""
        return reading.read(raw)
