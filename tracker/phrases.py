"""The operators' language: sentences, headings and names that people read. What scripts read never changes with it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from unicodedata import east_asian_width

import msgspec

ENGLISH = "en"

WORDS: Mapping[str, str] = {
    "reason": "why",
    "cause": "why",
    "hold": "hold",
    "state": "state",
    "kind": "kind",
    "intent": "intent",
    "channel": "channel",
    "window_source": "source",
    "status": "status",
    "status_reason": "status_reason",
    "suspect": "suspect",
    "settled_by": "settled_by",
    "phase": "phase",
    "clock": "clock",
    "evidence_of_rule": "certainty",
    "rejected": "explain",
    "case_kind": "case",
    "case_reason": "case_reason",
    "advice": "case_advice",
    "advised_because": "case_because",
    "answer_by_source": "source",
    "logistics_cause": "explain",
    "risky_buyer": "explain",
    "proposes": "remedy",
}
"""Fact -> the table that names its values; the values of every other fact are told as they are."""

LISTS: Mapping[str, str] = {"options": "case_option", "checklist": "case_check"}
"""Facts whose value lists words, parted by commas; text of somebody's own stays as it is."""


class Phrases(msgspec.Struct, frozen=True, kw_only=True):
    """The phrases of one language (config/operators/<language>.toml), by "table.key"; `fallback` is the shipped English.

    A phrase has blanks in braces, `{order}`, as str.format takes them.
    """

    language: str
    texts: Mapping[str, str]
    fallback: Mapping[str, str]

    def say(self, key: str, /, **values: object) -> str:
        """The phrase with its blanks filled; the English one where this language has none, the key itself where none has."""
        phrase = self.texts.get(key) or self.fallback.get(key)
        return key if phrase is None else phrase.format(**values)

    def knows(self, key: str) -> bool:
        """Whether this language, or English, has the phrase."""
        return key in self.texts or key in self.fallback

    def word(self, table: str, name: str | Enum, /) -> str:
        """One of the house's words (an enum's, a column's, a fact's) as this language says it; one that it lacks as it is."""
        plain = str(name.value) if isinstance(name, Enum) else name
        key = f"{table}.{plain}"
        return self.say(key) if self.knows(key) else plain

    def name(self, fact: str, /) -> str:
        """The name of a fact, such as evidence carries: `window_end`."""
        return self.word("fact", fact).replace("_", " ")

    def value(self, fact: str, value: str | Enum, /) -> str:
        """The value of a fact: a word of the house is translated, everything else stays as it is."""
        plain = str(value.value) if isinstance(value, Enum) else value
        if fact in LISTS:
            return "; ".join(self.word(LISTS[fact], each) for each in plain.split(", "))
        return self.word(WORDS[fact], plain) if fact in WORDS else plain

    def plain(self) -> Phrases:
        """The shipped English, whatever the operators speak: what `--json` says."""
        return Phrases(language=ENGLISH, texts=self.fallback, fallback=self.fallback)


def task_title(phrases: Phrases, kind: str, order: str, facts: Mapping[str, str], group: str | None = None) -> str | None:
    """What a task asks for, in one line; None for a kind that has no phrase of its own.

    `kind` and `facts` are those of the task (tracker/channels/task.py); `group` the name of the worksheet that it belongs to.
    """
    if group is not None:
        return phrases.say(f"task.{_GROUPS.get(kind, 'group')}", group=group)
    key = f"task.{_LOOK_UP_FIRST if facts.get('reason') == _ESTIMATED else kind}"
    if not phrases.knows(key):
        return None
    amount = " ".join(facts[name] for name in ("amount", "currency") if name in facts)
    return phrases.say(
        key,
        order=order,
        shipment=facts.get("shipment") or phrases.say("task.of_this_order"),
        amount=amount or phrases.say("task.whole_payment"),
        service=facts.get("service_text", "?"),
        case=phrases.word("case", facts["case_kind"]) if "case_kind" in facts else phrases.say("task.some_case"),
    )


_ESTIMATED = "window_estimated_closes_soon"
_LOOK_UP_FIRST = "look_up_window"
_GROUPS = {
    "claim_inquiry": "claim_group",
    "claim_follow_up": "claim_group",
    "release_funds": "funds_group",
    "vip": "vip_group",
    "check_address": "address_group",
    "do_not_ship": "do_not_ship_group",
    "ship_late": "ship_group",
    "certificate": "certificate_group",
    "confirm_shipment": "confirm_group",
    "window_opens": "opening_group",
}
"""Kinds whose worksheet holds no texts to paste: a carrier's list (what it gets is one), orders to go through."""


def wide(text: str) -> int:
    """How many columns of a terminal the text takes: a Chinese character takes two."""
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)


def fill(text: str, width: int) -> str:
    """The text with blanks up to `width` columns."""
    return text + " " * (width - wide(text))
