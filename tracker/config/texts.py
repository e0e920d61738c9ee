"""The texts and words of messages/<language>/: read, and laid over the shipped ones (checks_texts.py tries them)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from tracker.config.layers import read_layer, read_text
from tracker.config.problem import ConfigError, Problem, meant
from tracker.messages import MESSAGE_TYPES, Texts, base_key

WORDS = "words.toml"
WORD_KEYS = frozenset({"signature", "pickup_place", "cause", "payment_hint", "date"})
"""Blanks that have a default per language, and the pattern of a date."""

WORD_TABLES: Mapping[str, frozenset[str] | None] = {
    "buyer_action": frozenset(key for key, each in MESSAGE_TYPES.items() if "buyer_action" in each.extra),
    "causes": None,
    "days": frozenset({"zero", "one", "two", "few", "many", "other"}),
}
"""Tables of words.toml with the keys they may hold; None: any word."""


class TextFile(msgspec.Struct, frozen=True, kw_only=True):
    """One text with the file that it came from."""

    language: str
    key: str
    file: str
    source: str


class WordFile(msgspec.Struct, frozen=True, kw_only=True):
    """The words of one language, tables joined by a dot (`days.few`); `file` is the last one that was read."""

    language: str
    file: str
    words: Mapping[str, str]


class TextFiles(msgspec.Struct, frozen=True, kw_only=True):
    """All texts, an operator's over the shipped one of the same language and key; its words likewise.

    `own` are the files that are not shipped, `paths` all that were read.
    """

    files: tuple[TextFile, ...]
    spoken: Mapping[str, WordFile]
    own: frozenset[str] = frozenset()
    paths: frozenset[Path] = frozenset()

    @property
    def words(self) -> Mapping[str, Mapping[str, str]]:
        """Language -> its words."""
        return {language: each.words for language, each in self.spoken.items()}

    def texts(self) -> Texts:
        """As the messages take them."""
        sources: dict[str, dict[str, str]] = {}
        for each in self.files:
            sources.setdefault(each.language, {})[each.key] = each.source
        return Texts(sources=sources, words=self.words)


def read_texts(folders: Sequence[Path], problems: list[Problem]) -> TextFiles:
    """Read messages/<language>/*.txt and words.toml of every folder, a later one over an earlier one; the first is shipped."""
    first, *others = folders
    shipped, wrong = _shipped(first)
    problems.extend(wrong)
    files, spoken = dict(shipped.files), dict(shipped.spoken)
    own: set[Path] = set()
    for folder in others:
        own |= _lay(folder, files, spoken, problems)
    return TextFiles(files=tuple(files.values()), spoken=spoken, own=frozenset(map(str, own)), paths=shipped.paths | own)


class _Read(msgspec.Struct, frozen=True):
    files: Mapping[tuple[str, str], TextFile]
    spoken: Mapping[str, WordFile]
    paths: frozenset[Path]


@cache
def _shipped(folder: Path) -> tuple[_Read, tuple[Problem, ...]]:
    """The shipped texts and what is wrong with them: two hundred files, read once a process."""
    files: dict[tuple[str, str], TextFile] = {}
    spoken: dict[str, WordFile] = {}
    problems: list[Problem] = []
    paths = _lay(folder, files, spoken, problems)
    return _Read(files, spoken, paths), tuple(problems)


def _lay(
    folder: Path, files: dict[tuple[str, str], TextFile], spoken: dict[str, WordFile], problems: list[Problem]
) -> frozenset[Path]:
    """Lay the texts and words of a folder over those that were read before. Returns its files."""
    problems.extend(_astray(folder / "messages"))
    found = sorted(folder.glob("messages/*/*"))
    for file in found:
        language = file.parent.name
        try:
            if file.name == WORDS:
                spoken[language] = _read_words(file, language, spoken.get(language), problems)
            elif file.suffix == ".txt":
                files[language, file.stem] = TextFile(language=language, key=file.stem, file=str(file), source=read_text(file))
        except ConfigError as error:
            problems.extend(error.problems)
    return frozenset(found)


def _astray(folder: Path) -> Iterator[Problem]:
    """Texts that lie beside the languages' folders: no buyer would ever get them."""
    for file in sorted(folder.glob("*.txt")):
        if base_key(file.stem) in MESSAGE_TYPES:
            message = f"belongs into the folder of its language, like messages/en/{file.name}: here nobody reads it"
            yield Problem(file=str(file), line=None, key="", message=message)


def _read_words(file: Path, language: str, before: WordFile | None, problems: list[Problem]) -> WordFile:
    layer = read_layer(file)
    words = dict(before.words) if before else {}
    for key, value in layer.data.items():
        known = key in WORD_TABLES if isinstance(value, Mapping) else key in WORD_KEYS
        if not known:
            message = "unknown key" + meant(key, {*WORD_KEYS, *WORD_TABLES})
            problems.append(Problem(file=str(file), line=layer.line((key,)), key=key, message=message))
            continue
        for name, word in value.items() if isinstance(value, Mapping) else (("", value),):
            path = (key, name) if name else (key,)
            allowed = WORD_TABLES.get(key)
            if name and allowed is not None and name not in allowed:
                message = "unknown key" + meant(name, allowed)
                problems.append(Problem(file=str(file), line=layer.line(path), key=".".join(path), message=message))
            words[".".join(path)] = str(word)
    return WordFile(language=language, file=str(file), words=words)
