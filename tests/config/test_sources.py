"""Politeness by default: what a source allows everybody holds until an operator says otherwise (R6, facts/carriers.md 1)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from carriers import registry
from tests.config.build import loaded, told

DHL = '[[source]]\nid = "dhl"\nadapter = "dhl_unified"\nsecrets = { api_key = "env:KEY" }\n'
ENVIRON = {"KEY": "k"}


def test_r6_a_source_that_names_no_limits_gets_those_of_the_registry(tmp_path: Path) -> None:
    """R6: 250 calls a day are DHL's own rule; whoever has agreed on more says so."""
    known = registry.describe("dhl_unified")
    (found,) = loaded(tmp_path, {"tracker.toml": DHL}, ENVIRON).settings.sources
    assert (found.rps, found.daily_quota) == (known.rps, known.daily)
    (agreed,) = loaded(tmp_path / "b", {"tracker.toml": f"{DHL}rps = 0.1\ndaily_quota = 1000\n"}, ENVIRON).settings.sources
    assert (agreed.rps, agreed.daily_quota) == (0.1, 1000)


def test_a_part_of_the_day_is_kept_for_deadlines_unless_told_otherwise(tmp_path: Path) -> None:
    poll = loaded(tmp_path, {}).settings.poll
    assert (poll.reserve_share, poll.deadline_h, poll.deadline_days) == (Decimal("0.2"), 6, 3)
    assert loaded(tmp_path / "b", {"tracker.toml": "[poll]\nreserve_share = 0\n"}).settings.poll.reserve_share == 0
    assert "poll.reserve_share" in "".join(told(tmp_path / "c", {"tracker.toml": "[poll]\nreserve_share = 1\n"}))


@pytest.mark.parametrize(
    ("lines", "warned"),
    [
        ("rps = 5\n", True),
        ("rps = 0.2\n", False),
        ('rps = 5\nbase_url = "https://gateway.example"\n', False),
    ],
    ids=["faster than allowed", "as allowed", "somebody else's address"],
)
def test_r6_who_asks_faster_than_a_source_allows_is_warned(tmp_path: Path, lines: str, *, warned: bool) -> None:
    """R6: a source that is hammered shuts its door, and no parcel can be followed."""
    says = told(tmp_path, {"tracker.toml": DHL + lines}, ENVIRON)
    assert [text for text in says if "source[dhl].rps" in text and "allows 0.2 calls a second" in text] == (
        says if warned else []
    )
    assert bool(says) is warned


def test_an_account_that_is_named_twice_is_warned_of(tmp_path: Path) -> None:
    """Facts 3 rule 16: two counters of one quota would spend it twice; two accounts of one source are none of our concern."""
    again = DHL.replace('id = "dhl"', 'id = "dhl-eu"')
    (says,) = told(tmp_path, {"tracker.toml": DHL + again}, ENVIRON)
    assert "source[dhl-eu].secrets" in says
    assert "is the account of" in says
    other = again.replace("env:KEY", "env:OTHER")
    assert told(tmp_path / "b", {"tracker.toml": DHL + other}, {**ENVIRON, "OTHER": "o"}) == []
    scans = '[[source]]\nid = "a"\nadapter = "sheet"\nbase_url = "drop:a"\n'
    assert told(tmp_path / "c", {"tracker.toml": scans + scans.replace('"a"', '"b"')}) == [], "a folder has no account"
