"""The operators' language: sentences, headings and names that people read. What scripts read never changes with it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import msgspec

ENGLISH = "en"


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
        """The name of something in an open or closed list: an enum's word, a column, a fact of evidence. Unknown: as it is."""
        plain = str(name.value) if isinstance(name, Enum) else name
        key = f"{table}.{plain}"
        return self.say(key) if self.knows(key) else plain.replace("_", " ")

    def plain(self) -> Phrases:
        """The shipped English, whatever the operators speak: what `--json` says."""
        return Phrases(language=ENGLISH, texts=self.fallback, fallback=self.fallback)
