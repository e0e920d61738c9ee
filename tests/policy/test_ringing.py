"""D16, R25: when a messenger may ring, on the buyer's own clock; a real country may have eleven of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from tests.messages.build import dossier
from tracker import config
from tracker.policy.ringing import fold, rings_from, zones_of

QUIET = config.load(None, environ={}).rules.quiet


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("country", "region", "zones"),
    [
        ("BR", "SP", ("America/Sao_Paulo",)),
        ("BR", "Amazonas", ("America/Manaus",)),
        ("BR", "RONDÔNIA", ("America/Porto_Velho",)),
        ("BR", "AC", ("America/Rio_Branco",)),
        ("US", "California", ("America/Los_Angeles",)),
        ("MX", "Sonora", ("America/Hermosillo",)),
        ("RU", "Приморский край", ("Asia/Vladivostok",)),
        ("CL", None, QUIET.zones["CL"]),
        ("PT", "Lisboa", QUIET.zones["PT"]),
        ("CA", "Ontaria", QUIET.zones["CA"]),  # misspelt, where every state is named
        (None, None, ("UTC",)),
        ("XX", None, ("UTC",)),
    ],
)
def test_whose_clock(country: str | None, region: str | None, zones: tuple[str, ...]) -> None:
    """D16: the state's where it is known, else every zone of the country."""
    order = dossier(country=country, region=region).order
    assert zones_of(order, QUIET) == zones
    assert len(QUIET.zones["BR"]) > 10
    assert len(QUIET.zones["RU"]) > 10


@pytest.mark.parametrize(
    ("country", "region", "now", "until"),
    [
        ("BR", "SP", "2026-05-01T11:59:59", "2026-05-01T12:00:00"),
        ("BR", "SP", "2026-05-01T12:00:00", None),
        ("BR", "SP", "2026-05-01T22:59:59", None),
        ("BR", "SP", "2026-05-01T23:00:00", "2026-05-02T12:00:00"),
        ("BR", "AC", "2026-05-01T12:00:00", "2026-05-01T14:00:00"),
        ("BR", None, "2026-05-01T12:00:00", "2026-05-01T14:00:00"),
        ("BR", None, "2026-05-01T22:30:00", "2026-05-02T14:00:00"),
        ("DE", None, "2026-03-28T21:00:00", "2026-03-29T07:00:00"),
        ("DE", None, "2026-10-24T21:00:00", "2026-10-25T08:00:00"),
        ("RU", None, "2026-05-01T02:00:00", "2026-05-01T07:00:00"),
        ("RU", None, "2026-05-01T07:30:00", None),
    ],
)
def test_when_it_may_ring(country: str, region: str | None, now: str, until: str | None) -> None:
    """D16: nine to eight; an unknown state waits for a good hour everywhere; the clocks change over."""
    order = dossier(country=country, region=region).order
    assert rings_from(order, QUIET, at(now)) == (None if until is None else at(until))


def test_where_no_hour_is_good_everywhere_the_first_morning_does() -> None:
    """D16: deferred, never dropped."""
    far = replace(QUIET, zones={"XY": ("Pacific/Kiritimati", "Pacific/Niue", "Europe/London")}, regions={})
    order = dossier(country="XY").order
    now = at("2026-05-01T00:00:00")
    found = rings_from(order, far, now)
    assert found is not None
    assert found > now


def test_states_are_read_as_addresses_write_them() -> None:
    """D16."""
    assert fold("  São   PAULO ") == fold("sao paulo")
