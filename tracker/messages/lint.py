"""Words that no buyer gets to read: the content lint over a finished text (R73, D5; facts/messages.md section 6)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import msgspec

from tracker.rules import LintList

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"']+", re.IGNORECASE)
_MASKED = ("url", "tracking", "order", "last_date", "eta_from", "eta_to", "new_deadline", "due_date", "sent_date", "amount")
_MASK = "□"
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_WORD = re.compile(r"\w+")
_ACCENTED = re.compile(r"([a-z])[\u0300-\u036f]+")


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why a text must not go out: the list that says so, what it found, why that is not allowed."""

    rule: str
    found: str
    why: str


def lint(text: str, platform: str, lists: Iterable[LintList], known: Mapping[str, str] | None = None) -> list[Hit]:
    """Every hit in a finished text for `platform`; an empty list means it may go out.

    `known` (Rendered.known) masks the parcel's numbers, dates and page and the shop's name: none of them is a phone number.
    """
    known = known or {}
    masked = _mask(text, known)
    plain = fold(masked)
    return [
        Hit(rule=each.id, found=found, why=each.why)
        for each in lists
        if platform in each.platforms or "*" in each.platforms
        for found in _found(each, text, masked, plain, known)
    ]


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Lower case, without the accents of Latin letters: "Avaliação" and "avaliacao" are the same word (й stays й)."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", _ACCENTED.sub(r"\1", decomposed))


def _mask(text: str, known: Mapping[str, str]) -> str:
    for value in sorted({known[name] for name in _MASKED if known.get(name)}, key=len, reverse=True):
        text = text.replace(value, _MASK)
    if known.get("store"):
        # "Shop1102345678 Store" is a name, as platforms give them; a short one is no part of other words.
        text = re.sub(rf"(?<!\w){re.escape(known['store'])}(?!\w)", _MASK, text)
    return text


def _found(rules: LintList, text: str, masked: str, plain: str, known: Mapping[str, str]) -> Iterator[str]:
    for pattern in rules.patterns:
        if hit := pattern.search(plain):
            yield hit.group().strip()
    for pattern in rules.exact:
        if hit := pattern.search(masked):
            yield hit.group().strip()
    if rules.words and (words := _pair(rules, plain)):
        yield words
    yield from _links(rules, text, known)


def _pair(rules: LintList, plain: str) -> str | None:
    """A word, alone or within reach of another one."""
    words = list(_matches(rules.words, plain))
    if not rules.near:
        return words[0].group() if words else None
    for word in words:
        for other in _matches(rules.near, plain):
            first, second = sorted((word, other), key=lambda found: found.start())
            between = plain[first.end() : second.start()]
            if rules.within is None or len(_WORD.findall(between)) < rules.within:
                return f"{first.group()} … {second.group()}"
    return None


def _matches(words: tuple[str, ...], plain: str) -> Iterator[re.Match[str]]:
    for word in words:
        yield from _word(word).finditer(plain)


@lru_cache(maxsize=1024)
def _word(word: str) -> re.Pattern[str]:
    """A plain word of a list as a pattern: whole words, `*` for any ending; scripts without spaces match anywhere."""
    folded = fold(word.removesuffix("*"))
    if _CJK.search(folded):
        return re.compile(re.escape(folded))
    return re.compile(rf"(?<!\w){re.escape(folded)}" + (r"\w*" if word.endswith("*") else r"(?!\w)"))


def _links(rules: LintList, text: str, known: Mapping[str, str]) -> Iterator[str]:
    if rules.links == "any":
        return
    allowed = known.get("url") if rules.links == "own" else None
    for link in _LINK.findall(text):
        if allowed is None or link.rstrip(".,;:!?)") != allowed:
            yield link
