"""One account's way to its marketplace: the shared HTTP client, the tokens that are in force, renewing them once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from carriers.base import Request, Response, Transport
from carriers.errors import CarrierError, ErrorKind
from tracker.marketplaces.base import Account
from tracker.marketplaces.errors import Fault, MarketplaceError

_SERVER = 500
_TOO_MANY = 429
_UNAUTHORIZED = 401
_NOT_FOUND = 404
_BAD = 400
WAIT_UNASKED = 60.0
"""Seconds to wait where a platform throttles and names none."""

_NOT_SENT = frozenset({ErrorKind.RATE_LIMITED, ErrorKind.QUOTA_EXHAUSTED})
"""What our own gate says: the request never left."""


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What opens the account. A refresh token rotates on some platforms: the newest pair is the only one that is good."""

    access: str
    refresh: str | None = None


class Keeper(Protocol):
    """Keeps the newest tokens of an account across restarts."""

    async def load(self, account: str) -> Mapping[str, str]:
        """What was kept; empty at first."""
        ...

    async def keep(self, account: str, tokens: Mapping[str, str]) -> None:
        """Keep these from now on."""
        ...


class Session:
    """Sends one account's requests."""

    def __init__(self, account: Account, transport: Transport, keeper: Keeper) -> None:
        self.account = account
        self._transport = transport
        self._keeper = keeper
        self._tokens: Tokens | None = None
        self._renewing = asyncio.Lock()

    async def tokens(self) -> Tokens:
        """Those in force: renewed ones go before those of the configuration, until that names others."""
        if self._tokens is None:
            kept, secrets = await self._keeper.load(self.account.id), self.account.secrets
            if kept.get("access") and kept.get("from") == _begun(secrets):
                self._tokens = Tokens(access=kept["access"], refresh=kept.get("refresh"))
            else:
                self._tokens = Tokens(access=secrets.get("access_token", ""), refresh=secrets.get("refresh_token"))
        return self._tokens

    async def renew(self, stale: Tokens, fetch: Callable[[str], Awaitable[Tokens]]) -> Tokens:
        """New tokens for the refused ones, fetched once however many callers noticed. Raises MarketplaceError(auth)."""
        async with self._renewing:
            known = await self.tokens()
            if known != stale:
                return known
            if stale.refresh is None:
                raise MarketplaceError(Fault.AUTH, "the access token is refused, and no refresh token is configured")
            fresh = await fetch(stale.refresh)
            self._tokens = fresh
            kept = {"access": fresh.access, "from": _begun(self.account.secrets)}
            await self._keeper.keep(self.account.id, kept if fresh.refresh is None else {**kept, "refresh": fresh.refresh})
            return fresh

    async def send(self, request: Request, *, write: bool = False) -> Response:
        """Perform it. HTTP statuses become faults; of a write whatever is no definite answer is `ambiguous`."""
        try:
            response = await self._transport.send(request)
        except CarrierError as error:
            if error.kind in _NOT_SENT:
                raise MarketplaceError(Fault.THROTTLED, error.message, retry_after=error.retry_after or WAIT_UNASKED) from error
            if error.kind is ErrorKind.INVALID_REQUEST:
                raise MarketplaceError(Fault.REFUSED, error.message) from error
            raise MarketplaceError(Fault.AMBIGUOUS if write else Fault.TRANSIENT, error.message) from error
        _judge(response, write=write)
        return response


def _begun(secrets: Mapping[str, str]) -> str:
    """Which tokens of the configuration the renewed ones came from, without telling them."""
    text = f"{secrets.get('access_token', '')}\n{secrets.get('refresh_token', '')}"
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _judge(response: Response, *, write: bool) -> None:
    status = response.status
    code = str(status)
    if status < _BAD:
        return
    if status == _UNAUTHORIZED:
        raise MarketplaceError(Fault.AUTH, "HTTP 401: the token is refused", code=code)
    if status == _TOO_MANY:
        asked = response.headers.get("retry-after", "")
        seconds = float(asked) if asked.isdigit() else WAIT_UNASKED
        raise MarketplaceError(Fault.THROTTLED, "HTTP 429: too many calls", code=code, retry_after=seconds)
    if status == _NOT_FOUND:
        raise MarketplaceError(Fault.GONE, "HTTP 404: there is no such method", code=code)
    if status >= _SERVER:
        raise MarketplaceError(Fault.AMBIGUOUS if write else Fault.TRANSIENT, f"HTTP {status}", code=code)
    raise MarketplaceError(Fault.REFUSED, f"HTTP {status}", code=code)
