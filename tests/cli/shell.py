"""The command line, called in this process: fast, and everything it says is kept."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tracker.cli import main


class Said(msgspec.Struct, frozen=True):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """What stands on stdout, as the one JSON document that it must be."""
        found: dict[str, Any] = json.loads(self.out)
        return found


class Shell:
    """Runs `tracker …` on one configuration."""

    def __init__(self, capfd: pytest.CaptureFixture[str], config: Path | None = None) -> None:
        self._capfd = capfd
        self.config = config

    def __call__(self, *words: str | int | os.PathLike[str]) -> Said:
        """Run one command; the configuration is added unless there is none."""
        line = [str(word) for word in words]
        if self.config is not None:
            line += ["--config", str(self.config)]
        self._capfd.readouterr()
        code = main(line)
        captured = self._capfd.readouterr()
        return Said(code, captured.out, captured.err)

    def json(self, *words: str | int | os.PathLike[str]) -> dict[str, Any]:
        """The document of a command that must succeed."""
        said = self(*words, "--json")
        assert said.code == 0, said
        return said.document
