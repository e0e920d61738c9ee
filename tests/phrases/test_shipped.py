"""config/operators: every language says everything, with the same blanks, in its own script; every word of the house is in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from pathlib import Path

import pytest

from carriers.model import TrackingReason, TrackingStatus
from tracker.config import load
from tracker.config.operators import placeholders
from tracker.model import (
    ActionKind,
    Capability,
    Channel,
    ClaimState,
    DecisionReason,
    HoldReason,
    Intent,
    OrderState,
    OutboxState,
    Phase,
    ReleaseVerdict,
    TaskState,
    WindowSource,
)
from tracker.phrases import WORDS

ROOT = Path(__file__).parents[2]
LANGUAGES = load(None, environ={}).languages
ENGLISH, CHINESE = LANGUAGES["en"], LANGUAGES["zh-CN"]
RELEASE = (ROOT / "tracker" / "policy" / "release.py").read_text(encoding="utf-8")

TABLES: dict[str, Iterable[Enum]] = {
    "reason": DecisionReason,
    "why": DecisionReason,
    "hold": HoldReason,
    "intent": Intent,
    "task": Intent,
    "kind": ActionKind,
    "channel": Channel,
    "claim": ClaimState,
    "phase": Phase,
    "capability": Capability,
    "order_state": OrderState,
    "source": WindowSource,
    "status": TrackingStatus,
    "status_reason": TrackingReason,
    "verdict": ReleaseVerdict,
    "state": (*OutboxState, *TaskState),
}
"""Table -> the words that it has to name."""

_HAN = re.compile(r"[\u4e00-\u9fff]")
_SAID = re.compile(r"""(?:\bsay\(|\bempty=|\bkey = )\s*["'](\w+\.\w+)["']""")


def test_two_languages_ship() -> None:
    assert set(LANGUAGES) == {"en", "zh-CN"}


def test_every_language_has_every_phrase() -> None:
    assert sorted(ENGLISH.texts.keys() ^ CHINESE.texts.keys()) == []


@pytest.mark.parametrize("key", sorted(ENGLISH.texts))
def test_a_phrase_names_the_same_blanks_in_every_language(key: str) -> None:
    assert placeholders(CHINESE.texts[key]) == placeholders(ENGLISH.texts[key])


def test_chinese_is_chinese() -> None:
    """Commands stay as they are typed; everything else is said in Chinese."""
    foreign = {key for key, text in CHINESE.texts.items() if not _HAN.search(text) and "tracker " not in text}
    latin = {key for key in foreign if re.search(r"[A-Za-z]{2}", re.sub(r"\{\w+\}", "", CHINESE.texts[key]))}
    assert sorted(latin) == []


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_house_is_named(table: str, language: str) -> None:
    """Every reason, hold, state and intent has its entry in every language."""
    texts = LANGUAGES[language].texts
    assert [word.value for word in TABLES[table] if f"{table}.{word.value}" not in texts] == []


def test_english_says_the_words_of_log_and_json() -> None:
    """The documentation, the log and scripts know them so: what an English operator reads is the word itself."""
    for table in TABLES.keys() - {"reason", "task"}:
        spoken = {word.value: ENGLISH.word(table, word) for word in TABLES[table]}
        assert spoken == {word: word for word in spoken}


def test_no_two_reasons_are_said_alike() -> None:
    for language in LANGUAGES.values():
        said = [language.say(f"reason.{reason.value}") for reason in DecisionReason]
        assert len(set(said)) == len(said)


def test_whatever_the_last_guard_says_has_its_phrase() -> None:
    """The words of release(): its own, and the reasons and holds that have tables of their own."""
    words = {*re.findall(r'_defer\("(\w+)"', RELEASE), *re.findall(r'why="(\w+)"', RELEASE), "paused"}
    assert {"72_hours", "hourly_cap", "ramp", "free"} <= words
    assert sorted(word for word in words if f"release.{word}" not in ENGLISH.texts) == []


def test_tables_of_facts_are_there() -> None:
    tables = {key.partition(".")[0] for key in ENGLISH.texts}
    assert set(WORDS.values()) <= tables


def test_whatever_the_code_says_is_written_somewhere() -> None:
    """A key that no file has would be shown as it is."""
    missing = {
        f"{key} ({path.relative_to(ROOT)})"
        for path in (ROOT / "tracker").rglob("*.py")
        for key in _SAID.findall(path.read_text(encoding="utf-8"))
        if not ENGLISH.knows(key)
    }
    assert sorted(missing) == []
