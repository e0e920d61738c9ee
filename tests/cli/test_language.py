"""The operators' language on the command line: people read Chinese, scripts the same JSON, buyers' texts stay theirs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Shell
from tracker.config import english, load

CHINESE = load(None, environ={}).languages["zh-CN"]
_BLANK = re.compile(r"\{\w+\}")
SPOKEN = {key: text for key, text in english().texts.items() if CHINESE.texts[key] != text}
SENTENCES = sorted(
    {
        part.strip(" ():,;")
        for key, text in SPOKEN.items()
        if not key.startswith("fact.")
        for part in _BLANK.split(text)
        if " " in part.strip(" ():,;")
    }
)
"""What English says in more than one word, without its blanks."""
FACTS = sorted(text for key, text in SPOKEN.items() if key.startswith("fact."))
"""How English names a fact, in front of its value; a value may quote such a word."""

VIEWS = (
    "explain {order}",
    "explain {parcel}",
    "explain {order} --at 2026-03-01",
    "tasks list",
    "tasks show {task}",
    "tasks show {extension}",
    "tasks show {payout}",
    "review list",
    "review show {refund}",
    "hold show {hold}",
    "hold list",
    "outbox list",
    "outbox show {doubtful}",
)

INVENTED = {"not found since", "answers"}
"""Evidence of this shop's rows that no rule gives: an unknown name is shown as it is."""


def _words(view: str, shop: Shop) -> list[str]:
    return view.format_map({name: getattr(shop, name) for name in Shop.__struct_fields__}).split()


def _speak(shop: Shop, language: str) -> None:
    path = Path(shop.folder / "tracker.toml")
    path.write_text(path.read_text(encoding="utf-8") + f'\n[operators]\nlanguage = "{language}"\n', encoding="utf-8")


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_said_in_english(view: str, shop: Shop, shell: Shell) -> None:
    """No sentence and no heading of en.toml is left; rules, numbers and what was written by people stay as they are."""
    _speak(shop, "zh-CN")
    said = shell(*_words(view, shop))
    assert said.code == 0, said
    assert re.search(r"[\u4e00-\u9fff]", said.out)
    found = [each for each in SENTENCES if re.search(rf"(?<![\w.]){re.escape(each)}(?![\w.])", said.out)]
    found += [each for each in FACTS if re.search(rf"(?m)^ +{re.escape(each)}(:|  )", said.out)]
    assert found == []


@pytest.mark.parametrize("view", [view for view in VIEWS if " show " in view])
def test_every_fact_is_named_in_chinese(view: str, shop: Shop, shell: Shell) -> None:
    """Values are told as they are; the names in front of them are the operators'."""
    _speak(shop, "zh-CN")
    named = re.findall(r"(?m)^  (\S.*?)  +\S", shell(*_words(view, shop)).out)
    assert named
    assert {name for name in named if not re.search(r"[\u4e00-\u9fff]", name)} <= INVENTED


@pytest.mark.parametrize("view", VIEWS)
def test_scripts_read_the_same_in_every_language(view: str, shop: Shop, shell: Shell) -> None:
    """`--json` knows no language."""
    words = [*_words(view, shop), *([] if "--at" in view else ["--at", "2026-03-02"])]
    before = shell.json(*words)
    _speak(shop, "zh-CN")
    assert shell.json(*words) == before


def test_an_explanation_keeps_the_names_of_log_and_database(shop: Shop, shell: Shell) -> None:
    _speak(shop, "zh-CN")
    said = shell("explain", shop.order).out
    assert f"订单 {shop.order}（店铺 lume）" in said
    assert [line for line in said.splitlines() if line in {"事实", "规则（自上而下）", "决定", "后续"}]
    assert re.search(r"否 ladder\S* .*: [\u4e00-\u9fff]|否 \S+ +RB\d+CN +\w+: [\u4e00-\u9fff]", said)


def test_a_title_follows_the_language(shop: Shop, shell: Shell) -> None:
    """It is stored in English, and said as the one who reads it speaks."""
    stored = shell.json("tasks", "show", shop.extension)["task"]["title"]
    _speak(shop, "zh-CN")
    assert "延长" in shell("tasks", "show", shop.extension).out
    assert shell.json("tasks", "show", shop.extension)["task"]["title"] == stored


def test_what_is_decided_is_confirmed_in_the_language(shop: Shop, shell: Shell) -> None:
    _speak(shop, "zh-CN")
    said = shell("tasks", "take", shop.task, "--by", "Mei", "--at", "2026-03-01")
    assert (said.code, said.out) == (0, f"{shop.task}: 已领取\n")
