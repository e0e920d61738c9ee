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
    (agreed,) = loaded(tmp_path / "b", {"tracker.toml": f"{DHL}rps = 0.1\ndaily_quota = 200\n"}, ENVIRON).settings.sources
    assert (agreed.rps, agreed.daily_quota) == (0.1, 200)


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


def source(adapter: str, *lines: str, secrets: str = "") -> dict[str, str]:
    """A tracker.toml with one account."""
    return {"tracker.toml": "\n".join(['[[source]]\nid = "a"', f'adapter = "{adapter}"', *lines, f"secrets = {{ {secrets} }}"])}


KEY = 'api_key = "env:KEY"'
CORREIOS = 'user = "env:KEY", access_code = "env:KEY"'


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            source("dhl_unified", "daily_quota = 1000", secrets=KEY),
            [
                (
                    "tracker.toml:4: source[a].daily_quota: warning: DHL Shipment Tracking Unified allows 250 calls a day"
                    " unless you agreed otherwise with it (got 1000)"
                )
            ],
        ),
        (
            source("cainiao"),
            [
                (
                    "tracker.toml:1: source[a].options: Cainiao, public page, may shut you out: agree by"
                    " options = { public_page = true }, or take this source out"
                )
            ],
        ),
        (source("cainiao", "options = { public_page = true }"), []),
        (
            source("royal_mail", 'options = { summary = "false" }', secrets='client_id = "env:KEY", client_secret = "env:KEY"'),
            ['tracker.toml:4: source[a].options.summary: has to be true or false without quotes (got "false")'],
        ),
        (
            source("correios", 'options = { postingcard = "1" }', secrets=CORREIOS),
            [
                (
                    "tracker.toml:4: source[a].options.postingcard: Correios (SRO Rastro) has no such option"
                    ' (got "postingcard", did you mean "posting_card")'
                )
            ],
        ),
        (
            source("correios", secrets=CORREIOS + ', acces_code = "env:KEY"'),
            [
                (
                    "tracker.toml:4: source[a].secrets.acces_code: warning: Correios (SRO Rastro) has no such secret"
                    ' (got "acces_code", did you mean "access_code")'
                )
            ],
        ),
        (
            source("dhl_unified", 'base_url = "http://api-eu.dhl.com"', secrets=KEY),
            [
                (
                    "tracker.toml:4: source[a].base_url: warning: whoever is on the way can read the secrets:"
                    " https:// where the source has it"
                )
            ],
        ),
        (source("dhl_unified", 'base_url = "http://127.0.0.1:1"', secrets=KEY), []),
        (
            source("17track"),
            ['tracker.toml:3: source[a].adapter: no such adapter (got "17track", did you mean "seventeen_track")'],
        ),
    ],
    ids=[
        "more calls a day than allowed",
        "a public page nobody agreed to",
        "agreed",
        "a word in quotes counts as yes",
        "a misspelled option",
        "a misspelled secret",
        "keys in the clear",
        "this machine",
        "the name that people use",
    ],
)
def test_what_would_fail_at_the_first_poll_is_told_by_the_check(tmp_path: Path, files: dict[str, str], said: list[str]) -> None:
    assert told(tmp_path, files, ENVIRON) == said
