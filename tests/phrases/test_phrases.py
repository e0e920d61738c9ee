"""Phrases: one key, one sentence a language; English where a language has none, the key where nobody has."""

from __future__ import annotations

import pytest

from tracker.model import HoldReason, TaskState
from tracker.phrases import Phrases, fill, task_title, wide

ENGLISH = {
    "state.held": "held",
    "card.order": "Order {order}",
    "fact.window_end": "window end",
    "hold.first_start": "first_start",
    "task.refund": "Refund {amount} of order {order}",
    "task.extension": "Extend the window of order {order}",
    "task.look_up_window": "Look up the window of order {order}",
    "task.suspect": "Check parcel {shipment}",
    "task.group": "Send these texts: {group}",
    "task.of_this_order": "of this order",
    "task.whole_payment": "the whole payment",
}
CHINESE = {"state.held": "待处理", "fact.window_end": "收货期截止", "hold.first_start": "首次启动前已到期"}
SPOKEN = Phrases(language="zh-CN", texts=CHINESE, fallback=ENGLISH)


@pytest.mark.parametrize(
    ("key", "said"),
    [("state.held", "待处理"), ("card.order", "Order 1001"), ("nobody.knows", "nobody.knows")],
    ids=["its own", "English stands in", "the key itself"],
)
def test_a_phrase_is_said_in_the_language_else_in_english(key: str, said: str) -> None:
    assert SPOKEN.say(key, order="1001") == said
    assert SPOKEN.knows(key) is (said != key)


def test_words_of_the_house_are_named_by_their_table() -> None:
    assert SPOKEN.word("hold", HoldReason.FIRST_START) == "首次启动前已到期"
    assert SPOKEN.word("state", TaskState.OPEN) == "open", "a word without a phrase stays as log and database have it"
    assert SPOKEN.name("window_end") == "收货期截止"
    assert SPOKEN.name("not_heard_of") == "not heard of"


def test_a_value_is_translated_only_where_it_is_a_word_of_the_house() -> None:
    """Values of evidence stay as they are: what a carrier said is quoted."""
    assert SPOKEN.value("state", "held") == "待处理"
    assert SPOKEN.value("hold", HoldReason.FIRST_START) == "首次启动前已到期"
    assert SPOKEN.value("last_scan", "held") == "held"


def test_plain_is_the_shipped_english() -> None:
    """What `--json` says, whatever the operators speak."""
    assert SPOKEN.plain().say("state.held") == "held"
    assert SPOKEN.plain().language == "en"
    assert SPOKEN.plain().plain() == SPOKEN.plain()


@pytest.mark.parametrize(
    ("kind", "facts", "group", "title"),
    [
        ("refund", {"amount": "9.90", "currency": "USD"}, None, "Refund 9.90 USD of order 1001"),
        ("refund", {}, None, "Refund the whole payment of order 1001"),
        ("extension", {"reason": "window_closes_soon"}, None, "Extend the window of order 1001"),
        ("extension", {"reason": "window_estimated_closes_soon"}, None, "Look up the window of order 1001"),
        ("suspect", {"shipment": "RB123456785CN"}, None, "Check parcel RB123456785CN"),
        ("suspect", {}, None, "Check parcel of this order"),
        ("stage1", {}, "stage1:lume:2026-03-01", "Send these texts: stage1:lume:2026-03-01"),
        ("something_else", {}, None, None),
    ],
)
def test_a_task_is_titled_by_its_kind_and_facts(kind: str, facts: dict[str, str], group: str | None, title: str | None) -> None:
    """The row keeps kind and facts, so the title is right in whatever language it is shown."""
    assert task_title(SPOKEN, kind, "1001", facts, group) == title


@pytest.mark.parametrize(("text", "columns"), [("held", 4), ("待处理", 6), ("（1）", 5), ("", 0)])
def test_a_chinese_character_takes_two_columns(text: str, columns: int) -> None:
    assert wide(text) == columns
    assert wide(fill(text, 8)) == 8
    assert fill("longer than that", 3) == "longer than that"
