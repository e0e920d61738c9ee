"""The phrases of operators/<language>.toml: the shipped ones, an operator's laid over them key by key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import msgspec

from tracker.config.layers import Layer, read_layer
from tracker.config.problem import ConfigError, Level, Problem, meant
from tracker.phrases import ENGLISH, Phrases

FOLDER = "operators"


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """Every language there is, with the files of the operator's own that were read."""

    languages: Mapping[str, Phrases]
    files: tuple[Path, ...]


def read_phrases(shipped: Path, own: Path | None, problems: list[Problem]) -> Spoken:
    """Read operators/*.toml of the shipped defaults, and of `own`, the folder of tracker.toml, over them."""
    texts = {file.stem: dict(_shipped(file)) for file in sorted((shipped / FOLDER).glob("*.toml"))}
    english = dict(texts[ENGLISH])
    files = sorted((own / FOLDER).glob("*.toml")) if own and own != shipped else []
    for file in files:
        try:
            layer = read_layer(file)
        except ConfigError as error:
            problems.extend(error.problems)
            continue
        texts.setdefault(file.stem, {}).update(_checked(layer, english, problems))
    return Spoken(
        languages={name: Phrases(language=name, texts=mine, fallback=english) for name, mine in texts.items()},
        files=tuple(files),
    )


def spoken_there(language: str, languages: Iterable[str]) -> str | None:
    """What to say of a language that has no phrases; None: it has."""
    names = sorted(languages)
    if language in names:
        return None
    near = [name for name in names if _root(name) == _root(language)]
    told = f' (got "{language}", did you mean "{near[0]}")' if near else meant(language, names)
    return f"no phrases in this language{told}; a language of your own stands in {FOLDER}/{language or 'xx'}.toml"


def _root(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].casefold()


@cache
def _shipped(file: Path) -> Mapping[str, str]:
    """A shipped file, read once a process."""
    return {".".join(path): str(text) for path, text in _leaves(read_layer(file, shipped=True).data)}


def _checked(layer: Layer, english: Mapping[str, str], problems: list[Problem]) -> dict[str, str]:
    """The phrases of an operator's file that can be used; the others are told."""
    kept: dict[str, str] = {}
    for path, text in _leaves(layer.data):
        key = ".".join(path)
        found = _wrong(key, text, english)
        if found is None:
            kept[key] = str(text)
        else:
            message, level = found
            problems.append(Problem(file=layer.file, line=layer.line(path), key=key, message=message, level=level))
    return kept


def _wrong(key: str, text: object, english: Mapping[str, str]) -> tuple[str, Level] | None:
    if key not in english:
        return "unknown phrase: nothing would say it" + meant(key, english), "warning"
    if not isinstance(text, str) or not text.strip():
        return "has to be text in quotes, and not empty", "error"
    try:
        blanks = placeholders(text)
    except ValueError as error:
        return f"cannot be filled: {error}; write {{{{ and }}}} for a brace", "error"
    strange = sorted(blanks - placeholders(english[key]))
    if strange:
        return f"{{{strange[0]}}} is no blank of this phrase" + meant(strange[0], placeholders(english[key])), "error"
    return None


def placeholders(text: str) -> frozenset[str]:
    """The blanks of a phrase, each with how it is to be written. Raises ValueError for a brace alone."""
    blanks = (
        name + (f"!{how}" if how else "") + (f":{form}" if form else "")
        for _, name, form, how in Formatter().parse(text)
        if name is not None
    )
    return frozenset(blanks)


def _leaves(data: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value
