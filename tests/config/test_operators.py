"""operators/<language>.toml beside tracker.toml: single phrases reworded, a language added, every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.build import loaded, told
from tracker.config import english

GERMAN = '[state]\nheld = "wartet"\n\n[explain]\nnothing_due = "nichts ist fällig"\n'


def test_the_operators_language_is_chosen(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"tracker.toml": '[operators]\nlanguage = "zh-CN"\n'})
    assert found.phrases.language == "zh-CN"
    assert found.phrases.say("explain.nothing_due") == "暂无到期事项"


def test_ones_own_words_go_before_the_shipped_ones(tmp_path: Path) -> None:
    """By key; --json keeps the shipped English all the same."""
    found = loaded(tmp_path, {"operators/en.toml": '[state]\nheld = "waits for us"\n'})
    assert (found.phrases.say("state.held"), found.phrases.say("state.sent")) == ("waits for us", "sent")
    assert found.phrases.plain().say("state.held") == "held"
    assert tmp_path / "operators" / "en.toml" in found.files


def test_a_language_of_ones_own_is_a_file(tmp_path: Path) -> None:
    """What it does not say is said in English."""
    found = loaded(tmp_path, {"tracker.toml": '[operators]\nlanguage = "de"\n', "operators/de.toml": GERMAN})
    assert (found.phrases.say("state.held"), found.phrases.say("state.sent")) == ("wartet", "sent")
    assert sorted(found.languages) == ["de", "en", "zh-CN"]


def test_phrases_decide_nothing(tmp_path: Path) -> None:
    """Rewording does not make other rules: nothing waits for an acceptance because of it."""
    plain = loaded(tmp_path, {}).rules.version
    assert loaded(tmp_path, {"operators/en.toml": '[state]\nheld = "waits"\n'}).rules.version == plain


WRONG = {
    "a language that is not there": (
        {"tracker.toml": '[log]\nformat = "json"\n\n[operators]\nlanguage = "zh_cn"\n'},
        (
            'tracker.toml:5: operators.language: no phrases in this language (got "zh_cn", did you mean "zh-CN");'
            " a language of your own stands in operators/zh_cn.toml"
        ),
    ),
    "a language far from all": (
        {"tracker.toml": '[operators]\nlanguage = "fr"\n'},
        (
            'tracker.toml:2: operators.language: no phrases in this language (got "fr", allowed: en, zh-CN); a language of your'
            " own stands in operators/fr.toml"
        ),
    ),
    "a misspelt key": (
        {"operators/zh-CN.toml": '[state]\nhelt = "等待"\n'},
        (
            "operators/zh-CN.toml:2: state.helt: warning: unknown phrase: nothing would say it"
            ' (got "state.helt", did you mean "state.held")'
        ),
    ),
    "a blank that nothing fills": (
        {"operators/en.toml": '[card]\norder = "Order {number}"\n'},
        'operators/en.toml:2: card.order: {number} is no blank of this phrase (got "number", allowed: order)',
    ),
    "a blank without a name": (
        {"operators/en.toml": '[card]\norder = "Order {}"\n'},
        'operators/en.toml:2: card.order: {} is no blank of this phrase (got "", allowed: order)',
    ),
    "a look into a value": (
        {"operators/en.toml": '[card]\norder = "Order {order.__class__}"\n'},
        ('operators/en.toml:2: card.order: {order.__class__} is no blank of this phrase (got "order.__class__", allowed: order)'),
    ),
    "a form that may not fit": (
        {"operators/en.toml": '[card]\norder = "Order {order:d}"\n'},
        'operators/en.toml:2: card.order: {order:d} is no blank of this phrase (got "order:d", did you mean "order")',
    ),
    "a brace alone": (
        {"operators/en.toml": '[card]\norder = "Order {order"\n'},
        "operators/en.toml:2: card.order: cannot be filled: expected '}' before end of string; write {{ and }} for a brace",
    ),
    "no text": (
        {"operators/en.toml": "[card]\norder = 5\n"},
        "operators/en.toml:2: card.order: has to be text in quotes, and not empty",
    ),
    "empty": (
        {"operators/en.toml": '[card]\norder = " "\n'},
        "operators/en.toml:2: card.order: has to be text in quotes, and not empty",
    ),
    "no TOML": (
        {"operators/en.toml": "[card]\norder = Order\n"},
        "operators/en.toml:2: not valid TOML: Unexpected character: 'O'",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_with_its_line(name: str, tmp_path: Path) -> None:
    files, said = WRONG[name]
    assert told(tmp_path, files) == [said]


def test_without_a_configuration_english_is_spoken() -> None:
    assert english().say("explain.nothing_due") == "nothing is due"
