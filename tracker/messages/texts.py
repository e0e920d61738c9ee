"""Which text: the destination's language, else English; an unreviewed text is a person's (R59)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from tracker.messages.catalogue import ENGLISH, SHORT
from tracker.messages.written import DATE, DAYS


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """All texts: language -> template key -> source, and language -> the words that fill a blank by default (words.toml).

    The keys of a table of words.toml are joined by a dot: `buyer_action.customs_hold`, `causes.strike`, `days.few`.
    """

    sources: Mapping[str, Mapping[str, str]]
    words: Mapping[str, Mapping[str, str]]

    def words_of(self, language: str) -> Mapping[str, str]:
        """The default words of a language, English ones where it has none of its own; grammar is never borrowed."""
        english = {name: word for name, word in self.words.get(ENGLISH, {}).items() if name != DATE and not name.startswith(DAYS)}
        return {**english, **self.words.get(language, {})}


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The text to render. `reviewed` False: it may only become a task.

    `twin` is the same text in `twin_language`, for who does not read the buyer's; None: the operators read it themselves.
    """

    key: str
    language: str
    source: str
    reviewed: bool
    twin: str | None
    twin_language: str = ENGLISH


def choose(
    texts: Texts, key: str, language: str, reviewed: Collection[str], *, short: bool = False, operators: str = ENGLISH
) -> Chosen | None:
    """The text `key` in `language`, else in English; with `short` its short form where there is one. None: no such text.

    Its twin is in the language of the `operators`, else in English.
    """
    keys = (key + SHORT, key) if short else (key,)
    for spoken in dict.fromkeys((language, ENGLISH)):
        for wanted in keys:
            source = texts.sources.get(spoken, {}).get(wanted)
            if source is not None:
                read, twin = _twin(texts, wanted, spoken, operators)
                return Chosen(
                    key=wanted, language=spoken, source=source, reviewed=spoken in reviewed, twin=twin, twin_language=read
                )
    return None


def _twin(texts: Texts, key: str, spoken: str, operators: str) -> tuple[str, str | None]:
    """The language of the twin and its source: none where the operators read the text itself."""
    for read in dict.fromkeys((operators, ENGLISH)):
        if read == spoken:
            break
        source = texts.sources.get(read, {}).get(key)
        if source is not None:
            return read, source
    return ENGLISH, None
