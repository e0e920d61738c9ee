"""The texts of messages/<language>/: read, laid over the shipped ones, and tried before any buyer could get a broken one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import msgspec
from babel import Locale, UnknownLocaleError

from tracker.config.layers import read_layer, read_text
from tracker.config.problem import ConfigError, Level, Problem, meant
from tracker.messages import (
    MESSAGE_TYPES,
    RenderError,
    Texts,
    Value,
    base_key,
    lint,
    needed,
    offered,
    render,
    required,
    undeclared,
)
from tracker.messages.catalogue import NODATE, NOSCAN, SHORT
from tracker.rules import LintList

WORDS = "words.toml"
WORD_KEYS = frozenset({"signature", "pickup_place", "cause", "payment_hint"})
"""Blanks that have a default per language."""

_LINE = re.compile(r"line (\d+): ")

SAMPLE: Mapping[str, Value] = {
    "name": "Ana Exemplo",
    "order": "1001",
    "store": "Example Store",
    "signature": "Example Store",
    "tracking": "LX000000005CN",
    "carrier": "China Post",
    "url": "https://track.example/LX000000005CN",
    "last_event": "Departed from the sorting centre",
    "last_date": date(2026, 9, 1),
    "eta_from": date(2026, 10, 1),
    "eta_to": date(2026, 10, 15),
    "new_deadline": date(2026, 11, 1),
    "amount": Decimal("1234.50"),
    "currency": "USD",
    "cause": "a storm",
    "extra_days": 15,
    "buyer_action": "enter your tax number",
    "due_date": date(2026, 10, 10),
    "pickup_place": "the post office",
    "sent_date": date(2026, 9, 2),
    "correction": "the parcel is on its way",
    "payment_hint": "our shop",
}
"""What every blank looks like when a text is tried."""


class TextFile(msgspec.Struct, frozen=True, kw_only=True):
    """One text with the file that it came from."""

    language: str
    key: str
    file: str
    source: str


class TextFiles(msgspec.Struct, frozen=True, kw_only=True):
    """All texts, an operator's over the shipped one of the same language and key; `words` per language likewise."""

    files: tuple[TextFile, ...]
    words: Mapping[str, Mapping[str, str]]

    def texts(self) -> Texts:
        """As the messages take them."""
        sources: dict[str, dict[str, str]] = {}
        for each in self.files:
            sources.setdefault(each.language, {})[each.key] = each.source
        return Texts(sources=sources, words=self.words)


def read_texts(folders: Iterable[Path], problems: list[Problem]) -> TextFiles:
    """Read messages/<language>/*.txt and words.toml of every folder, a later one over an earlier one."""
    files: dict[tuple[str, str], TextFile] = {}
    words: dict[str, dict[str, str]] = {}
    for folder in folders:
        problems.extend(_astray(folder / "messages"))
        for file in sorted(folder.glob("messages/*/*")):
            language = file.parent.name
            try:
                if file.name == WORDS:
                    words.setdefault(language, {}).update(_read_words(file, problems))
                elif file.suffix == ".txt":
                    text = TextFile(language=language, key=file.stem, file=str(file), source=read_text(file))
                    files[language, text.key] = text
            except ConfigError as error:
                problems.extend(error.problems)
    return TextFiles(files=tuple(files.values()), words=words)


def _astray(folder: Path) -> Iterator[Problem]:
    """Texts that lie beside the languages' folders: no buyer would ever get them."""
    for file in sorted(folder.glob("*.txt")):
        if base_key(file.stem) in MESSAGE_TYPES:
            message = f"belongs into the folder of its language, like messages/en/{file.name}: here nobody reads it"
            yield Problem(file=str(file), line=None, key="", message=message)


def _read_words(file: Path, problems: list[Problem]) -> dict[str, str]:
    layer = read_layer(file)
    problems.extend(
        Problem(file=str(file), line=layer.line((key,)), key=key, message="unknown key" + meant(key, WORD_KEYS))
        for key in sorted(layer.data.keys() - WORD_KEYS)
    )
    return {key: str(value) for key, value in layer.data.items()}


def check_texts(found: TextFiles, lists: Iterable[LintList], languages: Iterable[str]) -> Iterator[Problem]:
    """Every text, tried with sample facts; and what is missing in a language that a destination needs."""
    everywhere = tuple(each for each in lists if "*" in each.platforms)
    for text in found.files:
        yield from _check(text, everywhere)
    english = {text.key for text in found.files if text.language == "en" and base_key(text.key) in MESSAGE_TYPES}
    for language in sorted(set(languages) - {"en"}):
        folder = Path(found.files[0].file).parent.parent.name + f"/{language}" if found.files else language
        for key in sorted(english - {text.key for text in found.files if text.language == language}):
            message = f"{key} has no text in {language}, the language of a destination: its buyers get the English one"
            yield Problem(file=folder, line=None, key=f"messages.{language}.{key}", message=message, level="warning")


@lru_cache(maxsize=512)
def _check(text: TextFile, lists: tuple[LintList, ...]) -> tuple[Problem, ...]:
    """What is wrong with one text; the shipped ones are tried once a process, however often it loads."""
    return tuple(_findings(text, lists))


def _findings(text: TextFile, lists: tuple[LintList, ...]) -> Iterator[Problem]:
    if base_key(text.key) not in MESSAGE_TYPES:
        stems = {key + variant for key in MESSAGE_TYPES for variant in ("", NOSCAN, NODATE, SHORT)}
        yield _problem(text, "no message has this name, so nobody would ever get it" + meant(text.key, stems))
        return
    try:
        Locale.parse(text.language, sep="-")
    except (UnknownLocaleError, ValueError):
        yield _problem(text, f'"{text.language}" is no language (allowed: en, pt-BR, es, ru ...)')
        return
    try:
        blanks = sorted(_blank_problems(text))
        yield from (_problem(text, message, line=line) for line, message in blanks)
        if not blanks:
            rendered = render(text.source, SAMPLE, text.language)
            for hit in lint(rendered.text, "*", lists, rendered.known):
                yield _problem(
                    text, f'becomes a task, never a message: "{hit.found}" {hit.why} (lint list {hit.rule})', "warning"
                )
    except RenderError as error:
        found = _LINE.match(str(error))
        yield _problem(text, _LINE.sub("", str(error)), line=int(found[1]) if found else None)


def _blank_problems(text: TextFile) -> Iterator[tuple[int, str]]:
    """Blanks that nothing fills, that this message cannot fill, and those without which it misses its point."""
    used, unknown, can = required(text.source), undeclared(text.source), offered(text.key)
    for name in unknown:
        yield _line(text.source, name), f"{{{{ {name} }}}} is no blank of any message" + meant(name, can)
    for name in used - unknown - can:
        yield _line(text.source, name), f"{{{{ {name} }}}} cannot be filled in {text.key}" + meant(name, can)
    for name in needed(text.key) - used:
        yield 1, f"{text.key} has to name {{{{ {name} }}}}"


def _line(source: str, name: str) -> int:
    found = re.search(rf"\b{re.escape(name)}\b", source)
    return source.count("\n", 0, found.start()) + 1 if found else 1


def _problem(text: TextFile, message: str, level: Level = "error", *, line: int | None = None) -> Problem:
    return Problem(file=text.file, line=line, key=f"messages.{text.language}.{text.key}", message=message, level=level)
