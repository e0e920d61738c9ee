"""Find, read, merge, check and build the configuration: all problems at once, each with its line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import msgspec
from pydantic import BaseModel

from carriers import registry
from tracker.config.build import Shapes, build_rules
from tracker.config.checks import check
from tracker.config.checks_texts import check_texts
from tracker.config.layers import Layer, environment_layer, read_layer, require_access
from tracker.config.merge import Section
from tracker.config.operators import Spoken, read_phrases, spoken_there
from tracker.config.problem import ConfigError, Problem, meant
from tracker.config.settings import Settings, build_settings
from tracker.config.shape_cases import CasesFile
from tracker.config.shape_market import MarketplacesFile, StoreFile
from tracker.config.shape_rules import (
    CalendarFile,
    CarriersFile,
    CompensationFile,
    DestinationsFile,
    LintFile,
    ServicesFile,
)
from tracker.config.shape_team import FxFile, TeamFile
from tracker.config.shape_times import TimesFile
from tracker.config.shape_tracker import TrackerFile
from tracker.config.texts import TextFiles, read_texts
from tracker.config.validate import salvage, validate
from tracker.messages import Texts
from tracker.phrases import ENGLISH, Phrases
from tracker.rules import Rules

MAIN = "tracker"
SHAPES: Mapping[str, type[BaseModel]] = {
    MAIN: TrackerFile,
    "destinations": DestinationsFile,
    "calendar": CalendarFile,
    "services": ServicesFile,
    "carriers": CarriersFile,
    "marketplaces": MarketplacesFile,
    "compensation": CompensationFile,
    "time-rules": TimesFile,
    "lint": LintFile,
    "cases": CasesFile,
    "team": TeamFile,
    "fx": FxFile,
}
_TRIED_WITH = ("lint", "marketplaces")
"""What the shipped texts were tried with before they shipped."""

_OTHERS = frozenset({"formats", "pyproject", "secrets"})
"""Files that stand beside tracker.toml and are read by others, or are nobody's misspelling."""

VARIABLE = "TRACKER_CONFIG"
SYSTEM = Path("/etc/tracker/tracker.toml")


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration that can be used. `problems` are warnings; `files` all files read; `sections` are for show().

    `languages` are all in which operators can be spoken to, by name.
    """

    settings: Settings
    rules: Rules
    texts: Texts
    languages: Mapping[str, Phrases]
    problems: tuple[Problem, ...]
    files: tuple[Path, ...]
    sections: Mapping[str, Section]
    read_version: str
    """The hash of the files; `rules.version` differs from it where own deliveries taught something (tracker.config.learned)."""

    @property
    def phrases(self) -> Phrases:
        """The operators' language, `[operators] language`."""
        return self.languages[self.settings.operators_language]


