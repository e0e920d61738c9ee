"""How many numbers one call answers about: a source's day is counted in calls, so the registry must know (Quota)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from carriers import registry
from carriers.base import Account, Memory, Query, Response
from carriers.errors import CarrierError

NUMBERS = ("RR123456785CN", "LX123456785CN", "EA123456785CN")
MOST = 20
GRANT = Response(status=200, body=b'{"id_token": "t", "access_token": "t", "expires_in": 3600}')
ONLINE = [name for name in registry.names() if not registry.describe(name).drop]


def numbers_a_call(name: str) -> list[int]:
    """How many of three numbers each request of a conversation names, with a source that grants tokens and finds nothing."""
    described = registry.describe(name)
    secrets = dict.fromkeys(described.secrets, "a" * 44)
    account = Account(id="x", base_url=described.base_url, secrets=secrets, options={"customer": "1", "public_page": True})
    token = {"token": "t", "expires_at": "2099-01-01T00:00:00+00:00"}
    kept = {"registered_at": "2026-01-01T00:00:00+00:00"}
    queries = [Query(number=number, carrier_code="21051", postcode="10115", country="DE") for number in NUMBERS]
    talk = registry.get(name).ask(
        queries, account, Memory(account=token, numbers=dict.fromkeys(NUMBERS, kept)), datetime(2026, 3, 1, tzinfo=UTC)
    )
    named = []
    try:
        request = next(talk)
        for _ in range(MOST):
            named.append(sum(number in request.url or number.encode() in request.body for number in NUMBERS))
            request = talk.send(Response(status=404, body=b"{}") if named[-1] else GRANT)
    except (StopIteration, CarrierError):
        talk.close()
    return named


@pytest.mark.parametrize("name", ONLINE)
def test_the_registry_knows_who_wants_one_call_a_number(name: str) -> None:
    named = [count for count in numbers_a_call(name) if count]
    assert named, "the conversation names no number"
    assert (max(named) == 1) is registry.describe(name).apiece
