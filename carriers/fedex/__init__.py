"""FedEx Track: up to thirty numbers a call behind an OAuth token (facts: FedEx).

Rules of this source: an item is joined by its outer `trackingNumber`. Of several results for one number the one shipped last
counts: numbers are used again. An `error` beside real data is no error; alone it is one, or "not found". The newest scan tells
the status, by `eventType`, and where no row knows that by `derivedStatusCode`; `latestStatusDetail` speaks where no scan does.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from carriers.answers import join
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.errors import CarrierError
from carriers.fedex import reading, wire
from carriers.model import Tracking
from carriers.talks import Bearer, all_at_once, secret


class Fedex(Pushless):
    """Adapter `fedex`. Secrets: `client_id`, `client_secret` (FedEx calls them API key and secret key). Options: none.

    Thirty numbers a call (unverified).
    """

    name = "fedex"
    batch_size = 30

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """A token if need be, then one call for all numbers."""
        base = account.base_url.rstrip("/")
        bearer = Bearer(_login(account, base), memory, now)
        numbers = list(dict.fromkeys(query.number for query in queries))
        asked = {
            "includeDetailedScans": True,
            "trackingInfo": [{"trackingNumberInfo": {"trackingNumber": number}} for number in numbers],
        }
        request = Request(
            method="POST",
            url=f"{base}/track/v1/trackingnumbers",
            headers={"content-type": "application/json", "x-locale": "en_US"},
            body=msgspec.json.encode(asked),
        )
        return (yield from bearer.keep(all_at_once(bearer.send(request), numbers, self.split), queries))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """One result or error per number, by the outer number: the inner one may be another."""
        return join(wire.found(response), asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one result."""
        return reading.read(raw)


def _login(account: Account, base: str) -> Request:
    form = {
        "grant_type": "client_credentials",
        "client_id": secret(account, "client_id"),
        "client_secret": secret(account, "client_secret"),
    }
    return Request(
        method="POST",
        url=f"{base}/oauth/token",
        headers={"content-type": "application/x-www-form-urlencoded"},
        body=urlencode(form).encode(),
    )
