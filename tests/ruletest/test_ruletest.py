"""Rules on trial: the shipped cases hold, a difference is told with its place, a broken file is refused with its place."""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.policy.build import day, dossier, parcel
from tracker import config
from tracker.cli import main
from tracker.cli.test import trial
from tracker.rules import Rules
from tracker.ruletest import generated

SHIPPED = sorted((config.defaults_dir() / "tests").glob("*.toml"))
RULES: Rules = config.load(None, environ={}).rules

CASE = """
[[case]]
name = "Brazil hears on day 30"
order = { country = "BR", window_end = "day 120" }
parcel = [{ tracking = "arrival_and_delivery" }]

[[case.event]]
at = "day 0"
scan = "in_transit"

[[case.moment]]
at = "day 29"
nothing = "not_yet_due"

[[case.moment]]
at = "day 30"
expect = [{ stage = "stage1", language = "pt-BR" }]
"""


def written(folder: Path, text: str = CASE) -> Path:
    file = folder / "case.toml"
    file.write_text(text, encoding="utf-8")
    return file


def told(capfd: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, dict[str, Any]]:
    capfd.readouterr()
    code = main(["test", *map(str, words), "--json"])
    return code, json.loads(capfd.readouterr().out)


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TRACKER_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_the_shipped_rules_keep_what_their_tests_promise(file: Path) -> None:
    """R1, R2, R3, R5, R7, R8, R37, R86, D2, D13, D14, D15, D20, D21: each case names what it proves."""
    cases, differences = trial(file, RULES)
    assert cases > 0
    assert [(each.line, each.difference) for each in differences] == []


def test_the_shipped_tests_are_played_without_a_file(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither configuration nor database is needed."""
    code, found = told(capfd)
    assert (code, found["failed"], found["files"]) == (0, 0, len(SHIPPED))
    assert found["cases"] > 20


def test_no_shipped_case_passes_whatever_the_rules_say() -> None:
    """A trial that cannot be lost proves nothing: with other ladders, silences and windows every file differs."""
    other = tuple(
        replace(
            each,
            stages={stage: days + 7 for stage, days in each.stages.items()},
            silence=replace(each.silence, investigate=each.silence.investigate + 9, probable_loss=each.silence.probable_loss + 9),
        )
        for each in RULES.profiles
    )
    market = replace(
        RULES.marketplaces["aliexpress"], extension=replace(RULES.marketplaces["aliexpress"].extension, trigger_days=1)
    )
    rules = replace(RULES, profiles=other, marketplaces={**RULES.marketplaces, "aliexpress": market})
    assert all(trial(file, rules)[1] for file in SHIPPED)


def test_a_case_that_holds(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, found = told(capfd, written(tmp_path))
    assert (code, found["cases"], found["differences"]) == (0, 1, [])


def test_a_difference_is_told_with_its_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Expected and got, side by side; exit code 1."""
    file = written(tmp_path, CASE.replace('language = "pt-BR"', 'language = "es"'))
    code, found = told(capfd, file)
    [differs] = found["differences"]
    assert (code, differs["line"], differs["at"], differs["case"]) == (1, 15, "day 30", "Brazil hears on day 30")
    assert differs["missing"] == ["stage stage1, language es"]
    assert differs["got"][0].startswith(
        "stage stage1, template stage1, language pt-BR, parcel LP00000000000001, because stage_due"
    )
    assert main(["test", str(file)]) == 1
    out = capfd.readouterr().out
    assert f"{file}:15: Brazil hears on day 30, day 30" in out
    assert "1 cases in 1 files. FAILED: 1 of them" in out


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('at = "day 29"', 'at = "day 30"', {"missing", "unexpected"}),
        ('nothing = "not_yet_due"', 'nothing = "delivered"', {"missing"}),
        ('nothing = "not_yet_due"', "because = ['br-standard.stage2: delivered']", {"missing"}),
        ("expect = [{ stage", 'never = ["stage1"]\nmore = true\nexpect = [{ stage', set()),
        ('expect = [{ stage = "stage1", language = "pt-BR" }]', "expect = []", {"unexpected"}),
        ('expect = [{ stage = "stage1", language = "pt-BR" }]', 'never = ["stage1"]', {"unexpected"}),
        ('expect = [{ stage = "stage1", language = "pt-BR" }]', "expect = [{ extension = true }]", {"missing", "unexpected"}),
        ('stage = "stage1"', 'refund = "full_refund"', {"missing", "unexpected"}),
        ('stage = "stage1"', 'task = "suspect"', {"missing", "unexpected"}),
        ('stage = "stage1"', "claim = true", {"missing", "unexpected"}),
    ],
)
def test_what_differs(tmp_path: Path, capfd: pytest.CaptureFixture[str], before: str, after: str, said: set[str]) -> None:
    code, found = told(capfd, written(tmp_path, CASE.replace(before, after)))
    assert code == (1 if said else 0)
    assert {name for each in found["differences"] for name in ("missing", "unexpected") if each[name]} == said


