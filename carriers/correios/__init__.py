"""Correios (Brazil): CWS token and SRO Rastro, the post's own tracking (facts: Correios).

The conversation: a token by HTTP Basic, kept in the account's memory until shortly before it ends; then one GET for all numbers.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

import msgspec

from carriers.answers import decode, http_error, join
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.correios import reading, wire
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking

_RENEW = timedelta(minutes=15)
"""Before the end of a token; the service hands out the same one until 30 minutes before it."""

_REFUSED = {401, 403}


class Token(msgspec.Struct):
    """The part of a token answer that we keep. `expiraEm` is a wall clock, `zoneOffset` (`-03:00`) belongs to it."""

    token: str
    expiraEm: str = ""  # noqa: N815 - the source's name
    zoneOffset: str = ""  # noqa: N815 - the source's name

    def expires(self) -> str | None:
        """When it ends, with its offset; None when that cannot be read: then it is used once."""
        try:
            end = datetime.fromisoformat(self.expiraEm + self.zoneOffset)
        except ValueError:
            return None
        return end.isoformat() if end.tzinfo is not None else None


_TOKEN = msgspec.json.Decoder(Token)


class Correios(Pushless):
    """Adapter `correios`. Secrets: `user`, `access_code` (made in CWS, not the portal's password).

    Options: `posting_card` or `contract`, the number for which the token is asked.
    """

    name = "correios"
    batch_size = 50

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """Authenticate if need be, then ask for all events of all numbers; again with a fresh token if the kept one fails."""
        kept = memory.account
        token = _usable(kept, now)
        fresh = token is None
        if token is None:
            token, kept = yield from _authenticate(account)
        numbers = list(dict.fromkeys(query.number for query in queries))
        response = yield _tracking(account, token, numbers)
        if response.status in _REFUSED and not fresh:
            token, kept = yield from _authenticate(account)
            response = yield _tracking(account, token, numbers)
        return Batch(answers=self.split(response, numbers), memory=Memory(account={} if kept is memory.account else kept))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut an answer into one object per number; the legacy SOAP answer too."""
        return join(wire.found(response, asked), asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one object."""
        return reading.read(raw)


def _usable(kept: Mapping[str, object], now: datetime) -> str | None:
    token, ends = kept.get("token"), kept.get("expires_at")
    if not isinstance(token, str) or not isinstance(ends, str):
        return None
    return token if now < datetime.fromisoformat(ends) - _RENEW else None


def _authenticate(account: Account) -> Generator[Request, Response, tuple[str, dict[str, str]]]:
    user, code = account.secrets.get("user"), account.secrets.get("access_code")
    if not user or not code:
        raise CarrierError(ErrorKind.AUTH, f"account {account.id} needs the secrets user and access_code")
    card, contract = account.options.get("posting_card"), account.options.get("contract")
    path, number = ("/cartaopostagem", card) if card else ("/contrato", contract) if contract else ("", None)
    response = yield Request(
        method="POST",
        url=f"{account.base_url.rstrip('/')}/token/v1/autentica{path}",
        headers={
            "authorization": "Basic " + b64encode(f"{user}:{code}".encode()).decode(),
            "content-type": "application/json",
        },
        body=msgspec.json.encode({"numero": str(number)}) if number else b"",
    )
    failed = http_error(response, wire.said(response.body))
    if failed is not None:
        # A 400 here is a wrong user, card or contract: a matter of the account, not of the request's form.
        raise CarrierError(ErrorKind.AUTH, failed.message, code=failed.code) if response.status == 400 else failed  # noqa: PLR2004
    told = decode(_TOKEN, response.body)
    ends = told.expires()
    return told.token, {"token": told.token, "expires_at": ends} if ends else {}


def _tracking(account: Account, token: str, numbers: Sequence[str]) -> Request:
    """One number by its path, several by a list (the list's length is unverified)."""
    path = f"/{quote(numbers[0], safe='')}" if len(numbers) == 1 else ""
    listed = [] if path else [("codigosObjetos", number) for number in numbers]
    query = urlencode([*listed, ("resultado", "T")])
    return Request(
        method="GET",
        url=f"{account.base_url.rstrip('/')}/srorastro/v1/objetos{path}?{query}",
        headers={"authorization": f"Bearer {token}"},
    )
