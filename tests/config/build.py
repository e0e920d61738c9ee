"""Configurations on disk: what an operator wrote, and what he is told about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tracker import config


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write the files; the path of the tracker.toml, which is empty where none is given."""
    for name, text in {"tracker.toml": "", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "tracker.toml"


def told(folder: Path, files: Mapping[str, str], environ: Mapping[str, str] | None = None) -> list[str]:
    """Everything that is said about a configuration, paths from its folder."""
    path = write(folder, files)
    try:
        problems = config.load(path, environ=environ or {}).problems
    except config.ConfigError as error:
        problems = error.problems
    return [str(each).replace(f"{folder}/", "") for each in problems]


def loaded(folder: Path, files: Mapping[str, str], environ: Mapping[str, str] | None = None) -> config.Loaded:
    """A configuration that has to load without a word."""
    found = config.load(write(folder, files), environ=environ or {})
    if found.problems:
        pytest.fail("\n".join(map(str, found.problems)))
    return found
