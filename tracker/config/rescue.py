"""Where the database and its backups lie, also where all else in the configuration is broken: a backup is possible then."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from tracker.config.layers import environment_layer, read_layer, require_access
from tracker.config.load import MAIN, load, shipped
from tracker.config.merge import Section
from tracker.config.problem import ConfigError, Problem
from tracker.config.settings import Settings, build_settings
from tracker.config.shape_tracker import TrackerFile
from tracker.config.validate import salvage, validate

_WANTED = frozenset({"database", "state", "journal", "backup"})
"""The tables of tracker.toml that say it."""


class Rescued(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of which only database, backup, send journal and worker may be used, if there are `problems`."""

    settings: Settings
    problems: tuple[Problem, ...] = ()


def load_places(path: Path | None, *, environ: Mapping[str, str]) -> Rescued:
    """As `load`, but what is wrong in shops, rules, texts and other tables is only told.

    Faults row 20. Raises ConfigError where tracker.toml cannot be read, is wrong in the tables wanted, or has a table that nobody
    knows: that may be one of these, misspelt.
    """
    try:
        return Rescued(settings=load(path, environ=environ).settings)
    except ConfigError as error:
        broken = error
    if path is not None:
        require_access(path)
    problems: list[Problem] = []
    own = [] if path is None else [read_layer(path)]
    section = Section(MAIN, [shipped(MAIN), *own, environment_layer(environ)])
    shape = validate(TrackerFile, section, problems) or salvage(TrackerFile, section, shipped(MAIN).data)
    if shape is None:
        raise broken
    folder = path.absolute().parent if path else Path.cwd()
    settings = build_settings(shape, section, folder, environ, problems)
    if any(each.level == "error" and _matters(each.key) for each in problems):
        raise broken
    return Rescued(settings=settings, problems=broken.problems)


def _matters(key: str) -> bool:
    table = key.partition(".")[0].partition("[")[0]
    return table in _WANTED or table not in TrackerFile.model_fields
