"""UPS Track API: one number a call behind an OAuth token (facts: UPS).

Rules of this source: the newest activity tells the status. `type` with `code` says most, then `type` with the three digits of
`statusCode`, then `type` alone; the simplified text is never asked. gmtDate and gmtTime are the instant; older answers leave them
out, and then the zone is unknown. A package belongs to the number that it names.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator, Sequence
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote

from carriers.answers import join
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.errors import CarrierError
from carriers.model import Tracking
from carriers.talks import Bearer, one_by_one, secret
from carriers.ups import reading, wire

_QUERY = "locale=en_US&returnSignature=false&returnMilestones=false&returnPOD=false"


class Ups(Pushless):
    """Adapter `ups`. Secrets: `client_id`, `client_secret`. Options: `transaction_source`, our name for UPS (`tracker`).

    Numbers are followed for 120 days.
    """

    name = "ups"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """A token if need be, then one call a number."""
        bearer = Bearer(_login(account), memory, now)
        talk = one_by_one(queries, lambda query: bearer.send(_details(query, account, now)), self.split)
        return (yield from bearer.keep(talk, queries))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """One package per number; what names no number belongs to the one that was asked."""
        return join(wire.found(response, asked[0] if len(asked) == 1 else ""), asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one package."""
        return reading.read(raw)


def _login(account: Account) -> Request:
    user, password = secret(account, "client_id"), secret(account, "client_secret")
    return Request(
        method="POST",
        url=f"{account.base_url.rstrip('/')}/security/v1/oauth/token",
        headers={
            "authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode(),
            "content-type": "application/x-www-form-urlencoded",
        },
        body=b"grant_type=client_credentials",
    )


def _details(query: Query, account: Account, now: datetime) -> Request:
    number = quote(query.number, safe="")
    return Request(
        method="GET",
        url=f"{account.base_url.rstrip('/')}/api/track/v1/details/{number}?{_QUERY}",
        headers={
            # An adapter has neither dice nor a counter: number and moment make an id that UPS can look up.
            "transid": sha256(f"{query.number} {now.isoformat()}".encode()).hexdigest()[:32],
            "transactionsrc": str(account.options.get("transaction_source") or "tracker"),
        },
    )
