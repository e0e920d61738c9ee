"""A root folder that stands for a machine. This machine itself is never set up: whoever runs the tests may well be root."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tracker.install import Did, Machine, Report, install

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
PREFIX = "/opt/tracker"

Install = Callable[..., Report]


@pytest.fixture(autouse=True)
def _never_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a test forgets its root folder, it is refused."""
    monkeypatch.setattr(Machine, "booted", property(lambda _: False))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty disk."""
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def setup(root: Path) -> Install:
    """`tracker init --system --root ROOT`."""

    def run(*, enable: bool = False, dry_run: bool = False, prefix: str | None = None) -> Report:
        return install(Machine(root), prefix=prefix, enable=enable, dry_run=dry_run, now=NOW)

    return run


def told(report: Report) -> dict[str, Did]:
    """What became of each path."""
    return {outcome.path: outcome.did for outcome in report.outcomes}


def notes(report: Report) -> dict[str, str]:
    """What was said about each path."""
    return {outcome.path: outcome.note for outcome in report.outcomes}


def content(root: Path) -> dict[str, bytes | str]:
    """Every file and link below a folder. The files of accounts are their own program's business."""
    return {
        str(path.relative_to(root)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in root.rglob("*")
        if (path.is_file() or path.is_symlink()) and path.name not in {"shadow", "gshadow", ".pwd.lock"}
    }