BROKEN: dict[str, tuple[str, str, str]] = {
    "no TOML": ("[[case]]", "[[case", "is no TOML text"),
    "unknown key": ('at = "day 29"', 'at = "day 29"\nexpects = []', ":11: case.moment: "),
    "unknown status": ('scan = "in_transit"', 'scan = "flying"', ":9: case.event.scan: "),
    "no time": ('at = "day 29"', 'at = "some day"', ":12: case.moment.at: 'some day' is no time"),
    "no reason": ('nothing = "not_yet_due"', 'nothing = "laziness"', ":13: case.moment.nothing: no such reason: 'laziness'"),
    "nothing tested": ('nothing = "not_yet_due"', "", "names expect, nothing, never or because: else it tests nothing"),
    "one number twice": (
        'parcel = [{ tracking = "arrival_and_delivery" }]',
        'parcel = [{ number = "LP1" }, { number = "LP1" }]',
        "case.parcel.number: two parcels are called 'LP1'",
    ),
    "two actions in one": ('stage = "stage1"', 'stage = "stage1", extension = true', "names exactly one of stage, message"),
    "unknown marketplace": ('country = "BR"', 'platform = "bazaar"', ":4: case.order.platform: no such marketplace: 'bazaar'"),
    "unknown parcel": ('scan = "in_transit"', 'scan = "in_transit"\nparcel = "X1"', "no parcel 'X1' in this case"),
    "no case": (CASE, "", "missing required field 'case'"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_refused_with_its_place(tmp_path: Path, capfd: pytest.CaptureFixture[str], what: str) -> None:
    """Exit code 2: nothing was tried."""
    before, after, says = BROKEN[what]
    file = written(tmp_path, CASE.replace(before, after, 1))
    code, found = told(capfd, file)
    assert code == 2
    assert str(file) in found["error"]["message"]
    assert says in found["error"]["message"]


def test_a_file_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    code, found = told(capfd, "nowhere.toml")
    assert (code, found["error"]["kind"]) == (2, "usage")


def test_other_rules_are_tried_with_config(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """R1 tuned: the case of day 30 differs under a ladder that speaks on day 28."""
    (tmp_path / "tracker.toml").write_text("", encoding="utf-8")
    (tmp_path / "destinations.toml").write_text(
        '[[profile]]\nid = "br-standard"\nstage_days = { stage1 = 28 }\n', encoding="utf-8"
    )
    code, found = told(capfd, written(tmp_path), "--config", tmp_path)
    assert (code, found["failed"]) == (1, 1)
    assert found["differences"][0]["unexpected"][0].startswith("stage stage1")


STORY: dict[str, tuple[str, str]] = {
    "received by the buyer": ("received = true", "received_by_buyer"),
    "refunded outside": ('refunded = "30.00"', "refunded"),
    "waits for an answer": ("waiting = true", "buyer_waits"),
    "wants no mail": ("opted_out = true", "opted_out"),
    "on hold": ('hold_until = "day 90"', "on_hold"),
    "disputes it": ('case = "dispute"', "dispute_open"),
    "cancelled": ('state = "cancelled"', "cancelled"),
    "number of another parcel": ('suspect = "another_parcel"', "suspect_number"),
}


@pytest.mark.parametrize("what", STORY)
def test_what_a_person_says_stops_outreach(tmp_path: Path, what: str) -> None:
    """D15, I4: every fact of an event reaches decide()."""
    fact, reason = STORY[what]
    event = (
        f'[[case.event]]\nat = "day 5"\n{fact}\n\n[[case.moment]]\nat = "day 29"\nnever = ["stage1"]\nbecause = ["{reason}"]\n'
    )
    head = CASE.split("[[case.moment]]", maxsplit=1)[0]
    assert trial(written(tmp_path, head + event), RULES) == (1, [])


def test_what_ended_stops_nothing(tmp_path: Path) -> None:
    events = """
[[case.event]]
at = "day 5"
case = "dispute"

[[case.event]]
at = "day 12"
case_closed = true
window_end = "day 130"

[[case.moment]]
at = "day 30"
expect = [{ stage = "stage1" }]
more = true
because = ["window.extend: no_extension_there"]
"""
    assert trial(written(tmp_path, CASE.split("[[case.moment]]", maxsplit=1)[0] + events), RULES) == (1, [])


def test_a_generated_case_keeps_what_decides_a_claim_and_a_gate() -> None:
    """R86, R17: the declared value and the known tax number of the real case, not those that a case has by default."""
    sent = parcel(last=2, heard=3, declared_value=Decimal("7.50"), declared_currency="EUR")
    text = generated(dossier(sent, tax_number_known=True), {}, RULES, day(3))
    [case] = tomllib.loads(text)["case"]
    assert (case["parcel"][0]["declared"], case["parcel"][0]["declared_currency"]) == ("7.50", "EUR")
    assert case["order"]["tax_number_known"] is True