def find(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The tracker.toml to use: the one named, $TRACKER_CONFIG, ./tracker.toml, that in /etc/tracker; None: shipped defaults."""
    named = path or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else None)
    if named is not None:
        return named / "tracker.toml" if _is_folder(named) else named
    return next((each for each in (Path("tracker.toml"), SYSTEM) if _is_there(each)), None)


def _is_folder(named: Path) -> bool:
    try:
        return named.is_dir()
    except PermissionError:
        return False


def _is_there(file: Path) -> bool:
    """Also where it may not be looked at: reading it then tells so, instead of silently taking the defaults."""
    try:
        return file.is_file()
    except PermissionError:
        return True


def defaults_dir() -> Path:
    """Where the shipped defaults lie: inside the package, in a checkout beside it."""
    package = Path(__file__).resolve().parent.parent
    packaged = package / "_defaults"
    return packaged if packaged.is_dir() else package.parent / "config"


def english() -> Phrases:
    """The shipped English, for what is said without a configuration."""
    return read_phrases(defaults_dir(), None, []).languages[ENGLISH]


def load(
    path: Path | None, *, environ: Mapping[str, str], adapters: Collection[str] | None = None, serving: bool = False
) -> Loaded:
    """Read `path` (a tracker.toml, as `find` gives it) with its siblings over the defaults.

    `adapters` are the names a source may use (carriers.registry.names()). `serving`: it shall ask and send, so credentials of the
    service must be there; everybody else is only warned that the service alone sees them. Raises ConfigError with every problem,
    warnings included, when one of them is an error.
    """
    if path is not None:
        require_access(path)
    problems: list[Problem] = []
    folder = path.absolute().parent if path else Path.cwd()
    sections = _sections(path, folder, environ, problems)
    texts = read_texts([defaults_dir(), *([folder] if path else [])], problems)
    spoken = read_phrases(defaults_dir(), folder if path else None, problems)
    shapes = shapes_of(sections, problems)
    settings = build_settings(shapes.tracker, sections[MAIN], folder, environ, problems, serving=serving)
    version = _version(sections, texts)
    rules = build_rules(shapes, version)
    problems += check(shapes, rules, sections, registry.names() if adapters is None else adapters)
    problems += check_texts(texts, rules, settings.operators_language, proven=_proven(sections, texts))
    problems += _operators(settings, spoken, sections[MAIN])
    if any(each.level == "error" for each in problems):
        raise ConfigError(problems)
    read = {Path(file) for section in sections.values() for file in section.files}
    files = texts.paths | {*spoken.files} | read
    return Loaded(
        settings=settings,
        rules=rules,
        texts=texts.texts(),
        languages=spoken.languages,
        problems=ConfigError(problems).problems,
        files=tuple(sorted(files)),
        sections=sections,
        read_version=version,
    )


def _proven(sections: Mapping[str, Section], texts: TextFiles) -> bool:
    """Whether nobody has changed what the shipped texts were tried with."""
    shipped_alone = all(len(sections[name].files) == 1 for name in _TRIED_WITH)
    return shipped_alone and not any(each.file in texts.own for each in texts.spoken.values())


def _sections(path: Path | None, folder: Path, environ: Mapping[str, str], problems: list[Problem]) -> dict[str, Section]:
    sections = {}
    for name in SHAPES:
        own: list[Layer] = []
        if path is not None:
            own += _layer(path if name == MAIN else folder / f"{name}.toml", problems, wanted=name == MAIN)
        if name == MAIN:
            own.append(environment_layer(environ))
        sections[name] = Section(name, [shipped(name), *own]) if own else untouched(name)
    if path is not None:
        problems += _strangers(path, folder)
        for file in _stores(folder / "stores", problems):
            layers = _layer(file, problems, wanted=True)
            if layers:  # of a file that cannot be read that is all there is to say, not that its keys are missing
                sections[f"stores/{file.stem}"] = Section(f"stores/{file.stem}", layers)
    return sections


def _operators(settings: Settings, spoken: Spoken, main: Section) -> list[Problem]:
    """The language in which operators want to be spoken to has to be there."""
    wrong = spoken_there(settings.operators_language, spoken.languages)
    return [main.problem(("operators", "language"), wrong)] if wrong else []


def _stores(folder: Path, problems: list[Problem]) -> list[Path]:
    """The shops' files. A folder that cannot be listed is told: in silence all shops would be gone (Path.glob swallows that)."""
    try:
        return sorted(file for file in folder.iterdir() if file.suffix == ".toml")
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(Problem(file=str(folder), line=None, key="", message=f"cannot be read: {error.strerror}"))
        return []


@cache
def shipped(name: str) -> Layer:
    """A file of the defaults, read once a process: merging copies, it never changes a layer."""
    return read_layer(defaults_dir() / f"{name}.toml", shipped=True)


@cache
def untouched(name: str) -> Section:
    """A file of the defaults over which nothing is laid: merged once a process, since nobody changes what is merged."""
    return Section(name, [shipped(name)])


@cache
def _untouched_shape(name: str) -> BaseModel | None:
    return validate(SHAPES[name], untouched(name), [])


def _layer(file: Path, problems: list[Problem], *, wanted: bool) -> list[Layer]:
    if not wanted and not file.exists():
        return []
    try:
        return [read_layer(file)]
    except ConfigError as error:
        problems.extend(error.problems)
        return []


def _strangers(path: Path, folder: Path) -> list[Problem]:
    """Files that look like ours by a slip of the pen: nothing would read them."""
    found = []
    for file in sorted(folder.glob("*.toml")):
        told = meant(file.stem, SHAPES)
        if file.stem not in {*SHAPES, *_OTHERS} and file != path and "did you mean" in told:
            found.append(Problem(file=str(file), line=None, key="", message=f"is not read{told}", level="warning"))
    return found


def shapes_of(sections: Mapping[str, Section], problems: list[Problem]) -> Shapes:
    """Every file in its shape. One that has none is told in `problems`; what is left of it, or what is shipped, stands in.

    So what is wrong elsewhere is told at the same time; nothing is ever run on such a stand-in, because `load` raises.
    """
    shapes = {name.replace("-", "_"): _shape_of(name, sections[name], problems) for name in SHAPES}
    stores = {
        name.removeprefix("stores/"): validate(StoreFile, section, problems) or salvage(StoreFile, section, {})
        for name, section in sections.items()
        if name.startswith("stores/")
    }
    whole = {name: store for name, store in stores.items() if store is not None}
    return Shapes(**cast("dict[str, Any]", {**shapes, "stores": whole}))


def _shape_of(name: str, section: Section, problems: list[Problem]) -> BaseModel | None:
    if section is untouched(name) and (known := _untouched_shape(name)) is not None:
        return known
    shape = SHAPES[name]
    return validate(shape, section, problems) or salvage(shape, section, shipped(name).data) or _untouched_shape(name)


_OF_A_HOST = frozenset(
    {"database", "state", "journal", "inbox", "mail", "backup", "log", "engine", "health", "metrics", "receiver"}
)
"""Tables of tracker.toml that say where things lie, who listens and how often a daemon looks: workers of a fleet differ in them,
and must not take each other's rules for new ones."""


def _shared(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: table for name, table in data.items() if name not in _OF_A_HOST}


def _version(sections: Mapping[str, Section], texts: TextFiles) -> str:
    """blake2b over the canonical form of everything that was merged, but for what is one host's own business."""
    merged = {
        "sections": {name: _shared(section.data) if name == MAIN else section.data for name, section in sections.items()},
        "texts": {f"{each.language}/{each.key}": each.source for each in texts.files},
        "words": {language: dict(words) for language, words in texts.words.items()},
    }
    canonical = json.dumps(merged, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(canonical.encode(), digest_size=8).hexdigest()
