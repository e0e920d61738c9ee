"""cases.toml: what it may say, and that its shipped table is whole (R52, R74, R80, R106: kinds and reasons as words)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.build import day
from tracker import config
from tracker.model import Case, CaseKind, CaseReason
from tracker.phrases import Phrases

SHIPPED = config.load(None, environ={})
WORDS = {"case": CaseKind, "case_reason": CaseReason}


def told(folder: Path, text: str) -> list[str]:
    """What is said about such a cases.toml, without the folder."""
    (folder / "tracker.toml").write_text("", encoding="utf-8")
    (folder / "cases.toml").write_text(text, encoding="utf-8")
    try:
        found = config.load(folder / "tracker.toml", environ={}).problems
    except config.ConfigError as error:
        found = error.problems
    return [str(each).replace(f"{folder}/", "") for each in found]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('kinds = ["quarrel"]\nadvice = "agree"', 'cases.toml:3: case[mine].kinds[0]: is not one of its values (got "quarrel"'),
        ('kinds = ["dispute"]\nadvice = "fight"', 'cases.toml:4: case[mine].advice: is not one of its values (got "fight"'),
        ('kinds = []\nadvice = "agree"', "cases.toml:3: case[mine].kinds: "),
        ('kinds = ["dispute"]\nadvice = "agree"\nweigh = "mood"', "cases.toml:5: case[mine].weigh: "),
        (
            'kinds = ["dispute"]\nadvice = "agree"\nplatforms = ["e-bay"]',
            'cases.toml:5: case[mine].platforms: no such marketplace (got "e-bay", did you mean "ebay")',
        ),
        (
            'kinds = ["dispute"]\nadvice = "agree"\nevidence = "ae.evidense"',
            'cases.toml:5: case[mine].evidence: no such time rule (got "ae.evidense", did you mean "ae.evidence")',
        ),
        (
            'kinds = ["dispute"]\nadvice = "agree"\nclocks = ["amazon.atoz.withdrew"]',
            'cases.toml:5: case[mine].clocks: no such time rule (got "amazon.atoz.withdrew"',
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, lines: str, said: str) -> None:
    """A rule file with a contradiction: a clear message with its place."""
    assert [each for each in told(tmp_path, f'[[case]]\nid = "mine"\n{lines}\n') if each.startswith(said)]


def test_a_rule_that_a_wider_one_hides_is_told(tmp_path: Path) -> None:
    """An operator's own rules come first: one that is too wide takes the shipped ones' cases."""
    said = told(tmp_path, '[[case]]\nid = "all"\nkinds = ["bad_review", "low_score"]\nadvice = "answer"\n')
    assert any("case[review]: warning: never reached: all stands before it" in each for each in said)
    assert told(tmp_path, '[[case]]\nid = "some"\nkinds = ["bad_review"]\nreasons = ["damaged"]\nadvice = "answer"\n') == []


@pytest.mark.parametrize("kind", list(CaseKind))
@pytest.mark.parametrize("reason", list(CaseReason))
def test_r52_r74_r80_every_case_finds_its_rule(kind: CaseKind, reason: CaseReason) -> None:
    """R52, R74, R80: the shipped table leaves no kind and no reason without advice, on any marketplace."""
    case = Case(id="1", kind=kind, reason=reason, opened_at=day(1))
    for platform in SHIPPED.rules.marketplaces:
        rule = SHIPPED.rules.cases.rule(case, platform)
        assert rule is not None, platform
        assert rule.options


def test_r51_r106_slow_logistics_damage_and_duty_are_the_parcels_doing() -> None:
    """R51, R106: quality, expectations and pictures are not."""
    logistic = SHIPPED.rules.cases.logistic
    assert {CaseReason.SLOW_LOGISTICS, CaseReason.DAMAGED, CaseReason.DUTY_CHARGED} <= logistic
    assert not {CaseReason.QUALITY, CaseReason.NOT_AS_DESCRIBED, CaseReason.STOLEN_CARD} & logistic


@pytest.mark.parametrize("phrases", SHIPPED.languages.values(), ids=SHIPPED.languages)
def test_every_word_of_the_table_is_said_in_the_operators_language(phrases: Phrases) -> None:
    """D17: facts, options and checklist are read by clerks."""
    used = {f"case_advice.{rule.advice.value}" for rule in SHIPPED.rules.cases.rules}
    used |= {f"case_option.{word}" for rule in SHIPPED.rules.cases.rules for word in rule.options}
    used |= {f"case_check.{word}" for rule in SHIPPED.rules.cases.rules for word in rule.checklist}
    used |= {f"{table}.{word.value}" for table, words in WORDS.items() for word in words}
    assert used <= phrases.texts.keys()


def test_lists_of_words_are_told_word_by_word() -> None:
    """Text of the operator's own stays as it is."""
    english = SHIPPED.languages["en"]
    assert english.value("options", "refund, ask the boss") == "full refund; ask the boss"
    assert english.value("advice", "agree") == "agree: the promised date has passed"
