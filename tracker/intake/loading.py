"""Reading formats.toml, the operator's own over the shipped one, and the layouts of his own in profiles/.

Everything wrong is told at once, with its file and line. A profile is one `[[format]]` in a file of its own; `enabled = false`
means that nobody has agreed to it yet: it is used where a person names it (`--format`), and recognised by nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from babel import Locale, UnknownLocaleError

from tracker.config.layers import Layer, read_layer
from tracker.config.merge import Merged, Section
from tracker.config.problem import ConfigError, Level, Problem
from tracker.intake.errors import FormatsError
from tracker.intake.profiles import STORES_ZONE, Field, Format, Formats, fold_values, folded

FOLDER = "profiles"
"""Beside tracker.toml."""

_PLACE = re.compile(r"(.*) - at `\$(.*)`")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """formats.toml without its formats."""

    schema: int = 1
    aliases: Mapping[str, tuple[str, ...]] = {}
    words: Mapping[Field, tuple[str, ...]] = {}
    currencies: Mapping[str, str] = {}
    countries: Mapping[str, tuple[str, ...]] = {}
    tax: Mapping[str, tuple[str, ...]] = {}
    payments: Mapping[str, tuple[str, ...]] = {}
    postcodes: Mapping[str, str] = {}


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A layout of the operator's own: its file, and whether it is recognised unasked."""

    file: Path
    format: Format
    enabled: bool


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What is read: the formats, the profiles by their id, and what is wrong with a profile that is not in use yet."""

    formats: Formats
    profiles: Mapping[str, Profile] = {}
    problems: tuple[Problem, ...] = ()


def load_formats(shipped: Path, own: Path | None = None) -> Formats:
    """The shipped table with the operator's own formats.toml over it: merged by `id`, `enabled = false` removes a format.

    Raises:
        FormatsError: with everything that is wrong.
    """
    if own is None or not own.is_file():
        return _shipped_formats(shipped)
    try:
        return _formats([_shipped_layer(shipped), read_layer(own)])
    except ConfigError as error:
        raise FormatsError(error.problems) from error


@cache
def _shipped_formats(shipped: Path) -> Formats:
    """With nothing laid over them: read once a process."""
    try:
        return _formats([_shipped_layer(shipped)])
    except ConfigError as error:
        raise FormatsError(error.problems) from error


@cache
def _shipped_layer(shipped: Path) -> Layer:
    return read_layer(shipped, shipped=True)


def _formats(layers: Sequence[Layer]) -> Formats:
    section = Section("formats", layers)
    problems = [each for each in section.problems if each.level == "error"]
    listed = section.data.get("format", [])
    found = [_format(section, entry, problems) for entry in listed] if isinstance(listed, list) else []
    rest = {key: value for key, value in section.data.items() if key != "format"}
    table = _converted(section, rest, _Table, (), problems)
    if not found and not problems:
        problems.append(section.problem((), "missing required field `format`"))
    if table is None or problems:
        raise FormatsError(problems)
    return Formats(
        format=tuple(folded(one) for one in found if one is not None),
        aliases=fold_values(table.aliases),
        words=fold_values(table.words),
        currencies=dict(sorted(table.currencies.items(), key=lambda pair: -len(pair[0]))),
        countries=fold_values(table.countries),
        tax=table.tax,
        payments=fold_values(table.payments),
        postcodes=table.postcodes,
    )


def load_all(shipped: Path, folder: Path) -> Found:
    """The formats of `folder` (that of tracker.toml) with its profiles before them: a seller's own layout beats a shipped one.

    Raises:
        FormatsError: with everything that is wrong with what is in use.
    """
    formats = load_formats(shipped, folder / "formats.toml")
    problems: list[Problem] = []
    profiles: dict[str, Profile] = {}
    for file in _files(folder / FOLDER, problems):
        profile = _profile(file, problems)
        if profile is None:
            continue
        id_ = profile.format.id
        if formats.by_id(id_) is not None or id_ in profiles:
            level: Level = "error" if profile.enabled else "warning"
            problems.append(_problem(file, f"format[{id_}].id", "another format has this id: choose a new one", level))
        else:
            profiles[id_] = profile
    if any(each.level == "error" for each in problems):
        raise FormatsError(problems)
    used = [profile.format for profile in profiles.values() if profile.enabled]
    waiting = [profile.format for profile in profiles.values() if not profile.enabled]
    return Found(
        formats=msgspec.structs.replace(formats, format=(*used, *formats.format), proposed=tuple(waiting)),
        profiles=profiles,
        problems=tuple(problems),
    )


def profile_files(folder: Path) -> list[Path]:
    """The files of profiles/ beside tracker.toml, sorted; none where there is no such folder. Raises OSError."""
    try:
        return sorted(file for file in (folder / FOLDER).iterdir() if file.suffix == ".toml" and not file.name.startswith("."))
    except FileNotFoundError:
        return []


def _files(folder: Path, problems: list[Problem]) -> list[Path]:
    try:
        return profile_files(folder.parent)
    except OSError as error:
        problems.append(_problem(folder, "", f"cannot be read: {error.strerror}", "error"))
        return []


def _profile(file: Path, problems: list[Problem]) -> Profile | None:
    """One file. What is wrong with a profile that is not in use is a warning: nobody is kept from work by it."""
    try:
        layer = read_layer(file)
    except ConfigError as error:
        problems += error.problems
        return None
    listed = layer.data.get("format")
    if set(layer.data) != {"format"} or not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], dict):
        problems.append(_problem(file, "", "a profile is one [[format]] and nothing else", "error"))
        return None
    entry = {key: value for key, value in listed[0].items() if key != "enabled"}
    enabled = listed[0].get("enabled", True)
    section = Section(FOLDER, [Layer(layer.file, {"format": [entry]}, layer.text)])
    found = list(section.problems)
    one = _format(section, section.data["format"][0], found) if section.data["format"] else None
    if not isinstance(enabled, bool):
        found.append(_problem(file, "format.enabled", "has to be true or false", "error"))
    level: Level = "warning" if enabled is False else "error"
    problems += [msgspec.structs.replace(each, level=level) for each in found]
    return Profile(file=file, format=folded(one), enabled=enabled is not False) if one is not None and not found else None


def _format(section: Section, entry: Mapping[str, Any], problems: list[Problem]) -> Format | None:
    path = ("format", str(entry.get("id")))
    one = _converted(section, entry, Format, path, problems)
    if one is None:
        return None
    wrong = [section.problem((*path, key), message) for key, message in _contradictions(one)]
    problems += wrong
    return None if wrong else one


def _converted(section: Section, data: Mapping[str, Any], into: Any, path: Merged, problems: list[Problem]) -> Any:  # noqa: ANN401
    """The data as a struct; None, and the problem at its line, where they do not fit."""
    try:
        return msgspec.convert(data, into)
    except msgspec.ValidationError as error:
        told = _PLACE.fullmatch(str(error))
        message, place = (told[1], told[2]) if told else (str(error), "")
        steps = tuple(name for name, _ in _STEP.findall(place) if name)
        problems.append(section.problem((*path, *steps), message[0].lower() + message[1:]))
        return None


def _contradictions(one: Format) -> Iterator[tuple[str, str]]:
    """(key, what is wrong with its value)."""
    if one.zone != STORES_ZONE:
        try:
            ZoneInfo(one.zone)
        except (KeyError, OSError, ValueError):
            yield "zone", f"{one.zone!r} is no time zone: an IANA name, or 'store'"
    for key, pattern in (*(("footers", each) for each in one.footers), ("seller", one.seller)):
        try:
            groups = re.compile(pattern).groups if pattern is not None else 1
        except re.error as error:
            yield key, f"{pattern!r}: {error}"
            continue
        if key == "seller" and groups != 1:
            yield key, f"{pattern!r}: one group, the store's name, must stand in it"
    try:
        Locale.parse(one.locale)
    except (UnknownLocaleError, ValueError):
        yield "locale", f"{one.locale!r} is not known: write one like en_US"


def _problem(file: Path, key: str, message: str, level: Level) -> Problem:
    return Problem(file=str(file), line=None, key=key, message=message, level=level)
