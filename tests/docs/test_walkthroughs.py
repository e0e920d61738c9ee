"""The how-to pages are true: their commands are run as they stand, in their order, and print what the page shows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.docs.pages import DOCS
from tests.docs.walkthrough import follow
from tracker.cli import main

ROOT = DOCS.parent
WALKS = {
    "first-day": ("first-day.md", "every-day.md"),
    "order-files": ("order-files.md",),
    "change-the-rules": ("change-the-rules.md",),
    "stop-and-resume": ("stop-and-resume.md",),
    "people": ("people.md",),
    "take-over": ("take-over.md",),
}
"""Pages that go on where the one before them ended share a folder."""


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like the source tree, to start from."""
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    for name in [name for name in os.environ if name.startswith("TRACKER_") and name != "TRACKER_REFERENCE"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("pages", WALKS.values(), ids=WALKS)
def test_a_page_can_be_followed(pages: tuple[str, ...], clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Style 13: documentation is tested."""

    def tracker(words: list[str]) -> tuple[int, str]:
        capsys.readouterr()
        code = main(words)
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    for page in pages:
        follow((DOCS / "how-to" / page).read_text(encoding="utf-8"), tracker)
