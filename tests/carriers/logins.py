"""A stand-in for a source behind an OAuth token, and one conversation with it over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from carriers.base import Account, Adapter, Batch, Memory, Query
from carriers.http import HttpTransport
from tests.carriers.loopback import Handler, Reply, converse, http, serving

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
SECRETS = {name: f"the {name}" for name in ("client_id", "client_secret", "api_key", "user", "password", "site_id")}


def epoch(utc: str) -> int:
    """Epoch seconds of a wall clock in UTC."""
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp())


class Login:
    """Grants numbered tokens at `path`, and hands whoever holds the newest one to `answer`."""

    def __init__(self, path: str, answer: Handler) -> None:
        self.path, self.answer = path, answer
        self.token_reply: bytes | None = None
        self.tokens = 0
        self.logins: list[tuple[Mapping[str, str], bytes]] = []
        self.calls: list[tuple[str, str, Mapping[str, str], bytes]] = []

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if path == self.path:
            self.logins.append((headers, body))
            self.tokens += 1
            grant = {"access_token": f"token-{self.tokens}", "expires_in": "14399"}
            return self.token_reply or http(200, json.dumps(grant).encode())
        if headers.get("authorization") != f"Bearer token-{self.tokens}":
            return http(401, b"{}")
        self.calls.append((method, path, headers, body))
        return self.answer(method, path, headers, body)


async def ask(
    adapter: Adapter,
    source: Handler,
    queries: Sequence[Query],
    memory: Mapping[str, Any] | None = None,
    now: datetime = NOW,
    options: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Batch:
    """Hold one conversation of `adapter` with `source`."""
    async with serving(source) as base:
        transport = HttpTransport(account_id=adapter.name)
        account = Account(id=adapter.name, base_url=base, secrets=SECRETS | dict(secrets or {}), options=options or {})
        try:
            return await converse(adapter, list(queries), account, Memory(account=memory or {}), now, transport)
        finally:
            await transport.close()
